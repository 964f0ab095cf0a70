"""The final prompt below the field: what the model is told once the style has had its say."""

from html import escape

from pipelines.models import ModelSpec
from studio.media.looks import LOOKS
from studio.styles import PLACE, Style, apply
from studio.ui.context import Page
from studio.ui.examples import sketch_reads
from studio.ui.unwanted import told


def render(page: Page, style: Style, spec: ModelSpec, *, prompt: str, negative: str) -> str:
    """One line that opens to the whole; empty where a prompt goes to the model just as it was typed."""
    asked = apply(style, prompt=prompt, negative_prompt=negative, spec=spec)
    reads = _reads(page, asked["prompt"]) if spec.closed_world else ""
    if asked["prompt"] == prompt and style.name == "none":
        return reads
    rows = (
        (page.field("style"), named(page, style)),
        (page.field("look"), LOOKS[style.look].title[page.language]),
        (page.field("negative"), told(page, asked.get("negative_prompt", ""))),
    )
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    return (
        f'<details class="final" id="final_prompt"><summary><span><b>{escape(page.t("final_prompt"))}</b> '
        f"{marked(asked['prompt'], prompt)}</span></summary><dl>{facts}</dl></details>{reads}"
    )


def named(page: Page, style: Style) -> str:
    """A style's title and version."""
    return page.t("style_version_of", title=style.title[page.language], version=style.version)


def marked(final: str, prompt: str) -> str:
    """The final prompt as HTML, with the person's own words standing out of the style's."""
    own = prompt.rstrip("。．.") or prompt
    before, found, after = final.partition(own)
    return f"{escape(before)}<mark>{escape(found)}</mark>{escape(after)}" if found else escape(final)


def in_place(page: Page, style: Style, prompt: str) -> str:
    """A style's template with a prompt in its place, as HTML; without one, the place itself is shown."""
    if prompt.strip():
        return marked(apply(style, prompt=prompt)["prompt"], prompt.strip())
    before, _, after = style.template[page.language].partition(PLACE)
    return f"{escape(before)}<mark>{escape(page.t('style_your_words'))}</mark>{escape(after)}"


def _reads(page: Page, asked: str) -> str:
    """What a model of a small world takes from the prompt."""
    words = sketch_reads(asked, page.language)
    things = ("、" if page.language == "zh" else ", ").join(words)
    told = page.t("sketch_reads", things=things) if words else page.t("sketch_reads_nothing")
    return f'<p class="model-note">{escape(told)}</p>'

"""One style beside the gallery: what it says, what it does to a picture, and what can be done with it."""

from html import escape
from typing import Any

from pipelines.models import ModelSpec
from studio.media.looks import LOOKS
from studio.style_store import StyleView
from studio.styles import STYLES, Style, guidance
from studio.ui import unwanted
from studio.ui.context import Page
from studio.ui.final_prompt import in_place
from studio.ui.markup import attributes, button, facts, icon

_COVERS = "../examples/covers"


def picture(style: Style) -> str:
    """The address of a style's still: its own cover, or in its look that of the style it began as."""
    if style.name in STYLES:
        return f"{_COVERS}/{style.name}.webp"
    return graded(style, style.look)


def moving(style: Style) -> str:
    """The address of a style's moving cover; own styles have none."""
    return f"{_COVERS}/moving/{style.name}.webp" if style.name in STYLES else ""


def graded(style: Style, look: str) -> str:
    """The address of a style's picture in any look."""
    return f"../looks/{look or 'none'}/{drawn_as(style)}.webp"


def drawn_as(style: Style) -> str:
    """The shipped style whose cover stands for this one."""
    known = (style.name, style.based_on, style.nearest, "cinematic")
    return next(name for name in known if name in STYLES and name != "none")


def render(page: Page, view: StyleView, prompt: str, *, told: str = "") -> str:
    """The whole panel; `prompt` is what stands on Create now, `told` what has just been done."""
    style = view.style
    prompt = prompt.strip() or style.example[page.language]
    about = [page.t("style_version", version=style.version)]
    about.append(page.t("style_shipped") if view.shipped else _by(page, view))
    done = f'<p class="told done" role="status">{icon("check")}{escape(told)}</p>' if told else ""
    named_ = attributes(class_="panel style", data_name=style.name, data_version=style.version)
    return (
        f"<aside{named_}><header>{facts(about)}{close(page)}</header>{done}{_cover(page, style)}"
        f"<h2>{escape(style.title[page.language])}</h2><p>{escape(style.about[page.language])}</p>"
        f"{_does(page, view)}"
        f"{_part(page, 'style_words', _becomes(page, style, prompt))}"
        f"{_part(page, 'style_not', _unwanted(page, style))}"
        f"{_part(page, 'style_palette', palette(style))}"
        f"{_part(page, 'style_look', _look(page, style))}"
        f"{_part(page, 'style_guidance', _guidance(page, style))}</aside>"
    )


def palette(style: Style) -> str:
    """The style's colours, each with its name."""
    found = "".join(
        f'<span class="swatch" style="--c:{colour}"><i></i>{colour}</span>' for colour in style.palette
    )
    return f'<div class="swatches">{found}</div>'


def _by(page: Page, view: StyleView) -> str:
    when = page.ago(view.updated) if view.updated is not None else ""
    return page.t("style_mine" if view.mine else "style_others", when=when)


def _cover(page: Page, style: Style) -> str:
    if style.name == "none":
        return ""
    still = attributes(src=picture(style), alt="")
    source = attributes(srcset=moving(style), media="(prefers-reduced-motion: no-preference)")
    image = f"<picture><source{source}><img{still}></picture>" if moving(style) else f"<img{still}>"
    return f'<figure class="cover">{image}<figcaption>{escape(drawn_by(page, style))}</figcaption></figure>'


def drawn_by(page: Page, style: Style) -> str:
    """Which model drew a cover, and how much of the style it knows."""
    if style.known_to_sketch:
        return page.t("style_drawn")
    if style.nearest:
        return page.t("style_drawn_nearest", title=STYLES[style.nearest].title[page.language])
    return page.t("style_drawn_look")


def _does(page: Page, view: StyleView) -> str:
    name = view.style.name
    found = do(page, "style_use", f"use {name}", symbol="check", look="primary")
    found += do(page, "style_try", "try", symbol="table", look="raised")
    if view.mine:
        found += do(page, "style_edit", f"edit {name}", symbol="pen", look="raised")
    found += do(page, "style_duplicate", f"duplicate {name}", symbol="copy", look="raised")
    link = attributes(href=f"../style/{name}.toml", class_="btn raised", id="style_export", download=True)
    found += f"<a{link}>{icon('download')}<span>{escape(page.t('style_export'))}</span></a>"
    if view.mine:
        ask = page.t("style_delete_confirm")
        found += do(
            page, "style_delete", f"delete {name}", symbol="trash", look="bare", confirm=ask, loses=True
        )
    return f'<div class="actions">{found}</div>'


def do(page: Page, word: str, key: str, **more: Any) -> str:
    """A button of this tab: `word` is its text and its id, `key` what styles.js is told."""
    return button(page.t(word), "styles", key=key, id_=word, **more)


def close(page: Page) -> str:
    """The cross that closes the panel."""
    more: dict[str, Any] = {"symbol": "close", "look": "bare", "quiet": True}
    return button(page.t("close"), "styles", key="close", id_="style_close", **more)


def _part(page: Page, title: str, body: str) -> str:
    return f"<section><h3>{escape(page.t(title))}</h3>{body}</section>" if body else ""


def _becomes(page: Page, style: Style, prompt: str) -> str:
    return f'<p class="becomes">{in_place(page, style, prompt)}</p>'


def _unwanted(page: Page, style: Style) -> str:
    return f'<p class="muted">{escape(unwanted.told(page, style.negative))}</p>' if style.negative else ""


def _look(page: Page, style: Style) -> str:
    """The same picture without and with the look, under one slider."""
    if style.look in ("", "none"):
        return ""
    images = "".join(f"<img{attributes(src=graded(style, look), alt='')}>" for look in ("none", style.look))
    sides = "".join(f"<b>{escape(page.t(side))}</b>" for side in ("style_before", "style_after"))
    slide = attributes(type="range", min=0, max=100, value=50, aria_label=page.t("style_look_slide"))
    about = f"{LOOKS[style.look].title[page.language]} · {page.t('style_look_where')}"
    return (
        f'<div class="before-after" style="--at:50%">{images}{sides}<input{slide}></div>'
        f'<p class="muted">{escape(about)}</p>'
    )


def _guidance(page: Page, style: Style) -> str:
    """What guidance each model gets that does not keep its own."""
    rows = [_guided(page, style, spec) for spec in page.studio.models()]
    found = "".join(f"<dt>{escape(title)}</dt><dd>{escape(text)}</dd>" for title, text in rows if text)
    return f"<dl>{found}</dl>" if found else f'<p class="muted">{escape(page.t("style_guidance_own"))}</p>'


def _guided(page: Page, style: Style, spec: ModelSpec) -> tuple[str, str]:
    own = spec.sampling["final"]
    changed = guidance(style, spec, "final")
    if not changed:
        return spec.title, ""
    high = changed.get("guidance_scale", own.guidance_scale)
    low = changed.get("guidance_scale_2", own.guidance_scale_2)
    if low is None:
        return spec.title, page.t("style_guided_one", high=f"{high:g}", own=f"{own.guidance_scale:g}")
    values = {"high": high, "low": low, "own_high": own.guidance_scale, "own_low": own.guidance_scale_2 or 0}
    return spec.title, page.t("style_guided", **{name: f"{value:g}" for name, value in values.items()})

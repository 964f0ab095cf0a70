"""A style as a form: everything that a person may say of one, and how what they typed is read back."""

from collections.abc import Mapping
from html import escape
from typing import Any

from studio.media.looks import LOOKS
from studio.styles import NEAREST, STYLES, Style
from studio.ui import unwanted
from studio.ui.context import Page
from studio.ui.markup import attributes
from studio.ui.styles_panel import close, do, graded
from studio.words import LANGUAGES

COLOURS = 5
_FACTORS = {"high_noise": "style_high_noise", "low_noise": "style_low_noise"}
_TEMPLATES = {"zh": "style_template_zh", "en": "style_template_en"}


def render(page: Page, style: Style, *, new: bool, sorry: str = "") -> str:
    """The form; `new`: it becomes a style of its own that began as this one, else this one's next version."""
    title = page.t("style_new") if new else page.t("style_edit_version", version=style.version + 1)
    named = attributes(
        id="style_form",
        data_name=style.name,
        data_new=new,
        data_version=style.version,
        data_ask=page.t("style_draft_ask"),
        novalidate=True,
    )
    drop = do(page, "style_draft_drop", "discard", look="bare")
    back = f'<p class="note" id="style_draft" hidden>{escape(page.t("style_draft"))} {drop}</p>'
    said = f'<p class="sorry" role="alert">{escape(sorry)}</p>' if sorry else ""
    language = page.language
    fields = (
        _line(page, "title", style.title[language], most=40)
        + _line(page, "about", style.about[language], most=200)
        + "".join(_template(page, one, style.template[one]) for one in (language, *_others(language)))
        + _text(page, "negative", style.negative, most=1000, hint="style_not_hint", told=_read(page, style))
        + _line(page, "example", style.example[language], most=300)
        + _looks(page, style)
        + _palette(page, style)
        + _nearest(page, style)
        + _guidance(page, style)
    )
    save = do(page, "style_save", "save", look="primary")
    cancel = do(page, "style_cancel", f"open {style.name}" if style.name != "none" else "close", look="bare")
    return (
        f'<aside class="panel style editing"><header><h2>{escape(title)}</h2>{close(page)}</header>{said}'
        f'{back}<form{named}>{fields}</form><div class="actions save">{save}{cancel}</div></aside>'
    )


def words_of(page: Page, style: Style, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says, as `StyleWords` takes it; `style` is what it began with.

    It comes from a browser: nothing in it is to be trusted. A text that was not changed keeps its other
    language; a new one stands for both.
    """

    def text(name: str) -> str:
        return str(values.get(name, "")).replace("\r\n", " ").replace("\n", " ").strip()

    def both(name: str, before: Mapping[Any, str]) -> dict[str, str]:
        typed = text(name)
        return dict(before) if typed == before[page.language] else dict.fromkeys(LANGUAGES, typed)

    templates = {one: text(f"template_{one}") for one in LANGUAGES}
    return {
        "title": both("title", style.title),
        "about": both("about", style.about),
        "example": both("example", style.example),
        "template": {one: words for one, words in templates.items() if words} or templates,
        "negative": text("negative"),
        "look": text("look"),
        "nearest": text("nearest"),
        "based_on": style.name if style.name in STYLES and style.name != "none" else style.based_on,
        "palette": tuple(text(f"colour_{at}").lower() for at in range(COLOURS) if text(f"colour_{at}")),
        "guidance": {name: text(name) or 1 for name in _FACTORS},
    }


def as_typed(style: Style, words: Mapping[str, Any]) -> Style:
    """A style that says what was typed, legal or not: for showing it again."""
    template = words["template"]
    shown = {**words, "template": {one: template.get(one, "") for one in LANGUAGES}}
    shown["palette"] = words["palette"] or style.palette
    shown["guidance"] = style.guidance
    return style.model_copy(update=shown)


def _others(language: str) -> tuple[Any, ...]:
    return tuple(one for one in LANGUAGES if one != language)


def _line(page: Page, name: str, value: str, *, most: int) -> str:
    box = attributes(name=name, value=value, maxlength=most, autocomplete="off", id=f"style_{name}")
    return f'<label class="box"><span>{escape(page.field(name))}</span><input{box}></label>'


def _read(page: Page, style: Style) -> str:
    """What its Chinese negative prompt says, on the English page; empty where it can be read as it stands."""
    told = unwanted.told(page, style.negative)
    return told if told != style.negative else ""


def _text(
    page: Page,
    name: str,
    value: str,
    *,
    most: int,
    hint: str,
    label: str = "",
    rows: int = 3,
    told: str = "",
) -> str:
    box = attributes(name=name, maxlength=most, rows=rows, id=f"style_{name}")
    said = f"<small>{escape(told)}</small>" if told else ""
    said += f"<small>{escape(page.t(hint))}</small>" if hint else ""
    title = escape(label or page.field(name))
    return f'<label class="box"><span>{title}</span><textarea{box}>{escape(value)}</textarea>{said}</label>'


def _template(page: Page, language: str, value: str) -> str:
    label = page.t(_TEMPLATES[language])
    hint = "style_place_hint" if language == page.language else ""
    return _text(page, f"template_{language}", value, most=600, hint=hint, label=label, rows=4)


def _looks(page: Page, style: Style) -> str:
    """Every look on the same picture."""
    tiles = ""
    for name, look in LOOKS.items():
        if name:
            box = attributes(type="radio", name="look", value=name, checked=name == (style.look or "none"))
            image = attributes(src=graded(style, name), alt="", loading="lazy")
            name = escape(look.title[page.language])
            tiles += f"<label><input{box}><img{image}><span>{name}</span></label>"
    title = escape(page.t("style_look"))
    return f'<fieldset class="looks"><legend>{title}</legend><div>{tiles}</div></fieldset>'


def _palette(page: Page, style: Style) -> str:
    boxes = ""
    for at in range(COLOURS):
        value = style.palette[at] if at < len(style.palette) else style.palette[-1]
        named = attributes(
            type="color", name=f"colour_{at}", value=value, aria_label=page.t("style_colour", number=at + 1)
        )
        boxes += f"<input{named}>"
    title = escape(page.t("style_palette"))
    return f'<fieldset class="colours"><legend>{title}</legend><div>{boxes}</div></fieldset>'


def _nearest(page: Page, style: Style) -> str:
    options = ""
    for name in NEAREST:
        title = STYLES[name].title[page.language] if name else page.t("style_nearest_none")
        chosen = attributes(value=name, selected=name == style.nearest)
        options += f"<option{chosen}>{escape(title)}</option>"
    hint = f"<small>{escape(page.t('style_nearest_hint'))}</small>"
    title = escape(page.field("nearest"))
    return f'<label class="box"><span>{title}</span><select name="nearest">{options}</select>{hint}</label>'


def _guidance(page: Page, style: Style) -> str:
    boxes = ""
    for name, word in _FACTORS.items():
        value = getattr(style.guidance, name)
        box = attributes(name=name, type="number", min=0.5, max=2, step=0.05, value=f"{value:g}")
        boxes += f'<label class="box"><span>{escape(page.t(word))}</span><input{box}></label>'
    return (
        f'<fieldset class="factors"><legend>{escape(page.t("style_guidance"))}</legend>'
        f"<div>{boxes}</div><small>{escape(page.t('style_guidance_hint'))}</small></fieldset>"
    )

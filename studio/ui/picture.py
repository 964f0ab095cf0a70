"""The first picture on the Create tab: added, seen as the clip will begin, removed. Values in, HTML out.

Files go to the studio's own route, not through Gradio; picture.js sends them and tells us the hash.
"""

from html import escape
from typing import Any

import gradio as gr

from pipelines.models import MODELS, ModelSpec, Size
from pipelines.request import Notice
from studio.library import Asset
from studio.picture_rows import Picture
from studio.pictures import cut_off, size_for
from studio.ui import form as fields
from studio.ui.context import Page
from studio.ui.markup import attributes, button, icon

TYPES = "image/png,image/jpeg,image/webp"
# Less than this is cut off of nearly every picture: nothing to speak of.
_TOLD = 0.03


def render(page: Page, first_frame: Any, model: Any, size: Any, *, said: str = "") -> str:
    """The area: a place to add a picture, the picture in the clip's own shape, or which model takes one."""
    spec = MODELS.get(str(model)) or page.studio.models()[0]
    found = page.studio.pictures.find(first_frame)
    if first_frame and found is None:
        said = said or page.t("picture_gone")
    sorry = f'<p class="sorry" role="alert">{escape(said)}</p>' if said else ""
    if spec.first_frame == "no":
        inside = _cant(page, spec, found)
    else:
        inside = _place(page, spec) if found is None else _thumb(page, found, spec, _size(spec, size))
    named = attributes(
        class_="first-picture",
        data_picture="" if found is None else found.id,
        data_takes=spec.first_frame != "no",
        data_drop=page.t("picture_drop"),
        data_unsent=page.t("picture_unsent"),
        data_stays=page.t("picture_stays"),
    )
    return f'<div{named}>{inside}<div class="said">{sorry}</div></div>'


def takers(page: Page) -> list[ModelSpec]:
    """The models that begin with a picture and are here, the studio's own order."""
    able = [spec for spec in page.studio.models() if spec.first_frame != "no"]
    return [spec for spec in able if fields.weights_here(page, spec)]


def able(page: Page) -> str:
    """The models that begin with a picture, by their titles; those that are here if any is."""
    found = takers(page) or [one for one in page.studio.models() if one.first_frame != "no"]
    return ("、" if page.language == "zh" else ", ").join(one.title for one in found)


def taker(page: Page, model: Any) -> ModelSpec | None:
    """The model that a clip is gone on with: the chosen one if it can, else the first here that can."""
    here = takers(page)
    return next((spec for spec in here if spec.name == model), here[0] if here else None)


def continuing(page: Page, asset: Asset) -> str:
    """The button that goes on from a clip; quiet, beside why it can't, where no model here can."""
    can = taker(page, asset.model) is not None
    look = "" if can else "bare"
    shown = button(page.t("go_on"), "go_on", key=asset.id, symbol="next", look=look, id_="go_on")
    if can:
        return shown
    why = page.say(Notice("go_on_no_model", {"models": able(page)}))
    return f'<span class="cant-go-on">{shown}<small>{escape(why)}</small></span>'


def suggested(page: Page, first_frame: Any, model: Any) -> Any:
    """An update of the size for this picture's shape; none without a picture, or for another model's."""
    spec, found = MODELS.get(str(model)), page.studio.pictures.find(first_frame)
    if spec is None or found is None or spec.first_frame == "no":
        return gr.skip()
    size = size_for(found, spec)
    return gr.update(value=f"{size.width}x{size.height}")


def _size(spec: ModelSpec, typed: Any) -> Size:
    """The size that is chosen, as far as the model has it."""
    return next((size for size in spec.sizes if f"{size.width}x{size.height}" == str(typed)), spec.sizes[0])


def _place(page: Page, spec: ModelSpec) -> str:
    """Where a picture is dropped, or chosen."""
    need = page.t("picture_needed" if spec.first_frame == "needed" else "picture_optional")
    return (
        f'<label class="place">{icon("upload")}<span><b>{escape(page.t("picture_add"))}</b>'
        f'<small>{escape(need)}</small></span><input type="file" accept="{TYPES}"></label>'
    )


def _thumb(page: Page, found: Picture, spec: ModelSpec, size: Size) -> str:
    """The picture, cut as the clip will be."""
    lost = cut_off(found, size)
    about = [page.t("picture_fits") if lost < _TOLD else page.t("picture_cut", percent=round(100 * lost))]
    if found.asset_id:
        about.insert(0, page.t("picture_of_clip"))
    if found.held:
        about.append(page.t("picture_waits"))
    image = attributes(
        src=f"../inputs/{found.id}.png",
        alt=page.t("picture_alt"),
        style=f"aspect-ratio:{size.width}/{size.height}",
        width=size.width,
        height=size.height,
    )
    remove = button(page.t("picture_remove"), "unpicture", symbol="close", look="bare", quiet=True)
    lines = "".join(f"<small>{escape(line)}</small>" for line in about)
    other = f'<label class="other btn">{escape(page.t("picture_other"))}'
    other += f'<input type="file" accept="{TYPES}"></label>'
    return (
        f'<div class="has"><img{image}><div class="about"><b>{escape(page.t("picture_title"))}</b>{lines}'
        f"{other}</div>{remove}</div>"
    )


def _cant(page: Page, spec: ModelSpec, found: Picture | None) -> str:
    """Which models can, in words; with a picture at hand, a button for each that is here."""
    here = takers(page)
    code = "picture_cant" if here else "picture_cant_absent"
    words = page.t(code, model=spec.title, models=able(page))
    chips = "".join(
        button(page.t("picture_use", model=one.title), "take_model", key=one.name, look="chip")
        for one in here
    )
    remove = button(page.t("picture_remove"), "unpicture", symbol="close", look="bare", quiet=True)
    if found is None:
        # Nobody asked for one yet: one line, and who can in its tooltip.
        short = escape(page.t("picture_cant_now", model=spec.title))
        return f"<p{attributes(class_='cant', title=words)}>{short}</p>"
    thumb = attributes(src=f"../inputs/{found.id}.png", alt=page.t("picture_alt"))
    inside = (
        f'<div class="about"><p class="cant warn">{escape(words)}</p><div class="chips">{chips}</div></div>'
    )
    return f'<div class="has"><img{thumb}>{inside}{remove}</div>'

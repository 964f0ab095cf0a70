"""Below the cards of the tab Models: LoRAs, the cloud's models, the networks that finish a clip."""

from collections.abc import Sequence
from html import escape

from pipelines import loras as on_disk
from pipelines.errands import Activity
from pipelines.loras import MAX_BYTES, Lora
from pipelines.networks import Purpose
from pipelines.request import Notice
from studio import model_words
from studio.access import Visitor
from studio.model_room import Card
from studio.ui import models_parts as parts
from studio.ui.context import Page
from studio.ui.markup import attributes, button, icon

_PURPOSES: tuple[Purpose, ...] = ("larger", "smoother")
NEW_LORA = "new_lora"
"""What a sentence is about that stands with the form of a new LoRA."""
OWN_LORA = "own_lora"
"""The same for one that is brought as a file."""
_FIELDS = (("name", 64, "film-grain"), ("repo", 160, "somebody/wan-loras"))
_FILES = (("high", 200, "high_noise.safetensors"), ("low", 200, "low_noise.safetensors"))


def loras(page: Page, visitor: Visitor, cards: Sequence[Card], said: str, about: str) -> str:
    """LoRAs of the hub and of this machine's own files, and the form that adds one."""
    rows = "".join(_lora(page, visitor, card, said if card.weights.name == about else "") for card in cards)
    rows += "".join(
        parts.row(
            lora.name,
            f"{page.t('models_lora_own')} · {_what_for(page, lora)}",
            parts.standing(model_words.size(lora.size, page.language), "good"),
            _delete(page, lora.name) if visitor.admin else "",
        )
        for lora in page.studio.model_room.own_loras()
    )
    told = said if about == NEW_LORA else ""
    forms = _form(page, told) + _upload(page, said if about == OWN_LORA else "") if visitor.admin else ""
    inside = f'<ul class="rows">{rows}</ul>{forms}'
    return _section(page, "models_loras", inside, page.t("models_loras_hint"))


def _lora(page: Page, visitor: Visitor, card: Card, said: str) -> str:
    name, shelf = card.weights.name, card.shelf
    pair = any(spec.distilled is not None and spec.distilled.name == name for spec in page.studio.models())
    about = page.t("models_lora_pair") if pair else card.weights.repo
    here = on_disk.find(page.studio.settings.studio_home, name) if shelf.usable else None
    about += "" if here is None else f" · {_what_for(page, here)}"
    below = parts.room(page, card) if visitor.admin and shelf.activity is None else ""
    below += parts.activity(page, name, shelf.activity) + said
    does = parts.actions(page, visitor, card)
    if visitor.admin and not pair and shelf.state == "missing" and not _at_work(shelf.activity):
        does += _delete(page, name)
    return parts.row(name, about, parts.badge(page, card), does, below)


def _what_for(page: Page, lora: Lora) -> str:
    """Which models it is for, and whether it is a pair, one for all, or half of a pair."""
    one = f"models_lora_only_{lora.half}" if lora.half else "models_lora_single"
    many = page.t("models_lora_both" if lora.low is not None else one)
    models = ", ".join(on_disk.fitting(lora.header))
    return f"{page.t('models_lora_for', models=models)} · {many}" if models else many


def kept(page: Page, name: str, *, swapped: bool) -> str:
    """That a LoRA that was brought is here, with what was done or is missing."""
    told = [page.t("models_lora_kept", name=name)]
    if swapped:
        told.append(page.t("models_lora_swapped"))
    found = on_disk.find(page.studio.settings.studio_home, name)
    if found is not None and found.half:
        told.append(page.t(f"models_lora_no_{'low' if found.half == 'high' else 'high'}"))
    return ("" if page.language == "zh" else " ").join(told)


def _at_work(doing: Activity | None) -> bool:
    return doing is not None and (doing.live or doing.wanted)


def _delete(page: Page, name: str) -> str:
    question = page.t("models_delete_sure", title=name)
    text = page.t("models_delete")
    drawn = button(text, "models", key=f"delete {name}", symbol="trash", confirm=question, loses=True)
    return f'<div class="actions">{drawn}</div>'


def _form(page: Page, said: str) -> str:
    boxes = "".join(
        f"<label class='box'><span>{escape(page.t(f'model_lora_{name}'))}</span><input"
        + attributes(
            type="text", name=name, maxlength=most, placeholder=like, autocomplete="off", spellcheck="false"
        )
        + "></label>"
        for name, most, like in (*_FIELDS, *_FILES)
    )
    add = button(page.t("models_lora_add"), "models", key="add_lora", look="raised", symbol="download")
    summary = escape(page.t("models_lora_new"))
    hint = escape(page.t("models_lora_hint"))
    named = attributes(class_="recipe", data_keep=NEW_LORA, id="lora_form", open=bool(said))
    return (
        f'<details{named}><summary>{summary}</summary><p class="hint">{hint}</p>'
        f'<div class="boxes">{boxes}</div>{said}<div class="actions">{add}</div></details>'
    )


def _upload(page: Page, said: str) -> str:
    """The form that brings one as a file; models.js sends it past Gradio."""
    boxes = _box(page, "model_lora_name", type="text", name="name", maxlength=64, placeholder="film-grain")
    boxes += "".join(_file(page, kind) for kind in ("high", "low"))
    send = button(page.t("models_lora_send"), "send_lora", look="primary", id_="lora_send")
    hint = escape(page.t("models_lora_upload_hint", high=MAX_BYTES // 2**30))
    named = attributes(
        class_="recipe",
        data_keep=OWN_LORA,
        id="lora_upload",
        open=bool(said),
        data_unsent=page.t("models_lora_unsent"),
        data_most=MAX_BYTES,
        data_wrong=page.say(Notice("lora_file", {"file": "{file}", "high": MAX_BYTES // 2**30})),
    )
    bar = '<div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" hidden><i></i></div>'
    return (
        f"<details{named}><summary>{escape(page.t('models_lora_upload'))}</summary>"
        f'<p class="hint">{hint}</p><div class="boxes">{boxes}</div>{bar}<div class="told-here" role="alert">'
        f'{said}</div><div class="actions">{send}</div></details>'
    )


def _file(page: Page, kind: str) -> str:
    """A file's field in the page's own words; models.js names the file that was chosen."""
    empty = page.t("models_lora_choose")
    field = attributes(type="file", name=kind, accept=".safetensors")
    shown = f"<b{attributes(data_empty=empty)}>{escape(empty)}</b>"
    return (
        f"<label class='box file'><span>{escape(page.t(f'model_lora_upload_{kind}'))}</span>"
        f'<span class="btn raised">{icon("upload")}{shown}</span><input{field}></label>'
    )


def _box(page: Page, label: str, **named: object) -> str:
    field = attributes(autocomplete="off", spellcheck="false", **named)
    return f"<label class='box'><span>{escape(page.t(label))}</span><input{field}></label>"


def cloud(page: Page) -> str:
    """The cloud's models: whether there is a key for them."""
    listed = page.studio.model_room.cloud()
    if not listed:
        return ""
    key = "models_cloud_key" if page.studio.settings.has_cloud else "models_cloud_no_key"
    rows = "".join(
        parts.row(
            spec.title,
            page.t("models_up_to", size=str(max(spec.sizes, key=lambda size: size.width * size.height))),
            f'<span class="model-at" data-look="{"good" if offered else ""}">'
            f"{escape(page.t('models_offered' if offered else 'models_not_offered'))}</span>",
            "",
        )
        for spec, offered in listed
    )
    return _section(page, "models_cloud", f'<ul class="rows">{rows}</ul>', hint=page.t(key))


def finishing(page: Page, visitor: Visitor) -> str:
    """What makes a finished clip larger and smoother here: a network, or plain ffmpeg."""
    room = page.studio.model_room
    rows = []
    for purpose in _PURPOSES:
        file = room.network(purpose)
        about = page.t("models_finish_here", file=file) if file else page.t("models_finish_plain")
        look = attributes(class_="model-at", data_look="good" if file else None)
        state = page.t("models_finish_network" if file else "models_finish_ffmpeg")
        rows.append(
            parts.row(page.t(f"model_finish_{purpose}"), about, f"<span{look}>{escape(state)}</span>", "")
        )
    place = str(room.home / "models" / "finish") if visitor.admin else "models/finish"
    hint = page.t("models_finish_hint", path=place)
    return _section(page, "models_finish", f'<ul class="rows">{"".join(rows)}</ul>', hint=hint)


def _section(page: Page, title: str, inside: str, hint: str) -> str:
    told = f'<p class="muted">{escape(hint)}</p>'
    return f"<section><h3>{escape(page.t(title))}</h3>{told}{inside}</section>"

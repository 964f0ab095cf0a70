"""The tab Models: what is on this machine, what it can do, where it runs, and how it comes and goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from pipelines.models import ModelSpec
from studio import model_words
from studio.access import Visitor
from studio.core import Refused
from studio.model_room import Card
from studio.ui import models_more
from studio.ui import models_parts as parts
from studio.ui.context import Page
from studio.ui.markup import EVERY, area, attributes, button, facts, icon, in_turn, sent


@dataclass(frozen=True)
class Message:
    """What models.js says: it comes from a browser, so nothing in it is to be trusted."""

    act: str = ""
    name: str = ""
    values: Mapping[str, str] | None = None


def build(page: Page, *, quick: dict[str, Any]) -> gr.HTML:
    """One area: models.js asks for it when it is opened, used, or when something there has changed."""
    room = area("", "models_room")

    def act(event: gr.EventData, request: gr.Request) -> str:
        return in_turn(event, answer(page, page.visitor(request), read(event)))

    room.act(act, None, room, **quick | EVERY)
    return room


def read(event: object) -> Message:
    """The message of an event, made harmless."""
    data = sent(event)
    values = data.get("values")
    fields = values.items() if isinstance(values, dict) else ()
    return Message(
        act=str(data.get("act", ""))[:40],
        name=str(data.get("name", ""))[:80],
        values={str(name)[:20]: str(value)[:1000] for name, value in list(fields)[:8]},
    )


def answer(page: Page, visitor: Visitor, asked: Message) -> str:
    """Do what a message asks, and the room as it is then, with a sentence about it."""
    room, name, told = page.studio.model_room, asked.name, ""
    values = asked.values or {}

    def said(key: str) -> str:
        return values.get(key, "")

    does: dict[str, Callable[[], Any]] = {
        "download": lambda: room.download(visitor, name),
        "verify": lambda: room.verify(visitor, name),
        "stop": lambda: room.stop(visitor, name),
        "delete": lambda: room.delete(visitor, name),
        "link": lambda: room.link(visitor, name, said("folder")),
        "add_lora": lambda: room.add_lora(visitor, said("name"), said("repo"), said("high"), said("low")),
    }
    try:
        found = does[asked.act]() if asked.act in does else None
        if asked.act == "delete":
            freed = model_words.size(found, page.language) if found else ""
            told = page.t("models_deleted_freed", size=freed) if freed else page.t("models_deleted")
        elif asked.act == "link":
            told = page.t("models_linked")
        elif asked.act == "lora_kept":
            told = models_more.kept(page, name, swapped=said("swapped") == "true")
        sorry = ""
    except Refused as refused:
        sorry = page.say(*refused.notices)
    forms = {"add_lora": models_more.NEW_LORA, "lora_kept": models_more.OWN_LORA}
    about = forms.get(asked.act, name)
    return render(page, visitor, sorry=sorry, told=told, about=about)


def render(page: Page, visitor: Visitor, *, sorry: str = "", told: str = "", about: str = "") -> str:
    """The whole room as HTML; `sorry` and `told` stand with the thing they are `about`."""
    room = page.studio.model_room
    mark, _ = room.now()
    cards = room.cards()
    said = f'<p class="sorry" role="alert">{escape(sorry)}</p>' if sorry else ""
    said += f'<p class="told done" role="status">{icon("check")}{escape(told)}</p>' if told else ""
    names = {card.weights.name for card in cards}
    drawn = "".join(
        _card(page, visitor, card, said if card.weights.name == about else "")
        for card in cards
        if card.spec is not None
    )
    top = "" if about in {*names, models_more.NEW_LORA, models_more.OWN_LORA} else said
    named = attributes(class_="models", data_mark=mark)
    place = str(room.home / "models") if visitor.admin else "models"
    free = page.t("models_free", size=model_words.size(room.free(), page.language), path=place)
    more = models_more.loras(page, visitor, [c for c in cards if c.spec is None], said, about)
    return (
        f"<div{named}><header><h2>{escape(page.t('models_title'))}</h2>"
        f'<p class="muted">{escape(_machines(page))} {escape(free)}</p>'
        f'<p class="muted">{escape(page.say(*room.in_memory()))}</p></header>'
        f'<div class="said">{top}</div><div class="model-cards">{drawn}</div>'
        f"{more}{models_more.cloud(page)}{models_more.finishing(page, visitor)}</div>"
    )


def _machines(page: Page) -> str:
    """One sentence on what the workers run on."""
    workers = [worker for worker in page.studio.model_room.workers() if worker.ram_gb is not None]
    if not workers:
        return page.t("models_no_worker")
    told = []
    for worker in workers:
        ram = f"{worker.ram_gb or 0:.0f}"
        if worker.vram_gb is None:
            told.append(page.t("models_on_processor", ram=ram))
        else:
            told.append(page.t("models_on_card", card=worker.card, vram=f"{worker.vram_gb:.0f}", ram=ram))
    return " ".join(dict.fromkeys(told))


def _card(page: Page, visitor: Visitor, card: Card, said: str) -> str:
    shelf, spec = card.shelf, card.spec
    if spec is None:
        return ""
    busy = shelf.activity is not None and (shelf.activity.live or shelf.activity.wanted)
    state = "busy" if busy else shelf.state
    named = attributes(class_="model-card", data_name=spec.name, data_state=state)
    key = spec.name.replace(".", "_").replace("-", "_")
    faults = "".join(f"<li>{escape(page.say(notice))}</li>" for notice in shelf.faults[:4])
    wrong = f'<ul class="faults">{faults}</ul>' if faults and not busy else ""
    full = parts.room(page, card) if visitor.admin and not busy else ""
    return (
        f'<article{named}><div class="head"><h3>{escape(spec.title)}</h3>{parts.badge(page, card)}</div>'
        f"<p>{escape(page.t(f'model_{key}'))}</p>{facts(_facts(page, spec))}"
        f"{_plans(page, card)}{wrong}{full}{parts.activity(page, card.weights.name, shelf.activity)}{said}"
        f"{parts.actions(page, visitor, card)}{_details(page, visitor, card)}</article>"
    )


def _facts(page: Page, spec: ModelSpec) -> list[str]:
    # Sketch's are of about one size: its first is what it is made for.
    largest = spec.sizes[0] if spec.embedded else max(spec.sizes, key=lambda one: one.width * one.height)
    seconds = round((spec.max_frames - 1) / spec.fps)
    return [
        page.t(f"model_first_frame_{spec.first_frame}"),
        page.t("models_up_to", size=str(largest)),
        page.t("models_length", seconds=seconds, fps=spec.fps),
        spec.licence,
    ]


def _plans(page: Page, card: Card) -> str:
    """Where it runs: on each kind of worker there is, or on which card it would."""
    lines = []
    for fit in card.fits:
        sign = icon("check") if fit.fits else icon("alert")
        look = attributes(class_="fit", data_fits=str(fit.fits).lower())
        lines.append(f"<p{look}>{sign}<span>{escape(page.say(fit.why))}</span></p>")
    lines = list(dict.fromkeys(lines))
    if not lines or not any(fit.fits for fit in card.fits):
        values = {} if card.smallest is None else dict(zip(("vram", "ram"), card.smallest, strict=True))
        key = "models_card" if values else "models_card_none"
        if card.spec is not None and not card.spec.embedded:
            lines.append(f'<p class="muted">{escape(page.t(key, **values))}</p>')
    if card.loaded_in:
        lines.append(
            f'<p class="muted">{escape(page.t("models_loaded", worker=", ".join(card.loaded_in)))}</p>'
        )
    return "".join(lines)


def _details(page: Page, visitor: Visitor, card: Card) -> str:
    """Repository, commit and folder, and the field for a folder of this machine."""
    shelf = card.shelf
    if shelf.state == "shipped":
        return ""
    rows = [
        (page.t("models_repo"), shelf.weights.repo),
        (page.t("models_commit"), shelf.revision or (shelf.weights.revision or "")),
        (page.t("models_folder"), str(shelf.folder.resolve()) if shelf.folder and visitor.admin else ""),
    ]
    body = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in rows if value)
    link = ""
    if visitor.admin and shelf.state in ("missing", "partial", "linked", "broken", "cached"):
        field = attributes(
            type="text",
            name="folder",
            aria_label=page.t("models_link_label"),
            placeholder=page.t("models_link_like"),
            autocomplete="off",
            spellcheck="false",
        )
        go = button(page.t("models_link"), "models", key=f"link {shelf.weights.name}", look="raised")
        hint = escape(page.t("models_link_hint"))
        link = f'<p class="hint">{hint}</p><div class="line-of"><input{field}>{go}</div>'
    named = attributes(class_="recipe", data_keep=shelf.weights.name)
    return (
        f"<details{named}><summary>{escape(page.t('models_more'))}</summary><dl>{body}</dl>{link}</details>"
    )

"""A card that is open: what the shot shows, what the model reads, its takes, its place in the film."""

from collections.abc import Sequence
from html import escape
from typing import get_args

from studio.library import Asset
from studio.media.timeline import Move, TransitionKind
from studio.stories import ShotView, StoryView, TakeView
from studio.story.prompts import bare_prompt, seed_of
from studio.story.types import MAX_SHOT_TEXT, Shot
from studio.text.fields import ShotFields
from studio.ui.context import Page
from studio.ui.markup import attributes, icon
from studio.ui.story.message import Here
from studio.ui.story.parts import To, actions, do, line, lines, packed, part, select, switch, upload

MOVES: tuple[str, ...] = get_args(Move)
TRANSITIONS: tuple[str, ...] = get_args(TransitionKind)
PICTURES = "video/mp4,video/quicktime,video/webm,video/x-matroska,.mkv,image/png,image/jpeg,image/webp"


def render(page: Page, view: StoryView, shot: ShotView, here: Here, clips: Sequence[Asset] = ()) -> str:
    """Everything about one shot; `clips` are those of the library to choose from."""
    if not view.may_change:
        return f'<div class="details">{_read_only(page, shot)}</div>'
    to = To("update_shot", {"shot_id": shot.shot.id})
    parts = [
        _translation(page, view, shot.shot, to),
        _takes(page, view, shot),
        _people(page, view, shot.shot),
        "" if shot.shot.source else _fields(page, shot.shot),
        "" if shot.shot.source else _prompt(page, view, shot, to),
        _cut(page, view, shot.shot, to),
        _source(page, shot, here, clips),
    ]
    return f'<div class="details">{"".join(parts)}</div>'


def _read_only(page: Page, shot: ShotView) -> str:
    rows = [
        (page.t(f"story_field_{name}"), getattr(shot.shot.fields, name)) for name in ShotFields.model_fields
    ]
    found = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(' · '.join(phrases))}</dd>" for name, phrases in rows if phrases
    )
    prompt = f"<dt>{escape(page.t('story_prompt'))}</dt><dd>{escape(shot.prompt)}</dd>" if shot.prompt else ""
    return f'<dl class="read">{found}{prompt}</dl>'


def _translation(page: Page, view: StoryView, shot: Shot, to: To) -> str:
    other = page.t("story_in_en" if view.story.language == "zh" else "story_in_zh")
    title = line(page.t("story_chapter"), to, "title", shot.title, most=120)
    told = lines(other, to, "translation", shot.translation, rows=1, most=MAX_SHOT_TEXT)
    return f'<div class="pair wide-left">{told}{title}</div>'


# -- what it shows -----------------------------------------------------------------------------------------


def _fields(page: Page, shot: Shot) -> str:
    rows = "".join(_field(page, shot, name) for name in ShotFields.model_fields)
    return part(page.t("story_fields"), f'<div class="grid">{rows}</div>')


def _field(page: Page, shot: Shot, name: str) -> str:
    """One field as chips: each can be taken away, and one more typed."""
    label = page.t(f"story_field_{name}")
    phrases = getattr(shot.fields, name)
    chips = "".join(_chip(page, phrase) for phrase in phrases)
    box = attributes(
        type="text",
        class_="adds",
        placeholder="+" if phrases else page.t(f"story_like_{name}"),
        maxlength=120,
        aria_label=page.t("story_add_to", field=label),
        autocomplete="off",
    )
    to = To("update_fields", {"shot_id": shot.id, "field": name})
    chosen = attributes(
        class_="chips-box", data_chips=True, data_key=f"f:{name}", data_edited=name in shot.edited
    )
    return (
        f'<div class="control"><span>{escape(label)}</span>'
        f"<div{chosen}{to.named('values', 'list')}>{chips}<input{box}></div></div>"
    )


def _chip(page: Page, phrase: str) -> str:
    away = attributes(
        type="button", data_act="unchip", title=page.t("story_remove"), aria_label=page.t("story_remove")
    )
    named = attributes(class_="phrase", data_phrase=phrase)
    return f"<span{named}>{escape(phrase)}<button{away}>{icon('close')}</button></span>"


def _people(page: Page, view: StoryView, shot: Shot) -> str:
    """Who is in it, as switches; where nobody is known, the way to where people are made."""
    people = view.story.characters
    if not people:
        return ""
    chips = []
    for person in people:
        inside = person.id in shot.characters
        others = [one for one in shot.characters if one != person.id]
        values = {"shot_id": shot.id, "characters": others if inside else [*others, person.id]}
        chips.append(
            do(person.name, "change", edit="update_shot", values=values, look="who-chip", pressed=inside)
        )
    label = escape(page.t("story_who"))
    return f'<div class="control"><span>{label}</span><div class="whos">{"".join(chips)}</div></div>'


def _prompt(page: Page, view: StoryView, shot: ShotView, to: To) -> str:
    told, one = shot.shot, {"shot_id": shot.shot.id}
    head = page.t("story_prompt")
    hints = "".join(f"<li><b>{escape(hint.word)}</b> → {escape(hint.looks)}</li>" for hint in shot.hints)
    hints = f'<ul class="hints" aria-label="{escape(page.t("story_hints"))}">{hints}</ul>' if hints else ""
    reads = (
        f'<p class="prompt" id="story_prompt">{escape(shot.prompt) or escape(page.t("story_no_prompt"))}</p>'
    )
    if told.prompt is None:
        bare = bare_prompt(view.story.model_copy(update={"variables": {}}), told)
        own = do(
            page.t("story_own_prompt"),
            "change",
            edit="update_shot",
            values={**one, "prompt": bare or told.text},
            symbol="pen",
            id_="story_own_prompt",
        )
        again = do(page.t("story_read_again"), "change", edit="reset_prompt", values=one, symbol="again")
        again = again if told.edited else ""
        return part(head, reads, hints, actions(own, again))
    box = lines(page.t("story_prompt"), to, "prompt", told.prompt, rows=3, most=2000, bare=True)
    back = do(
        page.t("story_assembled"),
        "change",
        edit="update_shot",
        values={**one, "prompt": ""},
        symbol="again",
        id_="story_assembled",
    )
    summary = f"<summary>{escape(page.t('story_whole_prompt'))}</summary>"
    more = f'<details class="words" data-keep>{summary}{reads}</details>'
    return part(head, box, more, hints, actions(back))


# -- how it is cut -----------------------------------------------------------------------------------------


def _cut(page: Page, view: StoryView, shot: Shot, to: To) -> str:
    length = line(
        page.t("story_seconds"),
        to,
        "seconds",
        "" if shot.seconds is None else f"{shot.seconds:g}",
        as_="number",
        placeholder=page.t("story_auto"),
        most=5,
    )
    moves = [(name, page.t(f"story_move_{name}")) for name in MOVES]
    usual = page.t("story_transition_usual", name=page.t(f"story_transition_{view.story.look.transition}"))
    kinds = [("", usual), *((name, page.t(f"story_transition_{name}")) for name in TRANSITIONS)]
    seed = line(
        page.field("seed"),
        to,
        "seed",
        "" if shot.seed is None else shot.seed,
        as_="whole",
        placeholder=str(seed_of(view.story, shot)),
        most=10,
    )
    rows = [
        length,
        select(page.t("story_move"), to, "move", moves, shot.move),
        select(page.t("story_transition_next"), to, "transition", kinds, shot.transition or "", as_="choice"),
        "" if shot.source else seed,
    ]
    goes_on = ""
    if not shot.source and view.story.shots[0].id != shot.id:
        # Where the model can't, the shot says so among its notices.
        goes_on = switch(page.t("story_continues"), to, "continues", shot.continues, id_="story_continues")
        goes_on += f'<p class="muted">{escape(page.t("story_continues_hint"))}</p>'
    return f'<div class="grid cut">{"".join(rows)}</div>{goes_on}'


# -- takes -------------------------------------------------------------------------------------------------


def _takes(page: Page, view: StoryView, shot: ShotView) -> str:
    if shot.shot.source is not None:
        return ""
    cells = "".join(_take(page, view, shot, take, n) for n, take in enumerate(shot.takes, 1))
    another = bool(shot.takes)
    one = {"shot_id": shot.shot.id, "another": another}
    busy = shot.state in ("waiting", "running")
    more = do(
        page.t("story_another" if another else "story_render_draft"),
        "shot",
        values={**one, "level": "animatic"},
        symbol="plus" if another else "film",
        look="raised",
        id_="story_another",
    )
    full = do(
        page.t("story_another_full" if another else "story_render_full"),
        "shot",
        values={**one, "level": "film"},
        look="bare",
        id_="story_another_full",
    )
    stop = ""
    if busy and shot.job_id:
        stop = do(page.t("story_stop"), "cancel", key=shot.job_id, symbol="stop", look="bare")
    strip = f'<div class="frames">{cells}</div>' if cells else ""
    return part(page.t("story_takes"), strip, actions(more, full, stop))


def _take_state(page: Page, take: TakeView) -> str:
    """What there is to say of a take that can't be seen; nothing of one that can."""
    if take.standing is not None:
        return page.t(f"standing_{take.standing}")
    return "" if take.state == "done" else page.state(take.state)


def _take(page: Page, view: StoryView, shot: ShotView, take: TakeView, number: int) -> str:
    across, down = view.story.look.format.split(":")
    level = page.t(f"story_level_{take.level}")
    words = [page.t("story_take", number=number), level]
    state = _take_state(page, take)
    words += [state] if state else []
    words += [] if take.current else [page.t("story_take_old")]
    named = attributes(
        type="button",
        class_=" ".join(
            filter(None, ("cell", "current" if take.chosen else "", "" if take.current else "old"))
        ),
        data_key=f"t:{take.job_id}",
        data_act="take" if take.asset_id else None,
        data_values=packed({"shot_id": shot.shot.id, "asset_id": take.asset_id}),
        data_film=f"../media/{take.asset_id}.mp4" if take.asset_id else None,
        data_take_state=take.state,
        style=f"--ratio:{across}/{down}",
        title=" · ".join(words),
        aria_label=" · ".join(words),
        aria_pressed=str(take.chosen).lower(),
        disabled=take.asset_id is None,
    )
    image = (
        f"<img{attributes(src=f'../media/{take.asset_id}.webp', alt='', loading='lazy')}>"
        if take.asset_id
        else ""
    )
    badge = f'<span class="badge">{escape(level)}</span>' if image else f"<span>{escape(state)}</span>"
    return f"<button{named}>{image}{badge}</button>"


# -- a picture from elsewhere ------------------------------------------------------------------------------


def _source(page: Page, shot: ShotView, here: Here, clips: Sequence[Asset]) -> str:
    source, one = shot.shot.source, {"shot_id": shot.shot.id}
    head = page.t("story_source")
    choose = do(
        page.t("story_pick"),
        "pick",
        key=shot.shot.id,
        symbol="film",
        look="raised",
        pressed=here.pick,
        id_="story_pick",
    )
    choose += upload(page.t("story_bring"), "shot", PICTURES, shot=shot.shot.id)
    found = _clips(page, shot, clips) if here.pick else ""
    if source is None:
        hint = f'<p class="muted">{escape(page.t("story_source_hint"))}</p>'
        return part(head, hint, actions(choose), found)
    to = To("trim_source", {**one, "seconds": source.seconds})
    start = line(
        page.t("story_source_start"), to, "start", f"{source.start:g}", as_="number", most=6, late=True
    )
    to = To("trim_source", {**one, "start": source.start})
    length = line(
        page.t("story_source_seconds"),
        to,
        "seconds",
        "" if source.seconds is None else f"{source.seconds:g}",
        as_="number",
        placeholder=page.t("story_to_its_end"),
        most=6,
        late=True,
    )
    away = do(page.t("story_source_away"), "change", edit="remove_source", values=one, symbol="trash")
    title = f'<p class="asked">{escape(source.title or page.t("story_state_source"))}</p>'
    return part(head, title, f'<div class="grid cut">{start}{length}</div>', actions(choose, away), found)


def _clips(page: Page, shot: ShotView, clips: Sequence[Asset]) -> str:
    """The newest clips of the library, to choose one from."""
    if not clips:
        return f'<p class="muted">{escape(page.t("library_empty"))}</p>'
    cells = "".join(_clip(asset, shot.shot.id) for asset in clips)
    return f'<div class="frames wrap">{cells}</div>'


def _clip(asset: Asset, shot_id: str) -> str:
    named = attributes(
        type="button",
        class_="cell",
        data_key=f"c:{asset.id}",
        data_act="use_asset",
        data_values=packed({"shot_id": shot_id, "asset_id": asset.id}),
        data_film=f"../media/{asset.id}.mp4",
        style=f"--ratio:{asset.width}/{asset.height}",
        title=asset.asked,
        aria_label=asset.asked,
    )
    return (
        f"<button{named}><img{attributes(src=f'../media/{asset.id}.webp', alt='', loading='lazy')}></button>"
    )

"""How the whole film shall be: its look, its form, its sound, its words, its brand."""

from collections.abc import Sequence
from html import escape

from pipelines.models import MODELS, QUALITIES
from pipelines.request import Notice
from studio.access import Visitor
from studio.media.music import MOODS, SUFFIXES
from studio.media.timeline import FORMATS
from studio.stories import StoryView
from studio.story.prompts import chosen_style
from studio.story.translating import other_language, untranslated
from studio.story.types import Look, Story
from studio.style_store import StyleView
from studio.styles import Style
from studio.ui import form as fields
from studio.ui.context import Page
from studio.ui.finish import PURPOSES, network_name, size_name
from studio.ui.markup import attributes
from studio.ui.project_choice import choices
from studio.ui.story.opened import TRANSITIONS
from studio.ui.story.parts import To, actions, do, line, lines, part, segments, select, slider, switch, upload
from studio.ui.styles_panel import moving, picture
from studio.voice.voices import VOICES

LOOK = To("update_look")
CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")
LOGOS = "image/png,image/jpeg,image/webp"


def render(page: Page, visitor: Visitor, view: StoryView) -> str:
    """Everything that holds for all shots."""
    look = view.story.look
    if not view.may_change:
        return f'<div class="film">{_read_only(page, look)}</div>'
    parts = (
        ("story_part_look", _look(page, page.studio.styles.list(visitor), look)),
        ("story_part_voice", _voice(page, view)),
        ("story_part_subtitles", _subtitles(page, view)),
        ("story_part_music", _music(page, view)),
        ("story_part_form", _form(page, look)),
        ("story_part_brand", _brand(page, view)),
        ("story_part_model", _model(page, look)),
        ("project", _project(page, visitor, look)),
    )
    found = "".join(part(page.t(title), body) for title, body in parts if body)
    return f'<div class="film">{found}</div>'


def _project(page: Page, visitor: Visitor, look: Look) -> str:
    """Where its films are kept; nothing while there are no projects."""
    found = choices(page, visitor)
    return select(page.t("project_for"), LOOK, "project", found, look.project) if found else ""


def _read_only(page: Page, look: Look) -> str:
    style = chosen_style(look)
    rows = (
        ("story_part_look", style.title[page.language]),
        ("story_palette", look.palette),
        ("story_format", look.format),
        ("story_voice", VOICES[look.voice].title[page.language] if look.voice in VOICES else ""),
        ("story_part_subtitles", " + ".join(page.t(f"story_language_{name}") for name in look.subtitles)),
        ("story_part_music", page.t(f"music_{look.music}") if look.music in MOODS else look.music_name),
        ("story_end_card", look.end_card),
    )
    found = "".join(
        f"<dt>{escape(page.t(name))}</dt><dd>{escape(value)}</dd>" for name, value in rows if value
    )
    return f'<dl class="read">{found}</dl>'


def _look(page: Page, listed: Sequence[StyleView], look: Look) -> str:
    mine, styles = chosen_style(look), {view.style.name: view.style for view in listed}
    # A story keeps an own style as it was when it was chosen; it may be another one by now, or gone.
    tiles = "".join(
        _style(page, style, look.style == name) for name, style in (styles | {mine.name: mine}).items()
    )
    newest = styles.get(mine.name, mine).version
    older = ""
    if newest > mine.version:
        told = page.t("story_style_older", version=mine.version, newest=newest)
        older = f'<p class="note">{escape(told)}</p>'
    label = escape(page.field("style"))
    palette = line(
        page.t("story_palette"),
        LOOK,
        "palette",
        look.palette,
        placeholder=page.t("story_palette_like"),
        most=200,
    )
    seed = line(
        page.t("story_seed"),
        LOOK,
        "seed",
        look.seed,
        as_="whole",
        hint=page.t("story_seed_hint"),
        late=True,
        most=10,
    )
    return (
        f'<div class="tiles" role="radiogroup" aria-label="{label}">{tiles}</div>{older}'
        f'<div class="grid cut">{palette}{seed}</div>'
    )


def _style(page: Page, style: Style, chosen: bool) -> str:
    cover, moves = picture(style), moving(style)
    drawn = f"--cover:url({cover})" + (f";--moving:url({moves})" if moves else "")
    named = attributes(
        type="button",
        role="radio",
        class_="tile",
        aria_checked=str(chosen).lower(),
        data_act="change",
        data_edit="update_look",
        data_values=f'{{"style":"{style.name}"}}',
        style=drawn if style.name != "none" else None,
    )
    return f"<button{named}><i></i><span>{escape(style.title[page.language])}</span></button>"


def _voice(page: Page, view: StoryView) -> str:
    look, language = view.story.look, view.story.language
    first = next((name for name, voice in VOICES.items() if voice.language == language), "")
    chosen = look.voice if look.voice in VOICES else first
    ordered = sorted(VOICES, key=lambda name: VOICES[name].language != language)
    voices = [(name, VOICES[name].title[page.language]) for name in ordered]
    hear = do(page.t("story_hear"), "hear", key=f"../voice/{chosen}", symbol="sound", look="raised hear")
    return (
        switch(page.t("story_narrate"), LOOK, "narrate", look.narrate, id_="story_narrate")
        + f'<div class="pair">{select(page.t("story_voice"), LOOK, "voice", voices, chosen)}{hear}</div>'
        + slider(
            page.t("story_speed"),
            LOOK,
            "voice_speed",
            look.voice_speed,
            low=0.7,
            high=1.4,
            step=0.05,
            unit="×",
        )
    )


def _subtitles(page: Page, view: StoryView) -> str:
    look = view.story.look
    kinds = ((), ("zh",), ("en",), ("zh", "en"))
    names = [page.t(f"story_subtitles_{'_'.join(kind) or 'none'}") for kind in kinds]
    # Which of two stands first does not matter: Chinese is always above.
    now = tuple(name for name in ("zh", "en") if name in look.subtitles)
    found = segments(
        page.t("story_part_subtitles"), LOOK, "subtitles", list(zip(kinds, names, strict=True)), now
    )
    burn = switch(page.t("story_burn"), LOOK, "burn", look.burn) if now else ""
    return found + burn + _missing(page, view.story)


def _missing(page: Page, story: Story) -> str:
    """What the subtitles lack, and a button that has a language model write it."""
    count = len(untranslated(story))
    if other_language(story) not in story.look.subtitles or not count:
        return ""
    if not page.studio.stories.has_model:
        lacks = page.say(Notice("translation_missing", {"count": count}))
        return f'<small class="muted">{escape(lacks)}</small>'
    told = page.t("story_translate", count=count)
    return actions(do(told, "change", edit="translate", symbol="pen", id_="story_translate"))


def _music(page: Page, view: StoryView) -> str:
    look = view.story.look
    own = look.music if look.music and "/" in look.music else ""
    rows = [
        ("", page.t("story_music_none"), ""),
        *((mood, page.t(f"music_{mood}"), f"../music/{mood}") for mood in MOODS),
    ]
    if look.music and not own and look.music not in MOODS:
        rows.append((look.music, look.music.replace("_", " "), f"../music/{look.music}"))
    if own:
        place = own.removeprefix("stories/")
        rows.append((own, look.music_name or page.t("story_music_own"), f"../brought/{place}"))
    tiles = "".join(_bed(page, value, text, hear, look.music == value) for value, text, hear in rows)
    label = escape(page.t("story_part_music"))
    bring = upload(page.t("story_music_bring"), "music", ",".join(SUFFIXES))
    loud = ""
    if look.music:
        loud = slider(
            page.t("story_volume"),
            LOOK,
            "music_volume",
            look.music_volume,
            low=-40,
            high=0,
            step=1,
            unit=" dB",
        )
    return f'<div class="beds" role="radiogroup" aria-label="{label}">{tiles}</div>{actions(bring)}{loud}'


def _bed(page: Page, value: str, text: str, hear: str, chosen: bool) -> str:
    button = do(text, "change", edit="update_look", values={"music": value}, look="bed", pressed=chosen)
    listen = (
        do(page.t("story_hear"), "hear", key=hear, symbol="sound", look="bare hear", quiet=True)
        if hear
        else ""
    )
    return f"<span class='bed-box'>{button}{listen}</span>"


def _form(page: Page, look: Look) -> str:
    formats = [(name, name) for name in FORMATS]
    heights = [(height, size_name(height)) for height in (480, 720, 1080, 2160)]
    rates = [(fps, str(fps)) for fps in (24, 30)]
    modes = [(mode, page.t(f"story_fps_{mode}")) for mode in ("blend", "motion")]
    how = segments(page.t("story_fps_mode"), LOOK, "fps_mode", modes, look.fps_mode)
    if look.networks and network_name(page, "smoother"):
        how = ""
    kinds = [(name, page.t(f"story_transition_{name}")) for name in TRANSITIONS]
    into = select(page.t("story_transition"), LOOK, "transition", kinds, look.transition)
    seconds = ""
    if look.transition != "cut":
        seconds = slider(
            page.t("story_transition_seconds"),
            LOOK,
            "transition_seconds",
            look.transition_seconds,
            low=0.2,
            high=2,
            step=0.1,
            unit=" s",
        )
    return (
        segments(page.t("story_format"), LOOK, "format", formats, look.format, look="formats")
        + f'<div class="row-of">{segments(page.t("story_height"), LOOK, "height", heights, look.height)}'
        + segments(page.t("story_fps"), LOOK, "fps", rates, look.fps)
        + f"{how}</div>{_finer(page, look)}"
        + f'<div class="grid cut">{into}{seconds}</div>'
    )


def _finer(page: Page, look: Look) -> str:
    """What makes takes as large and as smooth as the film, said before it is asked for."""
    larger, smoother = (network_name(page, purpose) for purpose in PURPOSES)
    between = "" if page.language == "zh" else " "
    found = ""
    if larger or smoother:
        found = switch(page.t("story_networks"), LOOK, "networks", look.networks, id_="story_networks")
    on = look.networks
    told = page.t("finish_larger_network", name=larger) if on and larger else page.t("story_larger_plain")
    plain = page.t(f"story_fps_by_{look.fps_mode}")
    told += between + (page.t("finish_smoother_network", name=smoother) if on and smoother else plain)
    if on and found:
        told += between + page.t("story_networks_hint")
    return f'{found}<p class="muted" id="story_finer">{escape(told)}</p>'


def _brand(page: Page, view: StoryView) -> str:
    look = view.story.look
    bring = upload(page.t("story_logo_bring"), "logo", LOGOS)
    found = ""
    if look.logo:
        source = attributes(src=f"../brought/{look.logo.removeprefix('stories/')}", alt=page.t("story_logo"))
        corners = [(name, page.t(f"story_corner_{name}")) for name in CORNERS]
        away = do(
            page.t("story_logo_away"), "change", edit="update_look", values={"logo": ""}, symbol="trash"
        )
        bring += away
        found = (
            f'<div class="logo"><img{source}></div>'
            + segments(page.t("story_corner"), LOOK, "logo_corner", corners, look.logo_corner)
            + slider(
                page.t("story_opacity"), LOOK, "logo_opacity", look.logo_opacity, low=0.1, high=1, step=0.05
            )
        )
    card = lines(
        page.t("story_end_card"),
        LOOK,
        "end_card",
        look.end_card,
        rows=1,
        placeholder=page.t("story_end_card_like"),
        most=200,
    )
    return found + actions(bring) + card


def _model(page: Page, look: Look) -> str:
    first = page.studio.models()[0]
    # One that can't do without a picture makes no first shot.
    models = [(text, name) for text, name in fields.models(page) if MODELS[name].first_frame != "needed"]
    chosen = look.model if any(name == look.model for _, name in models) else first.name
    qualities = [(name, page.t(f"quality_{name}")) for name in QUALITIES]
    choices = [(name, text) for text, name in models]
    hint = f'<p class="muted">{escape(page.t("story_model_hint"))}</p>'
    return (
        select(page.field("model"), LOOK, "model", choices, chosen)
        + segments(page.field("quality"), LOOK, "quality", qualities, look.quality)
        + hint
    )

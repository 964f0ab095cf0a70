"""The story's own stage: its film in each of its states, or what can be seen before there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pipelines.request import Notice
from studio.core import JobView
from studio.library import Asset
from studio.media.export import KINDS
from studio.stories import StoryView
from studio.story.spoken_label import unannounced
from studio.story.variables import filled
from studio.ui import cloud, stage, withheld
from studio.ui.context import Page
from studio.ui.markup import attributes, button, facts, icon
from studio.ui.story.head import clock
from studio.ui.story.parts import do


@dataclass(frozen=True)
class Live:
    """How a take is doing that is rendered now: its job, its newest picture, its steps."""

    job_id: str
    version: int = 0
    step: int = 0
    total: int = 0


def render(
    page: Page,
    view: StoryView,
    film: JobView | None,
    *,
    last: JobView | None = None,
    live: Mapping[str, Live] | None = None,
    marks: Sequence[float] = (),
    beat: int = 0,
) -> str:
    """The stage. `live`: takes in the making by shot id; `marks`: seconds where the film's shots begin.

    `last`: the film that was finished last, where the newest one failed or was cancelled.
    """
    live = live or {}
    if film is None:
        screen, below = _before(page, view, live)
        return _stage(page, view, "running" if live else "empty", screen, below, beat=beat)
    draw = {"queued": _waiting, "running": _running, "failed": _failed, "cancelled": _cancelled}
    state = withheld.state(film)
    hidden = withheld.veil(page, film)
    if last is not None and last.asset is not None:
        screen, below = _done(page, view, last, marks)
        below = _lost(page, film) + below
    elif hidden:
        stop = _stop(page, film) if film.job.state == "held" else ""
        screen, below = hidden, facts(_about(page, film)) + stop
    elif state in draw:
        screen, below = draw[state](page, view, film, live)
    else:
        screen, below = _done(page, view, film, marks)
    return _stage(page, view, state, screen, below, job=film.job.id, beat=beat)


def _stage(
    page: Page, view: StoryView, state: str, screen: str, below: str, *, job: str = "", beat: int = 0
) -> str:
    across, down = view.story.look.format.split(":")
    shape = "tall" if int(down) > int(across) else "square" if across == down else "wide"
    named = attributes(
        class_=f"stage {shape}",
        data_key="stage",
        data_state=state,
        data_job=job or None,
        data_beat=beat,
        style=f"--ratio:{across}/{down}",
    )
    inside = f'<div class="screen">{screen}</div><div class="below">{below}</div>'
    return f"<section{named}>{_viewer(page)}{inside}</section>"


def _viewer(page: Page) -> str:
    """Where one shot is watched in the film's place: story.js fills it."""
    video = attributes(loop=True, playsinline=True, data_clock=True, aria_label=page.t("player_label"))
    play = button(page.t("player_play"), "play", symbol="play", look="bare", quiet=True)
    scrub = (
        f'<input class="scrub" type="range" min="0" value="0" aria-label="{escape(page.t("story_time"))}">'
    )
    full = button(page.t("player_full"), "full", symbol="full", look="bare", quiet=True)
    back = do(page.t("story_unwatch"), "unwatch", symbol="close", look="bare")
    return (
        f'<div class="viewer" data-viewer><div class="player paused"><video{video}></video><div class="deck">'
        f'{play}{scrub}<output class="counter"></output>{full}</div></div>'
        f'<p class="watched"><span class="which"></span>{back}</p></div>'
    )


def _before(page: Page, view: StoryView, live: Mapping[str, Live]) -> tuple[str, str]:
    """No film yet: a shot that is being rendered, or what to do first."""
    if picture := _picture(page, live):
        return picture, _shot_line(page, view, live)
    if not view.shots:
        return f'<div class="veil">{icon("film")}<p>{escape(page.t("story_stage_empty"))}</p></div>', ""
    steps = "".join(
        f"<li>{escape(page.t(f'story_step_{step}'))}</li>" for step in ("read", "draft", "approve")
    )
    title = escape(page.t("story_stage_title"))
    return f'<div class="veil">{icon("film")}<h2>{title}</h2><ol class="steps">{steps}</ol></div>', ""


def _shot_line(page: Page, view: StoryView, live: Mapping[str, Live]) -> str:
    numbers = [str(shot.number) for shot in view.shots if shot.shot.id in live]
    return facts([page.t("story_rendering", shots=", ".join(numbers))])


def _picture(page: Page, live: Mapping[str, Live]) -> str:
    shown = next((one for one in live.values() if one.version), None)
    if shown is None:
        return ""
    source = f"../preview/{shown.job_id}.webp?v={shown.version}"
    named = attributes(id="story_preview", class_="live", src=source, alt=page.t("preview_alt"))
    return f"<img{named}>"


# -- a film in the making ----------------------------------------------------------------------------------


def _waiting(page: Page, view: StoryView, film: JobView, live: Mapping[str, Live]) -> tuple[str, str]:
    return stage.queued(page, film), _progress(0, 0) + facts(_about(page, film)) + _stop(page, film)


def _running(page: Page, view: StoryView, film: JobView, live: Mapping[str, Live]) -> tuple[str, str]:
    progress = film.progress
    stage, step, total = (progress.stage, progress.step, progress.total) if progress else ("takes", 0, 0)
    if stage == "voice" and any(shot.state in ("waiting", "running") for shot in view.shots):
        # The narration is read meanwhile; what takes long are the shots.
        stage, total = "takes", len(view.shots)
        step = sum(shot.state in ("draft", "full", "source") for shot in view.shots)
    words = [page.t("stopping") if film.job.cancel_requested else page.stage(stage)]
    words.append(page.counted(stage, step, total))
    if film.eta:
        words.append(page.t("left", time=page.duration(film.eta)))
    screen = _picture(page, live)
    if not screen:
        screen = f'<div class="veil"><h2 role="status">{escape(page.stage(stage))}</h2>'
        screen += f'<p class="muted">{escape(page.t("may_close"))}</p></div>'
    return screen, _progress(*_share(stage, step, total, live)) + facts(
        [*words, *_about(page, film)]
    ) + _stop(page, film)


def _share(stage: str, step: int, total: int, live: Mapping[str, Live]) -> tuple[float, int]:
    """How far the stage is, the take that is being rendered included."""
    if stage != "takes" or not total:
        return step, total
    return step + sum(one.step / one.total for one in live.values() if one.total), total


def _failed(page: Page, view: StoryView, film: JobView, live: Mapping[str, Live]) -> tuple[str, str]:
    error = film.job.error or Notice("internal")
    screen = (
        f'<div class="veil bad"><h2 role="alert">{escape(page.t("story_failed"))}</h2>'
        f"<p>{escape(page.say(error))}</p>{_retry(page, film)}</div>"
    )
    return screen, facts(_about(page, film))


def _cancelled(page: Page, view: StoryView, film: JobView, live: Mapping[str, Live]) -> tuple[str, str]:
    screen = (
        f'<div class="veil"><h2 role="status">{escape(page.t("cancelled_title"))}</h2>'
        f"<p>{escape(page.t('story_cancelled'))}</p>{_retry(page, film)}</div>"
    )
    return screen, facts(_about(page, film))


def _lost(page: Page, film: JobView) -> str:
    """The sentence about a newer film that came to nothing, beside the last one that did not."""
    if film.job.state == "cancelled":
        title, text = page.t("cancelled_title"), page.t("story_cancelled")
    else:
        title, text = page.t("story_failed"), page.say(film.job.error or Notice("internal"))
    words = f"<b>{escape(title)}</b> {escape(text)} {escape(page.t('story_last_film'))}"
    return f'<div class="lost" id="story_lost" role="status"><p>{words}</p>{_retry(page, film)}</div>'


def _retry(page: Page, film: JobView) -> str:
    if not film.may_change:
        return ""
    return button(page.t("retry"), "retry", key=film.job.id, symbol="again", look="raised", id_="story_retry")


def _stop(page: Page, film: JobView) -> str:
    if not film.may_change:
        return f'<p class="note">{escape(page.t("story_not_mine"))}</p>'
    asks = cloud.cancel_question(page, film)
    stop = button(
        page.t("cancel"), "cancel", key=film.job.id, symbol="stop", id_="story_cancel", confirm=asks
    )
    return f'<div class="actions">{stop}</div>'


def _about(page: Page, film: JobView) -> list[str]:
    plan = film.job.plan
    if plan is None:
        return []
    return [
        page.t(f"story_film_{plan.level}"),
        page.t("story_shots", count=len(plan.shots)),
        str(film.job.size),
    ]


def _progress(step: float, total: int) -> str:
    share = 100 * step / total if total else 0
    named = attributes(
        class_="bar",
        role="progressbar",
        aria_valuemin=0,
        aria_valuemax=total or 1,
        aria_valuenow=f"{step:g}",
        aria_label=f"{int(step)}/{total}",
    )
    return f'<div{named}><i style="width:{min(100.0, share):.1f}%"></i></div>'


# -- a finished film ---------------------------------------------------------------------------------------


def _done(page: Page, view: StoryView, film: JobView, marks: Sequence[float]) -> tuple[str, str]:
    asset = film.asset
    if asset is None:
        gone = f'<div class="veil">{icon("film")}<p>{escape(page.t("deleted"))}</p></div>'
        return gone, facts(_about(page, film))
    words = [*_about(page, film), clock(asset.seconds)]
    if asset.render_seconds:
        words.append(page.t("took", time=page.duration(asset.render_seconds)))
    notices = "".join(f'<p class="note warn">{escape(page.say(notice))}</p>' for notice in film.job.notices)
    if not is_current(view, film):
        notices += f'<p class="note warn" id="story_outdated">{escape(page.t("story_outdated"))}</p>'
    held = withheld.badge(page, asset, film=True)
    gifts = _gifts(page, asset, film, made=is_made(view))
    return player(page, asset, marks), held + facts(words) + notices + gifts


def is_made(view: StoryView) -> bool:
    """Whether the newest film is finished, at full quality, and shows the story as it is."""
    film = view.film
    if film is None or film.asset is None or film.job.plan is None:
        return False
    return film.job.plan.level == "film" and is_current(view, film)


def is_current(view: StoryView, film: JobView) -> bool:
    """Whether a film shows what its story tells now, as far as that can be seen from its plan."""
    plan = film.job.plan
    if plan is None:
        return True
    story = filled(view.story)
    # Whether the label is spoken is a rule of the house, no part of the story.
    told = [(shot.shot_id, unannounced(shot.narration, plan.language).strip()) for shot in plan.shots]
    look = (plan.format, plan.music, tuple(plan.subtitles), plan.narrate, plan.end_card, plan.logo)
    now = story.look
    return told == [(shot.id, shot.text.strip()) for shot in story.shots] and look == (
        now.format, now.music, tuple(now.subtitles), now.narrate, now.end_card, now.logo
    )  # fmt: skip


def player(page: Page, asset: Asset, marks: Sequence[float]) -> str:
    """The film with sound, its shots marked on its time; player.js and story.js move its controls."""
    source = f"../media/{escape(asset.id)}"
    named = attributes(
        id="story_player",
        src=f"{source}.mp4",
        poster=f"{source}.webp",
        playsinline=True,
        preload="metadata",
        tabindex="0",
        data_fps=asset.fps,
        data_frames=asset.frames,
        data_clock=True,
        data_marks=",".join(f"{mark:.3f}" for mark in marks) or None,
        aria_label=page.t("player_label"),
        data_missing=page.say(Notice("file_missing")),
    )
    deck = "".join(
        button(page.t(text), act, symbol=symbol, look="bare", quiet=True)
        for text, act, symbol in (
            ("player_play", "play", "play"),
            ("story_shot_back", "shot_back", "back"),
            ("story_shot_next", "shot_next", "next"),
        )
    )
    last = max(asset.frames - 1, 1)
    ticks = "".join(
        f'<i style="left:{100 * mark / asset.seconds:.2f}%"></i>' for mark in marks[1:] if asset.seconds
    )
    scrub = f'<input class="scrub" type="range" min="0" value="0" step="1" max="{last}"'
    scrub += f' aria-label="{escape(page.t("story_time"))}">'
    counter = f'<output class="counter">0:00 / {clock(asset.seconds)}</output>'
    sound = button(page.t("story_mute"), "mute", symbol="sound", look="bare mute", quiet=True)
    full = button(page.t("player_full"), "full", symbol="full", look="bare", quiet=True)
    return (
        f'<div class="player paused" data-key="{escape(asset.id)}">'
        f"<video{named}>{_tracks(page, asset)}</video>"
        f'<div class="deck">{deck}<span class="scrub-box">{scrub}<span class="ticks">{ticks}</span></span>'
        f"{counter}{sound}{full}</div></div>"
    )


def _tracks(page: Page, asset: Asset) -> str:
    """Subtitles as tracks of the player, where they are not drawn into the picture."""
    plan = asset.plan
    if plan is None or plan.burn:
        return ""
    return "".join(
        "<track"
        + attributes(
            kind="subtitles",
            src=f"../film/{asset.id}.vtt?language={language}",
            srclang=language,
            label=page.t(f"story_language_{language}"),
            default=place == 0,
        )
        + ">"
        for place, language in enumerate(plan.subtitles)
    )


def _gifts(page: Page, asset: Asset, film: JobView, *, made: bool) -> str:
    """What can be taken away: the film, other formats, subtitles, the link."""
    link = attributes(
        href=f"../media/{asset.id}.mp4?download=1",
        id="story_download",
        class_="btn primary" if made else "btn raised",
        download=True,
    )
    found = [f"<a{link}>{icon('download')}<span>{escape(page.t('download'))}</span></a>"]
    kinds = "".join(
        do(page.t(f"story_export_{kind}"), "export", key=asset.id, values={"kind": kind}) for kind in KINDS
    )
    told = attributes(
        class_="told", role="status", id="story_export_told", data_wait=page.t("story_export_wait")
    )
    found.append(_menu(page.t("story_export_as"), "story_export_menu", kinds + f"<p{told}></p>"))
    if asset.plan is not None and asset.plan.subtitles:
        found.append(_menu(page.t("story_part_subtitles"), "story_subtitles_menu", _texts(page, asset)))
    found.append(button(page.t("copy_link"), "copy_story", key=film.job.id, symbol="link", look="bare"))
    return f'<div class="actions">{"".join(found)}</div>'


def _texts(page: Page, asset: Asset) -> str:
    languages = list(asset.plan.subtitles) if asset.plan else []
    names: dict[str, str] = {name: page.t(f"story_language_{name}") for name in languages}
    if len(languages) > 1:
        names["both"] = page.t("story_subtitles_zh_en")
    found = []
    for name, title in names.items():
        for kind in ("srt", "vtt"):
            address = f"../film/{asset.id}.{kind}?language={name}&download=1"
            link = attributes(href=address, class_="btn", download=True)
            found.append(f"<a{link}>{escape(title)} · {kind.upper()}</a>")
    return "".join(found)


def _menu(text: str, id_: str, rows: str) -> str:
    return (
        f'<details class="menu" data-keep id="{id_}"><summary class="btn">{escape(text)}</summary>'
        f'<div class="sheet">{rows}</div></details>'
    )

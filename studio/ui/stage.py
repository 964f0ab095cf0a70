"""The stage: one job as HTML, in each of its states. Pure functions; what people wrote is escaped here.

gr.HTML changes only what differs in the document, so a running picture never flickers and a video plays on.
"""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from pipelines.models import title_of
from pipelines.request import Notice
from studio.core import JobView
from studio.library import Asset
from studio.media.looks import LOOKS
from studio.rows import CLIPS, OPEN, kind_of
from studio.story.film_plan import FilmPlan
from studio.styles import STYLES
from studio.ui import cloud, edits, picture, unwanted, ways, withheld
from studio.ui.context import Page
from studio.ui.edit_words import operation_words
from studio.ui.form import version as style_version
from studio.ui.markup import attributes, button, facts, icon, recipe

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
FIRST_FILM = "first.mp4"
# Of each kind, in the recipe of what was made of many.
_MOST_VALUES = 12


def empty(page: Page, example: str) -> str:
    """Nothing asked yet: the example film if one ships, one sentence, one example to click."""
    film = ""
    if (EXAMPLES / FIRST_FILM).exists():
        named = attributes(
            src=f"../examples/{FIRST_FILM}",
            muted=True,
            loop=True,
            autoplay=True,
            playsinline=True,
            aria_hidden="true",
        )
        film = f'<video class="example"{named}></video>'
    inside = film + (
        f'<div class="veil">{icon("film")}<h2>{escape(page.t("empty_title"))}</h2>'
        f"<p>{escape(page.t('empty_text'))}</p>"
        f"{button(example, 'example', key='0', look='ghost quote')}</div>"
    )
    return _stage("empty", inside)


def unknown(page: Page, notice: Notice) -> str:
    """A link that leads nowhere."""
    inside = (
        f'<div class="veil">{icon("film")}<h2>{escape(page.t("unknown_title"))}</h2>'
        f"<p>{escape(page.say(notice))}</p>{button(page.t('start_fresh'), 'fresh', look='raised')}</div>"
    )
    return _stage("unknown", inside)


def render(page: Page, view: JobView, *, beat: int = 0) -> str:
    """A job as its visitor sees it now. `beat` counts up while it is followed: the line is alive."""
    draw = {
        "queued": _waiting,
        "running": _running,
        "done": _done,
        "failed": _failed,
        "cancelled": _cancelled,
    }
    state = withheld.state(view)
    hidden = withheld.veil(page, view, actions=_edit(page, view))
    screen, below = hidden, ""
    if hidden:
        below = facts(_about(page, view)) + _actions(page, view)
    else:
        screen, below = draw[view.job.state](page, view)
    size = view.job.size
    note = "" if view.may_change or hidden else f'<p class="note">{escape(page.t("not_mine"))}</p>'
    asked = withheld.marked(view.job.asked, withheld.words_of(withheld.reasons_of(view)))
    below += f'<blockquote class="asked">{asked}</blockquote>{note}'
    if view.job.actual_prompt and not hidden:
        below += _actual(page, view.job.actual_prompt)
    if view.job.state == "done" and not hidden and view.asset is not None:
        below += edits.line(page, view.asset)
    if view.asset is not None:
        use = button(page.t("use_recipe"), "use", key=view.asset.id, symbol="recipe", id_="use")
        use = use if view.job.kind in CLIPS else ""
        below += recipe(page, recipe_rows(page, view.asset), does=use)
    return _stage(
        state,
        screen,
        below,
        job=view.job.id,
        mine=view.may_change,
        beat=beat,
        width=size.width,
        height=size.height,
        tint=_tint(view),
    )


def _actual(page: Page, prompt: str) -> str:
    """What a cloud made of the prompt, folded: it is long."""
    summary = escape(page.t("actual_prompt"))
    return f'<details class="words"><summary>{summary}</summary><p>{escape(prompt)}</p></details>'


def _stage(
    state: str,
    screen: str,
    below: str = "",
    *,
    job: str = "",
    mine: bool = False,
    beat: int = 0,
    width: int = 5,
    height: int = 3,
    tint: str = "",
) -> str:
    shape = "tall" if height > width else "square" if height == width else "wide"
    named = attributes(
        class_=f"stage {shape}",
        data_state=state,
        data_job=job or None,
        data_mine=mine,
        data_beat=beat,
        style=f"--ratio:{width}/{height}" + (f";--tint:{tint}" if tint else ""),
    )
    return f'<section{named}><div class="screen">{screen}</div><div class="below">{below}</div></section>'


def _tint(view: JobView) -> str:
    """The colour of the style that is asked for: what waits on the stage until there is a picture."""
    style = STYLES.get(str(view.job.form.get("style") or "none"))
    return style.palette[1] if style is not None and style.name != "none" else ""


def queued(page: Page, view: JobView) -> str:
    """The screen of a job that waits: how many are before it, and how long that takes."""
    if cloud.ordered(view.job):
        return _veil(page, page.t("cloud_ordered"), page.t("cloud_ordered_more"))
    ahead = view.position or 0
    title = page.t("waiting_next") if ahead == 0 else page.t("waiting_ahead", count=ahead)
    when = page.t("waiting_eta", time=page.duration(view.eta)) if view.eta else page.t("waiting_eta_unknown")
    return _veil(page, title, when)


def _veil(page: Page, title: str, more: str = "") -> str:
    said = f"<p>{escape(more)}</p>" if more else ""
    close = f'<p class="muted">{escape(page.t("may_close"))}</p>'
    return f'<div class="veil"><h2 role="status">{escape(title)}</h2>{said}{close}</div>'


def _waiting(page: Page, view: JobView) -> tuple[str, str]:
    return queued(page, view), _bar(0, 0) + facts(_about(page, view)) + _actions(page, view)


def _running(page: Page, view: JobView) -> tuple[str, str]:
    progress = view.progress
    stage, step, total, version = "loading", 0, 0, 0
    if progress is not None:
        stage, step, total = progress.stage, progress.step, progress.total
        version = progress.preview_version
    words = [page.t("stopping") if view.job.cancel_requested else cloud.doing(page, view.job, view.progress)]
    words.append(page.counted(stage, step, total))
    if view.eta:
        words.append(page.t("left", time=page.duration(view.eta)))
    if version:
        source = f"../preview/{escape(view.job.id)}.webp?v={version}"
        screen = f'<img id="preview" class="live" src="{source}" alt="{escape(page.t("preview_alt"))}">'
    else:
        screen = _veil(page, cloud.doing(page, view.job, view.progress))
    return screen, _bar(step, total) + facts([*words, *_about(page, view)]) + _actions(page, view)


def _done(page: Page, view: JobView) -> tuple[str, str]:
    asset = view.asset
    if asset is None:
        gone = f'<div class="veil">{icon("film")}<p>{escape(page.t("deleted"))}</p></div>'
        return gone, facts(_about(page, view)) + _actions(page, view)
    words = [page.state("done"), *_about(page, view), *(page.say(notice) for notice in view.job.notices)]
    if asset.render_seconds:
        words.insert(1, page.t("took", time=page.duration(asset.render_seconds)))
    return player(page, asset), withheld.badge(page, asset) + facts(words) + _actions(page, view)


def _edit(page: Page, view: JobView) -> str:
    """The way back to the form, with what was asked for in it."""
    if not view.may_change or view.job.kind not in CLIPS or view.state == "draft":
        return ""
    made = view.job.state == "done" and view.standing == "held"
    return (
        ""
        if made
        else button(
            page.t("edit_words"), "edit", key=view.job.id, symbol="pen", look="raised", id_="edit_words"
        )
    )


def _failed(page: Page, view: JobView) -> tuple[str, str]:
    error = view.job.error or Notice("internal")
    again = button(page.t("retry"), "retry", key=view.job.id, symbol="again", look="raised", id_="retry")
    screen = (
        f'<div class="veil bad"><h2 role="alert">{escape(page.t("failed_title"))}</h2>'
        f"<p>{escape(page.say(error))}</p>"
        f"{again if view.may_change else ''}</div>"
    )
    return screen, facts(_about(page, view))


def _cancelled(page: Page, view: JobView) -> tuple[str, str]:
    again = button(page.t("retry"), "retry", key=view.job.id, symbol="again", look="raised", id_="retry")
    said = page.say(*view.job.notices)
    screen = (
        f'<div class="veil"><h2 role="status">{escape(page.t("cancelled_title"))}</h2>'
        f"<p>{escape(said or page.t('cancelled_text'))}</p>{again if view.may_change else ''}</div>"
    )
    return screen, facts(_about(page, view))


def player(
    page: Page, asset: Asset, *, id_: str = "player", sound: bool = False, autoplay: bool = True
) -> str:
    """The video with our own slim controls; player.js moves them. `sound`: a film that is heard and timed."""
    source = f"../media/{escape(asset.id)}"
    named = attributes(
        id=id_,
        src=f"{source}.mp4",
        poster=f"{source}.webp",
        loop=True,
        muted=not sound,
        autoplay=autoplay and not sound,
        playsinline=True,
        preload="auto" if autoplay else "none",
        tabindex="0",
        data_fps=asset.fps,
        data_frames=asset.frames,
        data_clock=sound,
        aria_label=page.t("player_label"),
        data_missing=page.say(Notice("file_missing")),
    )
    controls = "".join(
        button(page.t(f"player_{act}"), act, symbol=symbol, look="bare", quiet=True)
        for act, symbol in (("play", "play"), ("back", "back"), ("next", "next"))
    )
    scrub = f'<input class="scrub" type="range" min="0" value="0" step="1" max="{max(asset.frames - 1, 1)}"'
    scrub += f' aria-label="{escape(page.t("player_scrub"))}">'
    full = button(page.t("player_full"), "full", symbol="full", look="bare", quiet=True)
    counter = f'<output class="counter">1 / {asset.frames}</output>'
    mute = button(page.t("story_mute"), "mute", symbol="sound", look="bare mute", quiet=True) if sound else ""
    deck = f'<div class="deck">{controls}{scrub}{counter}{mute}{full}</div>'
    look = "player" if autoplay and not sound else "player paused"
    return f'<div class="{look}"><video{named}></video>{deck}</div>'


def recipe_rows(page: Page, asset: Asset) -> Iterator[tuple[str, object]]:
    """A clip's recipe by the names of the form."""
    if asset.plan is not None:
        yield from _film_rows(page, asset, asset.plan)
    if asset.kind == "grid":
        yield from _grid_rows(page, asset)
    if asset.request is None:
        return
    request = asset.request
    version = style_version(asset.form.get("style_version"))
    style = page.studio.styles.find(str(asset.form.get("style") or "none"), version)
    if request.prompt != asset.form.get("prompt"):
        yield page.t("recipe_read"), request.prompt
    if asset.form.get("prompt_original"):
        yield page.t("recipe_typed"), asset.form["prompt_original"]
    if style is not None and style.name != "none":
        title = style.title[page.language]
        told = page.t("style_version_of", title=title, version=version) if version else title
        yield page.field("style"), told
    yield page.field("look"), _look(page, request.look)
    elsewhere = kind_of(request) == "cloud"
    revision = "" if elsewhere else f" · {asset.model_revision[:12]}"
    yield page.field("model"), title_of(request.model) + revision
    yield page.field("size"), asset.size
    yield page.t("length"), page.t("frames_at", frames=asset.frames, fps=asset.fps)
    yield page.t("recipe_done"), _done_to(page, asset)
    yield page.field("seed"), request.seed
    yield page.field("first_frame"), request.first_frame[:12]
    if elsewhere:
        job = page.studio.jobs.get(asset.job_id)
        yield page.t("actual_prompt"), None if job is None else job.actual_prompt
        yield page.field("negative_prompt"), request.negative_prompt
        return
    yield page.field("num_inference_steps"), request.num_inference_steps
    yield page.field("guidance_scale"), f"{request.guidance_scale:g}"
    if request.guidance_scale_2 is not None:
        yield page.field("guidance_scale_2"), f"{request.guidance_scale_2:g}"
    yield page.field("flow_shift"), f"{request.flow_shift:g}"
    if len(request.spec.tiers) > 1:
        yield page.field("tier"), ways.named(page, request.tier)
    yield page.field("loras"), ways.told(page, request.loras)
    yield page.field("negative_prompt"), unwanted.told(page, request.negative_prompt)


def _done_to(page: Page, asset: Asset) -> str:
    """What was done to the pictures since they were drawn; empty for a clip that is as it was rendered."""
    take = page.studio.edits.take_of(asset.job_id) if asset.kind == "edit" else None
    return "" if take is None else " · ".join(operation_words(page, one) for one in take.operations)


def _look(page: Page, name: str) -> str:
    return LOOKS[name].title[page.language] if name != "none" and name in LOOKS else ""


def _film_rows(page: Page, asset: Asset, plan: FilmPlan) -> Iterator[tuple[str, object]]:
    yield page.t("film"), page.t("film_of", count=len(plan.shots))
    models = {request.model: title_of(request.model) for request in plan.requests()}
    yield page.field("model"), " · ".join(models.values())
    yield page.field("look"), _look(page, plan.look)
    yield page.field("size"), asset.size
    yield page.t("length"), page.t("frames_at", frames=asset.frames, fps=asset.fps)


def _grid_rows(page: Page, asset: Asset) -> Iterator[tuple[str, object]]:
    """What the clips of a comparison have in common, and in what they differ."""
    clips = [clip for clip in page.studio.assets.clips_of(asset.id) if clip.standing == "public"]
    requests = [clip.request for clip in clips if clip.request is not None]
    styles = [page.studio.styles.find(str(clip.form.get("style") or "none")) for clip in clips]
    yield page.t("recipe_clips"), len(clips) or None
    yield page.t("recipe_prompts"), _several([clip.asked for clip in clips], "\n")
    yield page.field("style"), _several([style.title[page.language] for style in styles if style], ", ")
    yield page.field("model"), _several([title_of(request.model) for request in requests], ", ")
    yield page.field("seed"), _several([str(request.seed) for request in requests], ", ")
    yield page.field("size"), asset.size
    yield page.t("length"), page.t("frames_at", frames=asset.frames, fps=asset.fps)


def _several(values: Sequence[str], between: str) -> str:
    """Each value once; of many the first ones."""
    found = list(dict.fromkeys(values))
    return between.join(found[:_MOST_VALUES]) + (" …" if len(found) > _MOST_VALUES else "")


def _about(page: Page, view: JobView) -> list[str]:
    request = view.job.request
    if view.job.task is not None:
        return [str(view.asset.size)] if view.asset is not None else []
    if request is None:
        count = len(view.job.plan.shots) if view.job.plan is not None else 0
        return [page.t("film_of", count=count), str(view.job.size)]
    return [title_of(request.model), str(request.size), page.t("seed_is", seed=request.seed)]


def _bar(step: int, total: int) -> str:
    share = 100 * step / total if total else 0
    named = attributes(
        class_="bar",
        role="progressbar",
        aria_valuemin=0,
        aria_valuemax=total or 1,
        aria_valuenow=step,
        aria_label=f"{step}/{total}",
    )
    return f'<div{named}><i style="width:{share:.1f}%"></i></div>'


def _actions(page: Page, view: JobView) -> str:
    job, found = view.job.id, []
    if view.job.state in OPEN and view.may_change:
        found.append(
            button(
                page.t("cancel"),
                "cancel",
                key=job,
                symbol="stop",
                id_="cancel",
                confirm=cloud.cancel_question(page, view),
            )
        )
    if view.asset is not None:
        link = attributes(
            href=f"../media/{view.asset.id}.mp4?download=1", id="download", class_="btn raised", download=True
        )
        found.append(f"<a{link}>{icon('download')}<span>{escape(page.t('download'))}</span></a>")
        if view.job.kind in CLIPS:
            found.append(button(page.t("again"), "again", key=job, symbol="again", id_="again"))
        if view.job.kind != "film" and view.asset.kind in ("clip", "edit"):
            found.append(picture.continuing(page, view.asset))
        found.append(button(page.t("verify"), "verify", key=view.asset.id, symbol="shield", id_="to_verify"))
    if view.job.plan is not None:
        key = f"{view.job.plan.story_id} {job}"
        found.append(button(page.t("open_story"), "to_story", key=key, symbol="film", id_="open_story"))
    found.append(button(page.t("copy_link"), "copy", key=job, symbol="link", id_="copy_link"))
    return f'<div class="actions">{"".join(found)}</div>'

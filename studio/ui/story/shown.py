"""A story as the areas of the tab show it, each as HTML; and what says that they have to be drawn anew."""

import hashlib
from pathlib import Path
from typing import Any

from studio.access import Visitor
from studio.core import JobView, Refused
from studio.library import Asset
from studio.media.tracks import chapters
from studio.stories import StoryView
from studio.story.types import Level
from studio.ui.context import Page
from studio.ui.story import bar, cards, cast, film, films, head, screen, start, text
from studio.ui.story.message import Here
from studio.ui.story.screen import Live

RECENT = 12
FILMS = 12
CLIPS = 24


def areas(
    page: Page, visitor: Visitor, view: StoryView | None, here: Here, *, sorry: str = ""
) -> dict[str, Any]:
    """Every area by its name: head, line, board, bar, stage, films."""
    if view is None:
        return dict.fromkeys(("head", "line", "bar", "stage", "films"), "") | {
            "board": first(page, visitor, sorry)
        }
    return {
        "head": head.render(page, view),
        "line": head.timeline(page, view),
        "board": board(page, visitor, view, here),
        "bar": priced(page, visitor, view),
        "stage": stage(page, visitor, view, here),
        "films": filmed(page, visitor, view),
    }


def first(page: Page, visitor: Visitor, sorry: str = "") -> str:
    """The first screen, with the visitor's stories and a picture of each that has a film."""
    stories = page.studio.stories.list(visitor, limit=RECENT)
    stills = {}
    for one in stories:
        made = page.studio.stories.films(visitor, one.id, limit=1)
        if made and made[0].asset is not None:
            stills[one.id] = f"../media/{made[0].asset.id}.webp"
    return start.render(page, stories, stills, sorry=sorry)


def board(page: Page, visitor: Visitor, view: StoryView, here: Here) -> str:
    """The section of the story that is looked at, below the ways to the others."""
    inside = {
        "shots": lambda: cards.render(page, view, here, _clips(page, visitor, here)),
        "cast": lambda: cast.render(page, view),
        "film": lambda: film.render(page, visitor, view),
        "text": lambda: text.render(page, view),
    }
    return head.sections(page, view, here) + inside[here.section]()


def priced(page: Page, visitor: Visitor, view: StoryView) -> str:
    """The bar with what each kind of film would take now."""
    if not view.may_change or not view.shots:
        return ""
    return bar.render(
        page, view, _price(page, visitor, view, "animatic"), _price(page, visitor, view, "film")
    )


def _price(page: Page, visitor: Visitor, view: StoryView, level: Level) -> bar.Price:
    try:
        return bar.Price(page.studio.stories.estimate(visitor, view.id, level))
    except Refused as refused:
        return bar.Price(None, page.say(*refused.notices))


def filmed(page: Page, visitor: Visitor, view: StoryView) -> str:
    """The story's films, for those who may change it."""
    if not view.may_change:
        return ""
    asked = page.studio.stories.films(visitor, view.id, limit=FILMS)
    return films.render(page, view, asked, page.studio.stories.tables.counts(view.id))


def stage(page: Page, visitor: Visitor, view: StoryView, here: Here, *, beat: int = 0) -> str:
    """The stage with the film that is looked at, or the newest one."""
    shown = film_of(page, visitor, view, here)
    newest = shown is not None and view.film is not None and shown.job.id == view.film.job.id
    lost = newest and shown is not None and shown.job.state in ("failed", "cancelled")
    # A try that came to nothing takes no good film from the stage.
    last = page.studio.stories.last_film(visitor, view.id) if lost else None
    marks = _marks(page, last or shown)
    return screen.render(page, view, shown, last=last, live=live(page, visitor, view), marks=marks, beat=beat)


def film_of(page: Page, visitor: Visitor, view: StoryView, here: Here) -> JobView | None:
    """The film that is looked at: the one of this story that the page asks for, else the newest."""
    if here.film and (view.film is None or view.film.job.id != here.film):
        try:
            asked = page.studio.job(visitor, here.film)
        except Refused:
            return view.film
        if asked.job.plan is not None and asked.job.plan.story_id == view.id:
            return asked
    made = view.film is not None and (view.film.is_final or view.film.waits_for_a_person)
    lost = made and view.film is not None and view.film.asset is None
    if lost and not view.may_change:
        # Who was given the link wants to see a film, not that the last try failed.
        others = page.studio.stories.films(visitor, view.id, limit=FILMS)
        return next((film for film in others if film.asset is not None), view.film)
    return view.film


def live(page: Page, visitor: Visitor, view: StoryView) -> dict[str, Live]:
    """The takes that are being rendered now, by shot id, with their pictures if the visitor may see them."""
    found = {}
    seen = any(shot.state == "running" for shot in view.shots) and page.studio.shows_previews(visitor)
    for shot in view.shots:
        if shot.state != "running" or not shot.job_id:
            continue
        progress = page.studio.jobs.progress(shot.job_id)
        painting = progress is not None and progress.stage == "denoising"
        found[shot.shot.id] = Live(
            job_id=shot.job_id,
            version=progress.preview_version if progress and seen else 0,
            step=progress.step if progress and painting else 0,
            total=progress.total if progress and painting else 0,
        )
    return found


def busy(view: StoryView, shown: JobView | None) -> bool:
    """Whether anything about it will change by itself."""
    rendering = any(shot.state in cards.LIVE for shot in view.shots)
    # Who waits for a person is told by the pulse: nothing comes of it for hours.
    return rendering or (shown is not None and not shown.is_final and not shown.waits_for_a_person)


def stamp(view: StoryView, here: Here) -> str:
    """What changes with everything that the cards, the line and the bar show."""
    shots = [(shot.shot.id, shot.state, shot.job_id, shot.takes) for shot in view.shots]
    film = view.film and (view.film.job.id, view.film.job.state, view.film.standing)
    told = repr((view.id, view.revision, shots, film, here.film))
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]


def _clips(page: Page, visitor: Visitor, here: Here) -> list[Asset]:
    return page.studio.library(visitor, limit=CLIPS) if here.pick and here.open else []


def _marks(page: Page, shown: JobView | None) -> tuple[float, ...]:
    """Where the shots of a finished film begin."""
    if shown is None or shown.asset is None:
        return ()
    path: Path = page.studio.library_file(shown.asset)
    return tuple(chapter.start for chapter in chapters(path))

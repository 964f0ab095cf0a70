"""All films of a story, below its stage: what was asked for last, and what of it still waits."""

from collections.abc import Sequence
from html import escape

from studio.core import JobView
from studio.stories import StoryView
from studio.story_tables import FilmCounts
from studio.ui import withheld
from studio.ui.context import Page
from studio.ui.markup import attributes, icon
from studio.ui.story.parts import actions, do


def render(page: Page, view: StoryView, films: Sequence[JobView], counts: FilmCounts) -> str:
    """The films asked for last; `counts` tells of all. Nothing if the only one is on the stage."""
    alone = len(films) == 1 and view.film is not None and films[0].job.id == view.film.job.id
    if not films or alone or not view.may_change:
        return ""
    rows = "".join(_film(page, film) for film in films)
    found = [f'<ul class="stories">{rows}</ul>']
    if counts.asked > len(films):
        more = page.t("story_films_more", count=counts.asked - len(films))
        found.append(f'<p class="muted" id="story_films_more">{escape(more)}</p>')
    if counts.waiting:
        stop = do(
            page.t("story_cancel_waiting", count=counts.waiting),
            "cancel_waiting",
            symbol="stop",
            look="raised",
            confirm=page.t("story_cancel_waiting_confirm", count=counts.waiting),
            id_="story_cancel_waiting",
        )
        found.append(actions(stop))
    named = attributes(class_="films", open=counts.waiting > 1, data_keep=True, data_key="films")
    title = f'{escape(page.t("story_films"))} <span class="count">{counts.asked}</span>'
    return f"<details{named}><summary id='story_films_all'>{title}</summary>{''.join(found)}</details>"


def _titled(view: JobView) -> str:
    """What a film is called in the list: what its row of the table says, then the title."""
    told = view.job.form.get("values")
    row = " · ".join(str(value) for value in told) if isinstance(told, list) else ""
    title = view.job.asked
    return title if not row or title.startswith(row) else f"{row} · {title}"


def _state(page: Page, view: JobView) -> str:
    state = withheld.state(view)
    if state == "held":
        return page.t("row_held_words" if view.job.state == "held" else "row_held")
    return page.t(f"row_{state}") if state in ("blocked", "rejected") else page.state(view.job.state)


def _film(page: Page, view: JobView) -> str:
    job = view.job
    named = attributes(type="button", class_="open", data_act="film_open", data_key=job.id)
    image = icon("film")
    if view.asset is not None:
        image = f"<img{attributes(src=f'../media/{view.asset.id}.webp', alt='', loading='lazy')}>"
    level = page.t(f"story_level_{job.plan.level}") if job.plan else ""
    about = " · ".join(filter(None, (_state(page, view), level, page.ago(job.created))))
    words = f"<b>{escape(_titled(view))}</b><small>{escape(about)}</small>"
    return (
        f'<li data-key="{escape(job.id)}"><button{named}><span class="still">{image}</span>'
        f'<span class="words-of">{words}</span></button></li>'
    )

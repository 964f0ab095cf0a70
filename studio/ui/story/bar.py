"""What is pressed at the end: how long and how much each kind of film would take, and the buttons for it."""

from dataclasses import dataclass
from html import escape

from studio.rows import OPEN
from studio.stories import StoryEstimate, StoryView
from studio.story.types import Level
from studio.ui import cloud, unable
from studio.ui.context import Page
from studio.ui.form import paid
from studio.ui.markup import attributes
from studio.ui.story.head import clock
from studio.ui.story.parts import do
from studio.ui.story.screen import is_made


@dataclass(frozen=True)
class Price:
    """What one kind of film would take; or, in words, why it can't be made now."""

    estimate: StoryEstimate | None
    sorry: str = ""


def render(page: Page, view: StoryView, animatic: Price, film: Price) -> str:
    """The bar below the shots; nothing for those who may only look, or while there is no shot."""
    if not view.may_change or not view.shots:
        return ""
    drafted = all(shot.state in ("draft", "full", "source") for shot in view.shots)
    notices = animatic.estimate.notices if animatic.estimate else ()
    # What is about one shot stands on its card.
    film_wide = [notice for notice in notices if "number" not in notice.values]
    told = "".join(f'<p class="worry">{escape(page.say(notice))}</p>' for notice in film_wide[:3])
    # One of them is what comes next: the animatic, then (once it was approved) the film, then its download.
    choices = _choice(page, view, "animatic", animatic, primary=not drafted)
    choices += _choice(
        page, view, "film", film, primary=drafted and film.estimate is not None and not is_made(view)
    )
    estimates = [price.estimate for price in (film, animatic) if price.estimate is not None]
    cannot = next(filter(None, (estimate.cannot for estimate in estimates)), None)
    lacks = f'<div class="unable">{unable.told(page, cannot)}</div>' if cannot is not None else ""
    return f'{told}<div class="choices">{choices}</div>{lacks}'


def _choice(page: Page, view: StoryView, level: Level, price: Price, *, primary: bool) -> str:
    """A button and what it would take; while such a film is made, the button that stops it."""
    film = view.film if view.film is not None and view.film.job.state in OPEN else None
    if film is not None and film.job.plan is not None and film.job.plan.level == level:
        doing = page.t("held_words_title" if film.job.state == "held" else f"story_making_{level}")
        stop = do(
            page.t("story_stop_film"),
            "cancel",
            key=film.job.id,
            symbol="stop",
            look="raised",
            confirm=cloud.cancel_question(page, film),
            id_=f"story_stop_{level}",
        )
        return f'<div class="choice">{stop}<p class="price">{escape(doing)}</p></div>'
    cannot = price.estimate.cannot if price.estimate is not None else None
    button = _button(page, level, primary=primary, off=price.estimate is None or cannot is not None)
    if cannot is not None:
        return f'<div class="choice">{button}</div>'
    told = [] if price.estimate is None else parts(page, price.estimate)
    drafts = sum(shot.state == "draft" and not shot.shot.approved for shot in view.shots)
    if told and level == "film" and drafts:
        told.insert(0, page.t("story_stay_drafts", count=drafts))
    words = " · ".join(told) or price.sorry
    return f'<div class="choice">{button}<p class="price">{escape(words)}</p></div>'


def _button(page: Page, level: str, *, primary: bool, off: bool) -> str:
    named = attributes(
        type="button",
        id=f"story_{level}",
        class_="btn primary" if primary else "btn raised",
        data_act="film",
        data_key=level,
        title=page.t(f"story_why_{level}"),
        disabled=off,
    )
    return f"<button{named}><span>{escape(page.t(f'story_make_{level}'))}</span></button>"


def parts(page: Page, found: StoryEstimate) -> list[str]:
    """An estimate in words: who is ahead, what is rendered and what is there, how long, how much."""
    told = [page.t("price_ahead", count=found.ahead)] if found.ahead else []
    if found.to_render and found.reused:
        told.append(page.t("story_render_some", count=found.to_render, reused=found.reused))
    elif found.to_render:
        told.append(page.t("story_render_all", count=found.to_render))
    else:
        told.append(page.t("story_render_none"))
    if found.seconds is None:
        told.append(page.t("price_unknown"))
    elif found.ahead and found.wait is None:
        told.append(page.t("price_then", time=page.duration(found.seconds)))
    else:
        told.append(page.t("price_about", time=page.duration(found.seconds + (found.wait or 0))))
    if found.price is not None:
        told.append(page.t("story_price", price=f"{found.price:.2f}", currency=found.currency))
    told += paid(page, found.cloud, unlisted=found.unlisted)
    told.append(page.t("story_makes", time=clock(found.film_seconds)))
    return told

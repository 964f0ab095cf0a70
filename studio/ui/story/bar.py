"""What is pressed at the end: how long and how much each kind of film would take, and the buttons for it."""

from dataclasses import dataclass
from html import escape

from studio.stories import StoryEstimate, StoryView
from studio.ui.context import Page
from studio.ui.markup import attributes
from studio.ui.story.head import clock


@dataclass(frozen=True)
class Price:
    """What one kind of film would take; or, in words, why it can't be made now."""

    estimate: StoryEstimate | None
    sorry: str = ""


def render(page: Page, view: StoryView, animatic: Price, film: Price) -> str:
    """The bar below the shots; nothing for those who may only look, or while there is no shot."""
    if not view.may_change or not view.shots:
        return ""
    everything = all(shot.shot.approved or shot.shot.source is not None for shot in view.shots)
    drafted = all(shot.state in ("draft", "full", "source") for shot in view.shots)
    draft = _button(page, "animatic", primary=not (everything and drafted), off=animatic.estimate is None)
    full = _button(page, "film", primary=everything and drafted, off=film.estimate is None)
    notices = animatic.estimate.notices if animatic.estimate else ()
    # What is about one shot stands on its card.
    film_wide = [notice for notice in notices if "number" not in notice.values]
    told = "".join(f'<p class="worry">{escape(page.say(notice))}</p>' for notice in film_wide[:3])
    return (
        f'{told}<div class="choices"><div class="choice">{draft}{_told(page, animatic)}</div>'
        f'<div class="choice">{full}{_told(page, film)}</div></div>'
    )


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


def _told(page: Page, price: Price) -> str:
    words = price.sorry if price.estimate is None else " · ".join(parts(page, price.estimate))
    return f'<p class="price">{escape(words)}</p>'


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
    told.append(page.t("story_makes", time=clock(found.film_seconds)))
    return told

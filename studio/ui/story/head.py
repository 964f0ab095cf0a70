"""What stands above a story: its title, a menu for the whole of it, and the film's time as a line."""

from dataclasses import dataclass
from html import escape

from studio.stories import ShotView, StoryView
from studio.ui import share
from studio.ui.context import Page
from studio.ui.markup import attributes, icon
from studio.ui.story.message import SECTIONS, Here
from studio.ui.story.parts import To, do

# A transition takes at most this share of the shorter of its two shots (studio/media/timeline.py).
_MOST_OF_A_SHOT = 0.4


@dataclass(frozen=True)
class Span:
    """Where a shot lies on the film's time, in seconds; `overlap` is shared with the next one."""

    shot: ShotView
    start: float
    overlap: float


def spans(view: StoryView) -> list[Span]:
    """Where each shot will lie, as far as that is known before anything is cut."""
    found: list[Span] = []
    start, look = 0.0, view.story.look
    for place, shot in enumerate(view.shots):
        later = view.shots[place + 1] if place + 1 < len(view.shots) else None
        kind = shot.shot.transition or look.transition
        overlap = 0.0
        if later is not None and kind != "cut":
            overlap = min(look.transition_seconds, _MOST_OF_A_SHOT * min(shot.seconds, later.seconds))
        found.append(Span(shot, start, overlap))
        start += shot.seconds - overlap
    return found


def clock(seconds: float) -> str:
    """Minutes and seconds: 1:07."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def render(page: Page, view: StoryView) -> str:
    """The line with the title: back to the stories, saved or not, and a menu."""
    back = do(page.t("story_all"), "home", symbol="back", look="bare", quiet=True, id_="story_home")
    title = view.story.title
    if view.may_change:
        named = attributes(
            id="story_title",
            type="text",
            value=title,
            # Browsers that cannot fit a field to its text.
            size=max(12, min(48, sum(2 if ord(char) > 0x2E7F else 1 for char in title))),
            maxlength=120,
            placeholder=page.t("story_title"),
            aria_label=page.t("story_title"),
            autocomplete="off",
        )
        name = f'<input class="title"{named}{To("set_title").named("title")}>'
        told = attributes(
            id="story_saved",
            role="status",
            data_saved=page.t("story_saved"),
            data_saving=page.t("story_saving"),
            data_unsaved=page.t("story_unsaved"),
        )
        told = f"<span{told}></span>"
    else:
        name = f'<h2 class="title">{escape(title or page.t("story_untitled"))}</h2>'
        told = f'<span class="note">{escape(page.t("story_not_mine"))}</span>'
        told += do(page.t("story_copy_own"), "duplicate", symbol="copy", look="raised", id_="story_duplicate")
    return f'<header class="story-head">{back}{name}{told}{_menu(page, view)}</header>'


def _menu(page: Page, view: StoryView) -> str:
    address = f"../story/{escape(view.id)}"
    rows = [
        do(page.t("copy_link"), "copy_story", key=view.id, symbol="link", id_="story_copy_link"),
        _link(
            page.t("story_storyboard"), f"{address}/storyboard?language={page.language}", "print", new=True
        ),
        _link(page.t("story_export"), f"{address}.json", "download", id_="story_export"),
    ]
    if view.may_change:
        rows.insert(0, share.button(page, f"story {view.id}", id_="story_share"))
        rows += [
            do(page.t("story_duplicate"), "duplicate", symbol="copy", id_="story_duplicate"),
            do(
                page.t("story_delete"),
                "delete_story",
                symbol="trash",
                confirm=page.t("story_delete_confirm"),
                loses=True,
                id_="story_delete",
            ),
        ]
    summary = attributes(class_="btn bare", title=page.t("story_more"), aria_label=page.t("story_more"))
    return (
        f'<details class="menu" data-keep><summary{summary}>{icon("more")}</summary>'
        f'<div class="sheet">{"".join(rows)}</div></details>'
    )


def _link(text: str, address: str, symbol: str, *, new: bool = False, id_: str | None = None) -> str:
    named = attributes(
        href=address,
        class_="btn",
        id=id_,
        target="_blank" if new else None,
        rel="noopener" if new else None,
        download=None if new else True,
    )
    return f"<a{named}>{icon(symbol)}<span>{escape(text)}</span></a>"


def sections(page: Page, view: StoryView, here: Here) -> str:
    """What of the story is shown below: its shots, who is in it, how the film is, the text."""
    counts = {"shots": len(view.shots), "cast": len(view.story.characters)}
    found = []
    for name in SECTIONS:
        named = attributes(
            type="button",
            id=f"story_to_{name}",
            data_act="section",
            data_key=name,
            role="tab",
            aria_selected=str(name == here.section).lower(),
        )
        count = f' <span class="count">{counts[name]}</span>' if counts.get(name) else ""
        found.append(f"<button{named}>{escape(page.t(f'story_to_{name}'))}{count}</button>")
    label = escape(page.t("story_sections"))
    tabs = f'<div class="segments sections" role="tablist" aria-label="{label}">{"".join(found)}</div>'
    return f'<div class="ways">{tabs}{_approving(page, view) if here.section == "shots" else ""}</div>'


def _approving(page: Page, view: StoryView) -> str:
    """How many shots are approved, and all of them at once."""
    if not view.shots:
        return ""
    approved = sum(shot.shot.approved or shot.shot.source is not None for shot in view.shots)
    count = escape(page.t("story_approved_of", count=approved, total=len(view.shots)))
    if not view.may_change:
        return f'<span class="muted">{count}</span>'
    everything = approved == len(view.shots)
    both = do(
        page.t("story_approve_none" if everything else "story_approve_all"),
        "change",
        edit="approve_all",
        values={"yes": not everything},
        symbol="check",
        # Everything can be seen: this is what comes next.
        look="primary"
        if not approved and all(shot.state in ("draft", "full") for shot in view.shots)
        else "",
        id_="story_approve_all",
    )
    return f'<span><span class="muted">{count}</span>{both}</span>'


def timeline(page: Page, view: StoryView) -> str:
    """The film as a line: one block a shot as wide as it is long, transitions where two overlap."""
    placed = spans(view)
    if not placed:
        return ""
    total = placed[-1].start + placed[-1].shot.seconds
    card = page.t("story_end_card") if view.story.look.end_card else ""
    blocks = "".join(_block(page, span, total) for span in placed)
    joints = "".join(_joint(page, view, span, total) for span in placed if span.overlap)
    about = page.t("story_length", time=clock(total), count=len(placed))
    about += f" · {card}" if card else ""
    named = attributes(
        class_="line",
        style=f"--count:{len(placed)}",
        data_total=f"{total:.2f}",
        aria_label=page.t("story_line"),
    )
    now = '<li class="playhead" aria-hidden="true"></li>'
    told = f'<p class="line-about">{escape(about)}</p>'
    return f'<div class="line-box"><ol{named}>{blocks}{joints}{now}</ol></div>{told}'


def _block(page: Page, span: Span, total: float) -> str:
    shot = span.shot
    words = page.t(
        "story_block",
        number=shot.number,
        seconds=f"{shot.seconds:.1f}",
        state=page.t(f"story_state_{shot.state}"),
    )
    named = attributes(
        type="button",
        data_act="goto",
        data_key=shot.shot.id,
        title=f"{words}\n{shot.shot.text[:120]}",
        aria_label=words,
    )
    place = f"left:{100 * span.start / total:.3f}%;width:{100 * shot.seconds / total:.3f}%"
    item = attributes(
        class_="slice",
        data_key=f"b:{shot.shot.id}",
        data_state=shot.state,
        data_shot=shot.shot.id,
        style=place,
    )
    source = still_of(shot)
    image = f"<img{attributes(src=source, alt='', loading='lazy')}>" if source else ""
    return f"<li{item}><button{named}>{image}<span>{shot.number}</span></button></li>"


def _joint(page: Page, view: StoryView, span: Span, total: float) -> str:
    kind = span.shot.shot.transition or view.story.look.transition
    start = span.start + span.shot.seconds - span.overlap
    place = f"left:{100 * start / total:.3f}%;width:{100 * span.overlap / total:.3f}%"
    named = attributes(
        class_="joint",
        data_key=f"j:{span.shot.shot.id}",
        data_kind=kind,
        style=place,
        title=page.t(f"story_transition_{kind}"),
        aria_hidden="true",
    )
    return f"<li{named}></li>"


def still_of(shot: ShotView) -> str:
    """The address of what there is to see of a shot: its file's still, or its take's; empty if nothing is."""
    source = shot.shot.source
    if source is not None:
        if source.kind == "asset":
            return f"../media/{source.place}.webp"
        return f"../still/{source.place.removeprefix('stories/')}?at={source.start:g}"
    return f"../media/{shot.shown.asset_id}.webp" if shot.shown else ""


def film_of(shot: ShotView) -> str:
    """The address of the clip that `still_of` is a still of; empty for a file that was brought."""
    source = still_of(shot)
    return source.removesuffix(".webp") + ".mp4" if source.startswith("../media/") else ""

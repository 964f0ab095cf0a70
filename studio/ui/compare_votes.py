"""The blind vote of the tab Compare: two clips without names, and what the votes say, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from studio.grid_view import Cell, GridView
from studio.ui.compare_grid import clip_of, naming, prompt_of, setting_name, style_name
from studio.ui.context import Page
from studio.ui.markup import attributes, button, facts, icon
from studio.ui.synced import synced
from studio.votes import Axis, Pair, Result, Share, value_of


def render_pair(page: Page, view: GridView, pair: Pair | None) -> str:
    """The pair that comes next, with its three answers; or that all were answered."""
    t = page.t
    head = (
        f'<header class="named"><h2>{escape(t("vote_title"))}</h2>'
        f"{_does(t('vote_results'), 'results', look='bare', id_='vote_results')}"
        f"{_does(t('close'), 'vote_end', symbol='close', look='bare', quiet=True, id_='vote_end')}</header>"
    )
    if pair is None:
        done = f'<div class="veil">{icon("check")}<h2>{escape(t("vote_all"))}</h2></div>'
        return f'<section class="voting" data-pair="">{head}{done}</section>'
    # Whatever could name them is left out; so are the stills, which the browser may know by then.
    clips = [clip_of(cell, "") for cell in (pair.left, pair.right)]
    shown = [replace(clip, poster="") for clip in clips if clip is not None]
    answers = "".join(
        _answer(page, answer, key) for answer, key in (("left", "1"), ("tie", "0"), ("right", "2"))
    )
    told = escape(t("vote_progress", done=pair.done + 1, count=pair.total))
    shared = prompt_of(pair.left) if prompt_of(pair.left) == prompt_of(pair.right) else ""
    asked = f'<blockquote class="asked">{escape(shared)}</blockquote>' if shared else ""
    skip = _does(t("vote_skip"), "answer skip", look="bare", id_="vote_skip")
    named = attributes(class_="voting", data_pair=f"{pair.left.number} {pair.right.number}")
    return (
        f"<section{named}>{head}{asked}{synced(shown, page.language)}"
        f'<div class="answers">{answers}</div><p class="facts"><span>{told}</span>{skip}</p></section>'
    )


def _answer(page: Page, answer: str, key: str) -> str:
    named = attributes(
        type="button",
        class_="btn big raised",
        id=f"vote_{answer}",
        data_act="compare",
        data_key=f"answer {answer}",
        aria_keyshortcuts=key,
    )
    return f"<button{named}><span>{escape(page.t(f'vote_is_{answer}'))}</span><kbd>{key}</kbd></button>"


@dataclass(frozen=True)
class Name:
    """What a row of the result is called: what tells it from the others, and the prompt that it shares."""

    told: str
    prompt: str = ""


def render_result(page: Page, view: GridView, result: Result) -> str:
    """What the votes say: for each axis how often each value won, and whether that may be chance."""
    t = page.t
    back = _does(t("vote_go_on"), "vote", symbol="back", look="bare")
    close = _does(t("close"), "vote_end", symbol="close", look="bare", quiet=True)
    link = attributes(href=f"../grid/{view.id}/votes.csv", class_="btn raised", download=True, id="votes_csv")
    csv = f"<a{link}>{icon('download')}<span>{escape(t('vote_csv'))}</span></a>"
    head = f'<header class="named"><h2>{escape(t("vote_result"))}</h2>{back}{csv}{close}</header>'
    if not result.votes:
        return f'<section class="votes-of">{head}<p class="muted">{escape(t("vote_none"))}</p></section>'
    told = [t("vote_count", count=result.votes), t("vote_voters", count=result.voters), t("vote_how")]
    parts = [facts(told)]
    for axis, shares in result.axes.items():
        names = {share.value: _axis_value(page, view, axis, share.value) for share in shares}
        parts.append(_shares(page, t(f"vote_by_{axis}"), shares, names))
    if len(result.axes) != 1:
        cells = {str(cell.number): _clip_name(page, view, cell) for cell in view.cells}
        parts.append(_shares(page, t("vote_by_clip"), result.clips, cells))
    return f'<section class="votes-of">{head}{"".join(parts)}</section>'


def _clip_name(page: Page, view: GridView, cell: Cell) -> Name:
    told = naming(page, view, cell, prompt=False)
    prompt = prompt_of(cell)
    return (
        Name(told, prompt if len({prompt_of(one) for one in view.cells}) > 1 else "")
        if told
        else Name(prompt)
    )


def _axis_value(page: Page, view: GridView, axis: Axis, value: str) -> Name:
    if axis == "style":
        return Name(style_name(page, value))
    if axis == "seed":
        return Name(page.t("seed_is", seed=value))
    if axis == "line":
        return Name(value)
    cell = next(cell for cell in view.cells if value_of(view, cell, axis) == value)
    return Name(setting_name(page, view, cell))


def _shares(page: Page, title: str, shares: Sequence[Share], names: Mapping[str, Name]) -> str:
    said = escape(sentence(page, shares[0], _in_one(names[shares[0].value]))) if shares[0].decided else ""
    rows = "".join(_share(page, share, names[share.value]) for share in shares)
    return (
        f'<section class="shares"><h3>{escape(title)}</h3><p class="said">{said}</p><ul>{rows}</ul></section>'
    )


def sentence(page: Page, share: Share, name: str) -> str:
    """One share in words: how many preferred it, between how many of 100 would, and how sure that is."""
    told = page.t(
        "vote_sentence",
        wins=share.wins,
        total=share.decided,
        name=name,
        low=round(100 * share.low),
        high=round(100 * share.high),
    )
    return f"{told}{page.t(f'vote_sure_{share.verdict}')}"


def _in_one(name: Name) -> str:
    return f"{name.told} · {name.prompt}" if name.prompt else name.told


def _share(page: Page, share: Share, name: Name) -> str:
    low, high = 100 * share.low, 100 * share.high
    at = 100 * share.wins / share.decided if share.decided else 50
    ties = f" · {page.t('vote_ties', count=share.ties)}" if share.ties else ""
    told = escape(f"{share.wins}/{share.decided}{ties}")
    drawn = f"--low:{low:.1f}%;--high:{high:.1f}%;--at:{at:.1f}%"
    bar = f'<span class="range" style="{drawn}"><i></i><b></b></span>'
    prompt = f"<small>{escape(name.prompt)}</small>" if name.prompt else ""
    between = page.t("vote_between", low=round(low), high=round(high)) if share.decided else ""
    return (
        f'<li data-verdict="{share.verdict}">'
        f'<span class="name"{attributes(title=_in_one(name))}>{escape(name.told)}{prompt}</span>{bar}'
        f'<span class="told">{told}</span><span class="spread">{escape(between)}</span></li>'
    )


def _does(
    text: str, verb: str, *, symbol: str = "", look: str = "", quiet: bool = False, id_: str | None = None
) -> str:
    return button(text, "compare", key=verb, symbol=symbol, look=look, quiet=quiet, id_=id_)

"""Beside the wall of clips: where one is (all, favourites, projects, trash), and what narrows it down."""

from collections.abc import Callable, Iterable, Sequence
from html import escape

from pipelines.models import MODELS
from studio.access import Visitor, may_change
from studio.library.entry import label_of
from studio.library.finder import FACETS, Found, Query
from studio.library.projects import Project
from studio.library.shelves import Usage
from studio.ui import share
from studio.ui.context import Page
from studio.ui.markup import attributes, button, icon

# As they stand on the page; projects have a list of their own.
_GROUPS = tuple(facet for facet in FACETS if facet != "project")
_AT_ONCE = 7
_WHO = 6
_UNITS = ("B", "KB", "MB", "GB", "TB")


def render(page: Page, visitor: Visitor, query: Query, found: Found) -> str:
    """Places, projects, what is chosen, facets with their counts, the room on the disk."""
    projects = page.studio.projects.list(visitor)
    groups = [_group(page, visitor, query, facet, found.counts.get(facet, ())) for facet in _GROUPS]
    # One that leaves everything narrows nothing down.
    ages = [(age, many) for age, many in found.ages.items() if many < found.total or age == query.age]
    groups.insert(1, _chips(page, "age", ages, (query.age,), lambda age: page.t(f"age_{age}")))
    chosen = sum(map(len, query.chosen.values())) + bool(query.age)
    clear = button(page.t("library_clear"), "library", key="clear", look="bare clear") if chosen else ""
    body = "".join(groups)
    return (
        f'<nav class="shelf" data-chosen="{chosen}" aria-label="{escape(page.t("library_narrow"))}">'
        f"{_places(page, query, found)}{_projects(page, visitor, query, found, projects)}"
        f'<div class="facets">{clear}{body}</div>{_room(page, page.studio.shelves.usage(visitor))}</nav>'
    )


def _places(page: Page, query: Query, found: Found) -> str:
    project = bool(query.chosen.get("project"))
    everything = not (query.trash or query.favourites or project)
    rows = [
        _place(page.t("library_all"), "place all", "film", everything),
        _place(
            page.t("favourites"),
            "place marked",
            "heart",
            query.favourites,
            found.favourites,
            id_="favourites",
        ),
        _place(page.t("trash"), "place trash", "trash", query.trash, id_="trash"),
    ]
    hint = f'<p class="muted hint">{escape(page.t("trash_hint"))}</p>' if query.trash else ""
    return f'<div class="places">{"".join(rows)}{hint}</div>'


def _place(
    text: str, key: str, symbol: str, here: bool, count: int | None = None, *, id_: str | None = None
) -> str:
    named = attributes(
        type="button",
        class_="place",
        id=None if id_ is None else f"library_{id_}",
        data_act="library",
        data_key=key,
        aria_current="true" if here else None,
    )
    many = f'<span class="count">{count}</span>' if count else ""
    return f"<button{named}>{icon(symbol)}<span>{escape(text)}</span>{many}</button>"


def _projects(page: Page, visitor: Visitor, query: Query, found: Found, projects: Sequence[Project]) -> str:
    counts = dict(found.counts.get("project", ()))
    chosen = query.chosen.get("project", ())
    rows = ""
    for project in projects:
        here = project.id in chosen
        rows += _place(project.name, f"place project {project.id}", "folder", here, counts.get(project.id, 0))
        rows += _own(page, visitor, project) if here else ""
    like = attributes(
        id="project_new",
        type="text",
        maxlength=60,
        autocomplete="off",
        placeholder=page.t("project_like"),
        aria_label=page.t("project_new"),
    )
    add = f'<form class="new" id="project_form">{icon("plus")}<input{like}></form>'
    title = escape(page.t("projects"))
    return f'<section class="places projects"><h3>{title}</h3>{rows}{add}</section>'


def _own(page: Page, visitor: Visitor, project: Project) -> str:
    """What can be done with the project that is open."""
    if not may_change(visitor, project.owner):
        return ""
    name = attributes(
        id="project_name", type="text", maxlength=60, value=project.name, aria_label=page.t("project_name")
    )
    drop = button(
        page.t("project_delete"),
        "library",
        key=f"project_delete {project.id}",
        symbol="trash",
        look="bare",
        quiet=True,
        confirm=page.t("project_delete_confirm"),
    )
    drop = share.button(page, f"project {project.id}", look="bare", quiet=True, id_="project_share") + drop
    rule = ""
    if visitor.admin:
        now = project.publish or ""
        options = "".join(
            f"<option{attributes(value=value, selected=value == now)}>{escape(page.t(key))}</option>"
            for value, key in (
                ("", "publish_as_rules"),
                ("at_once", "publish_at_once"),
                ("after_review", "publish_after_review"),
            )
        )
        named = attributes(id="project_publish", aria_label=page.t("publish_here"))
        rule = f"<select{named}>{options}</select>"
    key = escape(project.id)
    return f'<div class="own" data-project="{key}"><span class="line"><input{name}>{drop}</span>{rule}</div>'


def _group(page: Page, visitor: Visitor, query: Query, facet: str, counts: Sequence[tuple[str, int]]) -> str:
    chosen = query.chosen.get(facet, ())
    # What all of them share narrows nothing down.
    if not chosen and len(counts) < 2 and facet in ("kind", "model", "format", "size", "standing", "owner"):
        return ""
    return _chips(page, facet, counts, chosen, lambda value: label(page, visitor, facet, value))


def _chips(
    page: Page,
    facet: str,
    counts: Sequence[tuple[str, int]],
    chosen: Sequence[str],
    named: Callable[[str], str],
) -> str:
    shown = [(value, count) for value, count in counts if count or value in chosen]
    if not shown:
        return ""
    few, more = shown[:_AT_ONCE], shown[_AT_ONCE:]
    chips = "".join(_chip(facet, value, named(value), count, value in chosen) for value, count in few)
    if more:
        rest = "".join(_chip(facet, value, named(value), count, value in chosen) for value, count in more)
        opened = attributes(open=any(value in chosen for value, _ in more), class_="rest")
        title = escape(page.t("library_more_of", count=len(more)))
        chips += f"<details{opened}><summary>{title}</summary><span>{rest}</span></details>"
    title = escape(page.t(f"facet_{facet}"))
    return f'<section class="facet" data-facet="{facet}"><h3>{title}</h3><div>{chips}</div></section>'


def _chip(facet: str, value: str, text: str, count: int, pressed: bool) -> str:
    named = attributes(
        type="button",
        class_="narrower",
        data_act="library",
        data_key=f"facet {facet} {value}",
        aria_pressed=str(pressed).lower(),
    )
    return f'<button{named}><span>{escape(text)}</span><span class="count">{count}</span></button>'


def label(page: Page, visitor: Visitor, facet: str, value: str) -> str:
    """What a facet's value is called."""
    if facet in ("scene", "theme"):
        return label_of(facet, value, page.language)
    if facet == "style":
        style = page.studio.styles.find(value)
        return value if style is None else style.title[page.language]
    if facet == "model" and value in MODELS:
        return MODELS[value].title
    if facet in ("kind", "format", "standing"):
        return page.t(f"{facet}_{value}")
    if facet == "owner":
        return page.t("you") if value == visitor.owner else page.t("review_by", who=value[:_WHO] or "–")
    return value


def _room(page: Page, usage: Usage) -> str:
    """How much of the disk the clips take."""
    used = page.t("storage_used", size=size_of(usage.total), count=usage.count)
    free = page.t("storage_free", size=size_of(usage.free))
    share = min(100.0, 100 * usage.total / max(1, usage.total + usage.free))
    binned = page.t("storage_trash", size=size_of(usage.trash), count=usage.trashed) if usage.trashed else ""
    lines = "".join(f"<span>{escape(line)}</span>" for line in _some((used, binned, free)))
    return f'<div class="room"><i style="--share:{share:.1f}%"></i><p class="facts">{lines}</p></div>'


def _some(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line]


def size_of(count: int) -> str:
    """Bytes as people read them: 3.4 GB."""
    number, unit = float(count), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit < 2 or number >= 100 else f"{number:.1f} {_UNITS[unit]}"

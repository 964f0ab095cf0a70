"""The tab Library as HTML: what a message asks for, what comes back, and that nothing in it is trusted."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from studio.access import Visitor
from studio.library import Asset
from studio.library.finder import PAGE, Query
from studio.ui import library
from studio.ui.context import Page
from studio.ui.library import Message
from studio.ui.library_side import size_of
from tests.library.kit import clip

ADMIN = Visitor("me", True)


def _said(**data: Any) -> Message:
    return library.read(SimpleNamespace(_data=data))


def _add(page: Page, *prompts: str, **changes: Any) -> list[Asset]:
    made = [clip(prompt, **{"owner": "me", "age": number} | changes) for number, prompt in enumerate(prompts)]
    for asset in made:
        page.studio.assets.add(asset)
    return made


def _tiles(html: str | None) -> list[str]:
    return re.findall(r'class="tile[^"]*" data-key="([^"]+)"', html or "")


def test_pages_follow_each_other_by_key_and_none_comes_twice(page: Page) -> None:
    made = _add(page, *(f"clip {number}" for number in range(PAGE + 7)))
    first = library.answer(page, ADMIN, Message(turn=5))
    after = re.search(r'data-after="([^"]+)"', first.feed or "")
    assert 'data-turn="5" data-way="first"' in (first.feed or "")
    assert after
    more = library.answer(page, ADMIN, Message(act="more", after=after[1]))
    assert 'data-after=""' in (more.feed or "")
    assert more.side is None
    assert _tiles(first.feed) + _tiles(more.feed) == [asset.id for asset in made]


def test_messages_from_a_browser_are_made_harmless(page: Page) -> None:
    wild = _said(
        act=5, q="x" * 9000, chosen={"owner": "all", "nothing": ["a"], "style": [1, "ink"]}, ids="no"
    )
    assert wild.query.chosen == {"style": ("1", "ink")}
    assert len(wild.query.text) == 200
    assert _said(sort="; drop", age=[], trash="yes", limit=10**9).query == Query()
    assert library.read(SimpleNamespace(_data=[1])) == library.read(object())
    nothing = library.answer(page, ADMIN, Message(act="no such thing", after="a~b"))
    assert page.t("library_empty") in (nothing.feed or "")


@pytest.mark.parametrize("act", ["tag", "move", "trash", "favour"])
def test_many_are_changed_at_once_and_told(page: Page, act: str) -> None:
    ids = [asset.id for asset in _add(page, "a boat", "a fox")]
    value = page.studio.projects.create(ADMIN, "Spring").id if act == "move" else "new"
    done = library.answer(page, ADMIN, Message(act=act, ids=tuple(ids), value=value))
    assert page.t(f"library_did_{act}", count=2, value=value) in (done.feed or "").replace("&quot;", '"')
    assert len(_tiles(done.feed)) == (0 if act == "trash" else 2)


def test_all_that_is_found_can_be_changed_without_naming_it(page: Page) -> None:
    boats = _add(page, *["a red boat"] * 3)
    _add(page, "a fox")
    asked = Message(act="tag", query=Query("boat"), whole=True, value="ships")
    assert sorted(_tiles(library.answer(page, ADMIN, asked).feed)) == sorted(one.id for one in boats)
    found = page.studio.finder.find(ADMIN, Query(chosen={"tag": ("ships",)}))
    assert found.total == 3


def test_a_refusal_is_a_sentence_and_the_wall_stays(page: Page) -> None:
    (boat,) = _add(page, "a boat")
    told = library.answer(page, ADMIN, Message(act="tag", ids=(boat.id,), value=" # "))
    assert page.t("sort_best")
    assert "data-sorry" in (told.feed or "")
    assert re.search(r'data-sorry="[^"]{10,}"', told.feed or "")
    assert _tiles(told.feed) == [boat.id]


def test_the_panel_lets_only_the_owner_file_a_clip(page: Page, visitor: Visitor) -> None:
    mine, theirs = (_add(page, "a boat", owner=owner)[0] for owner in (visitor.owner, "somebody"))
    page.studio.shelves.tag(ADMIN, [mine.id, theirs.id], "<b>sea</b>")
    panels = {
        asset.id: library.answer(page, visitor, Message(act="open", open=asset.id)).panel or ""
        for asset in (mine, theirs)
    }
    for control in ('id="panel_project"', 'id="panel_tag"', 'id="to_trash"'):
        assert control in panels[mine.id]
        assert control not in panels[theirs.id]
    assert all("&lt;b&gt;sea" in panel and "<b>sea" not in panel for panel in panels.values())


def test_an_unknown_clip_is_a_sentence_in_the_panel(page: Page, visitor: Visitor) -> None:
    (held,) = _add(page, "a boat", standing="held")
    for key in (held.id, "nothing"):
        panel = library.answer(page, visitor, Message(act="open", open=key)).panel or ""
        assert "sorry" in panel
        assert "a boat" not in panel


def test_projects_are_made_named_ruled_and_removed(page: Page, visitor: Visitor) -> None:
    (boat,) = _add(page, "a boat", owner=visitor.owner)
    library.answer(page, visitor, Message(act="project_new", value="Spring", ids=(boat.id,)))
    (project,) = page.studio.projects.list(visitor)
    assert page.studio.asset(visitor, boat.id).project_id == project.id
    chosen = Query(chosen={"project": (project.id,)})
    assert 'id="project_publish"' not in (library.answer(page, visitor, Message(query=chosen)).side or "")
    assert 'id="project_publish"' in (library.answer(page, ADMIN, Message(query=chosen)).side or "")
    library.answer(page, visitor, Message(act="project_rename", project=project.id, value="Summer"))
    library.answer(page, ADMIN, Message(act="project_publish", project=project.id, value="after_review"))
    (project,) = page.studio.projects.list(visitor)
    assert (project.name, project.publish) == ("Summer", "after_review")
    library.answer(page, visitor, Message(act="project_delete", project=project.id))
    assert page.studio.projects.list(visitor) == []
    assert page.studio.asset(visitor, boat.id).project_id is None


def test_sizes_read_as_people_say_them() -> None:
    assert [size_of(n) for n in (0, 999, 1500, 3_400_000_000, 120_000_000)] == [
        "0 B",
        "999 B",
        "2 KB",
        "3.4 GB",
        "120 MB",
    ]

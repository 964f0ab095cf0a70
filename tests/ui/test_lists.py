"""Queue and library as HTML: one's own first, rights in the buttons, nobody's text as HTML."""

import re

from studio.access import Visitor
from studio.core import Studio
from studio.ui import library, library_panel, queue, takes
from studio.ui.context import Page
from tests.ui.kit import PROMPT, asset
from tests.ui.test_stage import Tags

ADMIN = Visitor(owner="root", admin=True)


def test_the_queue_shows_ones_own_jobs_first(page: Page, visitor: Visitor) -> None:
    for owner, prompt in (("other", "theirs"), ("me", "mine"), ("other", "theirs too")):
        page.studio.generate(Visitor(owner, False), prompt=prompt)
    html = queue.render(page, visitor)
    assert re.findall(r">(mine|theirs|theirs too)<", html) == ["mine", "theirs", "theirs too"]


def test_rows_offer_only_what_the_visitor_may_do(page: Page, visitor: Visitor) -> None:
    for owner in ("me", "other"):
        page.studio.generate(Visitor(owner, False), prompt=PROMPT)
    acts = [
        attrs.get("data-act") for _, attrs in Tags(queue.render(page, visitor)).tags if "data-act" in attrs
    ]
    assert acts == ["open", "cancel", "open"]
    acts = [attrs.get("data-act") for _, attrs in Tags(queue.render(page, ADMIN)).tags if "data-act" in attrs]
    assert acts == ["pause", "open", "cancel", "open", "front", "cancel"]


def test_prompts_are_text_in_every_list(page: Page, visitor: Visitor) -> None:
    page.studio.generate(visitor, prompt=PROMPT)
    page.studio.assets.add(asset())
    for html in (
        queue.render(page, visitor),
        library.answer(page, visitor, library.Message()).feed or "",
        library_panel.render(page, visitor, "asset_1"),
        takes.strip(page, visitor, ""),
    ):
        tags = Tags(html)
        assert "onerror" in html
        assert all(attrs.get("src") != "x" and "onerror" not in attrs for _, attrs in tags.tags)


def test_the_pill_counts_who_waits(page: Page, visitor: Visitor) -> None:
    assert page.t("pill_free") in queue.pill(page)
    page.studio.generate(visitor, prompt="a boat")
    assert page.t("pill_ahead", count=1) in queue.pill(page)
    page.studio.pause(ADMIN)
    assert page.t("pill_paused") in queue.pill(page)


def test_only_the_owner_is_offered_to_delete(page: Page, visitor: Visitor) -> None:
    page.studio.assets.add(asset(owner="other"))
    assert "to_trash" not in Tags(library_panel.render(page, visitor, "asset_1")).ids()
    assert "to_trash" in Tags(library_panel.render(page, ADMIN, "asset_1")).ids()


def test_an_unknown_clip_is_a_sentence(studio: Studio, visitor: Visitor) -> None:
    assert "不在了" in library_panel.render(Page(studio, "zh"), visitor, "nothing")


def test_takes_of_a_prompt_stand_together(page: Page, visitor: Visitor) -> None:
    job = page.studio.generate(visitor, prompt=PROMPT)
    for n, prompt in enumerate((PROMPT, "other", PROMPT)):
        page.studio.assets.add(asset(id=f"asset_{n}", job_id=f"job_{n}", form={"prompt": prompt}))
    html = takes.strip(page, visitor, job)
    assert html.index(page.t("takes")) < html.index("asset_0") < html.index(page.t("recent"))
    assert html.index(page.t("recent")) < html.index("asset_1")

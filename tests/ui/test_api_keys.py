"""API keys among the rules: an admin makes one, sees its secret once, shuts it; names are never HTML."""

from typing import Any

from studio.access import Visitor
from studio.ui import queue, review
from studio.ui.context import Page
from studio.ui.review import Message

ME, ADMIN = Visitor("me", False), Visitor("root", True)
EVIL = "<img src=x onerror=alert(1)>"


def _asked(page: Page, act: str, visitor: Visitor = ADMIN, **values: Any) -> str:
    return review.answer(page, visitor, Message(act=act, section="rules", values=values))


def test_a_key_is_made_shown_once_and_shut(page: Page) -> None:
    made = _asked(page, "make_key", name=EVIL)
    key = page.studio.keys.list(ADMIN)[0]
    assert "<img" not in made
    secret = made.split('id="key_secret"')[1].split('value="')[1].split('"')[0]
    opened = page.studio.keys.open(secret)
    assert opened is not None
    assert opened.id == key.id
    later = _asked(page, "open")
    assert secret not in later
    assert key.prefix in later
    shut = _asked(page, "revoke_key", id=key.id)
    assert page.studio.keys.open(secret) is None
    assert key.prefix not in shut


def test_whoever_is_no_admin_makes_and_shuts_none(page: Page) -> None:
    key, _ = page.studio.keys.make(ADMIN, "one")
    for found in (_asked(page, "make_key", ME, name="two"), _asked(page, "revoke_key", ME, id=key.id)):
        assert "key_secret" not in found
        assert "one" not in found
    assert [one.revoked for one in page.studio.keys.list(ADMIN)] == [None]


def test_what_a_browser_says_of_keys_may_be_anything(page: Page) -> None:
    for values in ({}, {"name": None}, {"name": ["x"] * 50}, {"name": "a\0"}, {"id": "no"}):
        for act in ("make_key", "revoke_key"):
            assert _asked(page, act, **values).startswith("<div")


def test_the_queue_names_the_key_of_a_program_to_admins_only(page: Page) -> None:
    key, _ = page.studio.keys.make(ADMIN, "night")
    page.studio.generate(key.visitor, prompt="a boat on the sea")
    assert "API: night" in queue.render(page, ADMIN)
    assert "night" not in queue.render(page, ME)

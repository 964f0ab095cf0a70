""" "Improve prompt": offered, used, kept, undone, and never about another prompt than the one in the box."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.core import Studio
from studio.settings import Settings
from studio.ui import rewriting
from studio.ui.context import Page
from studio.ui.rewriting import Offer, Rewriting
from tests.text.llm_server import Service, serving

TYPED = "A sea monster rises at night"


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as found:
        yield found


def _press(hands: Rewriting, what: str, prompt: str, original: str = "", offer: str = "") -> dict[str, Any]:
    event: Any = SimpleNamespace(_data={"act": what})
    return asyncio.run(hands.act(event, prompt, original, offer))


def _connected(tmp_path: Path, service: Service) -> Rewriting:
    settings = Settings(studio_home=tmp_path, llm_base_url=service.address, llm_model="qwen-plus")
    return Rewriting(Page(studio=Studio(settings), language="en"))


def test_an_offer_is_used_and_undone(page: Page) -> None:
    hands = Rewriting(page)
    offered = _press(hands, "improve", f" {TYPED}\n")
    assert "<ins>" in offered["rewriting"]
    assert "word lists" in offered["rewriting"]
    assert "prompt" not in offered, "nothing is replaced before somebody says so"
    used = _press(hands, "use_rewrite", f"{TYPED}\n", "", offered["offer"])
    assert used["prompt"].startswith(TYPED)
    assert used["prompt_original"] == TYPED
    undone = _press(hands, "undo_rewrite", used["prompt"], TYPED, offered["offer"])
    assert (undone["prompt"], undone["prompt_original"], undone["offer"]) == (TYPED, "", "")


def test_ones_own_words_may_be_kept(page: Page) -> None:
    kept = _press(Rewriting(page), "keep_mine", TYPED, "", Offer(TYPED, "x").text())
    assert kept == {"rewriting": rewriting.resting(page), "offer": ""}


def test_improved_twice_the_first_words_stay_the_original(page: Page) -> None:
    hands = Rewriting(page)
    once = f"{TYPED}, scales"
    used = _press(hands, "use_rewrite", once, TYPED, Offer(once, f"{once}, foam").text())
    assert used["prompt_original"] == TYPED
    undone = _press(hands, "undo_rewrite", used["prompt"], TYPED, Offer(once, f"{once}, foam").text())
    assert (undone["prompt"], undone["prompt_original"]) == (once, TYPED)
    fresh = _press(hands, "use_rewrite", "a tea cup", TYPED, Offer("a tea cup", "a tea cup, steam").text())
    assert fresh["prompt_original"] == "a tea cup"


def test_an_offer_for_another_prompt_is_not_used(page: Page) -> None:
    answer = _press(Rewriting(page), "use_rewrite", f"{TYPED}!", "", Offer(TYPED, "x").text())
    assert "prompt" not in answer
    assert "has changed" in answer["rewriting"]
    assert "prompt" not in _press(Rewriting(page), "undo_rewrite", TYPED, "", Offer("y", "x").text())


@pytest.mark.parametrize(
    "offer", ["", "null", "[]", "{", '{"before": 1, "after": 2}', "[" * 100_000, None, 5]
)
def test_an_offer_from_a_browser_is_never_trusted(page: Page, offer: Any) -> None:
    assert Offer.read(offer) == Offer()
    assert "prompt" not in _press(Rewriting(page), "use_rewrite", "", "", offer)
    assert _press(Rewriting(page), "something", TYPED, "", offer) == {}


@pytest.mark.parametrize(("prompt", "says"), [("", "empty"), (" \n", "empty"), ("🐉", "all that could")])
def test_where_there_is_nothing_to_offer_that_is_said(page: Page, prompt: str, says: str) -> None:
    answer = _press(Rewriting(page), "improve", prompt)
    assert says in answer["rewriting"]
    assert answer["offer"] == ""


def test_words_that_may_not_be_used_are_said_and_not_improved(tmp_path: Path, service: Service) -> None:
    change = _press(_connected(tmp_path, service), "improve", "heil hitler at a rally")
    assert "“heil hitler”" in change["rewriting"]
    assert "<ins>" not in change["rewriting"]
    assert change["offer"] == ""
    assert service.asked == [], "the model is not asked either"


def test_whatever_is_typed_is_escaped(page: Page) -> None:
    answer = _press(Rewriting(page), "improve", "a boat <img src=x onerror=alert(1)> at night")
    assert "<img" not in answer["rewriting"]
    assert "&lt;img" in answer["rewriting"]


def test_a_models_offer_says_who_wrote_it_and_what_it_left_out(tmp_path: Path, service: Service) -> None:
    service.reply = lambda data: {"prompt": "A sea monster <b>climbs</b> out at night"}
    answer = _press(_connected(tmp_path, service), "improve", TYPED)
    assert "qwen-plus" in answer["rewriting"]
    assert '<del class="lost">' in answer["rewriting"]
    assert "left out words of yours: rises" in answer["rewriting"]
    assert "<b>" not in answer["rewriting"]
    assert json.loads(answer["offer"])["before"] == TYPED


def test_where_the_model_fails_the_rules_offer_and_say_so(tmp_path: Path, service: Service) -> None:
    service.how = "429"
    answer = _press(_connected(tmp_path, service), "improve", TYPED)
    assert "busy" in answer["rewriting"]
    assert "own rules" in answer["rewriting"]
    assert json.loads(answer["offer"])["after"].startswith(TYPED)


def test_a_model_that_sleeps_holds_up_nobody_else(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "SECONDS", 0.2)
    monkeypatch.setattr(rewriting, "_SLACK", 0.1)
    service.how = "asleep"
    hands = _connected(tmp_path, service)
    ticks: list[int] = []

    async def both() -> dict[str, Any]:
        asked = asyncio.ensure_future(hands.improve(TYPED))
        while not asked.done():
            await asyncio.sleep(0.01)
            ticks.append(1)
        return await asked

    answer = asyncio.run(both())
    assert len(ticks) > 3, "the event loop went on"
    assert "own rules" in answer["rewriting"]
    assert json.loads(answer["offer"])["after"].startswith(TYPED)

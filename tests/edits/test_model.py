"""A wish read by a language model: checked like the rules' own, or the rules answer with a notice."""

from collections.abc import Iterator
from typing import Any

import pytest

from studio.edits.model import read_with_model
from studio.edits.operations import Clip
from studio.edits.types import Reading
from studio.text.llm import LlmClient
from tests.text.llm_server import Service, serving

CLIP = Clip("a red boat at sea, a bird in the sky", {"model": "sketch", "size": "320x192", "seed": 5}, 5.0)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as found:
        yield found


def asked(service: Service, reply: Any, wish: str = "could the vessel be azure", **changes: Any) -> Reading:
    service.reply = lambda data: reply
    return read_with_model(wish, CLIP, LlmClient(service.address, "key", **changes))


def test_its_reading_has_the_rules_own_structure(service: Service) -> None:
    told = {"intent": "colour", "target": "boat", "value": "blue", "sign": 0, "strength": 1}
    found = asked(service, {"wishes": [told], "prompt": "a blue boat at sea, a bird in the sky"})
    assert (found.source, found.intents, found.notices) == ("llm", ("colour",), ())
    assert found.prompt == "a blue boat at sea, a bird in the sky"
    assert service.asked[0].data["wish"] == "could the vessel be azure"
    assert "azure" not in service.asked[0].system


def test_media_and_settings_are_ours_whatever_it_says(service: Service) -> None:
    told = [
        {"intent": "speed", "value": "half speed", "sign": -1},
        {"intent": "brightness", "sign": 1, "strength": 2},
    ]
    found = asked(service, {"wishes": told, "prompt": None})
    assert [(one.name, one.amount) for one in found.operations] == [("speed", 0.5), ("brightness", 0.7)]


@pytest.mark.parametrize(
    "reply",
    [
        {"wishes": [{"intent": "format_disk"}]},
        {"wishes": [{"intent": "colour", "sign": 99}]},
        {
            "wishes": [{"intent": "add", "target": "cat"}],
            "prompt": "ignore everything, a different film altogether",
        },
        {"wishes": "night"},
        {"wishes": [{"intent": "time", "value": "x" * 900}]},
        "no json",
    ],
)
def test_an_answer_that_is_none_gives_way_to_the_rules(service: Service, reply: Any) -> None:
    found = asked(service, reply, "make the boat blue")
    assert (found.source, found.intents) == ("rules", ("colour",))
    assert [notice.code for notice in found.notices] == ["llm_failed_rules_used"]
    assert found.prompt == "a blue boat at sea, a bird in the sky"


def test_what_it_does_not_understand_the_rules_may(service: Service) -> None:
    assert asked(service, {"wishes": []}, "slower").intents == ("speed",)
    assert asked(service, {"wishes": []}, "hmm").asks_back

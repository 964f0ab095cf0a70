"""Wishes about a clip: read rightly, or asked about; how much they ask for; what a prompt becomes."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from studio.edits import INTENTS, read_edit
from studio.edits.intents import intents
from studio.edits.operations import Clip
from studio.edits.reading import read_chosen, read_wishes
from studio.edits.types import MediaChange, Reading, SettingsChange
from studio.text.language import has_han
from studio.words import say
from tests.edits.fit_sense import PEOPLE, people

HERE = Path(__file__).resolve().parent
BOAT = "a red boat moving right at sea at sunset, a bird in the sky"
MAN = "An old man stands by the bridge in the rain at night, close-up"
HORSE = "A white horse gallops across a green field"
CHUAN = "一条红色的船在海上，天空有鸟，老人站在桥边"
LAOREN = "夜晚，一位老人在竹林里散步，下着雨，特写"
SKETCH = Clip(BOAT, {"model": "sketch", "size": "320x192", "style": "ink", "seed": 5}, 5.0)
WAN = Clip(BOAT, {"model": "wan2.2-t2v-a14b", "size": "832x480", "seed": 5}, 5.0)


def phrasings(name: str) -> list[tuple[str, tuple[str, ...]]]:
    rows: dict[str, Any] = tomllib.loads((HERE / name).read_text(encoding="utf-8"))
    found = []
    for intent, row in rows.items():
        if isinstance(row, list):
            found += [(one["text"], tuple(one["intents"])) for one in row]
        else:
            wanted = () if intent == "unknown" else (intent,)
            found += [(text, wanted) for script in ("zh", "en") for text in row[script]]
    return found


def read(text: str) -> Reading:
    return read_edit(text, prompt=CHUAN if has_han(text) else BOAT)


@pytest.mark.parametrize(("name", "least", "share"), [("wishes.toml", 800, 0.97), ("voices.toml", 400, 0.94)])
def test_our_own_phrasings_are_read_rightly(name: str, least: int, share: float) -> None:
    rows = phrasings(name)
    assert len(rows) >= least
    wrong = [
        (text, wanted, found) for text, wanted in rows if set(found := read(text).intents) != set(wanted)
    ]
    assert len(wrong) <= (1 - share) * len(rows), wrong


@pytest.mark.parametrize("name", PEOPLE)
def test_what_other_people_wrote_is_read_rightly(name: str) -> None:
    """The model knows these; how they are read without: `python -m tests.edits.fit_sense`."""
    rows = people(name)[::6]
    wrong = [
        (row, found) for row in rows if not row.right(found := read_edit(row.text, prompt=row.prompt).intents)
    ]
    assert len(wrong) <= 0.1 * len(rows), wrong


def test_what_nobody_was_taught_on_is_read_rightly() -> None:
    """240 phrasings by somebody who saw only the names of the intents; neither rules nor model know them."""
    rows = people("unseen.toml")
    wrong = [row for row in rows if not row.right(read_edit(row.text, prompt=row.prompt).intents)]
    assert len(rows) == 240
    assert len(wrong) <= 0.1 * len(rows), wrong


def test_every_intent_has_phrasings_in_both_languages_and_examples_that_are_read() -> None:
    rows = tomllib.loads((HERE / "wishes.toml").read_text(encoding="utf-8"))
    assert len(INTENTS) >= 16
    for name in INTENTS:
        assert len(rows[name]["zh"]) >= 4, name
        assert len(rows[name]["en"]) >= 4, name
    told = [(text, name) for name, one in intents().items() for text in (*one.zh, *one.en)]
    wrong = [(text, name, found) for text, name in told if (found := read(text).intents) != (name,)]
    assert len(wrong) <= 0.03 * len(told), wrong


@pytest.mark.parametrize(
    "text",
    ["", "   ", "?!", "你好", "hello", "make it better", "不太行", "asdf qwer", "今天星期几", "who made you"],
)
def test_what_asks_for_nothing_is_asked_back(text: str) -> None:
    found = read(text)
    assert found.asks_back
    assert (found.intents, found.changes) == ((), ())
    if any(sign.isalnum() for sign in text):
        assert 2 <= len(found.guesses) <= 3


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5000,
        "亮" * 5000,
        "🎬" * 300,
        "\x00\x07",
        "'; drop table job; --",
        "{prompt}",
        "(((((",
        "\\",
        "a\nb\nc",
        "‮brighter",
    ],
)
def test_any_text_is_read_or_asked_about(text: str) -> None:
    assert isinstance(read_edit(text, prompt=text or "a boat"), Reading)


def amount(text: str, clip: Clip = SKETCH) -> float:
    (change,) = read_wishes(text, clip).changes
    assert isinstance(change, MediaChange)
    return change.operation.amount


@pytest.mark.parametrize(
    ("text", "brighter"),
    [
        ("brighter", True), ("too dark", True), ("不够亮", True), ("有点暗", True),
        ("it isn't bright enough", True), ("darker", False), ("too bright", False), ("别那么亮", False),
        ("not so bright", False), ("暗一点", False),
        ("less bright", False), ("太亮了", False), ("it's a bit dark", True), ("a bit darker", False),
    ],
)  # fmt: skip
def test_too_and_not_so_turn_the_direction(text: str, brighter: bool) -> None:
    assert (amount(text) > 0) == brighter


def test_a_bit_is_less_than_much_and_figures_count() -> None:
    assert 0 < amount("a bit brighter") < amount("brighter") < amount("much brighter")
    assert 0 < amount("稍微亮一点") < amount("亮得多")
    assert amount("30 % brighter") == pytest.approx(0.3)
    assert amount("调亮百分之二十") == pytest.approx(0.2)
    assert amount("twice as fast") == amount("2x speed") == amount("快一倍") == 2
    assert amount("half speed") == amount("慢一倍") == amount("slow motion") == 0.5
    assert amount("cut the first two seconds") == amount("剪掉前两秒") == 2


@pytest.mark.parametrize(
    ("prompt", "wish", "wanted"),
    [
        (BOAT, "make the boat blue", "a blue boat moving right at sea at sunset, a bird in the sky"),
        (BOAT, "as night", "a red boat moving right at sea, a bird in the sky, at night"),
        (BOAT, "without the bird", "a red boat moving right at sea at sunset"),
        (BOAT, "two boats", "two red boats moving right at sea at sunset, a bird in the sky"),
        (BOAT, "a plane instead of the boat", "a plane moving right at sea at sunset, a bird in the sky"),
        (BOAT, "in the desert", "a red boat moving right in the desert at sunset, a bird in the sky"),
        (BOAT, "make the lightning brighter", f"{BOAT}, very bright lightning"),
        (BOAT, "closer", f"{BOAT}, close shot"),
        (BOAT, "the boat should move left", "a red boat moving left at sea at sunset, a bird in the sky"),
        (BOAT, "the boat is too big", "a small red boat moving right at sea at sunset, a bird in the sky"),
        (BOAT, "add a lighthouse", f"{BOAT}, with a lighthouse"),
        (BOAT, "把船换成飞机", "a plane moving right at sea at sunset, a bird in the sky"),
        (BOAT, "改成夜晚", "a red boat moving right at sea, a bird in the sky, at night"),
        (MAN, "stop the rain", "An old man stands by the bridge at night, close-up"),
        (MAN, "make it day", "An old man stands by the bridge in the rain, close-up, by day"),
        (MAN, "give him a hat", "An old man with a hat stands by the bridge in the rain at night, close-up"),
        (MAN, "have him look at the camera", f"{MAN}, looking at the camera"),
        (MAN, "wide shot", "An old man stands by the bridge in the rain at night, wide shot"),
        (MAN, "heavier rain", "An old man stands by the bridge at night, close-up, in heavy rain"),
        (MAN, "without the bridge", "An old man stands in the rain at night, close-up"),
        (HORSE, "the horse runs slower", "A white horse runs slowly across a green field"),
        (HORSE, "three horses", "Three white horses gallop across a green field"),
        (HORSE, "turn the horse into an elephant", "An elephant gallops across a green field"),
        (CHUAN, "把船换成蓝色", "一条蓝色的船在海上，天空有鸟，老人站在桥边"),
        (CHUAN, "去掉鸟", "一条红色的船在海上，老人站在桥边"),
        (CHUAN, "两条船", "两条红色的船在海上，天空有鸟，老人站在桥边"),
        (CHUAN, "船换成飞机", "一架飞机在海上，天空有鸟，老人站在桥边"),
        (CHUAN, "换到沙漠里", "一条红色的船在沙漠里，天空有鸟，老人站在桥边"),
        (CHUAN, "让闪电再亮一点", f"{CHUAN}，明亮的闪电"),
        (CHUAN, "加一座灯塔", f"{CHUAN}，还有一座灯塔"),
        (CHUAN, "鸟多一些", "一条红色的船在海上，天空有很多鸟，老人站在桥边"),
        (CHUAN, "make the boat blue", "一条蓝色的船在海上，天空有鸟，老人站在桥边"),
        ("一條紅色的船在海上，天空有鳥", "把船換成藍色", "一條藍色的船在海上，天空有鳥"),
        ("一條紅色的船在海上，天空有鳥", "去掉鳥", "一條紅色的船在海上"),
        (LAOREN, "白天", "一位老人在竹林里散步，下着雨，特写，白天"),
        (LAOREN, "不要下雨", "夜晚，一位老人在竹林里散步，特写"),
        (LAOREN, "换到海边", "夜晚，一位老人在海边散步，下着雨，特写"),
        (LAOREN, "远一点", "夜晚，一位老人在竹林里散步，下着雨，全景"),
        (LAOREN, "老人走慢一点", f"{LAOREN}，老人慢慢地走"),
    ],
)
def test_a_changed_prompt_stays_a_sentence_in_its_own_language(prompt: str, wish: str, wanted: str) -> None:
    assert read_edit(wish, prompt=prompt).prompt == wanted


def test_what_is_chosen_is_sensible() -> None:
    closer = read_wishes("closer", SKETCH)
    assert closer.renders
    assert [one.operation.name for one in closer.alternatives if isinstance(one, MediaChange)] == ["crop"]
    mono = read_wishes("black and white", SKETCH)
    assert [operation.how for operation in mono.operations] == ["mono"]
    assert not read_wishes("shorter", SKETCH).renders
    assert read_wishes("再来一版", SKETCH).settings == {"seed": None}
    assert read_wishes("vertical", SKETCH).settings == {"size": "192x320"}
    assert read_wishes("higher resolution", WAN).settings == {"size": "1280x720"}
    assert read_wishes("as a watercolour", SKETCH).settings == {"style": "watercolour"}
    assert read_wishes("better quality", SKETCH).settings == {"quality": "final"}
    night = read_wishes("night and slower", SKETCH)
    assert (night.intents, night.renders, len(night.operations)) == (("time", "speed"), True, 1)


def test_what_the_prompt_does_not_name_is_kept_out_by_the_negative_prompt_where_there_is_one() -> None:
    (change,) = read_wishes("without the people", WAN).changes
    assert isinstance(change, SettingsChange)
    assert change.after == {"negative_prompt": "people"}
    assert read_wishes("without the people", SKETCH).changes == ()


@pytest.mark.parametrize(("text", "code"), [("add music", "edit_no_sound"), ("去掉水印", "edit_no_text")])
def test_what_is_not_done_here_is_said(text: str, code: str) -> None:
    found = read(text)
    assert (found.asks_back, found.changes) == (False, ())
    assert [notice.code for notice in found.notices] == [code]
    assert all(say(notice, language) for notice in found.notices for language in ("zh", "en"))  # type: ignore[arg-type]


@pytest.mark.parametrize("intent", INTENTS)
def test_whatever_is_chosen_after_the_question_comes_to_something(intent: str) -> None:
    for text, clip in (("hmm more of that", SKETCH), ("再弄弄", Clip(CHUAN, SKETCH.form, 5.0))):
        found = read_chosen(text, intent, clip)
        assert found.intents == (intent,)
        assert found.changes or found.notices

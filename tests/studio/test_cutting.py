"""What a film is cut from, as numbers: lengths, pieces, captions, the recipe. Nothing is rendered."""

import json
from pathlib import Path

import pytest

from studio.cutting import (
    Footage,
    Spoken,
    Times,
    captions,
    film_cut,
    fit,
    overlaps,
    shot_cut,
    silent,
    times,
    wants_another,
)
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.media.timeline import EndCard, Logo, layout
from studio.recipe import MAX_BYTES, film_recipe
from studio.story.film_plan import read_plan
from studio.voice.speak import Speech
from studio.voice.speak import Spoken as Sentence
from tests.film_kit import film, plan, shot, take

A, B = Path("a.mp4"), Path("b.mp4")


@pytest.mark.parametrize(
    ("planned", "voice", "overlap", "seconds", "start"),
    [
        (4.0, None, (0.5, 0.5), 4.0, 0.35),
        (4.0, 3.0, (0.0, 0.0), 4.0, 0.35),
        (4.0, 3.3, (0.0, 0.0), 4.0, 0.35),
        (4.0, 5.0, (0.0, 0.0), 5.7, 0.35),
        (4.0, 5.0, (0.5, 0.5), 5.7, 0.35),
        # A long transition: the voices on both sides of it still don't meet.
        (4.0, 5.0, (2.0, 2.0), 7.2, 1.1),
        (4.0, 5.0, (0.0, 2.0), 6.45, 0.35),
    ],
)
def test_a_shot_is_as_long_as_planned_or_as_its_voice_needs(
    planned: float, voice: float | None, overlap: tuple[float, float], seconds: float, start: float
) -> None:
    found = times(planned, voice, overlap)
    assert found.seconds == pytest.approx(seconds)
    assert found.voice_start == pytest.approx(start)


@pytest.mark.parametrize("transition", [0.2, 0.5, 1.0, 2.0])
def test_voices_of_neighbours_never_meet(transition: float) -> None:
    first = times(2.0, 6.0, (0.0, transition))
    second = times(2.0, 6.0, (transition, 0.0))
    ends = first.voice_start + 6.0
    assert first.seconds - transition + second.voice_start - ends >= 0.2 - 1e-9


def test_the_overlaps_are_those_of_the_transitions() -> None:
    shots = [shot(1, take("a")), shot(2, take("b"), transition="cut"), shot(3, take("c"))]
    assert overlaps(film(shots)) == [(0.0, 0.5), (0.5, 0.0), (0.0, 0.0)]
    assert overlaps(film(shots, end_card="Ende"))[-1] == (0.0, 0.5)


@pytest.mark.parametrize(
    ("seconds", "takes", "another"),
    [
        (5.0, [5.0], False),
        (6.25, [5.0], False),
        (6.3, [5.0], False),
        (6.4, [5.0], True),
        (20.0, [5.0, 5.0], False),
        (20.0, [], False),
    ],
)
def test_a_second_take_is_made_where_slowing_down_does_not_do(
    seconds: float, takes: list[float], another: bool
) -> None:
    assert wants_another(seconds, takes) is another


@pytest.mark.parametrize(
    ("seconds", "clips", "pieces", "looped"),
    [
        # (file, seconds of it, speed)
        (5.0, [5.0], [("a", 5.0, 1.0)], False),
        (3.0, [5.0], [("a", 5.0, 1.0)], False),
        (5.5, [5.0], [("a", 5.0, 5 / 5.5)], False),
        (6.25, [5.0], [("a", 5.0, 0.8)], False),
        (7.0, [5.0], [("a", 5.0, 0.8)], False),
        (9.0, [5.0, 5.0], [("a", 5.0, 1.0), ("b", 5.0, 1.0)], False),
        (11.0, [5.0, 5.0], [("a", 5.0, 10 / 11), ("b", 5.0, 10 / 11)], False),
        # The second take would be seen for a blink: the first gives up something.
        (6.4, [6.0, 6.0], [("a", 6.0, 6 / 6.4)], False),
        (7.8, [6.0, 6.0], [("a", 6.0, 1.0), ("b", 6.0, 1.0)], False),
        (6.5, [5.0, 5.0], [("a", 5.0, 1.0), ("b", 5.0, 1.0)], False),
        (13.0, [5.0, 5.0], [("a", 5.0, 0.8), ("b", 5.0, 0.8)], False),
        (14.0, [5.0, 5.0], [("a", 5.0, 0.8), ("b", 5.0, 0.8), ("a", 5.0, 0.8)], True),
        (9.0, [5.0], [("a", 5.0, 0.8), ("a", 5.0, 0.8)], True),
    ],
)
def test_pictures_fill_their_shot(
    seconds: float, clips: list[float], pieces: list[tuple[str, float, float]], looped: bool
) -> None:
    found, again = fit(seconds, [Footage(path, clip) for path, clip in zip((A, B), clips, strict=False)])
    assert [(piece.path.stem, piece.seconds, piece.speed) for piece in found] == [
        (name, pytest.approx(length), pytest.approx(speed)) for name, length, speed in pieces
    ]
    assert again is looped
    assert [piece.push for piece in found] == [False] * (len(found) - 1) + [True]


@pytest.mark.parametrize("clips", [[2.0], [5.0], [5.0, 5.0], [1.5, 4.0], [0.5], [5.0, 0.4]])
@pytest.mark.parametrize("tenths", range(10, 300, 7))
def test_pictures_always_fill_their_shot_and_never_freeze(clips: list[float], tenths: int) -> None:
    seconds = tenths / 10
    found, _ = fit(seconds, [Footage(path, clip) for path, clip in zip((A, B), clips, strict=False)])
    shown = [(piece.seconds or 0) / piece.speed for piece in found]
    # The push on the last picture takes a second at most; a trace is played slower.
    assert seconds - 1.05 <= sum(shown)
    assert all(0.8 - 1e-9 <= piece.speed <= 1 for piece in found)
    before_the_last = sum(shown[:-1])
    assert before_the_last < seconds
    if len(found) > 1 and min(clips) >= 2:
        assert min(shown[-1], seconds - before_the_last) >= 0.99, "no blink"


def test_a_shot_without_pictures_is_refused() -> None:
    for footage in ([], [Footage(A, 0.0)]):
        with pytest.raises(ValueError, match="one clip at least"):
            fit(2.0, footage)


# -- captions ------------------------------------------------------------------------------------------------

SAID = (Spoken("从前有一位牛郎。", 0.35, 2.0), Spoken("他住在山下。", 2.3, 3.3), Spoken("真好！", 3.6, 4.0))


def test_captions_stand_while_their_sentence_is_heard() -> None:
    told = {"zh": "".join(part.text for part in SAID), "en": "There was a cowherd. He lived there. How good!"}
    found = captions(told, "zh", SAID)
    assert [(caption.start, caption.end) for caption in found] == [(0.35, 2.0), (2.3, 3.3), (3.6, 4.0)]
    assert [caption.text for caption in found] == [
        {"zh": "从前有一位牛郎。", "en": "There was a cowherd."},
        {"zh": "他住在山下。", "en": "He lived there."},
        {"zh": "真好！", "en": "How good!"},
    ]


def test_a_translation_of_fewer_sentences_joins_what_is_said() -> None:
    found = captions({"en": "There was a cowherd who lived below the mountain. How good!"}, "zh", SAID)
    assert [(caption.start, caption.end) for caption in found] == [(0.35, 3.3), (3.6, 4.0)]
    assert found[0].text["zh"] == "从前有一位牛郎。他住在山下。"


def test_a_translation_of_more_sentences_is_joined() -> None:
    english = "There was a cowherd. He was poor. He had an ox. He lived below. How good! Yes."
    found = captions({"en": english}, "zh", SAID)
    assert [caption.text["zh"] for caption in found] == [part.text for part in SAID]
    assert " ".join(caption.text["en"] for caption in found) == english
    assert all(caption.text["en"] for caption in found)
    assert found[0].text["en"].count(".") >= 2, "the longest sentence has the most to read"


def test_captions_without_a_voice_are_spread_over_the_shot() -> None:
    found = silent("一二三四五六七八。一二三四。", 6.7)
    assert [(part.text, round(part.start, 2), round(part.end, 2)) for part in found] == [
        ("一二三四五六七八。", 0.35, pytest.approx(4.1, abs=0.3)),
        ("一二三四。", pytest.approx(4.1, abs=0.3), 6.35),
    ]
    assert silent("  ", 3.0) == ()
    assert captions({"en": "Nobody says this."}, "zh", ()) == ()


def test_a_shot_is_cut_to_its_voice() -> None:
    asked = shot(
        1, take("a"), narration="你好。再见。", captions={"en": "Hello. Bye."}, title="一", move="push_in"
    )
    speech = Speech(Path("v.wav"), 2.0, (Sentence("你好。", 0.1, 0.9), Sentence("再见。", 1.2, 1.9)))
    made = shot_cut(film([asked]), asked, Times(3.0, 0.5), (), speech)
    assert (made.voice, made.voice_start, made.seconds, made.title) == (Path("v.wav"), 0.5, 3.0, "一")
    assert [(c.start, c.end, c.text) for c in made.captions] == [
        (0.6, 1.4, {"zh": "你好。", "en": "Hello."}),
        (1.7, 2.4, {"zh": "再见。", "en": "Bye."}),
    ]
    quiet = shot_cut(film([asked]), asked, Times(3.0, 0.5), (), None)
    assert quiet.voice is None
    assert [c.text["en"] for c in quiet.captions] == ["Hello.", "Bye."]
    only = asked.model_copy(update={"narration": ""})
    assert [c.text for c in shot_cut(film([only]), only, Times(3.0, 0.5), (), None).captions] == [
        {"en": "Hello."},
        {"en": "Bye."},
    ]


# -- the film ------------------------------------------------------------------------------------------------


def test_a_film_is_cut_as_it_was_planned(tmp_path: Path) -> None:
    asked = plan("a", "b", music="calm", logo="stories/x/logo.png", end_card="完", look="ink", title="银河")
    pieces, _ = fit(2.0, [Footage(A, 2.0)])
    shots = [shot_cut(asked, one, Times(2.0, 0.35), pieces, None) for one in asked.shots]
    cut = film_cut(asked, shots, home=tmp_path, label=LabelStyle(), comment="{}")
    logo = tmp_path / "stories/x/logo.png"
    assert (cut.logo, cut.end_card) == (Logo(logo, "top_right", 0.9), EndCard("完", logo=logo))
    assert cut.music is not None
    assert cut.music.path.is_file()
    assert (cut.format, cut.height, cut.fps, cut.look, cut.title) == ("1:1", 256, 24, "ink", "银河")
    assert layout(cut).frames == round((2 + 2 - 0.5 + 2.5 - 0.5) * 24)
    uploaded = asked.model_copy(update={"music": "stories/x/song.mp3"})
    found = film_cut(uploaded, shots, home=tmp_path, label=LabelStyle(), comment="{}").music
    assert found is not None
    assert found.path == tmp_path / "stories/x/song.mp3"
    with pytest.raises(MediaError) as unknown:
        film_cut(
            asked.model_copy(update={"music": "noise"}),
            shots,
            home=tmp_path,
            label=LabelStyle(),
            comment="{}",
        )
    assert unknown.value.code == "music_unknown"


def test_a_films_recipe_holds_its_plan_and_leaves_out_what_does_not_fit() -> None:
    asked = plan("a boat", "夜晚的海")
    text, left = film_recipe(asked, job="j", created="2026-11-21T10:00:00+00:00")
    assert left == ()
    found = json.loads(text)
    assert (found["studio"], found["kind"], found["left_out"]) == ("wan-studio", "film", [])
    assert read_plan(found["plan"]) == asked
    long = "很长的旁白。" * 110
    shots = [
        shot(n, take(f"{n}" + "字" * 1900), narration=long, captions={"en": "word " * 190}) for n in range(24)
    ]
    text, left = film_recipe(film(shots), job="j", created="")
    assert len(text.encode()) <= MAX_BYTES
    assert left == ("negative_prompt", "captions", "prompt")
    assert json.loads(text)["left_out"] == list(left)
    assert read_plan(json.loads(text)["plan"]).shots[23].narration == long

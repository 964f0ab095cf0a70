"""Facts about the metadata label: seven plain fields, a code of ours among them, read with distrust."""

import json
from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from studio.media.clip import write_clip
from studio.media.ffmpeg import MediaError, run
from studio.media.label import LabelStyle
from studio.trust.aigc import Aigc, aigc_of, carried, into_comment, is_ours, parse_aigc, read_aigc, tags_of

KEY = b"k" * 32
AIGC = aigc_of("clip-1", producer="wan-studio", key=KEY)


def _clip(path: Path, *, comment: str = "{}", tags: dict[str, str] | None = None) -> Path:
    picture = np.full((96, 160, 3), 90, np.uint8)
    write_clip(
        [picture] * 2, path=path, fps=16, comment=comment, label=LabelStyle(), expected_frames=2, tags=tags
    )
    return path


def test_the_label_has_the_seven_fields_of_the_standard() -> None:
    found = json.loads(AIGC.text())
    assert list(found) == [
        "Label", "ContentProducer", "ProduceID", "ReservedCode1",
        "ContentPropagator", "PropagateID", "ReservedCode2",
    ]  # fmt: skip
    assert found["Label"] == "1"
    assert (found["ContentProducer"], found["ContentPropagator"]) == ("wan-studio", "wan-studio")
    assert found["ProduceID"] == found["PropagateID"] == "clip-1"
    assert " " not in AIGC.text()
    assert "\\" not in AIGC.text()


def test_the_studio_tells_its_own_labels() -> None:
    assert is_ours(AIGC, KEY)
    assert not is_ours(AIGC, b"another key")
    for change in ({"ProduceID": "clip-2"}, {"ContentProducer": "wan"}, {"Label": "2"}):
        assert not is_ours(Aigc(**{**vars(AIGC), **change}), KEY)


@pytest.mark.parametrize(
    "value", ["工作室", "wan studio", 'wan"', "wan\\", "wan'", "a\nb", "x" * 201, "\x7f", "é"]
)
def test_a_value_that_needs_escaping_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="metadata label"):
        aigc_of("clip-1", producer=value, key=KEY)
    with pytest.raises(ValueError, match="metadata label"):
        aigc_of(value, producer="wan-studio", key=KEY)


def test_an_export_has_a_number_and_a_producer() -> None:
    for number, producer in (("", "wan-studio"), ("clip-1", "")):
        with pytest.raises(ValueError, match="number"):
            aigc_of(number, producer=producer, key=KEY)


def test_a_file_carries_it_under_its_own_key_and_in_the_comment(tmp_path: Path) -> None:
    recipe = '{"studio":"wan-studio","prompt":"一只猫"}'
    path = _clip(tmp_path / "a.mp4", comment=into_comment(recipe, AIGC), tags=tags_of(AIGC))
    assert (carried(path).key, carried(path).comment) == (AIGC, AIGC)
    assert read_aigc(path) == AIGC
    assert json.loads(into_comment(recipe, AIGC)) | {"AIGC": None} == {**json.loads(recipe), "AIGC": None}


def test_a_webm_carries_both_too(tmp_path: Path) -> None:
    source = _clip(tmp_path / "a.mp4", comment=into_comment("", AIGC), tags=tags_of(AIGC))
    webm = tmp_path / "a.webm"
    run(ffmpeg.output(ffmpeg.input(str(source)), str(webm), vcodec="libvpx-vp9"))
    assert (carried(webm).key, carried(webm).comment) == (AIGC, AIGC)


def test_a_file_without_it_has_none(tmp_path: Path) -> None:
    assert read_aigc(_clip(tmp_path / "a.mp4")) is None
    assert read_aigc(_clip(tmp_path / "b.mp4", comment="AIGC is only a word here")) is None


def test_a_damaged_or_contradicting_label_is_broken(tmp_path: Path) -> None:
    other = aigc_of("clip-2", producer="wan-studio", key=KEY)
    for at, (tags, comment) in enumerate(
        [
            ({"AIGC": "made by AI"}, "{}"),
            ({"AIGC": AIGC.text()[:-1]}, into_comment("", AIGC)),
            (tags_of(AIGC), into_comment("", other)),
            ({}, '{"AIGC":{"Label":"1"}}'),
            ({}, '{"AIGC":"1"}'),
        ]
    ):
        path = _clip(tmp_path / f"{at}.mp4", comment=comment, tags=tags)
        assert read_aigc(path) == "broken", (tags, comment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[" * 4000,
        '{"Label":1}',
        AIGC.text().replace('"1"', "1"),
        AIGC.text().replace('"Label":"1"', '"Label":"9"'),
        AIGC.text().replace("}", ',"More":"x"}'),
        AIGC.text().replace("wan-studio", "x" * 5000),
        AIGC.text().replace("wan-studio", "<script>'"),
        '{"Label":' + "9" * 4000 + "}",
    ],
)
def test_what_others_write_is_read_with_distrust(text: str) -> None:
    assert parse_aigc(text) == "broken"


def test_a_comment_that_is_no_object_takes_no_label() -> None:
    for comment in ("[]", "3", "plain words"):
        with pytest.raises(ValueError, match=r".*"):
            into_comment(comment, AIGC)


def test_only_films_are_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    for content in (b"", b"#EXTM3U\nhttp://127.0.0.1/x.ts\n", b"\0\0\0\x18ftypisom" + b"\0" * 40):
        path.write_bytes(content)
        with pytest.raises(MediaError):
            carried(path)

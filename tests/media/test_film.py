"""A film is whole: every frame in its place, marked, heard, described; or it is not there at all."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import wave
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from pipelines.request import Cancelled
from studio.media.canvas import canvas_of, place_label
from studio.media.clip import ClipFacts
from studio.media.ffmpeg import MediaError
from studio.media.film import make_film
from studio.media.label import LabelStyle
from studio.media.probe import probe
from studio.media.timeline import Caption, EndCard, Format, Logo, TransitionKind, frame_size, label_of, layout
from tests.media.film_kit import COLOURS, centres, film_of, named, pictures, plain, shot

RECIPE = json.dumps({"story": "中文 = ; # \\ \n [x] ' \" 🎬"}, ensure_ascii=False)
WORDS = (Caption(0.2, 1.6, {"zh": "很久很久以前。", "en": "Long, long ago."}),)


def film(cut: Any, folder: Path, name: str = "film.mp4", **options: Any) -> tuple[Path, ClipFacts]:
    path = folder / name
    return path, make_film(cut, path, work=folder / "work", **options)


def logo_in(folder: Path) -> Path:
    Image.new("RGBA", (80, 40), (255, 0, 255, 255)).save(folder / "logo.png")
    return folder / "logo.png"


def test_a_film_is_whole_and_says_what_it_is(tmp_path: Path) -> None:
    shots = [
        shot(plain(tmp_path, colour), captions=WORDS, title=f"{colour} = 章", transition="crossfade")
        for colour in ("red", "green", "blue")
    ]
    cut = film_of(*shots, subtitles=("zh", "en"), comment=RECIPE, title="Film; 片 #1")
    told: list[tuple[int, int]] = []
    path, facts = film(cut, tmp_path, on_progress=lambda done, total: told.append((done, total)))
    lay = layout(cut)
    found = probe(path)
    assert (found.frames, found.width, found.height, found.fps) == (lay.frames, 256, 144, 24)
    assert (facts.frames, facts.seconds, facts.bytes) == (lay.frames, lay.frames / 24, path.stat().st_size)
    assert found.comment == RECIPE
    with av.open(str(path)) as container:
        assert container.metadata["title"] == "Film; 片 #1"
        heard = container.streams.audio[0]
        assert (heard.codec_context.name, heard.rate, heard.channels) == ("aac", 48000, 2)
        assert abs(float(heard.duration * heard.time_base) - facts.seconds) < 0.04
        assert [stream.language for stream in container.streams.subtitles] == ["zho", "eng"]
        marks = [
            (mark["start"] * mark["time_base"], mark["metadata"]["title"]) for mark in container.chapters()
        ]
        assert [title for _, title in marks] == ["red = 章", "green = 章", "blue = 章"]
        assert [float(at) for at, _ in marks] == pytest.approx(
            [span.start / 24 for span in lay.shots], abs=0.001
        )
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (told[0][1], told[0][1])
    assert sorted(left.name[:5] for left in (tmp_path / "work").iterdir()) == ["shot-"] * 3


def test_every_border_is_at_its_frame(tmp_path: Path) -> None:
    colours = ["red", "green", "blue", "sand", "red", "blue"]
    lengths = [1.03, 0.77, 1.21, 0.93, 1.111, 0.58]
    cut = film_of(*(shot(plain(tmp_path, c), t) for c, t in zip(colours, lengths, strict=True)))
    path, _ = film(cut, tmp_path)
    expected = [c for c, span in zip(colours, layout(cut).shots, strict=True) for _ in range(span.frames)]
    assert [named(colour) for colour in centres(path)] == expected
    assert abs(len(expected) - 24 * sum(lengths)) <= 1


@pytest.mark.parametrize("kind", ["crossfade", "fade_black", "push", "slide", "zoom"])
def test_a_transition_lies_exactly_in_its_overlap(kind: TransitionKind, tmp_path: Path) -> None:
    first = shot(plain(tmp_path, "red"), transition=kind, transition_seconds=0.5)
    cut = film_of(first, shot(plain(tmp_path, "blue")))
    path, _ = film(cut, tmp_path)
    span, after = layout(cut).shots
    frames = pictures(path)[:, :100].astype(int)
    off = {c: np.abs(frames - COLOURS[c]).mean(axis=(1, 2, 3)) for c in ("red", "blue")}
    assert off["red"][: after.start].max() < 6
    assert off["blue"][span.end :].max() < 6
    between = slice(after.start, span.end)
    assert span.end - after.start == 12
    assert off["red"][between].min() > 2
    assert off["blue"][between].min() > 2
    darkest = frames.mean(axis=(1, 2, 3))[between].min()
    assert (darkest < 25) == (kind == "fade_black")
    middle = frames[span.end - 6, 50]
    if kind in ("push", "slide"):
        assert (named(middle[5]), named(middle[-5])) == ("red", "blue")
    if kind in ("crossfade", "zoom"):
        assert np.ptp(middle, axis=0).max() < 25
        assert (np.diff(off["red"][between]) > 0).all()


@pytest.mark.parametrize("format", ["16:9", "9:16", "1:1"])
def test_label_logo_and_subtitles_find_their_places_in_every_format(format: Format, tmp_path: Path) -> None:
    cut = film_of(shot(plain(tmp_path, "grey"), captions=WORDS), format=format, height=240)
    unlabelled = replace(cut, label=LabelStyle(shown=False))
    bare = pictures(film(unlabelled, tmp_path, "bare.mp4")[0])[20].astype(int)
    logo = Logo(logo_in(tmp_path), "bottom_right", opacity=1.0, height=0.1)
    full = replace(cut, subtitles=("zh", "en"), burn=True, logo=logo)
    frames = pictures(film(full, tmp_path)[0]).astype(int)
    width, height = frame_size(format, 240)
    assert frames.shape[1:3] == (height, width)
    frame = frames[20]
    pink = (frame[..., 0] > 200) & (frame[..., 1] < 90) & (frame[..., 2] > 200)
    rows, columns = np.flatnonzero(pink.any(axis=1)), np.flatnonzero(pink.any(axis=0))
    assert abs((height - 1 - rows[-1]) - 12) <= 2, "5 % of the short side are left free"
    assert abs((width - 1 - columns[-1]) - 12) <= 2
    assert abs(np.ptp(rows) + 1 - 24) <= 2
    box = place_label(label_of(full), canvas_of(full)).box
    written = [np.abs(frames[number] - bare).max(axis=2) > 60 for number in (2, 20)]
    for one in written:
        label = one[box.top - 2 : box.top + box.height + 2, : box.left + box.width + 2]
        assert label.sum() > 200, "the label stands bottom left now"
        label[...] = one[pink] = False
    assert written[0].sum() == 0, "nothing is written before it is said"
    assert written[1].sum() > 100, "the subtitles are, and on neither"


def test_every_frame_carries_the_label_the_end_card_too(tmp_path: Path) -> None:
    card = EndCard("谢谢 · Thanks", seconds=1.0, logo=logo_in(tmp_path), ground="#102030")
    logo = Logo(logo_in(tmp_path), "top_left", opacity=0.5)
    cut = film_of(shot(plain(tmp_path, "grey"), 1.5), end_card=card, logo=logo)
    path, facts = film(cut, tmp_path)
    lay = layout(cut)
    assert facts.frames == lay.frames == 50
    frames = pictures(path).astype(int)
    label = frames[:, 125:142, 150:].max(axis=(1, 2, 3))
    assert (label > 200).all()
    corner = frames[:, 7:17, 7:22]
    assert np.abs(corner[:20].mean(axis=(1, 2)) - [(255 + 120) / 2, 60, (255 + 120) / 2]).max() < 14
    ground = frames[lay.shots[-1].end :, 5:40, 5:60].reshape(-1, 3)
    assert np.abs(ground - [0x10, 0x20, 0x30]).max() < 10, "the corner's logo has left, the card has its own"
    assert (frames[-1, 30:60, 100:160].max(axis=(0, 1))[[0, 2]] > 200).all()


def beep(path: Path) -> Path:
    """A voice that is one short tone at its very beginning."""
    t = np.arange(24000) / 24000
    tone = np.where(t < 0.08, np.sin(2 * np.pi * 1000 * t), 0) * 0.5
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24000, len(t), "NONE", ""))
        file.writeframes((tone * 32767).astype("<i2").tobytes())
    return path


def test_picture_and_sound_meet_at_each_border(tmp_path: Path) -> None:
    voice = beep(tmp_path / "voice.wav")
    colours = ["red", "green", "blue", "sand"] * 3
    lengths = [1.03, 1.37, 1.51, 1.23] * 3
    cut = film_of(*(shot(plain(tmp_path, c), t, voice=voice) for c, t in zip(colours, lengths, strict=True)))
    path, _ = film(cut, tmp_path)
    seen = [named(colour) for colour in centres(path)]
    borders = [0.0] + [at / 24 for at in range(1, len(seen)) if seen[at] != seen[at - 1]]
    with av.open(str(path)) as container:
        heard = container.streams.audio[0]
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(heard)])
        container.seek(0)
        begin = float(next(container.decode(heard)).pts * heard.time_base)
    loud = np.abs(sound) > 0.25 * np.abs(sound).max()
    at = np.flatnonzero(loud)
    starts = [at[0], *at[1:][np.diff(at) > 24000]]
    assert len(starts) == len(borders) == 12
    apart = [begin + start / 48000 - border for start, border in zip(starts, borders, strict=True)]
    assert max(map(abs, apart)) < 0.04


def five(folder: Path, **changed: Any) -> Any:
    colours = ["red", "green", "blue", "sand", "grey"]
    shots = [shot(plain(folder, c), 1.5, transition="crossfade", transition_seconds=0.3) for c in colours]
    return film_of(*shots, **changed)


def times(folder: Path) -> dict[str, int]:
    finished = [path for path in (folder / "work").glob("shot-*.mp4") if path.name.count(".") == 1]
    return {path.name: path.stat().st_mtime_ns for path in finished}


def test_a_stopped_film_goes_on_with_its_finished_shots(tmp_path: Path) -> None:
    cut = five(tmp_path)
    with pytest.raises(Cancelled):
        film(cut, tmp_path, should_stop=lambda: len(times(tmp_path)) >= 2)
    before = times(tmp_path)
    assert len(before) == 2
    assert not (tmp_path / "film.mp4").exists()
    assert [left for left in (tmp_path / "work").iterdir() if left.name not in before] == []
    film(cut, tmp_path)
    assert {name: at for name, at in times(tmp_path).items() if name in before} == before
    assert len(times(tmp_path)) == 5


def test_another_third_shot_is_the_only_one_that_is_made(tmp_path: Path) -> None:
    cut = five(tmp_path)
    film(cut, tmp_path)
    before = times(tmp_path)
    other = shot(plain(tmp_path, "red", frames=25), 2.31, transition="zoom", voice=beep(tmp_path / "v.wav"))
    shots = (*cut.shots[:2], other, *cut.shots[3:])
    film(replace(cut, shots=shots, title="new"), tmp_path)
    after = times(tmp_path)
    assert len(after) == 6
    assert {name: at for name, at in after.items() if name in before} == before


def test_stopping_while_the_film_is_written_leaves_no_film(tmp_path: Path) -> None:
    cut = five(tmp_path)
    film(cut, tmp_path, "first.mp4")
    asked = 0

    def late() -> bool:
        nonlocal asked
        asked += 1
        return len(list(tmp_path.glob("film.*.part.mp4"))) > 0

    with pytest.raises(Cancelled):
        film(cut, tmp_path, should_stop=late)
    assert asked > 3
    assert sorted(left.name for left in tmp_path.glob("*film*")) == []
    assert len(list((tmp_path / "work").iterdir())) == 5


KILLED = """
import sys
from pathlib import Path
from tests.media.test_film import film, five
folder = Path(sys.argv[1])
film(five(folder), folder)
"""


@pytest.mark.slow
def test_a_killed_film_goes_on_with_its_finished_shots(tmp_path: Path) -> None:
    five(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], start_new_session=True)
    while len(times(tmp_path)) < 3 and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = times(tmp_path)
    assert 3 <= len(before) <= 5
    path, facts = film(five(tmp_path), tmp_path)
    assert {name: at for name, at in times(tmp_path).items() if name in before} == before
    assert probe(path).frames == facts.frames


def huge_png(path: Path) -> Path:
    """A PNG that claims 20,000 x 20,000 pixels."""
    Image.new("1", (8, 8)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (20000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    return path


def test_a_logo_that_is_none_is_said_before_anything_is_made(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("I am a logo, honestly")
    cases = {"logo_bad": text, "logo_too_big": huge_png(tmp_path / "huge.png")}
    cases |= {"logo_bad ": tmp_path / "gone.png"}
    for code, path in cases.items():
        for cut in (
            five(tmp_path, logo=Logo(path, "top_left")),
            five(tmp_path, end_card=EndCard("end", logo=path)),
        ):
            with pytest.raises(MediaError) as caught:
                film(cut, tmp_path)
            assert caught.value.code == code.strip()
    assert list((tmp_path / "work").iterdir()) == []


def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    odd = tmp_path / "a 'b': [c], d;e=f \\ %d 中文"
    odd.mkdir()
    one = shot(plain(odd, "red"), captions=WORDS, transition="crossfade")
    logo = Logo(logo_in(odd), "top_left")
    cut = film_of(one, shot(plain(odd, "blue")), subtitles=("zh",), burn=True, logo=logo)
    path, facts = film(cut, odd, "it's 50% [done].mp4")
    assert probe(path).frames == facts.frames == layout(cut).frames
    assert np.ptp(pictures(path)[20, 90:120].reshape(-1, 3), axis=0).max() > 50, "subtitles were drawn"


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    cut = five(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The sound of seven seconds needs more than a megabyte.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(MediaError) as caught:
            film(cut, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.code == "disk_full"
    assert (list((tmp_path / "work").iterdir()), list(tmp_path.glob("film*"))) == ([], [])

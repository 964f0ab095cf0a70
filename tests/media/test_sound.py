"""A film's sound: each voice where its frames are, music below it, and as loud as it should be."""

import re
import subprocess
import tracemalloc
from functools import partial
from pathlib import Path

import ffmpeg as graphs
import numpy as np
import pytest

from pipelines.request import Cancelled
from studio.media.audio import RATE, read_sound
from studio.media.clip import write_clip
from studio.media.ffmpeg import MediaError, run
from studio.media.label import LabelStyle
from studio.media.loudness import limited, mastered, measure
from studio.media.music import bed
from studio.media.sound import DUCK, mix
from studio.media.timeline import EndCard, FilmCut, Music, Piece, ShotCut, layout
from tests.media.pictures import frames
from tests.media.sounds import click, encoded, film, hiss, shot, speech, tone, write_wav


def mixed(cut: FilmCut, folder: Path) -> np.ndarray:
    path = mix(cut, layout(cut), folder / "mix.wav")
    assert [file.name for file in folder.glob("mix*")] == ["mix.wav"]
    return read_sound(path)


def level(sound: np.ndarray, hertz: float | None = None) -> float:
    """RMS in dB; at one frequency only, if told."""
    mono = sound.mean(axis=1)
    if hertz is None:
        return 10 * np.log10((mono**2).mean() + 1e-12)
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(mono), 1 / RATE) - hertz) < 20
    return 10 * np.log10(spectrum[near].sum() / len(mono) ** 2 + 1e-12)


def ebu(path: Path) -> tuple[float, float]:
    """Integrated loudness and true peak, as the ffmpeg program says."""
    graph = graphs.input(str(path)).audio.filter("ebur128", peak="true").output("-", f="null")
    said = run(graph, verbose=True).rpartition("Summary:")[2]
    loud, peak = (re.search(rf"{name}:\s+(-?[\d.]+)", said) for name in ("I", "Peak"))
    assert loud
    assert peak
    return float(loud[1]), float(peak[1])


@pytest.mark.parametrize("fps", [8, 24, 25, 30, 11])
def test_it_is_as_long_as_the_frames_to_the_sample(fps: int, tmp_path: Path) -> None:
    cut = film(shot(1.37), shot(0.9, transition="crossfade"), shot(1.11), fps=fps, end_card=EndCard("fin"))
    sound = mixed(cut, tmp_path)
    assert abs(len(sound) - layout(cut).frames * RATE / fps) <= 0.5
    assert not sound.any()  # nothing to hear: silence


@pytest.mark.parametrize(("fps", "rate"), [(24, 24_000), (30, 48_000), (8, 22_050)])
def test_each_voice_begins_where_its_frames_are(fps: int, rate: int, tmp_path: Path) -> None:
    starts = (0.3, 0.6, 0.55, 0.0)
    shots = [
        shot(
            1.9 + number / 7,
            transition="crossfade",
            transition_seconds=0.4,
            voice=write_wav(tmp_path / f"{number}.wav", click(0.9, 0.25, rate), rate),
            voice_start=start,
        )
        for number, start in enumerate(starts)
    ]
    cut = film(*shots, fps=fps)
    sound = np.abs(mixed(cut, tmp_path)[:, 0])
    for start, span in zip(starts, layout(cut).shots, strict=True):
        wanted = round(span.start * RATE / fps) + round((start + 0.25) * RATE)
        near = sound[wanted - 2000 : wanted + 2000]
        assert abs(int(near.argmax()) - 2000) <= 1
        assert near.max() > 0.1


@pytest.mark.parametrize("source_level", [0.003, 0.05, 0.9])
def test_a_narrated_film_with_music_is_as_loud_as_it_should_be(source_level: float, tmp_path: Path) -> None:
    voice = write_wav(tmp_path / "v.wav", speech(2.4) * source_level * 5)
    music = write_wav(tmp_path / "m.wav", hiss(7.0, 80, 900, source_level / 3))
    cut = film(*[shot(3.2, voice=voice, voice_start=0.3)] * 4, music=Music(music))
    mixed(cut, tmp_path)
    loud, peak = ebu(tmp_path / "mix.wav")
    assert abs(loud + 16) <= 0.2
    assert peak <= -1.0


@pytest.mark.parametrize("what", ["voice", "music"])
def test_voice_alone_and_music_alone_are_as_loud(what: str, tmp_path: Path) -> None:
    file = write_wav(tmp_path / "a.wav", speech(3.0))
    cut = film(shot(4.0, voice=file)) if what == "voice" else film(shot(8.0), music=Music(bed("calm").path))
    mixed(cut, tmp_path)
    assert abs(ebu(tmp_path / "mix.wav")[0] + 16) <= 0.2


def test_music_goes_down_smoothly_under_the_voice(tmp_path: Path) -> None:
    """The music is one low tone, the voice is high: the tone's loudness can be followed on its own."""
    music = write_wav(tmp_path / "m.wav", tone(14.0, 200.0))
    voice = write_wav(tmp_path / "v.wav", speech(3.0))
    cut = film(shot(5.0), shot(4.0, voice=voice, voice_start=0.5), shot(4.0), music=Music(music))
    sound = mixed(cut, tmp_path)
    steps = [level(sound[at : at + 2400], 200.0) for at in range(0, len(sound) - 2400, 1200)]
    aside, under, after = np.median(steps[60:190]), np.median(steps[230:330]), np.median(steps[380:440])
    assert aside - under >= 8
    assert abs(aside - under - DUCK) < 1
    assert abs(after - aside) < 0.5
    # Down when the voice begins, not when it has begun; and never by a jump.
    assert steps[220] < aside - 8
    assert max(np.abs(np.diff(steps[60:440]))) < 5


def test_musics_volume_counts_under_the_voice(tmp_path: Path) -> None:
    music = write_wav(tmp_path / "m.wav", hiss(9.0, 100, 4000))
    voice = write_wav(tmp_path / "v.wav", hiss(6.0, 100, 4000))
    for volume in (-12.0, -24.0):
        cut = film(shot(3.0), shot(6.0, voice=voice), music=Music(music, volume))
        sound = mixed(cut, tmp_path)
        aside, together = level(sound[RATE : 2 * RATE]), level(sound[4 * RATE : 8 * RATE])
        assert abs((aside - DUCK) - together - volume) < 1.2


def test_music_shorter_than_the_film_goes_on_without_a_gap_or_a_jump(tmp_path: Path) -> None:
    beat = 0.6 + 0.4 * np.sign(np.sin(2 * np.pi * 2 * np.arange(6 * RATE) / RATE))
    fading = np.minimum(1, (6 - np.arange(6 * RATE) / RATE) / 0.7)
    music = write_wav(tmp_path / "m.wav", hiss(6.0, 100, 3000) * beat * fading)
    sound = mixed(film(shot(20.0), music=Music(music)), tmp_path)
    inner = sound[RATE : 16 * RATE]
    seconds = [level(inner[at : at + RATE // 2]) for at in range(0, len(inner), RATE // 2)]
    assert max(seconds) - min(seconds) < 3.5
    assert np.abs(np.diff(inner[:, 0])).max() < 0.5
    # It comes and goes softly.
    assert level(sound[:2400]) < np.median(seconds) - 10
    assert level(sound[-2400:]) < np.median(seconds) - 15


def test_the_next_round_of_music_keeps_the_beat(tmp_path: Path) -> None:
    hits = np.zeros(round(7.3 * RATE))
    for at in np.arange(0, 7.2, 0.5):  # 120 beats a minute
        first = round(at * RATE)
        hits[first : first + 2000] += hiss(1.0, 100, 3000)[:2000] * np.linspace(3, 0, 2000)
    sound = mixed(film(shot(24.0), music=Music(write_wav(tmp_path / "m.wav", hits))), tmp_path)
    blocks = np.sqrt((sound[: len(sound) // 480 * 480, 0].reshape(-1, 480) ** 2).mean(1))
    found = [at for at in range(100, 2000) if blocks[at] > 3 * blocks[at - 1] and blocks[at] > 0.02]
    away = [min(at % 50, 50 - at % 50) for at in found]
    assert len(found) > 30
    assert max(away) <= 1


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of pictures with a tone of 440 Hz in the second one."""
    folder = tmp_path_factory.mktemp("clip")
    write_clip(frames(24), path=folder / "p.mp4", fps=8, comment="{}", label=LabelStyle(), expected_frames=24)
    sound = np.concatenate([np.zeros(RATE), tone(1.0), np.zeros(RATE)])
    inputs = (graphs.input(str(folder / "p.mp4")), graphs.input(str(write_wav(folder / "s.wav", sound))))
    run(graphs.output(*inputs, f"file:{folder}/c.mp4", vcodec="copy", acodec="aac"))
    return folder / "c.mp4"


def heard(sound: np.ndarray) -> list[float]:
    """Where something begins and where it ends, in seconds."""
    blocks = np.abs(sound[: len(sound) // 480 * 480]).max(axis=1).reshape(-1, 480).max(axis=1)
    found = np.flatnonzero(blocks > 0.02) / 100
    return [round(float(found[0]), 2), round(float(found[-1]) + 0.01, 2)] if len(found) else []


def test_a_clips_own_sound_stays_with_its_pictures(clip: Path, tmp_path: Path) -> None:
    def cut(*pieces: Piece, keep: bool = True) -> FilmCut:
        return film(shot(1.0), ShotCut(pieces, 4.0, keep_sound=keep), shot(1.0))

    assert heard(mixed(cut(Piece(clip), keep=False), tmp_path)) == []
    assert heard(mixed(cut(Piece(clip)), tmp_path)) == pytest.approx([2, 3], abs=0.03)
    assert heard(mixed(cut(Piece(clip, start=0.5, seconds=1.0)), tmp_path)) == pytest.approx(
        [1.5, 2], abs=0.03
    )
    later = (Piece(clip, seconds=1.0), Piece(clip, seconds=1.0), Piece(clip))
    assert heard(mixed(cut(*later), tmp_path)) == pytest.approx([4, 5], abs=0.03)


def test_a_slower_piece_sounds_longer_and_no_lower(clip: Path, tmp_path: Path) -> None:
    cut = film(ShotCut((Piece(clip, speed=0.8),), 3.75, keep_sound=True))
    sound = mixed(cut, tmp_path)
    assert heard(sound) == pytest.approx([1.25, 2.5], abs=0.06)
    middle = sound[round(1.5 * RATE) : round(2.3 * RATE)]
    assert level(middle, 440.0) > level(middle, 352.0) + 20


def test_a_clip_without_sound_and_a_shot_without_clips_are_silent(tmp_path: Path) -> None:
    write_clip(frames(8), path=tmp_path / "p.mp4", fps=8, comment="{}", label=LabelStyle(), expected_frames=8)
    cut = film(ShotCut((Piece(tmp_path / "p.mp4"),), 1.0, keep_sound=True), ShotCut((), 1.0, keep_sound=True))
    assert not mixed(cut, tmp_path).any()


def test_own_sound_goes_down_under_the_voice_too(tmp_path: Path) -> None:
    write_clip(
        frames(48), path=tmp_path / "p.mp4", fps=8, comment="{}", label=LabelStyle(), expected_frames=48
    )
    inputs = (
        graphs.input(str(tmp_path / "p.mp4")),
        graphs.input(str(write_wav(tmp_path / "s.wav", tone(6.0, 200.0)))),
    )
    run(graphs.output(*inputs, f"file:{tmp_path}/c.mp4", vcodec="copy", acodec="aac"))
    voice = write_wav(tmp_path / "v.wav", speech(2.0))
    cut = film(ShotCut((Piece(tmp_path / "c.mp4"),), 6.0, keep_sound=True, voice=voice, voice_start=3.0))
    sound = mixed(cut, tmp_path)
    assert level(sound[RATE : 2 * RATE], 200.0) - level(sound[round(3.3 * RATE) : 4 * RATE], 200.0) > 8


def test_a_voice_that_lasts_beyond_the_film_ends_with_it(tmp_path: Path) -> None:
    voice = write_wav(tmp_path / "v.wav", speech(5.0))
    sound = mixed(film(shot(1.0), shot(2.0, voice=voice, voice_start=0.5)), tmp_path)
    assert len(sound) == 3 * RATE
    assert abs(sound[-1]).max() < 0.01
    assert not mixed(film(shot(1.0, voice=voice, voice_start=5.0)), tmp_path).any()


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("mp3", {"acodec": "libmp3lame"}),
        ("m4a", {"acodec": "aac"}),
        ("flac", {}),
        ("opus", {"acodec": "libopus"}),
        ("wav", {"acodec": "pcm_f32le", "ar": 22050}),
    ],
)
def test_voices_of_all_formats_lie_where_they_should(suffix: str, options: dict, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", np.concatenate([np.zeros(RATE // 2), speech(1.0)]))
    voice = encoded(source, tmp_path / f"b.{suffix}", **options)
    sound = mixed(film(shot(3.0, voice=voice, voice_start=1.0)), tmp_path)
    assert heard(sound) == pytest.approx([1.5, 2.5], abs=0.03)


def test_a_voice_or_music_that_is_none_is_said(tmp_path: Path) -> None:
    good = write_wav(tmp_path / "good.wav", speech(1.0))
    (tmp_path / "text.wav").write_text("this is no sound")
    for bad in (tmp_path / "text.wav", tmp_path / "missing.wav", tmp_path):
        with pytest.raises(MediaError) as caught:
            mixed(film(shot(voice=good), shot(voice=bad)), tmp_path)
        assert (caught.value.code, caught.value.notice.values) == ("voice_bad", {"shot": 2})
        with pytest.raises(MediaError) as caught:
            mixed(film(shot(voice=good), music=Music(bad)), tmp_path)
        assert caught.value.code == "music_bad"
    assert list(tmp_path.glob("mix*")) == []


def test_it_stops_when_asked_and_leaves_nothing(tmp_path: Path) -> None:
    voice = write_wav(tmp_path / "v.wav", speech(1.0))
    cut = film(*[shot(voice=voice)] * 6)
    for after in range(8):
        answers = iter([False] * after + [True])
        with pytest.raises(Cancelled):
            mix(cut, layout(cut), tmp_path / "mix.wav", should_stop=partial(next, answers))
    assert list(tmp_path.glob("mix*")) == []


def test_the_limiter_holds_the_ceiling_and_leaves_the_rest(tmp_path: Path) -> None:
    quiet = np.repeat(tone(2.0, 500.0, 0.1)[:, None], 2, axis=1).astype(np.float32)
    assert limited(quiet) is quiet
    loud = quiet.copy()
    loud[RATE : RATE + 4800] *= 30
    held = limited(loud)
    assert measure(held).peak <= -1.4
    assert np.array_equal(held[: RATE - 960], quiet[: RATE - 960])
    assert np.abs(np.diff(held[:, 0])).max() <= np.abs(np.diff(loud[:, 0])).max()
    # A wave whose samples stay at 0.7 while it reaches 1.0 between them.
    between = np.sin(np.arange(RATE) * np.pi / 2 + np.pi / 4) * np.hanning(RATE)
    sound = np.repeat(between[:, None], 2, axis=1).astype(np.float32)
    assert np.abs(sound).max() < 0.71
    assert measure(sound).peak > -0.1
    assert measure(limited(sound)).peak <= -1.4


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.3, 0.5])
def test_the_shortest_sounds_are_no_trouble(seconds: float) -> None:
    sound = np.repeat(tone(seconds)[:, None], 2, axis=1).astype(np.float32)
    assert len(mastered(sound)) == len(sound)
    assert measure(sound).integrated >= -70


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting needs root")
    try:
        with pytest.raises(MediaError) as caught:
            mix(film(shot(4.0)), layout(film(shot(4.0))), place / "mix.wav")
        assert caught.value.code == "disk_full"
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_two_minutes_need_little_memory(tmp_path: Path) -> None:
    voice = write_wav(tmp_path / "v.wav", speech(3.5))
    cut = film(*[shot(5.0, voice=voice, voice_start=0.6)] * 24, music=Music(bed("calm").path))
    tracemalloc.start()
    try:
        assert len(mixed(cut, tmp_path)) == 120 * RATE
        assert tracemalloc.get_traced_memory()[1] < 300e6
    finally:
        tracemalloc.stop()

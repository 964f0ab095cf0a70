"""Speech is trimmed, equally loud, and never clipped."""

import numpy as np
import pytest

from studio.media.loudness import measure
from studio.voice.kokoro import RATE, Wave
from studio.voice.levels import CEILING, LOUDNESS, MARGIN, levelled, loudness, trimmed


def _tone(seconds: float, height: float, pitch: float = 1000.0, rate: int = RATE) -> Wave:
    at = np.arange(int(seconds * rate)) / rate
    return (height * np.sin(2 * np.pi * pitch * at)).astype(np.float32)


def _speechlike(seconds: float, height: float) -> Wave:
    noise = np.random.default_rng(1).normal(size=int(seconds * RATE)).astype(np.float32)
    syllables = np.sin(2 * np.pi * 2 * np.arange(len(noise)) / RATE) ** 2
    return np.asarray(noise * syllables * height, np.float32)


@pytest.mark.parametrize("pitch", [100.0, 1000.0, 4000.0])
def test_loudness_is_what_ffmpeg_measures(pitch: float) -> None:
    # Measured there at 48 kHz on two equal channels, which together are 3 dB louder than one.
    both = np.repeat(_tone(3.0, 0.1, pitch, 2 * RATE)[:, None], 2, axis=1)
    assert loudness(_tone(3.0, 0.1, pitch)) == pytest.approx(measure(both).integrated - 3.01, abs=0.3)


def test_silence_between_sentences_does_not_count() -> None:
    wave = _speechlike(3.0, 0.05)
    longer = np.concatenate([wave, np.zeros(5 * RATE, np.float32)])
    assert loudness(longer) == pytest.approx(loudness(wave), abs=0.4)


@pytest.mark.parametrize("height", [0.01, 0.05, 0.3])
def test_every_voice_comes_out_equally_loud_and_unclipped(height: float) -> None:
    wave = levelled(_speechlike(4.0, height))
    assert float(np.abs(wave).max()) <= CEILING + 1e-6
    assert loudness(wave) == pytest.approx(LOUDNESS, abs=0.5)


def test_a_single_click_is_turned_down_alone() -> None:
    wave = _tone(2.0, 0.1)
    wave[RATE] = 5.0
    done = levelled(wave)
    assert float(np.abs(done).max()) <= CEILING + 1e-6
    assert done[: RATE // 2].std() == pytest.approx(done[-RATE // 2 :].std(), rel=0.01)


def test_silence_stays_silence() -> None:
    assert loudness(np.zeros(RATE, np.float32)) == -70.0
    assert not levelled(np.zeros(RATE, np.float32)).any()
    assert len(trimmed(np.zeros(RATE, np.float32))) == 0
    assert len(trimmed(np.zeros(0, np.float32))) == 0


@pytest.mark.parametrize("lead", [0.0, 0.03, 0.6])
def test_both_ends_keep_the_same_little_silence(lead: float) -> None:
    quiet = np.zeros(int(lead * RATE), np.float32)
    done = trimmed(np.concatenate([quiet, _tone(1.0, 0.3), quiet]))
    assert len(done) / RATE == pytest.approx(1.0 + 2 * MARGIN, abs=0.021)
    heard = np.flatnonzero(np.abs(done) > 0.01)
    assert heard[0] / RATE == pytest.approx(MARGIN, abs=0.011)
    assert (len(done) - heard[-1]) / RATE == pytest.approx(MARGIN, abs=0.021)

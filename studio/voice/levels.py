"""Speech made even: silence cut off its ends, every voice equally loud (ITU-R BS.1770), nothing clipped."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.voice.kokoro import RATE, Wave

LOUDNESS = -19.0
"""Of each narration, in LUFS."""
CEILING = 0.89
"""The highest sample: 1 dB below full scale."""
MARGIN = 0.08
"""Seconds kept before and behind what can be heard."""

Numbers = NDArray[Any]
_FRAME = RATE // 100
_QUIET = 0.01
_FADE = RATE // 200
_BLOCK = int(0.4 * RATE)
_HOP = _BLOCK // 4
_MOST = 30.0


def trimmed(wave: Wave) -> Wave:
    """The wave without the silence around it, 80 ms kept on both sides, faded in and out over 5 ms.

    Silence is 40 dB below the loudest 10 ms. Where less than 80 ms are there, silence is added: a sentence
    always begins and ends alike.
    """
    loud = np.flatnonzero(_levels(wave) > max(_QUIET * float(_levels(wave).max(initial=0.0)), 1e-4))
    if not len(loud):
        return np.zeros(0, np.float32)
    margin = int(MARGIN * RATE)
    first, last = int(loud[0]) * _FRAME - margin, (int(loud[-1]) + 1) * _FRAME + margin
    kept = wave[max(0, first) : last].copy()
    kept -= kept.mean()
    ramp = np.linspace(0.0, 1.0, min(_FADE, len(kept)), dtype=np.float32)
    kept[: len(ramp)] *= ramp
    kept[len(kept) - len(ramp) :] *= ramp[::-1]
    return np.pad(kept, (max(0, -first), max(0, last - max(0, first) - len(kept))))


def levelled(wave: Wave, target: float = LOUDNESS) -> Wave:
    """The wave at this loudness (LUFS), its highest peaks turned down smoothly to 1 dB below full scale."""
    found = loudness(wave)
    gain = 10 ** (min(target - found, _MOST) / 20) if found > -70 else 1.0
    return _limited(wave * np.float32(gain))


def loudness(wave: Wave) -> float:
    """Integrated loudness in LUFS as BS.1770 measures it, gated; -70 for silence."""
    padded = np.pad(wave, (0, max(0, _BLOCK - len(wave))))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, _BLOCK)[::_HOP]
    window = np.hanning(_BLOCK)
    power = np.concatenate(
        [_weighted_power(blocks[at : at + 64] * window) for at in range(0, len(blocks), 64)]
    ) / float((window**2).mean())
    level = _decibels(power)
    power = power[level > -70]
    if not len(power):
        return -70.0
    power = power[_decibels(power) > _decibels(power.mean()) - 10]
    return float(_decibels(power.mean()))


def _weighted_power(blocks: Numbers) -> Numbers:
    """Mean power of each block behind the K filter, by way of its spectrum."""
    spectrum = np.abs(np.fft.rfft(blocks, axis=1)) ** 2
    spectrum[:, 1:] *= 2
    weights = _k_filter(np.fft.rfftfreq(_BLOCK, 1 / RATE))
    return np.asarray((spectrum * weights).sum(1) / _BLOCK**2)


def _k_filter(frequencies: Numbers) -> Numbers:
    """Power response of the standard's two filters, given there for 48 kHz."""
    turn = np.exp(-2j * np.pi * frequencies / 48_000)
    shelf = (1.53512485958697 - 2.69169618940638 * turn + 1.19839281085285 * turn**2) / (
        1 - 1.69065929318241 * turn + 0.73248077421585 * turn**2
    )
    high_pass = (1 - 2 * turn + turn**2) / (1 - 1.99004745483398 * turn + 0.99007225036621 * turn**2)
    return np.asarray(np.abs(shelf * high_pass) ** 2)


def _limited(wave: Wave) -> Wave:
    """The wave with no sample above the ceiling: a gain that dips around each peak, 10 ms to both sides."""
    if float(np.abs(wave).max(initial=0.0)) <= CEILING:
        return wave
    frames = np.pad(wave, (0, -len(wave) % _FRAME)).reshape(-1, _FRAME)
    need = np.minimum(1.0, CEILING / np.maximum(np.abs(frames).max(1), 1e-6))
    # Each frame's middle gets the lowest of its neighbourhood: the line between two middles never exceeds it.
    held = np.lib.stride_tricks.sliding_window_view(np.pad(need, 1, mode="edge"), 3).min(1)
    middles = (np.arange(len(need)) + 0.5) * _FRAME
    return np.asarray(wave * np.interp(np.arange(len(wave)), middles, held), np.float32)


def _levels(wave: Wave) -> Numbers:
    """RMS of each whole 10 ms; the rest at the end counts as one more."""
    padded = np.pad(wave, (0, -len(wave) % _FRAME))
    return np.asarray(np.sqrt((padded.reshape(-1, _FRAME).astype(np.float64) ** 2).mean(1)))


def _decibels(power: Numbers) -> Numbers:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-12)))

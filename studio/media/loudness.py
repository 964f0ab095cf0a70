"""How loud sound is, and making it exactly so loud without harsh peaks (EBU R 128)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.media.audio import RATE, Sound, filtered

LOUDNESS = -16.0
"""A film's loudness in LUFS."""
CEILING = -1.5
"""The highest true peak in dBTP; half a dB below what is allowed, because AAC moves peaks a little."""
SILENT = -70.0
"""What the measure says of silence."""

# The limiter works in blocks of 1 ms and looks 6 ms ahead.
_BLOCK = RATE // 1000
_REACH = 6
# Between samples the wave can be higher than at them: looked at in four phases, as the standard says.
_PHASES = 4
_TAPS = 12
_WINDOW = 10 * RATE


@dataclass(frozen=True)
class Loudness:
    """`integrated` in LUFS (-70 for silence or less than 0.4 s), `peak` the highest true peak in dBTP."""

    integrated: float
    peak: float


def measure(sound: Sound) -> Loudness:
    """Loudness and true peak."""
    told: dict[str, str] = {}
    for frame in filtered(sound, "ebur128", "metadata=1:peak=true:framelog=quiet"):
        told = dict(frame.metadata) or told
    loud = float(told.get("lavfi.r128.I", SILENT))
    # The filter's last incomplete tenth of a second is in no report: its peaks are looked at here.
    peak = max(float(told.get("lavfi.r128.true_peak", 0.0)), _highest(sound[-RATE // 5 :]))
    return Loudness(loud if np.isfinite(loud) else SILENT, decibels(peak))


def decibels(share: float) -> float:
    """A share of full scale in dB; -120 for nothing."""
    return max(-120.0, 20 * float(np.log10(max(share, 1e-6))))


def factor(gain: float) -> np.float32:
    """What samples are multiplied with for a gain in dB."""
    return np.float32(10 ** (gain / 20))


def levelled(sound: Sound, target: float, *, most: float = 12.0) -> Sound:
    """The sound at a loudness, changed by `most` dB at most; as it is where nothing can be measured."""
    found = measure(sound).integrated
    if found <= SILENT:
        return sound
    return sound * factor(float(np.clip(target - found, -most, most)))


def mastered(sound: Sound) -> Sound:
    """The whole film's sound at -16 LUFS, true peaks at most -1.5 dBTP; silence stays silence.

    What the limiter takes away is made good by a second look.
    """
    gain = 0.0
    done = sound
    for _ in range(3):
        found = measure(done).integrated
        if found <= SILENT or abs(LOUDNESS - found) < 0.05:
            break
        gain += float(np.clip(LOUDNESS - found, -40, 40))
        done = limited(sound * factor(gain))
    return done if gain else limited(sound)


def limited(sound: Sound, ceiling: float = CEILING) -> Sound:
    """The sound with no true peak above the ceiling (dBTP): turned down smoothly around what is too high.

    Own code, because ffmpeg's limiters move the sound by some milliseconds, and the voice must lie exactly.
    """
    most = 10 ** (ceiling / 20)
    need = np.minimum(1.0, most / np.maximum(_peaks(sound), 1e-6))
    if need.min(initial=1.0) == 1.0:
        return sound
    # The lowest around each block, then smoothed over fewer blocks than that: never above what is needed.
    held = np.lib.stride_tricks.sliding_window_view(np.pad(need, _REACH, mode="edge"), 2 * _REACH + 1).min(1)
    bell = np.hanning(2 * _REACH + 1)[1:-1]
    smooth = np.convolve(np.pad(held, len(bell) // 2, mode="edge"), bell / bell.sum(), mode="valid")
    return ramped(sound, np.append(smooth, smooth[-1]), _BLOCK)


def ramped(sound: Sound, gains: NDArray[np.floating], block: int) -> Sound:
    """The sound times a gain that goes straight from each point to the next, `block` samples apart."""
    way = (np.arange(block, dtype=np.float32) / block)[None, :]
    points = gains.astype(np.float32)
    line = (points[:-1, None] * (1 - way) + points[1:, None] * way).reshape(-1)[: len(sound)]
    return np.asarray(sound * line[:, None], np.float32)


def _peaks(sound: Sound) -> NDArray[np.float64]:
    """The highest true peak of each block of 1 ms, the last one padded."""
    blocks = -(-len(sound) // _BLOCK)
    found = np.zeros(blocks)
    for at in range(0, blocks * _BLOCK, _WINDOW):
        # A few samples more on both sides, so that the filter sees what is beyond the edge.
        low, high = max(0, at - _TAPS), min(len(sound), at + _WINDOW + _TAPS)
        wave = _oversampled(sound[low:high])[at - low : at - low + _WINDOW]
        wave = np.pad(wave, (0, -len(wave) % _BLOCK))
        first = at // _BLOCK
        found[first : first + len(wave) // _BLOCK] = wave.reshape(-1, _BLOCK).max(1)
    return found


def _highest(sound: Sound) -> float:
    return float(_oversampled(sound).max(initial=0.0))


def _oversampled(sound: Sound) -> NDArray[np.float32]:
    """For each sample the highest of it and the waves between it and the next, over both channels."""
    top = np.abs(sound).max(1) if len(sound) else np.zeros(0, np.float32)
    spots = np.arange(-_TAPS, _TAPS + 1)
    for phase in range(1, _PHASES):
        off = spots - phase / _PHASES
        kernel = (np.sinc(off) * np.cos(np.pi * off / (2 * _TAPS + 2)) ** 2).astype(np.float32)
        for channel in range(sound.shape[1] if len(sound) else 0):
            # Reversed, because a convolution turns the kernel round.
            wave = np.convolve(sound[:, channel], kernel[::-1], mode="full")[_TAPS : _TAPS + len(sound)]
            np.maximum(top, np.abs(wave), out=top)
    return top

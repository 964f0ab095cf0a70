"""A film of 6 and of 24 shots: memory of the process and of every ffmpeg it starts, and seconds a shot."""

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from studio.media.clip import write_clip
from studio.media.film import make_film
from studio.media.label import LabelStyle
from studio.media.timeline import Caption, EndCard, FilmCut, Piece, ShotCut, TransitionKind

KINDS: tuple[TransitionKind, ...] = ("crossfade", "fade_black", "push", "slide", "zoom", "cut")
COUNTS = (6, 24)
SECONDS = 5.0
LABEL = LabelStyle()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.film", description=main.__doc__)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--width", type=int, default=832, help="of the clips; 832 as Wan's, 320 as sketch's")
    options, _ = parser.parse_known_args()
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        clips = [_clip(Path(folder), number, options.width) for number in range(6)]
        for count in COUNTS:
            begun, cpu = time.monotonic(), _cpu()
            peak, seconds = _film(Path(folder), clips, count, options.height)
            wall = time.monotonic() - begun
            peaks.append(peak)
            mib, cpu = peak / 2**20, _cpu() - cpu
            print(f"{count} shots, {seconds:.1f} s of film at {options.height}: {mib:.0f} MiB at most, "
                  f"{wall:.0f} s ({wall / count:.1f} s a shot), {cpu:.0f} s CPU", flush=True)  # fmt: skip
    print(f"memory, {COUNTS[1]} shots over {COUNTS[0]}: {peaks[1] / peaks[0]:.2f}")


def _film(folder: Path, clips: list[Path], count: int, height: int) -> tuple[int, float]:
    """Make it; the highest memory of all processes together, in bytes, and the film's length."""
    words = (Caption(0.3, 4.0, {"zh": "很久很久以前，星河两岸。", "en": "Long ago, on both shores."}),)
    shots = tuple(
        ShotCut(
            (Piece(clips[at % len(clips)], label=LABEL, push=True),),
            SECONDS + at / 100,  # no two shots are the same file
            move="push_in" if at % 2 else "none",
            transition=KINDS[at % len(KINDS)],
            captions=words,
        )
        for at in range(count)
    )
    cut = FilmCut(
        shots,
        "16:9",
        height,
        24,
        LABEL,
        "{}",
        subtitles=("zh", "en"),
        burn=True,
        end_card=EndCard("完 · The end"),
    )
    with _Watch() as watch:
        facts = make_film(cut, folder / f"film{count}.mp4", work=folder / f"work{count}")
    return watch.peak, facts.seconds


def _clip(folder: Path, number: int, width: int) -> Path:
    """Five seconds of moving noise over a gradient: as hard to encode as a real clip, not as a test card."""
    height = 16 * round(width * 480 / 832 / 16)
    rng = np.random.default_rng(number)
    noise = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
    ground = np.linspace(40, 160, width, dtype=np.uint8)[None, :, None] + np.zeros((height, 1, 3), np.uint8)
    path = folder / f"clip{number}.mp4"
    pictures = (ground + np.roll(noise, (step * 2, step * 3), axis=(0, 1)) for step in range(81))
    write_clip(pictures, path=path, fps=16, comment="{}", label=LABEL, expected_frames=81)
    return path


def _cpu() -> float:
    mine = psutil.Process().cpu_times()
    return mine.user + mine.system + mine.children_user + mine.children_system


class _Watch:
    """Memory of this process and its children, looked at twenty times a second: shared pages count once."""

    def __enter__(self) -> "_Watch":
        self.peak, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        me = psutil.Process()
        while not self._ended.wait(0.05):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:  # it has just ended
                    continue
            self.peak = max(self.peak, total)


if __name__ == "__main__":
    main()

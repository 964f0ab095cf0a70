"""What trust costs: text checks, marking, sealing and tracing, most of them beside the encoding of the clip.

All is processor time, the encoder's included, and ratios are of runs in turn: a busy machine changes little.
"""

import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bench.fingerprint_clips import texture
from studio.core import Studio
from studio.db import utc_now, writing
from studio.exporting import Begun, Exporter
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.settings import Settings
from studio.trust import exports, likeness
from studio.trust.exports import Registered
from studio.trust.mark import Marker
from studio.trust.texts import check_texts
from studio.trust.trace import Tracer

ROUNDS, FRAMES, FPS = 5, 48, 16
SIZES = ((832, 480), (1280, 720))
ASSETS = 10_000
PROMPTS = (
    "A white deer stands in the misty forest at dawn, the camera slowly pushing in, soft light.",
    "夜晚的海上，一只小船在风暴中航行，远处灯塔闪烁，镜头缓缓推近，电影质感。",
    "An old man walks across a snow field; behind him the mountains turn gold in the evening sun.",
    "后羿站在山顶拉开长弓，天上九个太阳照得大地干裂，百姓躲在树荫下。",
)


def main() -> None:
    """Print all figures."""
    _texts()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        studio = Studio(Settings(studio_home=home / "home"))
        for size in SIZES:
            _clip(studio, home, size)
        _search(studio, home)


def _texts() -> None:
    """Milliseconds a prompt, after the first, which loads."""
    check_texts({"prompt": PROMPTS[0]})
    spent = [_spent(lambda text=text: check_texts({"prompt": text})) for _ in range(50) for text in PROMPTS]
    first, middle, last = np.percentile(spent, [5, 50, 95]) * 1e3
    print(f"text check: {middle:.2f} ms a prompt ({first:.2f} to {last:.2f})")
    long = "\n".join(PROMPTS * 140)[:50_000]
    once, whole = (
        _spent(lambda: check_texts({"story": long[:5_000]})),
        _spent(lambda: check_texts({"story": long})),
    )
    print(f"50,000 characters: {whole:.2f} s, {whole / once:.1f} times that of 5,000", flush=True)


def _clip(studio: Studio, folder: Path, size: tuple[int, int]) -> None:
    """Marking a frame and sealing a clip, beside encoding it."""
    frames = list(texture(7, count=FRAMES, size=size))
    exporter = Exporter(studio.settings, studio.engine)
    encoding, marking, gate, looks = [], [], [], []
    for number in range(ROUNDS):
        begun = exporter.begin(f"{size[0]}-{number}", "clip")
        path = folder / f"{begun.id}.mp4"
        encoding.append(_spent(lambda path=path, begun=begun: _write(frames, path, begun)))
        marker = Marker(begun.codeword, begun.mark_key, *size)
        copies = [frame.copy() for frame in frames]
        marking.append(_spent(lambda copies=copies, marker=marker: [marker.rgb(frame) for frame in copies]))
        gate.append(_spent(lambda path=path, begun=begun: _finish(exporter, path, begun)))
        looks.append(_spent(lambda path=path: likeness.hashes_of(path)))
    each = np.median(marking) / FRAMES
    print(
        f"{size[0]}x{size[1]}, {FRAMES} frames: marking {1e3 * each:.1f} ms a frame, "
        f"{np.median(np.divide(marking, encoding)):.2f} of encoding; "
        f"the gate (pictures checked, hashed, signed, read back) {1e3 * np.median(gate):.0f} ms a clip, "
        f"{np.median(np.divide(gate, encoding)):.2f} of encoding; hashes {1e3 * np.median(looks):.0f} ms",
        flush=True,
    )


def _write(frames: list[np.ndarray], path: Path, begun: Begun) -> None:
    told = {"comment": begun.comment("{}"), "tags": begun.tags, "label": begun.label}
    write_clip(iter(frames), path=path, fps=FPS, expected_frames=len(frames), **told)


def _finish(exporter: Exporter, path: Path, begun: Begun) -> None:
    exporter.finish(begun, path, model="sketch", revision="r", prompt="clouds")


def _search(studio: Studio, folder: Path) -> None:
    """Tracing one video among 10,000 clips: the first time, which reads the register, and the next ones."""
    rng = np.random.default_rng(0)
    shape = (16, len(likeness.VIEWS), likeness.WORDS)
    label = asdict(LabelStyle())
    with writing(studio.engine) as connection:
        for number in range(ASSETS):
            hashes = likeness.to_bytes(rng.integers(0, 2**64, shape, dtype=np.uint64))
            name, codeword = f"clip-{number}", int(rng.integers(0, 2**63))
            row = Registered(name, name, "job", "owner", "clip", codeword, hashes, name, label, utc_now())
            exports.register(connection, row)
    path = folder / f"{SIZES[0][0]}-0.mp4"
    tracer = Tracer(studio.engine, studio.settings)
    first = _spent(lambda: tracer.trace(path))
    again = [_spent(lambda: tracer.trace(path)) for _ in range(ROUNDS)]
    index = likeness.Index()
    for number in range(ASSETS):
        index.add(str(number), rng.integers(0, 2**64, shape, dtype=np.uint64))
    asked = likeness.hashes_of(path)
    index.nearest(asked)
    nearest = [_spent(lambda: index.nearest(asked)) for _ in range(ROUNDS)]
    print(
        f"among {ASSETS:,}: the nearest {1e3 * np.median(nearest):.0f} ms; a trace of {FRAMES} frames "
        f"{1e3 * np.median(again):.0f} ms, the first {first:.1f} s",
        flush=True,
    )


def _spent(work: Callable[[], object]) -> float:
    """Seconds of processors, this process's and those of the programs that it waited for."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    of_others = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return time.process_time() - began + of_others


if __name__ == "__main__":
    main()

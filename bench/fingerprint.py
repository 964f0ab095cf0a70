"""Marks and likeness under attacks, on clips of 480p and of draft size; what marking costs; false names."""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import numpy as np
from PIL import Image

from bench.fingerprint_clips import Frames, pan, photographs, scene, texture
from studio.media.clip import write_clip
from studio.media.ffmpeg import run
from studio.media.label import LabelStyle
from studio.trust import likeness, mark
from studio.trust.sampling import SMALL, sample_file

KEY = b"bench"
OTHERS = 10_000
COUNT, FPS = 40, 8
_H264 = {"vcodec": "libx264", "preset": "veryfast", "crf": 23}
_SUBTITLE = "drawbox=x=iw*0.15:y=ih*0.82:w=iw*0.7:h=ih*0.1:color=white@0.9:t=fill"


@dataclass(frozen=True)
class Attack:
    """A filter (or none), options of the output, its suffix, and where reading begins."""

    filter: str = ""
    options: dict[str, str | int] | None = None
    suffix: str = ".mp4"
    start: float = 0.0


ATTACKS = {
    "none": Attack(options={"c": "copy"}),
    "re-mux": Attack(options={"c": "copy"}, suffix=".mkv"),
    "x264 23": Attack(options=_H264),
    "x264 28": Attack(options={**_H264, "crf": 28}),
    "scale 0.75": Attack("scale=trunc(iw*.375)*2:trunc(ih*.375)*2", _H264),
    "scale 0.5": Attack("scale=trunc(iw*.25)*2:trunc(ih*.25)*2", _H264),
    "crop 5 %": Attack("crop=trunc(iw*.475)*2:trunc(ih*.475)*2", _H264),
    "crop 5 % a side": Attack("crop=trunc(iw*.45)*2:trunc(ih*.45)*2", _H264),
    "crop a corner": Attack("crop=trunc(iw*.475)*2:trunc(ih*.475)*2:0:0", _H264),
    "subtitles": Attack(_SUBTITLE, _H264),
    "brightness": Attack("eq=brightness=0.08:contrast=1.1", _H264),
    "first 2 s cut": Attack(options=_H264, start=2.0),
    "x265 24": Attack(
        options={"vcodec": "libx265", "preset": "veryfast", "crf": 24, "x265-params": "log-level=error"}
    ),
    "vp9 33": Attack(
        options={"vcodec": "libvpx-vp9", "crf": 33, "b:v": 0, "deadline": "realtime", "cpu-used": 7},
        suffix=".webm",
    ),
    "gif": Attack(
        "fps=8,scale='min(480,iw)':-2,split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=bayer:bayer_scale=3",
        {},
        ".gif",
    ),
}


@dataclass(frozen=True)
class Clip:
    """A marked clip; `twin` is a clip that looks like it, not marked the same."""

    name: str
    kind: str
    path: Path
    codeword: int
    psnr: float


@dataclass
class Tally:
    """What became of one kind of clip under one attack."""

    clips: int = 0
    payload: int = 0
    certain: int = 0
    listed: int = 0
    named: int = 0
    wrong: int = 0
    fit: float = 1.0
    apart: float = 0.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.fingerprint", description=main.__doc__)
    parser.add_argument("--clips", type=int, default=12, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first clip: others are others")
    parser.add_argument("--reads", type=int, default=OTHERS, help="of pictures without a mark")
    options, _ = parser.parse_known_args()
    _cost()
    _false_names(options.reads)
    with tempfile.TemporaryDirectory() as folder:
        _attacks(Path(folder), range(options.first, options.first + options.clips))


def _kinds(number: int) -> dict[str, Callable[[], Frames]]:
    """A clip of each kind: 480p of photographs, textures and scenes, and a draft."""
    photos = photographs()
    big, wide = (832, 480), (320, 192)
    made: dict[str, Callable[[], Frames]] = {
        "texture": lambda: texture(number, count=COUNT, size=big),
        "scene": lambda: scene(number, count=COUNT, size=big),
        "draft": lambda: scene(1000 + number, count=COUNT, size=wide, grain=0.0),
        "twin": lambda: scene(1000 + number, count=COUNT, size=wide, grain=0.0, alike=True),
    }
    if photos:
        made["photograph"] = lambda: pan(photos[number % len(photos)], number, count=COUNT, size=big)
    return made


def _made(frames: Frames, path: Path, kind: str) -> Clip:
    """The clip as the studio makes it: marked, labelled, encoded; with the PSNR of marking alone."""
    codeword, errors, markers = mark.new_codeword(), [], []

    def marked(frame: np.ndarray) -> None:
        if not markers:
            markers.append(mark.Marker(codeword, KEY, frame.shape[1], frame.shape[0]))
        before = frame.astype(np.float32)
        markers[0].rgb(frame)
        errors.append(float(np.mean((frame - before) ** 2)))

    write_clip(
        frames, path=path, fps=FPS, comment="{}", label=LabelStyle(), expected_frames=COUNT, mark=marked
    )
    return Clip(path.stem, kind, path, codeword, _psnr(float(np.mean(errors))))


def _attacks(folder: Path, numbers: range) -> None:
    index, clips = likeness.Index(), []
    for number in numbers:
        for kind, frames in _kinds(number).items():
            clip = _made(frames(), folder / f"{kind}{number}.mp4", kind)
            index.add(clip.name, likeness.hashes_of(clip.path))
            clips.append(clip)
    rng = np.random.default_rng(0)
    for number in range(OTHERS - len(clips)):
        index.add(
            f"other{number}",
            rng.integers(0, 2**64, (10, len(likeness.VIEWS), likeness.WORDS), dtype=np.uint64),
        )
    codewords = np.concatenate(
        [np.array([c.codeword for c in clips], np.uint64), rng.integers(0, 2**64, OTHERS, dtype=np.uint64)]
    )
    for kind in dict.fromkeys(clip.kind for clip in clips):
        psnr = [clip.psnr for clip in clips if clip.kind == kind]
        print(f"{kind}: PSNR of marking {min(psnr):.1f} to {max(psnr):.1f} dB, mean {np.mean(psnr):.1f}")
    print(f"{'attack':17} {'kind':11} clips payload fit(min) | hash: certain listed far(max) | named wrong")
    for name, attack in ATTACKS.items():
        tallies: dict[str, Tally] = {}
        for clip in clips:
            if clip.kind != "twin":
                tally = tallies.setdefault(clip.kind, Tally())
                _judge(clip, _attacked(clip, attack, folder), index, codewords, tally)
        for kind, t in tallies.items():
            print(f"{name:17} {kind:11} {t.clips:5} {t.payload:7} {t.fit:8.2f} | {t.certain:13} {t.listed:6} "
                  f"{t.apart:8.3f} | {t.named:5} {t.wrong:5}", flush=True)  # fmt: skip


def _attacked(clip: Clip, attack: Attack, folder: Path) -> Path:
    target = folder / f"attacked{attack.suffix}"
    film = ffmpeg.input(f"file:{clip.path}", ss=attack.start)
    options = dict(attack.options or {})
    if attack.filter:
        options["vf"] = attack.filter
    run(ffmpeg.output(film, f"file:{target}", threads=2, **options).overwrite_output())
    return target


def _judge(clip: Clip, path: Path, index: likeness.Index, codewords: np.ndarray, tally: Tally) -> None:
    """Read an attacked clip as the trace does: the payload first, then what it looks like."""
    samples = sample_file(path)
    soft = mark.read_samples(samples, KEY)
    found = mark.match(soft, codewords)
    hashes = likeness.hashes_of_samples(samples)
    answer = index.answer(hashes)
    near = {one.asset: one.distance for one in index.nearest(hashes, 40)}
    right = found is not None and found.codeword == clip.codeword
    certain = answer.kind == "certain" and answer.near[0].asset == clip.name
    listed = clip.name in [one.asset for one in answer.near]
    tally.clips += 1
    tally.payload += right
    tally.certain += certain
    tally.listed += listed
    tally.named += right or certain or listed
    tally.wrong += (found is not None and not right) or (answer.kind == "certain" and not certain)
    tally.fit = min(tally.fit, float(mark.score(soft, np.array([clip.codeword], np.uint64))[0]))
    tally.apart = max(tally.apart, near.get(clip.name, 1.0))


def _false_names(reads: int) -> None:
    """How often a picture without a mark is given a name, among 10,000 codewords."""
    rng = np.random.default_rng(1)
    codewords = rng.integers(0, 2**64, OTHERS, dtype=np.uint64)
    whole = [Image.open(path).convert("RGB") for path in photographs()]
    whole += [Image.fromarray(next(texture(seed, count=1, size=(1280, 720)))) for seed in range(40)]
    wrong, best, seen = 0, 0.0, 0
    begun = time.monotonic()
    for number in range(reads):
        picture = whole[number % len(whole)]
        wide = picture.width * rng.uniform(0.25, 0.9)
        high = picture.height * rng.uniform(0.25, 0.9)
        left, top = (picture.width - wide) * rng.random(), (picture.height - high) * rng.random()
        part = picture.resize(SMALL[::-1], Image.Resampling.BICUBIC, box=(left, top, left + wide, top + high))
        frames = [np.asarray(part)]
        soft = mark.read(frames, KEY)
        wrong += mark.match(soft, codewords) is not None
        seen += soft.marked
        best = max(best, float(mark.score(soft, codewords).max()))
    print(f"{reads} pictures without a mark: {wrong} named, {seen} seemed marked, best fit {best:.2f} "
          f"({time.monotonic() - begun:.0f} s)", flush=True)  # fmt: skip


def _cost() -> None:
    """Milliseconds of one core a 720p frame, and over a plain copy of it; of a film's planes; of a search."""
    frames = list(texture(3, count=24, size=(1280, 720)))
    marker = mark.Marker(1, KEY, 1280, 720)
    copy = np.empty_like(frames[0])
    plain, marking = [], []
    for frame in frames:
        begun = time.thread_time()
        np.copyto(copy, frame)
        plain.append(time.thread_time() - begun)
        begun = time.thread_time()
        marker.rgb(frame)
        marking.append(time.thread_time() - begun)
    u, v = (np.random.default_rng(n).integers(100, 150, (360, 640), dtype=np.uint8) for n in (1, 2))
    film = mark.Marker(1, KEY, 1280, 720)
    begun = time.thread_time()
    for _ in range(24):
        film.planes(u, v)
    of_film = (time.thread_time() - begun) / 24
    print(f"marking a 720p frame: {1e3 * np.mean(marking):.1f} ms (longest {1e3 * max(marking):.0f}), "
          f"{np.mean(marking) / np.median(plain):.0f} times a copy of it; "
          f"a film's planes {1e3 * of_film:.1f} ms")  # fmt: skip
    rng = np.random.default_rng(0)
    index = likeness.Index()
    for number in range(OTHERS):
        index.add(
            str(number), rng.integers(0, 2**64, (16, len(likeness.VIEWS), likeness.WORDS), dtype=np.uint64)
        )
    asked = rng.integers(0, 2**64, (16, len(likeness.VIEWS), likeness.WORDS), dtype=np.uint64)
    index.nearest(asked)
    begun = time.thread_time()
    index.nearest(asked)
    print(f"the nearest of {OTHERS} assets: {1e3 * (time.thread_time() - begun):.0f} ms", flush=True)


def _psnr(error: float) -> float:
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


if __name__ == "__main__":
    main()

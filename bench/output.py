"""What comes behind the denoising: decoding beside the encoder, tiny previews, larger and smoother clips.

On the CPU, one thread for torch. Decoding ahead is compared with decoding in turn in interleaved pairs: same
latents, same file, only the thread differs. Networks have random weights of the published sizes.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch

import hashlib
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from pipelines import loader
from pipelines.decode import decode_ahead, decode_chunks
from pipelines.larger import load_larger
from pipelines.models import MODELS
from pipelines.smoother import load_smoother
from pipelines.tiny_vae import TinyVae
from studio.card import Card
from studio.finishing import polished, split
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.media.retouch import Operation, Shape
from studio.trust.mark import Marker
from tests.pipelines.networks_kit import compact, ifnet, put, rrdb
from tests.pipelines.test_tiny_vae import taew
from tests.tiny_wan import write_tiny_wan

PAIRS = 6
SPEC = MODELS["sketch"]


def main() -> None:
    """Print the figures."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _decoding(home)
        _previews()
        _networks(home)
        _flat(home)


def _decoding(home: Path) -> None:
    """Wall time of decode + fingerprint + label + encode: the frames in turn, and decoded ahead."""
    weights = "the sketch VAE"
    if not (loader.REPOSITORY / SPEC.repo / "model_index.json").is_file():
        write_tiny_wan(home / "models" / SPEC.name)
        weights = "a tiny random VAE"
    vae = loader.load(SPEC, home=home, device="cpu").pipe.vae
    factor = vae.config.scale_factor_spatial
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(1, vae.config.z_dim, 5, 192 // factor, 320 // factor, generator=generator)

    def run(decode: Callable[..., Iterator[np.ndarray]]) -> tuple[float, str]:
        path, marker = home / "clip.mp4", Marker(0x1234567, b"k" * 32, 320, 192)
        began = time.monotonic()
        write_clip(
            (frame for chunk in decode(vae, latents) for frame in chunk),
            path=path,
            fps=8,
            comment="{}",
            label=LabelStyle(),
            expected_frames=17,
            mark=marker.rgb,
        )
        return time.monotonic() - began, hashlib.sha256(path.read_bytes()).hexdigest()

    same = run(decode_chunks)[1] == run(decode_ahead)[1]
    ratios, seconds = [], []
    for pair in range(PAIRS):
        order = (decode_chunks, decode_ahead) if pair % 2 else (decode_ahead, decode_chunks)
        took = {decode: run(decode)[0] for decode in order}
        ratios.append(took[decode_ahead] / took[decode_chunks])
        seconds.append(took[decode_chunks])
    print(f"{weights}, 320x192, 17 frames, decoded, marked, labelled, encoded; the same file: {same}")
    print(f"  wall time, ahead / in turn: {_spread(ratios)} over {PAIRS} pairs; "
          f"in turn {statistics.median(seconds):.2f} s")  # fmt: skip


def _previews() -> None:
    """A tiny decoder's picture of all latent frames."""
    for name, channels, patch, height, width in (
        ("taew2_1, 480p, 21 latent frames", 16, 1, 60, 104),
        ("taew2_2, 704p, 31 latent frames", 48, 2, 44, 80),
    ):
        sizes = (True, channels == 16, False)
        tiny = TinyVae(taew(channels, patch), times=(False, False, False), sizes=sizes)
        latents = torch.randn(channels, 21 if channels == 16 else 31, height, width)
        print(f"  tiny preview, {name}: {_took(lambda tiny=tiny, z=latents: list(tiny.pictures(z))):.1f} s")


def _networks(home: Path) -> None:
    """One frame by each network, on one core."""
    picture = np.random.default_rng(0).integers(0, 255, (480, 832, 3), np.uint8)
    large = {
        "SRVGGNetCompact 64x32, x4": compact(width=64, convolutions=32, scale=4),
        "RRDBNet 64x6, x4": rrdb(width=64, grow=32, blocks=6),
    }
    for name, weights in large.items():
        path = put(home / "parts", "larger", "net.pth", weights)
        network = load_larger(path, "cpu", tile=128)
        took = _took(lambda one=network: one.frame(picture[:192, :320], 1800, 1080))
        print(f"  larger, {name}: 320x192 to 1800x1080 in {took:.1f} s a frame")
    path = put(home / "parts", "smoother", "flownet.pkl", ifnet())
    smoother = load_smoother(path, "cpu")
    print(f"  smoother, IFNet 4.25: one picture between two of 832x480 in "
          f"{_took(lambda: smoother.between(picture, picture, [0.5])):.1f} s")  # fmt: skip


def _flat(home: Path) -> None:
    """Memory over the length of a clip, made larger and smoother without networks."""
    asked = (
        Operation(name="enlarge", amount=1080, how="lanczos"),
        Operation(name="smooth", amount=30, how="blend"),
    )
    finish = split(asked, home)[1]
    found = []
    for count in (17, 81):
        frames = (np.full((480, 832, 3), number % 200, np.uint8) for number in range(count))
        began = time.monotonic()
        made = sum(1 for _ in polished(frames, Shape(832, 480, count, 16), finish, card=Card(), device="cpu"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found.append(f"{count} to {made} frames {time.monotonic() - began:.1f} s, peak {peak:.0f} MB")
    print("  Lanczos and blending, 832x480 16 fps to 1872x1080 30 fps: " + "; ".join(found))


def _took(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"

"""The clean estimate of a running job as a small looping WebP: a linear map from latents to colours.

Never the VAE: the map costs less than a thousandth of a step, and the WebP is written on a thread of its own.
Where the weights of a tiny decoder are there (`tiny_vae`), it makes the pictures instead, on that thread.
"""

import contextlib
import io
import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from pipelines.tiny_vae import TinyVae

log = logging.getLogger(__name__)

INTERVAL = 0.22
"""Seconds between two previews: no person sees more, and each one is also stored and sent."""

# At most this share of the time goes into a tiny decoder's pictures.
_SHARE = 0.1

# Wan2.1's VAE (also Wan2.2-A14B's), 16 channels -> RGB in [-1, 1]; the table ComfyUI and others use.
_WAN_FACTORS = (
    (-0.1299, -0.1692, 0.2932), (0.0671, 0.0406, 0.0442), (0.3568, 0.2548, 0.1747),
    (0.0372, 0.2344, 0.1420), (0.0313, 0.0189, -0.0328), (0.0296, -0.0956, -0.0665),
    (-0.3477, -0.4059, -0.2925), (0.0166, 0.1902, 0.1975), (-0.0412, 0.0267, -0.1364),
    (-0.1293, 0.0740, 0.1636), (0.0680, 0.3019, 0.1128), (0.0032, 0.0581, 0.0639),
    (-0.1251, 0.0927, 0.1699), (0.0060, -0.0633, 0.0005), (0.3477, 0.2275, 0.2950),
    (0.1984, 0.0913, 0.1861),
)  # fmt: skip
_WAN_BIAS = (-0.1835, -0.0868, -0.3360)
# Principal components -> RGB for a VAE without known factors: the first is light, the next two tint it.
_NEUTRAL = np.array([[0.5, 0.5, 0.5], [0.15, 0.0, -0.15], [-0.07, 0.14, -0.07]], np.float32)


class Colours(NamedTuple):
    """A linear map from normalised latents to RGB in [-1, 1]: `factors` (channels, 3), `bias` (3,)."""

    factors: torch.Tensor
    bias: torch.Tensor


def colours_for(folder: Path | None, channels: int) -> Colours | None:
    """The map for a model: its own `preview.json`, else Wan's for 16 channels, else None (neutral colours).

    `preview.json` is {"factors": [[r, g, b] a channel], "bias": [r, g, b]}; ValueError for another shape.
    """
    factors, bias = _WAN_FACTORS, _WAN_BIAS
    own = folder / "preview.json" if folder is not None else None
    if own is not None and own.is_file():
        facts = json.loads(own.read_text(encoding="utf-8"))
        factors, bias = facts["factors"], facts["bias"]
    elif channels != len(_WAN_FACTORS):
        return None
    colours = Colours(torch.tensor(factors, dtype=torch.float32), torch.tensor(bias, dtype=torch.float32))
    if colours.factors.shape != (channels, 3) or colours.bias.shape != (3,):
        raise ValueError(f"preview.json needs {channels} factors of 3 numbers and a bias of 3")
    return colours


def paint(x0: torch.Tensor, colours: Colours) -> np.ndarray:
    """RGB pictures, uint8 (T, h, w, 3), of normalised latents (1, C, T, h, w)."""
    factors, bias = (part.to(x0.device) for part in colours)
    picture = torch.einsum("cthw,cr->thwr", x0[0].float(), factors) + bias
    return ((picture + 1) * 127.5).clamp(0, 255).to(torch.uint8).cpu().numpy()


def paint_neutral(latents: np.ndarray) -> np.ndarray:
    """RGB pictures, uint8 (T, h, w, 3), of latents (C, T, h, w) whose colours nobody has measured.

    The latents' own first three principal components: shapes and motion can be seen, colours mean nothing.
    """
    channels = latents.shape[0]
    points = latents.reshape(channels, -1).T.astype(np.float32)
    points = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(points.T @ points)
    axes = axes[:, ::-1][:, :3]
    # An axis has no sign of its own; a fixed rule keeps pictures of neighbouring steps from turning negative.
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])] < 0, -1, 1)
    parts = points @ axes
    parts = parts / (2 * parts[:, :1].std() + 1e-6)
    picture = np.clip(0.5 + parts @ _NEUTRAL[: parts.shape[1]], 0, 1) * 255
    return picture.astype(np.uint8).reshape(*latents.shape[1:], 3)


def webp(pictures: np.ndarray, *, milliseconds: int) -> bytes:
    """An animated, endlessly looping WebP of pictures (T, h, w, 3), its longest side 160 to 256 pixels."""
    height, width = pictures.shape[1:3]
    longest = min(256, max(160, 2 * max(height, width)))
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    frames = [Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR) for picture in pictures]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=milliseconds,
        loop=0,
        quality=60,
        method=0,
        kmin=0,
        kmax=0,  # no key frames inside: nobody seeks in a preview, and they cost a fifth of the time
    )
    return buffer.getvalue()


class Previews:
    """Makes previews beside a running job: `offer` an estimate, `take` the newest finished picture.

    Estimates that come faster than `INTERVAL`, or while a newer one waits, are dropped. Nothing is pushed:
    after `close` no picture appears any more. `fps` is the clip's, so that the preview plays at its pace.
    A `tiny` decoder that fails is left aside for the rest of the job, whose pictures the linear map makes.
    """

    def __init__(
        self, colours: Colours | None, *, fps: int, temporal_factor: int = 4, tiny: TinyVae | None = None
    ) -> None:
        self._colours = colours
        self._tiny = tiny
        self._milliseconds = round(1000 * temporal_factor / fps)
        self._changed = threading.Condition()
        self._waiting: _Waiting | None = None
        self._finished: bytes | None = None
        self._closed = False
        self._last = float("-inf")
        self._pause = INTERVAL
        self._thread: threading.Thread | None = None

    def offer(self, x0: torch.Tensor, *, last: bool = False) -> None:
        """Ask for a preview of normalised latents (1, C, T, h, w); the `last` one is never dropped for haste.

        On a GPU the linear map waits for the step that made `x0`, as the loop itself does right after; a tiny
        decoder waits on its own thread.
        """
        now = time.monotonic()
        if now - self._last < max(INTERVAL, self._pause) and not last:
            return
        self._last = now
        waiting = _Waiting(x0, self._colours, tiny=self._tiny is not None)
        with self._changed:
            self._waiting = waiting
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="previews", daemon=True)
                self._thread.start()
            self._changed.notify()

    def take(self) -> bytes | None:
        """The newest WebP, once; None if there is none since the last call."""
        if self._finished is None:
            return None
        with self._changed:
            finished, self._finished = self._finished, None
            return finished

    def close(self) -> None:
        """Stop; at most the one picture being written is waited for."""
        with self._changed:
            self._closed, self._waiting = True, None
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._finished = None

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting is not None)
                if self._closed:
                    return
                waiting, self._waiting = self._waiting, None
            assert waiting is not None
            try:
                finished = webp(self._pictures(waiting), milliseconds=self._milliseconds)
            except Exception:
                if not self._closed:
                    log.exception("a preview could not be made; the job goes on without this one")
                continue
            with self._changed:
                self._finished = finished

    def _pictures(self, waiting: "_Waiting") -> np.ndarray:
        if self._tiny is not None and waiting.latents is not None:
            began = time.monotonic()
            try:
                return self._decoded(self._tiny, waiting)
            except Exception:
                if self._closed:
                    raise
                log.exception("the tiny decoder failed; this job's previews are made without it")
                self._tiny = None
            finally:
                self._pause = (time.monotonic() - began) / _SHARE
        return waiting.painted(self._colours)

    def _decoded(self, tiny: TinyVae, waiting: "_Waiting") -> np.ndarray:
        """The tiny decoder's pictures, one latent frame at a time: nobody who closes waits for the rest."""
        found = []
        with waiting.beside() as latents:
            for picture in tiny.pictures(latents):
                if self._closed:
                    raise RuntimeError("nobody looks any more")
                found.append(picture)
        return np.concatenate(found)


class _Waiting:
    """An estimate that nobody has painted yet: a copy, for the scheduler may write into its own tensors."""

    def __init__(self, x0: torch.Tensor, colours: Colours | None, *, tiny: bool) -> None:
        self.latents: torch.Tensor | None = None
        self._ready: torch.cuda.Event | None = None
        self._painted: np.ndarray | None = None
        self._plain: np.ndarray | None = None
        if tiny:
            self.latents = x0[0].detach().clone()
            if x0.is_cuda:
                self._ready = torch.cuda.Event()
                self._ready.record(torch.cuda.current_stream(x0.device))
        elif colours is None:
            self._plain = x0[0].float().cpu().numpy().copy()
        else:
            self._painted = paint(x0, colours)

    @contextlib.contextmanager
    def beside(self) -> Iterator[torch.Tensor]:
        """The latents (C, T, h, w), to be used beside the denoising: on a GPU in a stream of its own."""
        assert self.latents is not None
        if self._ready is None:
            yield self.latents
            return
        stream = torch.cuda.Stream(self.latents.device)
        self._ready.wait(stream)
        # Or its memory would be given away while this stream still reads it.
        self.latents.record_stream(stream)
        with torch.cuda.stream(stream):
            yield self.latents

    def painted(self, colours: Colours | None) -> np.ndarray:
        """The pictures that the linear map makes."""
        if self._painted is not None:
            return self._painted
        if colours is not None and self.latents is not None:
            return paint(self.latents[None], colours)
        if self._plain is None:
            assert self.latents is not None
            self._plain = self.latents.float().cpu().numpy()
        return paint_neutral(self._plain)

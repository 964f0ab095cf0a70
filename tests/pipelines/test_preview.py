"""Previews: the clean estimate as a small looping WebP, made beside the job and never after it."""

import io
import json
import threading
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan
from PIL import Image

from pipelines import preview
from pipelines.decode import decode_chunks
from pipelines.preview import Colours, Previews, colours_for, paint, paint_neutral, webp
from pipelines.request import Progress
from pipelines.wan import WanVideo
from tests.tiny_wan import tiny_request

IDENTITY = Colours(torch.eye(3), torch.zeros(3))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def wait_for(previews: Previews) -> bytes:
    """The next finished preview."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        taken = previews.take()
        if taken is not None:
            return taken
        time.sleep(0.002)
    raise AssertionError("no preview came")


def test_the_map_is_linear_and_lands_on_rgb() -> None:
    x0 = torch.zeros(1, 3, 2, 1, 4)
    x0[0, :, 0, 0, 0] = torch.tensor([1.0, -1.0, 0.0])
    x0[0, :, 1, 0, 3] = torch.tensor([9.0, -9.0, 0.5])
    pictures = paint(x0, IDENTITY)
    assert (pictures.shape, pictures.dtype) == ((2, 1, 4, 3), np.uint8)
    assert pictures[0, 0, 0].tolist() == [255, 0, 127]
    assert pictures[1, 0, 3].tolist() == [255, 0, 191], "what is brighter than white stays white"
    shifted = paint(x0, Colours(torch.eye(3), torch.tensor([0.5, 0.5, 0.5])))
    assert shifted[0, 0, 1].tolist() == [191, 191, 191]


def test_the_models_own_factors_win_then_wans_then_none(tmp_path: Path) -> None:
    wan = colours_for(tmp_path, 16)
    assert wan is not None
    assert wan.factors.shape == (16, 3)
    assert wan.factors[2].tolist() == pytest.approx([0.3568, 0.2548, 0.1747])
    assert wan.bias.tolist() == pytest.approx([-0.1835, -0.0868, -0.3360])
    assert colours_for(None, 16) is not None
    assert colours_for(tmp_path, 48) is None
    (tmp_path / "preview.json").write_text(json.dumps({"factors": [[1, 2, 3]] * 48, "bias": [0, 0, 1]}))
    own = colours_for(tmp_path, 48)
    assert own is not None
    assert (own.factors[7].tolist(), own.bias.tolist()) == ([1, 2, 3], [0, 0, 1])
    with pytest.raises(ValueError, match="needs 16 factors"):
        colours_for(tmp_path, 16)


def test_without_factors_shapes_can_still_be_seen() -> None:
    latents = np.random.default_rng(0).normal(size=(48, 3, 8, 10)).astype(np.float32) * 0.1
    latents[:, :, :, 5:] += np.linspace(-1, 1, 48, dtype=np.float32)[:, None, None, None]
    pictures = paint_neutral(latents)
    assert (pictures.shape, pictures.dtype) == ((3, 8, 10, 3), np.uint8)
    left, right = pictures[:, :, :5].mean(), pictures[:, :, 5:].mean()
    assert abs(left - right) > 60, "the two halves differ"
    again = paint_neutral(latents * 1.1 + 0.05)
    assert np.sign(again[:, :, :5].mean() - again[:, :, 5:].mean()) == np.sign(left - right), "no negative"
    assert paint_neutral(np.zeros((48, 1, 2, 2), np.float32)).shape == (1, 2, 2, 3)


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (12, 20, (160, 96)),
        (20, 12, (96, 160)),
        (16, 16, (160, 160)),
        (60, 104, (208, 120)),
        (90, 160, (256, 144)),
    ],
)
def test_all_latent_frames_loop_in_one_small_webp(height: int, width: int, size: tuple[int, int]) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (11, height, width, 3), np.uint8)
    picture = opened(webp(pictures, milliseconds=500))
    assert (picture.format, picture.size, picture.n_frames) == ("WEBP", size, 11)
    assert max(picture.size) <= 256
    assert picture.info["loop"] == 0, "for ever"
    picture.seek(1)
    picture.load()
    assert picture.info["duration"] == 500


def test_an_offer_becomes_a_picture_once() -> None:
    previews = Previews(IDENTITY, fps=8)
    previews.offer(torch.rand(1, 3, 2, 4, 6))
    picture = opened(wait_for(previews))
    assert picture.n_frames == 2
    picture.seek(1)
    picture.load()
    assert picture.info["duration"] == 500, "four frames at 8 a second"
    assert previews.take() is None
    previews.close()


def test_offers_in_haste_are_dropped_but_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "INTERVAL", 1000)
    previews = Previews(IDENTITY, fps=8)
    previews.offer(torch.zeros(1, 3, 1, 2, 2))
    wait_for(previews)
    previews.offer(torch.ones(1, 3, 1, 2, 2))
    time.sleep(0.05)
    assert previews.take() is None
    previews.offer(torch.ones(1, 3, 1, 2, 2), last=True)
    assert np.asarray(opened(wait_for(previews)).convert("RGB")).min() > 240
    previews.close()


def test_a_slow_encoder_gets_the_newest_estimate_and_never_holds_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go, started, made = threading.Event(), threading.Event(), []

    def slow(pictures: np.ndarray, *, milliseconds: int) -> bytes:
        started.set()
        assert go.wait(20)
        made.append(int(pictures[0, 0, 0, 0]))
        return b"%d" % made[-1]

    monkeypatch.setattr(preview, "webp", slow)
    monkeypatch.setattr(preview, "INTERVAL", 0)
    previews = Previews(Colours(torch.eye(3), torch.full((3,), -1.0)), fps=8)
    for value in (1, 2, 3, 4):
        previews.offer(torch.full((1, 3, 1, 1, 1), value * 0.1 + 0.001))
        assert started.wait(20)
    assert previews.take() is None, "four offers came back while the first was still being written"
    go.set()
    wait_for(previews)
    while len(made) < 2:
        time.sleep(0.002)
    previews.close()
    assert made == [12, 51], "the first, then the newest; the stale ones were dropped"


def test_nothing_comes_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    started = threading.Event()

    def slow(*_: object, **__: object) -> bytes:
        started.set()
        time.sleep(0.1)
        return b"late"

    monkeypatch.setattr(preview, "webp", slow)
    previews = Previews(IDENTITY, fps=8)
    previews.offer(torch.zeros(1, 3, 1, 2, 2))
    assert started.wait(20)
    previews.close()
    assert previews.take() is None
    assert not any(thread.name == "previews" for thread in threading.enumerate())
    Previews(IDENTITY, fps=8).close()


def test_a_preview_that_cannot_be_made_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, calls = preview.webp, []

    def broken_once(pictures: np.ndarray, *, milliseconds: int) -> bytes:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("encoder")
        return real(pictures, milliseconds=milliseconds)

    monkeypatch.setattr(preview, "webp", broken_once)
    previews = Previews(IDENTITY, fps=8)
    previews.offer(torch.zeros(1, 3, 1, 2, 2), last=True)
    while not calls:
        time.sleep(0.002)
    previews.offer(torch.zeros(1, 3, 1, 2, 2), last=True)
    wait_for(previews)
    previews.close()
    assert "could not be made" in caplog.text


def test_a_job_shows_its_clean_estimate_sharpening_into_the_clip(
    video: WanVideo, monkeypatch: pytest.MonkeyPatch, every_preview: list[torch.Tensor]
) -> None:
    """Each preview shows UniPC's x0, and the last of these is the finished latents."""
    told: list[Progress] = []
    finals: list[torch.Tensor] = []

    def spied(vae: AutoencoderKLWan, latents: torch.Tensor) -> Generator[np.ndarray, None, None]:
        finals.append(latents.clone())
        return decode_chunks(vae, latents)

    monkeypatch.setattr("pipelines.wan.decode_chunks", spied)
    request = tiny_request(num_inference_steps=8)
    assert len(list(video.generate(request, told.append, lambda: False))) == 9
    assert len(every_preview) == 8
    assert torch.allclose(every_preview[-1], finals[0], atol=1e-5)
    distances = [float((x0 - finals[0]).abs().mean()) for x0 in every_preview]
    assert distances[0] > distances[4] > distances[-1]
    previews = [progress.preview for progress in told if progress.preview]
    assert len(previews) == 8
    assert len(set(previews)) >= 6, "different pictures, until the last steps hardly change anything"
    for data in previews:
        assert opened(data).n_frames == 3, "all latent frames of 9 frames"


def test_the_finished_picture_is_shown_however_fast_the_steps(
    video: WanVideo, monkeypatch: pytest.MonkeyPatch, every_preview: list[torch.Tensor]
) -> None:
    monkeypatch.setattr(preview, "INTERVAL", 1000)
    told: list[Progress] = []
    list(video.generate(tiny_request(), told.append, lambda: False))
    shown = [(progress.stage, progress.step) for progress in told if progress.preview]
    assert shown == [("denoising", 1), ("denoising", 6)], "the first, then the last"

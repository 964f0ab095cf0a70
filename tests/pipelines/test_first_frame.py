"""A clip that begins with a picture: diffusers' own pixels, both kinds of models, no trace afterwards."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import cpu_offload_with_hook
from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline
from PIL import Image

from pipelines import first_frame, loader
from pipelines.models import MODELS
from pipelines.request import Cancelled, GenerationRequest, Inputs, ModelError, Progress
from pipelines.wan import WanVideo
from tests.pipelines.clips import Countdown, ignore, never
from tests.tiny_wan import tiny_request, write_tiny_wan

KINDS = {
    "wan2.2-i2v-a14b": {"pictures": True, "residual": False},
    "wan2.2-ti2v-5b": {"channels": 48, "two_experts": False},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, shape in KINDS.items():
        write_tiny_wan(folder / "models" / name, **shape)
    return folder


@pytest.fixture(params=KINDS)
def video(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WanVideo]:
    monkeypatch.setattr(loader, "_ram_gb", lambda: 512.0)
    yield loader.load(MODELS[request.param], home=home, device="cpu")
    loader.unload()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Wider than the clip, left half red and right half blue."""
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[:, :80, 0] = pixels[:, 80:, 2] = 220
    Image.fromarray(pixels).save(tmp_path / "first.png")
    return tmp_path / "first.png"


def asked(video: WanVideo, **changes: object) -> GenerationRequest:
    low = 3.5 if video.spec.two_experts else None
    base: dict[str, object] = {"model": video.spec.name, "guidance_scale_2": low, "num_inference_steps": 4}
    return tiny_request(**base | {"first_frame": "a" * 64} | changes)


def frames_of(video: WanVideo, picture: Path | None, **changes: object) -> np.ndarray:
    request = asked(video, **changes)
    return np.stack(list(video.generate(request, ignore, never, Inputs(first_frame=picture))))


def test_the_frames_are_those_of_diffusers_own_pipeline(video: WanVideo, picture: Path) -> None:
    request, pipe = asked(video), video.pipe
    own = WanImageToVideoPipeline(
        **pipe.components,
        boundary_ratio=pipe.config.boundary_ratio,
        expand_timesteps=pipe.config.expand_timesteps,
    )
    own.set_progress_bar_config(disable=True)
    own.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=request.flow_shift)
    # Its own cleaning of prompts wants a package that WanPipeline does without.
    with torch.no_grad():
        texts = pipe.encode_prompt(request.prompt, request.negative_prompt, max_sequence_length=512)
    expected = own(
        image=first_frame.fitted(picture, 64, 64),
        prompt_embeds=texts[0],
        negative_prompt_embeds=texts[1],
        height=64,
        width=64,
        num_frames=9,
        num_inference_steps=4,
        guidance_scale=request.guidance_scale,
        guidance_scale_2=request.guidance_scale_2,
        generator=torch.Generator().manual_seed(request.seed),
        output_type="np",
    ).frames[0]
    expected = (expected * 255).round().astype(np.uint8)
    assert np.array_equal(frames_of(video, picture), expected)
    assert frames_of(video, picture, num_frames=17, width=96).shape == (17, 64, 96, 3)


def test_the_picture_and_the_seed_decide_the_pixels(video: WanVideo, picture: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.png"
    Image.open(picture).rotate(180).save(turned)
    clips = [frames_of(video, picture), frames_of(video, turned), frames_of(video, picture, seed=8)]
    assert len({clip.tobytes() for clip in clips}) == 3
    assert frames_of(video, picture).tobytes() == clips[0].tobytes()


def test_a_clip_that_is_cancelled_leaves_nothing_to_the_next_one(video: WanVideo, picture: Path) -> None:
    expected = frames_of(video, picture)
    # In the picture's encoding, between two of its chunks, in the denoising, in the decoding.
    questions = 0

    def count() -> bool:
        nonlocal questions
        questions += 1
        return False

    list(video.generate(asked(video), ignore, count, Inputs(first_frame=picture)))
    for stop in sorted({2, 3, 4, questions // 2, questions}):
        with pytest.raises(Cancelled):
            list(video.generate(asked(video), ignore, Countdown(stop), Inputs(first_frame=picture)))
        assert not any(expert._forward_pre_hooks for expert in video._experts())
        assert not video.pipe.vae.encoder._forward_pre_hooks
        assert not any(part is not None for part in video.pipe.vae._enc_feat_map)
    assert np.array_equal(frames_of(video, picture), expected)


def test_a_cancel_is_heard_between_the_chunks_of_the_picture(home: Path, picture: Path) -> None:
    loader.unload()
    pipe = WanPipeline.from_pretrained(home / "models" / "wan2.2-i2v-a14b")
    seen = 0

    def check() -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        first_frame.encode(pipe, first_frame.fitted(picture, 64, 64), num_frames=33, seed=1, check=check)
    assert seen == 3, "of nine latent frames"


def test_a_model_that_may_take_a_picture_does_without_one(
    home: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "_ram_gb", lambda: 512.0)
    video = loader.load(MODELS["wan2.2-ti2v-5b"], home=home, device="cpu")
    bare = frames_of(video, None, first_frame="")
    frames_of(video, picture)
    assert np.array_equal(frames_of(video, None, first_frame=""), bare)
    loader.unload()


def test_the_preview_shows_the_picture_where_it_stands(
    home: Path, picture: Path, monkeypatch: pytest.MonkeyPatch, every_preview: list[torch.Tensor]
) -> None:
    monkeypatch.setattr(loader, "_ram_gb", lambda: 512.0)
    video = loader.load(MODELS["wan2.2-ti2v-5b"], home=home, device="cpu")
    told: list[Progress] = []
    list(video.generate(asked(video), told.append, never, Inputs(first_frame=picture)))
    assert len([progress for progress in told if progress.preview]) == 4
    first = [offered[:, :, 0] for offered in every_preview]
    assert all(torch.equal(one, first[0]) for one in first), "it is known from the first step on"
    assert not torch.equal(every_preview[0][:, :, 1], every_preview[3][:, :, 1])
    loader.unload()


def test_a_vae_that_visits_the_card_leaves_it_before_the_experts_come(home: Path, picture: Path) -> None:
    loader.unload()
    pipe = WanPipeline.from_pretrained(home / "models" / "wan2.2-i2v-a14b")
    asked = {"num_frames": 9, "seed": 1, "check": lambda: None}
    plain = first_frame.encode(pipe, first_frame.fitted(picture, 64, 64), **asked)
    went: list[str] = []
    cpu_offload_with_hook(pipe.vae, torch.device("cpu"))
    moved = pipe.vae.to
    pipe.vae.to = lambda where: (went.append(str(where)), moved(where))[1]
    offloaded = first_frame.encode(pipe, first_frame.fitted(picture, 64, 64), **asked)
    assert went[-1:] == ["cpu"]
    assert torch.equal(offloaded.condition, plain.condition)
    tiled = first_frame.encode(pipe, first_frame.fitted(picture, 320, 320), tiled=True, **asked)
    assert tiled.condition.shape == (1, 20, 3, 40, 40)
    assert not pipe.vae.use_tiling


def test_a_picture_fills_the_frame_and_its_middle_is_kept(picture: Path) -> None:
    fitted = np.asarray(first_frame.fitted(picture, 64, 64))
    assert fitted.shape == (64, 64, 3)
    assert (fitted[:, :28] == (220, 0, 0)).all()
    assert (fitted[:, 36:] == (0, 0, 220)).all()


def test_a_picture_that_is_gone_is_told(video: WanVideo, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    for path in (None, tmp_path / "none.png", broken):
        with pytest.raises(ModelError) as error:
            frames_of(video, path)
        assert error.value.notice.code == "first_frame_gone"
    assert len(list(video.pipe.vae.encoder._forward_pre_hooks)) == 0

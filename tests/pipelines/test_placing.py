"""Every memory plan on the tiny Wan, the processor in the card's place: the same frames, parts in turn."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import accelerate.hooks
import gguf
import numpy as np
import pytest
import torch
from diffusers import WanTransformer3DModel
from diffusers.hooks import HookRegistry
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

from pipelines import gguf_files, placing
from pipelines.memory import Kind, Layout, TextEncoder
from pipelines.models import MODELS, ModelSpec
from pipelines.peaks import Peak, peak_of
from pipelines.placement import Plan
from pipelines.request import Cancelled, Notice
from pipelines.wan import WanVideo
from tests.tiny_wan import tiny_request, write_tiny_wan

SPEC = MODELS["sketch"].model_copy(update={"embedded": False})
EXACT: list[tuple[Kind, TextEncoder]] = [
    ("resident", "stays"),
    ("resident_after_prompt", "visits"),
    ("one_at_a_time", "visits"),
    ("one_at_a_time", "layers"),
    ("streamed", "visits"),
    ("streamed", "layers"),
]
FP8: list[tuple[Kind, TextEncoder]] = [
    ("fp8_resident", "visits"),
    ("fp8_one_at_a_time", "visits"),
    ("fp8_streamed", "visits"),
]


def planned(kind: Kind, way: TextEncoder) -> Plan:
    return Plan(kind, Notice("plan_resident"), usable_gb=1e9, layout=Layout(kind, way))


def placed(folder: Path, plan: Plan, spec: ModelSpec = SPEC) -> WanVideo:
    pipe = placing.assemble(spec, folder, "cpu", plan)
    return WanVideo(pipe, spec, folder=folder, plan=plan)


def in_tiles(video: WanVideo) -> WanVideo:
    """As on a card on which the whole picture has no room in the VAE."""
    video._tiled = lambda *_: True  # type: ignore[method-assign]
    return video


def frames(video: WanVideo, **changes: object) -> np.ndarray:
    return np.stack(list(video.generate(tiny_request(**changes), lambda _: None, lambda: False)))


def same(found: np.ndarray, plain: np.ndarray) -> bool:
    """Equal, but for one shade in a few pixels: parts that moved lie aligned otherwise, and sums round so."""
    difference = np.abs(found.astype(int) - plain)
    return bool(difference.max() <= 1 and (difference > 0).mean() < 1e-3)


@pytest.fixture(scope="module")
def folder(tiny_home: Path) -> Path:
    return tiny_home / "models" / "sketch"


@pytest.fixture(scope="module")
def plain(folder: Path) -> np.ndarray:
    return frames(placed(folder, planned("resident", "stays")))


@pytest.mark.parametrize(("kind", "way"), EXACT)
def test_a_plan_that_changes_no_weight_changes_no_pixel(
    kind: Kind, way: TextEncoder, folder: Path, plain: np.ndarray
) -> None:
    video = placed(folder, planned(kind, way))
    first = frames(video)
    assert same(first, plain)
    assert np.array_equal(frames(video), first), "nor does the second clip differ"


@pytest.mark.parametrize(("kind", "way"), FP8)
def test_weights_in_8_bits_make_nearly_the_same_clip(
    kind: Kind, way: TextEncoder, folder: Path, plain: np.ndarray
) -> None:
    video = placed(folder, planned(kind, way))
    kept = {weight.dtype for weight in video.pipe.transformer.blocks.parameters()}
    assert torch.float8_e4m3fn in kept
    assert video.pipe.transformer.dtype == torch.float32
    close = frames(video)
    assert close.shape == plain.shape
    difference = np.abs(close.astype(int) - plain).mean()
    assert 0 < difference < 12
    assert np.array_equal(frames(video), close)


@pytest.mark.parametrize(("kind", "way"), [*EXACT, *FP8])
def test_a_clip_broken_off_in_the_middle_of_a_step_leaves_nothing(
    kind: Kind, way: TextEncoder, folder: Path
) -> None:
    video = placed(folder, planned(kind, way))
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == 6

    with pytest.raises(Cancelled):
        list(video.generate(tiny_request(), lambda _: None, stop))
    assert np.array_equal(frames(video), frames(placed(folder, planned(kind, way))))


class Card:
    """A card that only counts: its parts believe to be moved, and compute where they are."""

    def __init__(self, pipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.came: Counter[str] = Counter()
        self.full: list[frozenset[str]] = []
        self._there: set[str] = set()
        for name in ("text_encoder", "transformer", "transformer_2", "vae"):
            part = getattr(pipe, name)
            part._hf_hook.execution_device = torch.device("cpu:0")
            monkeypatch.setattr(part, "parameters", lambda n=name: iter([self._weight(n)]))
            monkeypatch.setattr(part, "to", lambda device, *_, n=name, p=part, **__: self._move(n, device, p))
        monkeypatch.setattr(accelerate.hooks, "send_to_device", lambda tensors, _: tensors)

    def _weight(self, name: str) -> Any:
        device = torch.device("cpu:0" if name in self._there else "cpu")
        facts = {"device": device, "dtype": torch.float32, "is_floating_point": lambda _: True}
        return type("Weight", (), facts)()

    def _move(self, name: str, device: Any, part: Any) -> Any:
        if torch.device(device).index is None:
            self._there.discard(name)
        elif name not in self._there:
            self._there.add(name)
            self.came[name] += 1
            self.full.append(frozenset(self._there))
        return part


def test_each_expert_comes_to_the_card_once_a_clip(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = placed(folder, planned("one_at_a_time", "visits"))
    # The chain is made anew after each clip; counted is within one.
    monkeypatch.setattr(video.pipe, "maybe_free_model_hooks", lambda: None)
    card = Card(video.pipe, monkeypatch)
    frames(video)
    assert card.came == {"text_encoder": 1, "transformer": 1, "transformer_2": 1, "vae": 1}
    assert max(map(len, card.full)) == 1, "never two of them at once"


def test_parts_in_turn_beside_a_text_encoder_in_layers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = placed(folder, planned("one_at_a_time", "layers"))
    hooks = [getattr(video.pipe, name)._hf_hook for name in ("transformer", "transformer_2", "vae")]
    assert [hook.prev_module_hook and hook.prev_module_hook.model for hook in hooks] == [
        None, video.pipe.transformer, video.pipe.transformer_2,
    ]  # fmt: skip


def test_blocks_come_one_by_one(folder: Path) -> None:
    video = placed(folder, planned("streamed", "visits"))
    for expert in (video.pipe.transformer, video.pipe.transformer_2):
        for block in expert.blocks:
            hook = HookRegistry.check_if_exists_or_initialize(block).get_hook("group_offloading")
            assert hook.group.modules == [block]


def test_the_text_encoder_leaves_when_the_prompt_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = placed(folder, planned("resident_after_prompt", "visits"))
    gone: list[object] = []
    monkeypatch.setattr(video.pipe.text_encoder, "to", gone.append)
    begun = threading.Event()
    video.pipe.transformer.register_forward_pre_hook(lambda *_: begun.set() if gone else None)
    frames(video)
    assert begun.is_set()
    assert set(gone) == {"cpu"}
    assert not hasattr(video.pipe.transformer, "_hf_hook")


@pytest.mark.parametrize("residual", [True, False])
def test_tiles_make_nearly_the_same_picture(residual: bool, tmp_path: Path) -> None:
    folder = write_tiny_wan(tmp_path / "tiny", residual=residual)
    vae = AutoencoderKLWan.from_pretrained(folder, subfolder="vae")
    video = placed(folder, planned("resident", "stays"))
    whole = frames(video)
    # A card on which the picture has no room as a whole; tiles of 32 pixels instead of 256.
    tight = in_tiles(placed(folder, planned("resident", "stays")))
    tight.pipe.vae.tile_sample_min_height = tight.pipe.vae.tile_sample_min_width = 48
    tight.pipe.vae.tile_sample_stride_height = tight.pipe.vae.tile_sample_stride_width = 32
    tiled = frames(tight)
    assert tiled.shape == whole.shape
    assert tiled.dtype == np.uint8
    assert not np.array_equal(tiled, whole)
    assert np.abs(tiled.astype(int) - whole).mean() < 25
    assert tight.pipe.vae.use_tiling == vae.use_tiling
    assert all(part is None for part in tight.pipe.vae._feat_map)


def test_tiles_larger_than_the_picture_are_the_whole(folder: Path, plain: np.ndarray) -> None:
    assert np.array_equal(frames(in_tiles(placed(folder, planned("streamed", "visits")))), plain)


def test_cancelling_while_tiles_are_decoded(folder: Path) -> None:
    video = in_tiles(placed(folder, planned("resident", "stays")))
    stop = threading.Event()

    def on_progress(progress: Any) -> None:
        if progress.stage == "decoding":
            stop.set()

    video.pipe.vae.tile_sample_min_height = video.pipe.vae.tile_sample_min_width = 32
    with pytest.raises(Cancelled):
        list(video.generate(tiny_request(), on_progress, stop.is_set))
    assert not video.pipe.vae.use_tiling


def test_one_expert_where_two_are_expected(tmp_path: Path) -> None:
    folder = write_tiny_wan(tmp_path / "tiny", two_experts=False)
    with pytest.raises(ValueError, match="two are expected"):
        placing.assemble(SPEC, folder, "cpu", planned("streamed", "visits"))
    single = SPEC.model_copy(update={"two_experts": False})
    request = {"guidance_scale_2": None}
    plain = frames(placed(folder, planned("resident", "stays"), single), **request)
    for kind, way in EXACT[1:]:
        assert same(frames(placed(folder, planned(kind, way), single), **request), plain)


def test_gguf_files_are_found_by_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "gguf"
    folder.mkdir()
    assert gguf_files.find(tmp_path, two_experts=True) == ()
    for name in ("Wan2.2-T2V-A14B-HighNoise-Q4.gguf", "Wan2.2-T2V-A14B-LowNoise-Q4.gguf"):
        (folder / name).write_bytes(b"GGUF" * 2**20)
    found = gguf_files.find(tmp_path, two_experts=True)
    assert ["High" in path.name for path in found] == [True, False]
    assert gguf_files.find(tmp_path, two_experts=False) == ()
    (folder / "another-high.gguf").touch()
    assert gguf_files.find(tmp_path, two_experts=True) == (), "nobody guesses which of two is meant"


def test_predicted_and_measured_stand_side_by_side(folder: Path) -> None:
    video = placed(folder, planned("one_at_a_time", "visits"))
    found = peak_of(video, tiny_request())
    assert (found.plan, found.measured_gb, found.error) == ("one_at_a_time", None, None)
    assert 0 < found.predicted_gb < 1
    assert Peak("resident", 11.0, 10.0).error == pytest.approx(0.1)


def write_gguf(folder: Path) -> None:
    """Both experts as GGUF files beside the weights, their feed-forwards in 8 bits."""
    (folder / "gguf").mkdir()
    for name, part in (("HighNoise", "transformer"), ("LowNoise", "transformer_2")):
        weights = WanTransformer3DModel.from_pretrained(folder, subfolder=part).state_dict()
        writer = gguf.GGUFWriter(str(folder / "gguf" / f"{name}.gguf"), "wan")
        for key, weight in weights.items():
            values, kind = weight.float().numpy(), gguf.GGMLQuantizationType.Q8_0
            if "ffn" in key and values.ndim == 2 and values.shape[1] % 32 == 0:
                writer.add_tensor(key, gguf.quants.quantize(values, kind), raw_dtype=kind)
            else:
                writer.add_tensor(key, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def test_experts_from_gguf_files_make_nearly_the_same_clip(tmp_path: Path) -> None:
    folder = write_tiny_wan(tmp_path / "tiny")
    plain = frames(placed(folder, planned("resident", "stays")))
    assert gguf_files.offered(folder, two_experts=True) is None
    write_gguf(folder)
    assert gguf_files.offered(folder, two_experts=True) is not None
    video = placed(folder, planned("gguf", "visits"))
    kinds = {type(weight).__name__ for weight in video.pipe.transformer_2.parameters()}
    assert "GGUFParameter" in kinds
    close = frames(video)
    assert np.abs(close.astype(int) - plain).mean() < 1
    assert np.array_equal(frames(video), close)

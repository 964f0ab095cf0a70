"""Experts from GGUF files as people pass them on: Wan's own names, mixed kinds, folders; the same frames."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from diffusers import WanTransformer3DModel

from pipelines import gguf_files, hub, placing
from pipelines.gguf_experts import read_expert
from pipelines.memory import Layout
from pipelines.models import MODELS, ModelSpec
from pipelines.placement import Plan
from pipelines.request import Inputs, LoraUse, Notice
from pipelines.wan import WanVideo
from tests.pipelines.clips import ignore, never
from tests.tiny_lora import write_pair
from tests.tiny_wan import tiny_request, write_tiny_wan

SPEC = MODELS["wan2.2-t2v-a14b"]
KIND = gguf.GGMLQuantizationType
# Quantized by llama.cpp: 256 numbers a block, so nothing is narrower than that.
WIDTH = 256
# diffusers' names and Wan's, in the order in which they are put back.
_OWN = [
    ("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
    ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
    ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
    ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
    ("condition_embedder.time_proj", "time_projection.1"),
    ("attn1", "self_attn"),
    ("attn2", "cross_attn"),
    ("to_out.0", "o"),
    ("to_q", "q"),
    ("to_k", "k"),
    ("to_v", "v"),
    ("ffn.net.0.proj", "ffn.0"),
    ("ffn.net.2", "ffn.2"),
    ("norm2", "norm3"),
    ("proj_out", "head.head"),
]


def own_name(name: str) -> str:
    """What Wan's makers call a weight."""
    if name == "scale_shift_table":
        return "head.modulation"
    for theirs, own in _OWN:
        name = name.replace(theirs, own)
    return name.replace("scale_shift_table", "modulation")


def kind_of(name: str, shape: tuple[int, ...]) -> Any:
    """As a Q4_K_M file mixes them: values and the way out finer, what is small or no matrix whole."""
    if name.endswith("bias") or "norm" in name:
        return KIND.BF16 if "self_attn" in own_name(name) else KIND.F16
    if len(shape) != 2:
        return KIND.F32
    if "condition_embedder" in name:
        return KIND.BF16 if shape[1] < 256 else KIND.Q8_0
    if re.search(r"to_v|net\.2", name):
        return KIND.Q6_K
    return KIND.Q5_K if "to_out" in name else KIND.Q8_0 if "proj_out" in name else KIND.Q4_K


def packed(values: np.ndarray, kind: Any, seed: int) -> np.ndarray:
    """Bytes of a kind: real quantized numbers where the library writes them, else blocks drawn at random."""
    if kind not in (KIND.Q4_K, KIND.Q5_K, KIND.Q6_K):
        return gguf.quants.quantize(values, kind)
    size, length = gguf.GGML_QUANT_SIZES[kind]
    draw = np.random.default_rng(seed)
    blocks = draw.integers(0, 256, (values.size // size, length), dtype=np.uint8)
    # Each block's scales are 16-bit floats: small, as weights are.
    scale = (draw.random((len(blocks), 2)).astype(np.float16) * np.float16(2e-4)).view(np.uint8)
    if kind == KIND.Q6_K:
        blocks[:, -2:] = scale[:, :2]
    else:
        blocks[:, :4] = scale
    return blocks.reshape(values.shape[0], -1)


def write_experts(folder: Path, name: Callable[[str], str], *, trimmed: bool = False) -> dict[str, Any]:
    """Both experts as GGUF files in folders of their own; what their weights are as plain numbers.

    `trimmed`: sides of length 1 in front are left out, as llama.cpp does.
    """
    plain: dict[str, Any] = {}
    for title, part in (("HighNoise", "transformer"), ("LowNoise", "transformer_2")):
        model = WanTransformer3DModel.from_pretrained(folder, subfolder=part)
        path = folder / "gguf" / title / f"Wan2.2-T2V-A14B-{title}-Q4_K_M.gguf"
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = gguf.GGUFWriter(str(path), "wan")
        for number, (key, weight) in enumerate(model.state_dict().items()):
            values = weight.float().numpy()
            kind = kind_of(key, values.shape)
            raw = packed(values, kind, number)
            plain[f"{part}.{key}"] = torch.from_numpy(gguf.quants.dequantize(raw, kind).reshape(values.shape))
            if trimmed and raw.ndim == 3 and raw.shape[0] == 1:
                raw = raw[0]
            writer.add_tensor(name(key), raw, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return plain


def placed(folder: Path, kind: Any = "gguf", spec: ModelSpec = SPEC) -> WanVideo:
    plan = Plan(kind, Notice("plan_gguf"), usable_gb=1e9, layout=Layout(kind, "visits"))
    return WanVideo(placing.assemble(spec, folder, "cpu", plan), spec, folder=folder, plan=plan)


def frames(video: WanVideo, **changes: Any) -> np.ndarray:
    request = tiny_request(model=SPEC.name, num_inference_steps=2, num_frames=5, **changes)
    inputs = changes.pop("inputs", None)
    return np.stack(list(video.generate(request, ignore, never, inputs or Inputs())))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_wan(tmp_path_factory.mktemp("wide"), width=WIDTH)


def again(folder: Path, target: Path) -> Path:
    """The same weights in another folder, by links."""
    target.mkdir()
    for path in folder.iterdir():
        if path.name != "gguf":
            (target / path.name).symlink_to(path)
    return target


def test_wans_own_names_make_the_frames_of_diffusers_names(folder: Path, tmp_path: Path) -> None:
    theirs, own = again(folder, tmp_path / "theirs"), again(folder, tmp_path / "own")
    write_experts(theirs, lambda key: key)
    plain = write_experts(own, own_name)
    first = frames(placed(theirs))
    video = placed(own)
    assert np.array_equal(frames(video), first)
    block = video.pipe.transformer.blocks[0]
    kinds = {part.weight.quant_type for part in (block.attn1.to_q, block.attn1.to_v, block.attn1.to_out[0])}
    assert kinds == {KIND.Q4_K, KIND.Q6_K, KIND.Q5_K}
    assert block.attn1.norm_q.weight.dtype == block.attn1.to_q.bias.dtype == torch.float32
    # As far as another reader of the format, widened once, takes its numbers.
    widened = placed(theirs, "one_at_a_time")
    for part in ("transformer", "transformer_2"):
        weights = {k.removeprefix(f"{part}."): v for k, v in plain.items() if k.startswith(f"{part}.")}
        getattr(widened.pipe, part).load_state_dict(weights)
    difference = np.abs(frames(widened).astype(int) - first)
    assert difference.mean() < 0.5


@pytest.mark.parametrize("before", ["model.diffusion_model.", "diffusion_model."])
def test_names_with_something_before_them_and_sides_left_out(
    before: str, folder: Path, tmp_path: Path
) -> None:
    own = again(folder, tmp_path / "own")
    write_experts(own, lambda key: before + own_name(key), trimmed=True)
    found = placed(own).pipe.transformer_2
    assert found.scale_shift_table.shape == (1, 2, WIDTH)
    assert found.blocks[1].scale_shift_table.shape == (1, 6, WIDTH)
    assert found.scale_shift_table.dtype == torch.float32


def test_a_lora_lies_over_quantized_matrices(folder: Path, tmp_path: Path) -> None:
    own = again(folder, tmp_path / "own")
    write_experts(own, own_name)
    video = placed(own)
    before = frames(video)
    grain = {"grain": write_pair(tmp_path / "grain", width=WIDTH)}
    with_lora = frames(video, loras=(LoraUse(name="grain"),), inputs=Inputs(loras=grain))
    assert not np.array_equal(with_lora, before)
    assert np.array_equal(frames(video), before)


def test_a_file_that_lacks_weights_says_so(folder: Path, tmp_path: Path) -> None:
    own = again(folder, tmp_path / "own")
    write_experts(own, lambda key: own_name(key).replace("blocks.1.", "blocks.7."))
    file = gguf_files.find(own, two_experts=True)[0]
    with pytest.raises(ValueError, match="lacks weights of transformer"):
        read_expert(file, own, "transformer", torch.float32)


def test_files_are_found_as_people_name_them(tmp_path: Path) -> None:
    assert gguf_files.find(tmp_path, two_experts=True) == ()
    names = ["wan2.2_t2v_high_noise_14B_Q4_K_M.gguf", "sub/wan2.2_t2v_low_noise_14B_Q4_K_M.gguf"]
    for name in [*names, "umt5-xxl-encoder-Q5_K_M.gguf"]:
        (tmp_path / "gguf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "gguf" / name).touch()
    found = gguf_files.find(tmp_path, two_experts=True)
    assert [path.relative_to(tmp_path / "gguf").as_posix() for path in found] == names
    assert gguf_files.find(tmp_path, two_experts=False) == ()
    (tmp_path / "gguf" / names[0]).rename(tmp_path / "gguf" / "wan-highflow.gguf")
    assert len(gguf_files.find(tmp_path, two_experts=True)) == 2, "the end of a word is no word"


def test_one_expert_in_one_file(tmp_path: Path) -> None:
    single = SPEC.model_copy(update={"two_experts": False})
    folder = write_tiny_wan(tmp_path / "one", two_experts=False, width=WIDTH)
    model = WanTransformer3DModel.from_pretrained(folder, subfolder="transformer")
    (folder / "gguf").mkdir()
    writer = gguf.GGUFWriter(str(folder / "gguf" / "Wan2.2-TI2V-5B-Q8_0.gguf"), "wan")
    for key, weight in model.state_dict().items():
        writer.add_tensor(own_name(key), weight.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    plain = frames(placed(folder, "one_at_a_time", single), guidance_scale_2=None)
    assert np.array_equal(frames(placed(folder, "gguf", single), guidance_scale_2=None), plain)


def test_who_brings_gguf_files_needs_no_other_experts(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    own = home / "models" / SPEC.name
    own.parent.mkdir(parents=True)
    again(folder, own)
    for part in ("transformer", "transformer_2"):
        (own / part).unlink()
        (own / part).mkdir()
        (own / part / "config.json").write_bytes((folder / part / "config.json").read_bytes())
    with pytest.raises(hub.ModelError, match="weights_broken"):
        hub.sound(SPEC, home)
    for name in ("high.gguf", "low.gguf"):
        (own / "gguf").mkdir(exist_ok=True)
        (own / "gguf" / name).touch()
    assert hub.sound(SPEC, home) == own
    assert gguf_files.offered(own, two_experts=True) == gguf_files.Gguf(0.0, alone=True)
    (own / "transformer").rename(own / "gone")
    (own / "transformer").symlink_to(folder / "transformer")
    assert gguf_files.offered(own, two_experts=True) == gguf_files.Gguf(0.0, alone=True), "one is not two"
    assert gguf_files.offered(folder, two_experts=True) is None

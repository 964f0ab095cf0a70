"""LoRAs on disk: what is let in, what it is called, what a request says of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pipelines import loras
from pipelines.models import MODELS, ModelSpec
from pipelines.request import GenerationRequest, Inputs, LoraUse, ModelError
from pipelines.shapes import Shape
from tests.tiny_lora import write_lora, write_pair

A14B, B5 = MODELS["wan2.2-t2v-a14b"], MODELS["wan2.2-ti2v-5b"]


def _tiny(spec: ModelSpec) -> ModelSpec:
    assert spec.shape is not None
    shape: Shape = spec.shape.model_copy(update={"hidden": 24, "layers": 2})
    return spec.model_copy(update={"shape": shape})


TINY = {A14B.name: _tiny(A14B)}


def _big(path: Path, width: int = 5120, **more: int) -> Path:
    return write_lora(path, rank=1, width=width, **more)


def test_a_pair_is_copied_whole_and_found_again(tmp_path: Path) -> None:
    high, low = write_pair(tmp_path / "files")
    added = loras.add(tmp_path, "film-grain", high, low, source="a friend", models=TINY)
    assert loras.listed(tmp_path) == [added]
    assert added.high.read_bytes() == high.read_bytes()
    assert added.low is not None
    assert (added.header.hidden, added.header.layers, added.header.rank) == (24, 2, 2)
    assert added.fits(TINY[A14B.name])
    assert not added.fits(A14B)
    assert (len(added.revision), added.source, added.size) == (12, "a friend", 2 * high.stat().st_size)
    assert [path.name for path in (tmp_path / "loras").iterdir()] == ["film-grain"], (
        "nothing half-made is left"
    )
    loras.delete(tmp_path, "film-grain")
    assert loras.listed(tmp_path) == []


def test_a_file_that_fits_no_model_or_is_no_lora_is_refused(tmp_path: Path) -> None:
    def refused(high: Path, low: Path | None = None, name: str = "x") -> str:
        with pytest.raises(ModelError) as caught:
            loras.add(tmp_path, name, high, low)
        assert not (tmp_path / "loras" / "x").exists()
        return caught.value.notice.code

    text = tmp_path / "text.safetensors"
    text.write_bytes(b"no tensors" * 100)
    huge_header = tmp_path / "huge.safetensors"
    huge_header.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    empty = tmp_path / "empty.safetensors"
    empty.write_bytes(b"")
    assert {refused(text), refused(huge_header), refused(empty), refused(tmp_path / "no")} == {"lora_file"}
    other = tmp_path / "other.safetensors"
    save_file({"unet.down.lora_A.weight": torch.zeros(2, 320)}, other)
    bare = tmp_path / "bare.safetensors"
    save_file({"blocks.0.attn1.to_q.lora_A.weight": torch.zeros(2, 5120)}, bare)
    whole = tmp_path / "whole.safetensors"
    save_file({"diffusion_model.blocks.0.self_attn.q.weight": torch.zeros(4, 4)}, whole)
    odd = tmp_path / "odd.safetensors"
    save_file({"diffusion_model.blocks.0.self_attn.q.lora_A.weight": torch.zeros(2, 5120).long()}, odd)
    assert {refused(other), refused(bare), refused(whole), refused(odd)} == {"lora_keys"}
    assert refused(write_lora(tmp_path / "tiny.safetensors")) == "lora_fits_none"
    wide, narrow = _big(tmp_path / "a.safetensors"), _big(tmp_path / "b.safetensors", 3072)
    assert refused(wide, narrow) == "lora_pair"
    assert {refused(wide, name=name) for name in ("../x", "a/b", "", ".x", "x" * 65)} == {"lora_name"}
    loras.add(tmp_path, "there", wide)
    assert refused(wide, name="there") == "lora_there"


def test_what_a_file_fits_is_read_from_its_header(tmp_path: Path) -> None:
    header = loras.read_header(_big(tmp_path / "a.safetensors"))
    assert A14B.title in loras.fitting(header)
    assert B5.title not in loras.fitting(header)
    assert loras.fitting(loras.read_header(_big(tmp_path / "b.safetensors", 3072))) == (B5.title,)
    # A14B has 40 blocks.
    assert loras.fitting(loras.read_header(_big(tmp_path / "c.safetensors", layers=41))) == ()
    own = write_lora(tmp_path / "own.safetensors", own=True)
    assert loras.read_header(own).hidden == 24


def test_a_folder_filled_by_hand_is_a_lora_and_a_changed_file_is_another(tmp_path: Path) -> None:
    folder = tmp_path / "loras" / "by-hand"
    write_lora(folder / "high.safetensors", seed=1)
    (tmp_path / "loras" / "empty").mkdir()
    (tmp_path / "loras" / "a b").mkdir()
    before = loras.find(tmp_path, "by-hand")
    assert before is not None
    assert before == loras.find(tmp_path, "by-hand")
    facts = folder / "lora.json"
    facts.write_text("[1, 2")
    assert loras.find(tmp_path, "by-hand") == before
    facts.write_text(json.dumps({"marks": "x", "revision": 7}))
    assert loras.find(tmp_path, "by-hand") == before
    write_lora(folder / "high.safetensors", seed=2)
    os.utime(folder / "high.safetensors", (1, 1))
    after = loras.find(tmp_path, "by-hand")
    assert after is not None
    assert after.revision != before.revision
    assert [one.name for one in loras.listed(tmp_path)] == ["by-hand"]


def test_a_form_writes_strengths_short_and_reads_them_back() -> None:
    written = "film-grain:0.8, slow-pan:1/0.5, plain"
    uses = loras.read_uses(written)
    assert [(use.name, use.high, use.low) for use in uses] == [
        ("film-grain", 0.8, 0.8), ("slow-pan", 1.0, 0.5), ("plain", 1.0, 1.0),
    ]  # fmt: skip
    assert loras.write_uses(uses) == written
    assert loras.read_uses("a：0.5，b") == loras.read_uses("a:0.5/0.5, b:1")
    assert loras.read_uses("") == ()
    for wrong in ("a:b", "a:9", "a b", "../x", "a:0.5/x", "a:nan", "a:1/inf", ":1"):
        with pytest.raises(ModelError, match="lora_text"):
            loras.read_uses(wrong)


def test_a_request_gets_the_revision_that_is_here_and_runs_with_no_other(tmp_path: Path) -> None:
    loras.add(tmp_path, "grain", _big(tmp_path / "a.safetensors"))
    uses = loras.resolved(tmp_path, loras.read_uses("grain:0.5/0.25"), A14B)
    found = loras.find(tmp_path, "grain")
    assert found is not None
    assert uses == (LoraUse(name="grain", high=0.5, low=0.25, revision=found.revision),)
    request = GenerationRequest(prompt="a boat", model=A14B.name, loras=uses)
    assert loras.files_of(tmp_path, request) == {"grain": (found.high, None)}
    with pytest.raises(ModelError) as caught:
        loras.resolved(tmp_path, uses, B5)
    assert caught.value.notice.code == "lora_misfit"
    assert A14B.title in caught.value.notice.values["allowed"]
    with pytest.raises(ModelError, match="lora_unknown"):
        loras.resolved(tmp_path, loras.read_uses("rain"), A14B)
    with pytest.raises(ModelError, match="lora_none_here"):
        loras.resolved(tmp_path / "new", loras.read_uses("rain"), A14B)
    _big(found.high, seed=5)
    with pytest.raises(ModelError, match="lora_changed"):
        loras.files_of(tmp_path, request)
    loras.delete(tmp_path, "grain")
    with pytest.raises(ModelError, match="lora_gone"):
        loras.files_of(tmp_path, request)


def test_one_expert_has_one_strength(tmp_path: Path) -> None:
    loras.add(tmp_path, "grain", _big(tmp_path / "a.safetensors", 3072))
    assert loras.resolved(tmp_path, loras.read_uses("grain:0.5/0.25"), B5)[0].low is None


def test_fast_brings_its_own_pair(tmp_path: Path) -> None:
    assert A14B.distilled is not None
    request = GenerationRequest(prompt="a boat", model=A14B.name, tier="fast")
    with pytest.raises(ModelError, match="tier_gone"):
        loras.files_of(tmp_path, request)
    pair = write_pair(tmp_path / "loras" / A14B.distilled.name)
    assert Inputs(loras=loras.files_of(tmp_path, request)).loras == {A14B.distilled.name: pair}


def test_another_pair_under_the_same_name_is_another_picture(tmp_path: Path) -> None:
    assert A14B.distilled is not None
    folder = tmp_path / "loras" / A14B.distilled.name
    write_pair(folder)
    plain = GenerationRequest(prompt="a boat", model=A14B.name, tier="fast", seed=1)
    asked = loras.with_pair(tmp_path, plain)
    assert (len(asked.pair), loras.with_pair(tmp_path, asked)) == (12, asked)
    assert loras.files_of(tmp_path, asked) == loras.files_of(tmp_path, plain)
    write_pair(folder, seed=5)
    other = loras.with_pair(tmp_path, plain)
    assert len({plain.pair, asked.pair, other.pair}) == 3
    with pytest.raises(ModelError, match="lora_changed"):
        loras.files_of(tmp_path, asked)
    assert loras.files_of(tmp_path, other)
    # Only "fast" runs with it; whoever asks for another tier is told nothing of it.
    exact = GenerationRequest(prompt="a boat", model=A14B.name, seed=1)
    assert loras.with_pair(tmp_path, exact).pair == ""


def test_nothing_here_needs_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; import pipelines.loras, pipelines.tiers; "
        "assert 'diffusers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

"""What is kept of prompts: the same pixels with and without, each read once, nothing damaged is used."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pipelines import loader, prompts
from pipelines.models import MODELS
from pipelines.prompts import Prompts
from pipelines.wan import WanVideo
from tests.pipelines.clips import frames_of
from tests.tiny_wan import write_tiny_wan

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kept(tmp_path: Path) -> Prompts:
    return Prompts(tmp_path / "prompts", "encoder")


@pytest.fixture
def reading(tiny_home: Path, tmp_path: Path) -> tuple[WanVideo, Callable[[], int], Prompts]:
    """A resident model with an empty folder of prompts, and how often its text encoder worked."""
    loaded = loader.load(MODELS["sketch"], home=tiny_home, device="cpu")
    kept = Prompts(tmp_path / "prompts", "encoder")
    video = WanVideo(loaded.pipe, loaded.spec, folder=tiny_home / "models" / "sketch", kept=kept)
    count = 0

    def worked(*_: object) -> None:
        nonlocal count
        count += 1

    hook = loaded.pipe.text_encoder.register_forward_pre_hook(worked)
    yield video, lambda: count, kept
    hook.remove()


Reading = tuple[WanVideo, Callable[[], int], Prompts]


def test_the_same_pixels_with_and_without_what_is_kept(reading: Reading, tiny_home: Path) -> None:
    video, worked, _ = reading
    without = WanVideo(video.pipe, video.spec, folder=tiny_home / "models" / "sketch")
    plain = frames_of(without, negative_prompt="a sun")
    assert (plain == frames_of(video, negative_prompt="a sun")).all()
    before = worked()
    assert (plain == frames_of(video, negative_prompt="a sun")).all()
    assert worked() == before, "the encoder had nothing to do"


def test_each_text_is_read_once_and_the_negative_only_with_guidance(reading: Reading) -> None:
    video, worked, _ = reading
    frames_of(video, guidance_scale=1.0, guidance_scale_2=1.0, negative_prompt="a sun")
    assert worked() == 1
    frames_of(video, negative_prompt="a sun")
    assert worked() == 2
    frames_of(video, negative_prompt="a moon")
    assert worked() == 3


def test_what_comes_back_is_bit_for_bit_what_was_put(kept: Prompts) -> None:
    for kind in (torch.float32, torch.bfloat16):
        embeds = torch.randn(1, 48, 8).to(kind)
        embeds[0, 20:] = 0
        kept.put("a boat", embeds)
        found = kept.get("a boat", 48)
        assert found is not None
        assert found.dtype == kind
        assert torch.equal(found, embeds)
    size = sum(path.stat().st_size for path in kept.folder.iterdir())
    assert size < 20 * 8 * 2 + 300, "the padding is not kept"
    kept.put("", torch.zeros(1, 48, 8))
    found = kept.get("", 48)
    assert found is not None
    assert torch.equal(found, torch.zeros(1, 48, 8))


def test_another_text_length_or_encoder_is_another_entry(kept: Prompts) -> None:
    kept.put("a boat", torch.ones(1, 48, 8))
    assert kept.get("a boat ", 48) is None
    assert kept.get("a boat", 64) is None
    assert Prompts(kept.folder, "another").get("a boat", 48) is None
    assert [path.name for path in kept.folder.iterdir() if "boat" in path.read_text(errors="replace")] == []


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 4
    path.write_bytes(raw)


DAMAGES = [
    flip,
    lambda path: path.write_bytes(path.read_bytes()[:-10]),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"no tensors at all" * 10),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_anew(reading: Reading, damage: Callable[[Path], object]) -> None:
    video, worked, kept = reading
    plain = frames_of(video)
    before = worked()
    for path in kept.folder.iterdir():
        damage(path)
    assert (frames_of(video) == plain).all()
    assert worked() == 2 * before
    assert (frames_of(video) == plain).all()
    assert worked() == 2 * before


def test_those_not_used_for_long_go_first(tmp_path: Path) -> None:
    kept = Prompts(tmp_path, "encoder", room=50_000)
    for index in range(5):
        kept.put(str(index), torch.ones(1, 48, 8))
        os.utime(kept._path(str(index), 48), (index, index))
    one = sum(path.stat().st_size for path in tmp_path.iterdir()) // 5
    kept.room = 3 * one
    assert kept.get("0", 48) is not None
    kept.put("5", torch.ones(1, 48, 8))
    assert [kept.get(str(index), 48) is not None for index in range(6)] == [True, *[False] * 3, True, True]


def test_a_full_disk_or_a_folder_that_is_none_keeps_nobody_from_a_clip(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = Prompts(tmp_path / "file" / "prompts", "encoder")
    kept.put("a boat", torch.ones(1, 48, 8))
    assert kept.get("a boat", 48) is None


@pytest.mark.slow
def test_two_processes_at_once_never_see_half_a_file(tmp_path: Path) -> None:
    code = """
import sys, torch
from pathlib import Path
from pipelines.prompts import Prompts
kept = Prompts(Path(sys.argv[1]), "encoder", room=40_000)
for index in range(300):
    text = str(index % 12)
    found = kept.get(text, 48)
    assert found is None or bool((found == float(text) + 1).all()), text
    kept.put(text, torch.full((1, 48, 16), float(text) + 1))
"""
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", code, str(tmp_path / "prompts")]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "damaged" not in errors
    assert not list((tmp_path / "prompts").glob(".*"))


def test_the_mark_follows_the_encoder_and_what_it_computes_in(tiny_home: Path, tmp_path: Path) -> None:
    folder = tiny_home / "models" / "sketch"
    mark = prompts.mark_of(folder, "cpu", torch.float32)
    assert mark == prompts.mark_of(folder, "cpu", torch.float32)
    assert mark != prompts.mark_of(folder, "cpu", torch.bfloat16)
    other = write_tiny_wan(tmp_path / "other", seed=3)
    assert mark != prompts.mark_of(other, "cpu", torch.float32)
    # Another model with the very same encoder shares what is kept.
    for path in (folder / "text_encoder").iterdir():
        (other / "text_encoder" / path.name).write_bytes(path.read_bytes())
    assert mark == prompts.mark_of(other, "cpu", torch.float32)


def test_a_loaded_model_keeps_its_prompts_in_the_home(tiny_home: Path) -> None:
    frames_of(loader.load(MODELS["sketch"], home=tiny_home, device="cpu"))
    assert list((tiny_home / "cache" / "prompts").glob("*.embeds"))

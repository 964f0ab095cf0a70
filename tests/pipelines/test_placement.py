"""Memory plans: which one every machine gets, how full it makes the card, and how it is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.gguf_files import Gguf
from pipelines.memory import Clip, clips, decode_gb, denoise_gb, fullness, system_gb
from pipelines.models import MODELS, ModelSpec
from pipelines.placement import (
    CARDS,
    ORDER,
    _usable,
    free_of,
    instead,
    main,
    peak_gb,
    plan,
    seen_of,
    smallest_machine,
    tiles,
)
from pipelines.shapes import GB

ROOT = Path(__file__).resolve().parents[2]
A14B, I2V, T5B, SMALL, SKETCH = (
    "wan2.2-t2v-a14b", "wan2.2-i2v-a14b", "wan2.2-ti2v-5b", "wan2.1-t2v-1.3b", "sketch",
)  # fmt: skip
RAMS = (16, 32, 64, 128)
LOCAL = [spec for spec in MODELS.values() if spec.shape is not None]
NOT, ALL, PROMPT, TURNS, STREAM = (
    "does_not_fit", "resident", "resident_after_prompt", "one_at_a_time", "streamed",
)  # fmt: skip
FP8, FP8_TURNS, FP8_STREAM = "fp8_resident", "fp8_one_at_a_time", "fp8_streamed"

# Model, card: the plan beside 16, 32, 64 and 128 GB of main memory.
TABLE = {
    (A14B, 8): (NOT, NOT, FP8_STREAM, STREAM),
    (A14B, 12): (NOT, NOT, FP8_STREAM, STREAM),
    (A14B, 16): (NOT, NOT, FP8_STREAM, STREAM),
    (A14B, 24): (NOT, NOT, FP8_TURNS, STREAM),
    (A14B, 32): (NOT, NOT, FP8_TURNS, STREAM),
    (A14B, 48): (NOT, FP8, FP8, TURNS),
    (A14B, 80): (NOT, PROMPT, PROMPT, PROMPT),
    (A14B, 141): (NOT, ALL, ALL, ALL),
    (T5B, 8): (NOT, STREAM, STREAM, STREAM),
    (T5B, 12): (NOT, STREAM, STREAM, STREAM),
    (T5B, 16): (NOT, TURNS, TURNS, TURNS),
    (T5B, 24): (NOT, TURNS, TURNS, TURNS),
    (T5B, 32): (NOT, TURNS, TURNS, TURNS),
    (T5B, 48): (ALL, ALL, ALL, ALL),
    (SMALL, 8): (NOT, TURNS, TURNS, TURNS),
    (SMALL, 12): (NOT, TURNS, TURNS, TURNS),
    (SMALL, 16): (PROMPT, PROMPT, PROMPT, PROMPT),
    (SMALL, 24): (ALL, ALL, ALL, ALL),
    (SKETCH, 8): (ALL, ALL, ALL, ALL),
}


@pytest.mark.parametrize(("model", "card"), TABLE)
def test_every_card_has_its_plan(model: str, card: int) -> None:
    found = [plan(MODELS[model], vram_gb=free_of(card), ram_gb=seen_of(ram)).kind for ram in RAMS]
    assert tuple(found) == TABLE[model, card]


@pytest.mark.parametrize(
    ("model", "ram", "kind"),
    [(SKETCH, 8, "cpu"), (SKETCH, 2, "cpu"), (A14B, 128, NOT), (A14B, 256, "cpu"), (SMALL, 64, "cpu")],
)
def test_without_a_card(model: str, ram: int, kind: str) -> None:
    assert plan(MODELS[model], vram_gb=None, ram_gb=ram).kind == kind


@pytest.mark.parametrize("spec", LOCAL, ids=lambda spec: spec.name)
def test_more_memory_never_makes_the_same_clip_slower(spec: ModelSpec) -> None:
    def rank(clip: Clip, vram: float, ram: float) -> int:
        kind = plan(spec, vram_gb=vram, ram_gb=ram, clip=clip).kind
        return ORDER.index(kind) if kind in ORDER else len(ORDER)

    for clip in (clips(spec)[0], clips(spec)[-1]):
        for ram in RAMS:
            ranks = [rank(clip, vram, ram) for vram in range(1, 160, 3)]
            assert ranks == sorted(ranks, reverse=True)
        for vram in CARDS:
            ranks = [rank(clip, vram, ram) for ram in range(2, 160, 3)]
            assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("spec", LOCAL, ids=lambda spec: spec.name)
def test_the_predicted_peak_is_never_above_what_a_plan_may_fill(spec: ModelSpec) -> None:
    for card in (*CARDS, 6, 10, 20, 40, 64, 96):
        for ram in RAMS:
            chosen = plan(spec, vram_gb=card, ram_gb=ram)
            if not chosen.fits:
                assert chosen.largest is None
                continue
            assert chosen.largest is not None
            assert 0 < chosen.card_gb <= chosen.usable_gb == _usable(card) < card
            assert chosen.ram_gb + system_gb(spec) <= ram
            assert chosen.card_gb == pytest.approx(peak_gb(chosen, spec, chosen.largest))
            largest, frames = chosen.largest
            smaller = [
                one
                for one in clips(spec)
                if one.frames <= frames and one.size.width * one.size.height <= largest.width * largest.height
            ]
            assert all(peak_gb(chosen, spec, one) <= chosen.usable_gb for one in smaller)


@pytest.mark.parametrize("free", [22.4, 22.5, 23.5])
def test_what_is_really_free_of_a_24_gb_card_keeps_its_plan(free: float) -> None:
    # A few frames less rather than a slower plan; and the full length would still be below what is free.
    for model in (A14B, I2V):
        chosen = plan(MODELS[model], vram_gb=free, ram_gb=62)
        assert chosen.kind == FP8_TURNS
        assert chosen.largest is not None
        assert chosen.largest.size == (1280, 720)
        assert chosen.largest.frames >= 73
        assert chosen.card_gb < peak_gb(chosen, MODELS[model], clips(MODELS[model])[0]) + 0.01 < free
    full = plan(MODELS[A14B], vram_gb=free_of(24), ram_gb=seen_of(64)).largest
    assert full == ((1280, 720), 81)


def test_a_small_picture_of_full_length_comes_before_a_large_one_of_a_second() -> None:
    chosen = plan(MODELS[T5B], vram_gb=7.5, ram_gb=31)
    assert chosen.largest == ((832, 480), 121)
    assert chosen.ram_gb <= 31 - 4
    for spec in LOCAL:
        order = [fullness(spec, clip) for clip in clips(spec)]
        assert order == sorted(order, reverse=True)
        assert clips(spec)[0].frames == spec.max_frames


def test_a_bigger_card_makes_a_larger_clip() -> None:
    spec = MODELS[A14B]
    sizes = []
    for card in (8, 12, 24, 80):
        largest = plan(spec, vram_gb=card, ram_gb=128).largest
        assert largest is not None
        sizes.append(largest.size.width * largest.size.height * largest.frames)
    assert sizes == sorted(sizes)
    assert sizes[0] == 832 * 480 * 81
    assert sizes[-1] == 1280 * 720 * 81


def test_what_the_work_needs_is_what_was_counted_on_diffusers_own_classes() -> None:
    # All tensors alive at each moment of one forward / three decoded latent frames, on the meta device.
    counted = [
        (A14B, (832, 480), 81, 3.487), (A14B, (1280, 720), 81, 8.022), (A14B, (832, 480), 17, 0.844),
        (T5B, (1280, 704), 121, 5.08), (SMALL, (832, 480), 81, 1.505),
    ]  # fmt: skip
    for model, size, frames, gb in counted:
        clip = next(one for one in clips(MODELS[model]) if one.size == size and one.frames == frames)
        assert denoise_gb(MODELS[model].shape, clip) == pytest.approx(gb, rel=0.03)
    large = clips(MODELS[T5B])[0]
    assert denoise_gb(MODELS[T5B].shape, large, pictured=False) == pytest.approx(2.114, rel=0.03)
    for model, size, gb in [(A14B, (1280, 720), 16.714), (T5B, (1280, 704), 18.064)]:
        clip = next(one for one in clips(MODELS[model]) if one.size == size)
        assert decode_gb(MODELS[model].shape, clip, tiled=False) == pytest.approx(gb, rel=0.01)
        assert decode_gb(MODELS[model].shape, clip, tiled=True) < gb / 2


def test_a_small_card_decodes_in_tiles_and_a_large_one_does_not() -> None:
    spec = MODELS[A14B]
    small, large = plan(spec, vram_gb=12, ram_gb=128), plan(spec, vram_gb=24, ram_gb=128)
    assert tiles(small, spec, clips(spec)[0])
    assert not tiles(large, spec, clips(spec)[0])
    assert not tiles(small, spec, clips(spec)[-1])


def test_gguf_is_offered_only_where_there_are_files() -> None:
    spec = MODELS[A14B]
    assert plan(spec, vram_gb=24, ram_gb=32).kind == NOT
    chosen = plan(spec, vram_gb=24, ram_gb=38, gguf=Gguf(8.5))
    assert (chosen.kind, chosen.why.code) == ("gguf", "plan_gguf")
    # Weights that nobody changed come first where there is room.
    assert plan(spec, vram_gb=80, ram_gb=64, gguf=Gguf(8.5)).kind == PROMPT
    # But nothing can be laid out that is not there.
    assert plan(spec, vram_gb=80, ram_gb=64, gguf=Gguf(8.5, alone=True)).kind == "gguf"


@pytest.mark.parametrize(
    ("model", "vram", "ram", "code", "other"),
    [
        (A14B, 24, 32, "plan_does_not_fit_ram", T5B),
        (A14B, 2, 64, "plan_does_not_fit_cloud", None),
        (I2V, 24, 32, "plan_does_not_fit_ram", T5B),
        (T5B, 24, 16, "plan_does_not_fit_ram", SMALL),
        (A14B, None, 64, "plan_does_not_fit_ram", T5B),
        (SMALL, None, 16, "plan_does_not_fit_ram_cloud", None),
    ],
)
def test_what_does_not_fit_says_what_is_short_and_what_to_use(
    model: str, vram: float | None, ram: float, code: str, other: str | None
) -> None:
    chosen = plan(MODELS[model], vram_gb=vram, ram_gb=ram)
    assert chosen.why.code == code
    assert chosen.why.values["needs_gb"] > chosen.why.values["has_gb"]
    found = instead(MODELS[model], vram_gb=vram, ram_gb=ram)
    assert (None if found is None else found.name) == other


def test_the_smallest_card_of_a_model() -> None:
    assert [smallest_machine(MODELS[name]) for name in (A14B, T5B, SMALL)] == [(8, 64), (8, 32), (8, 32)]


def test_a_clouds_model_needs_no_place() -> None:
    clouds = [spec for spec in MODELS.values() if spec.shape is None]
    assert all(plan(spec, vram_gb=None, ram_gb=1).kind == "elsewhere" for spec in clouds)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with torch forbidden."""
    code = "import sys; sys.modules['torch'] = None; import runpy; "
    code += "runpy.run_module('pipelines.placement', run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_dry_run_needs_no_torch() -> None:
    done = run(A14B, "--vram", "24", "--ram", "64")
    assert (done.returncode, done.stderr) == (0, "")
    assert "take turns on the graphics card" in done.stdout
    done = run(A14B, "--vram", "24", "--ram", "32", "--language", "zh")
    assert done.returncode == 1
    assert "Wan2.2 TI2V-5B" in done.stdout
    assert "内存" in done.stdout


@pytest.mark.parametrize("odd", ["nan", "inf", "-inf", "-1", "1e999", "much", "0x10"])
@pytest.mark.parametrize("which", ["--vram", "--ram"])
def test_the_dry_run_refuses_what_is_no_memory(
    which: str, odd: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"--vram": "24", "--ram": "64"} | {which: odd}
    with pytest.raises(SystemExit) as ended:
        main([A14B, *(f"{name}={value}" for name, value in given.items()), "--json"])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert f"{odd} is no memory: GB from 0" in said.err


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("vram", ["0", "0.001", "3"])
def test_a_card_that_is_too_small_is_told_one_that_would_do(
    vram: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([A14B, "--vram", vram, "--ram", "64", "--json", "--language", language]) == 1
    said = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert said["why"]["values"]["card"] == 8
    assert "8 GB" in said["text"]
    assert "64 GB" in said["text"]


def test_the_dry_run_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([T5B, "--vram", "24", "--ram", "64", "--size", "832x480", "--frames", "25", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["model"], said["kind"], said["largest"]) == (T5B, TURNS, [[832, 480], 25])
    assert said["card_gb"] < 24
    assert said["text"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("wan9",), A14B), ((T5B, "--size", "10x10"), "1280x704"), ((T5B, "--frames", "26"), "4n+1"),
    ],
)  # fmt: skip
def test_the_dry_run_lists_what_there_is(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--ram", "64"]) == 2
    assert told in capsys.readouterr().err


def test_gigabytes_are_those_of_cards() -> None:
    assert GB == 2**30
    shape = MODELS[A14B].shape
    assert shape is not None
    assert shape.weights_gb == pytest.approx(64.3, abs=0.1)
    assert shape.tokens(1280, 720, 81) == 75_600

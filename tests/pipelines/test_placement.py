"""Memory plans: the table that the page shows, row by row."""

import pytest

from pipelines.models import MODELS
from pipelines.placement import plan

A14B, T5B, SMALL, SKETCH = "wan2.2-t2v-a14b", "wan2.2-ti2v-5b", "wan2.1-t2v-1.3b", "sketch"
H200, H100, RTX5090, RTX4090, RTX3060, LAPTOP = 139.0, 79.6, 31.8, 24.0, 12.0, None


@pytest.mark.parametrize(
    ("model", "vram", "ram", "kind"),
    [
        (SKETCH, LAPTOP, 8, "cpu"),
        (SKETCH, LAPTOP, 2, "cpu"),
        (SKETCH, RTX3060, 16, "resident"),
        (A14B, H200, 128, "resident"),
        (A14B, H100, 128, "model_offload"),
        (A14B, H100, 64, "does_not_fit"),
        (A14B, RTX5090, 128, "model_offload"),
        (A14B, RTX4090, 128, "does_not_fit"),
        (A14B, LAPTOP, 16, "does_not_fit"),
        (A14B, LAPTOP, 256, "cpu"),
        (T5B, H100, 64, "resident"),
        (T5B, RTX4090, 64, "model_offload"),
        (T5B, RTX4090, 16, "does_not_fit"),
        (SMALL, RTX4090, 32, "resident"),
        (SMALL, RTX3060, 32, "model_offload"),
        (SMALL, 8.0, 32, "does_not_fit"),
        (SMALL, LAPTOP, 16, "does_not_fit"),
        (SMALL, LAPTOP, 64, "cpu"),
    ],
)
def test_which_plan_fits_which_machine(model: str, vram: float | None, ram: float, kind: str) -> None:
    chosen = plan(MODELS[model], vram_gb=vram, ram_gb=ram)
    assert chosen.kind == kind
    assert chosen.why.code == f"plan_{kind}"
    assert set(chosen.why.values) == {"model", "needs_gb", "has_gb"}
    assert chosen.why.values["model"] == MODELS[model].title


@pytest.mark.parametrize("model", MODELS)
def test_more_memory_is_never_worse(model: str) -> None:
    order = {"does_not_fit": 0, "cpu": 1, "model_offload": 1, "resident": 2}
    for ram in (4, 16, 64, 256):
        ranks = [order[plan(MODELS[model], vram_gb=vram, ram_gb=ram).kind] for vram in range(1, 200, 3)]
        assert ranks == sorted(ranks)


def test_the_figures_say_what_is_short() -> None:
    values = plan(MODELS[A14B], vram_gb=RTX4090, ram_gb=128).why.values
    assert values["needs_gb"] > values["has_gb"] == 24.0
    values = plan(MODELS[A14B], vram_gb=H100, ram_gb=64).why.values
    assert values["needs_gb"] > values["has_gb"] == 64
    values = plan(MODELS[A14B], vram_gb=H200, ram_gb=128).why.values
    assert values["needs_gb"] < values["has_gb"]

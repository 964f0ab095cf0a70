"""Which tier runs where, and how a form loses what only the other tier dictated."""

from pathlib import Path

import pytest

from pipelines.models import MODELS, TIERS
from pipelines.tiers import choose, missing_pair, pair_files, without_fixed
from tests.tiny_lora import write_pair

A14B = MODELS["wan2.2-t2v-a14b"]


@pytest.mark.parametrize("name", MODELS)
def test_every_tier_of_every_model_runs_or_says_what_does_instead(name: str, tmp_path: Path) -> None:
    spec = MODELS[name]
    for tier in spec.tiers:
        choice = choose(spec, tier, home=tmp_path)
        assert choice.tier in spec.tiers
        assert (choice.tier == tier) == (choice.why is None)


def test_fast_needs_its_pair_and_says_which(tmp_path: Path) -> None:
    assert A14B.distilled is not None
    choice = choose(A14B, "fast", home=tmp_path)
    assert choice.tier == "balanced"
    assert choice.why is not None
    told = {"tier": "fast", "lora": A14B.distilled.name, "runs": "balanced"}
    assert (choice.why.code, choice.why.values) == ("tier_instead", told)
    folder = tmp_path / "loras" / A14B.distilled.name
    high, low = write_pair(folder)
    assert pair_files(A14B, tmp_path) == (high, low)
    assert missing_pair(A14B, tmp_path) == ""
    assert [choose(A14B, tier, home=tmp_path) for tier in TIERS] == [(tier, None) for tier in TIERS]
    low.unlink()
    assert choose(A14B, "fast", home=tmp_path).tier == "balanced", "half a pair is none"


def test_what_only_fast_dictates_does_not_stay(tmp_path: Path) -> None:
    form = {"prompt": "a boat", "num_inference_steps": "4", "guidance_scale": 1.0, "flow_shift": "7"}
    assert without_fixed(A14B, form) == {"prompt": "a boat", "flow_shift": "7"}

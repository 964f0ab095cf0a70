"""A form's speed and LoRAs: what runs instead is told, what is used is known by its content."""

from pathlib import Path
from typing import Any

import pytest

from pipelines import loras
from pipelines.models import MODELS
from pipelines.request import GenerationRequest, Notice
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.estimates import Estimates, Past, volume_of
from studio.film_takes import form_of
from studio.settings import Settings
from studio.story.film_plan import key_of
from tests.tiny_lora import write_lora, write_pair

ANNA = Visitor(owner="anna", admin=False)
A14B = MODELS["wan2.2-t2v-a14b"]
FORM = {"prompt": "a boat", "model": A14B.name, "seed": 5}
INSTEAD = Notice("tier_instead", {"tier": "fast", "lora": "wan2.2-t2v-lightning", "runs": "balanced"})


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(studio_home=tmp_path / "home", open_demo=True, local_worker=False))


def _lora(studio: Studio, name: str, **more: int) -> None:
    folder = studio.settings.studio_home / "loras" / name
    write_lora(folder / "high.safetensors", rank=1, **{"width": 5120, **more})


def test_what_runs_instead_is_told_before_and_kept_with_the_job(studio: Studio) -> None:
    assert studio.estimate(**FORM).told == ()
    assert studio.estimate(**FORM, tier="fast").told == (INSTEAD,)
    # As the page had filled it in for "fast".
    four = {"num_inference_steps": "4", "guidance_scale": "1"}
    job = studio.job(ANNA, studio.generate(ANNA, **FORM, **four, tier="fast")).job
    assert job.request is not None
    assert (job.request.tier, job.request.num_inference_steps) == ("balanced", 16)
    assert job.request.guidance_scale == 4.0
    assert job.notices == (INSTEAD,)
    assert job.form["tier"] == "fast", "once the pair is here, the same form runs fast"
    assert A14B.distilled is not None
    write_pair(studio.settings.studio_home / "loras" / A14B.distilled.name)
    again = studio.job(ANNA, studio.generate(ANNA, **job.form | {"num_inference_steps": 4})).job
    assert again.request is not None
    assert (again.request.tier, again.request.num_inference_steps, again.notices) == ("fast", 4, ())


def test_a_style_does_not_give_guidance_to_who_was_taught_none(studio: Studio) -> None:
    assert A14B.distilled is not None
    write_pair(studio.settings.studio_home / "loras" / A14B.distilled.name)
    request, _ = studio._resolve({**FORM, "tier": "fast", "style": "ink"})
    assert (request.guidance_scale, request.guidance_scale_2) == (1.0, 1.0)
    with pytest.raises(Refused) as refused:
        studio.estimate(**FORM, tier="fast", guidance_scale=5)
    assert refused.value.notices[0].code == "tier_fixed"
    with pytest.raises(Refused) as refused:
        studio.estimate(prompt="a boat", tier="fast")
    assert refused.value.notices[0].code == "tier_unknown"


def test_a_take_of_another_pair_has_another_key(studio: Studio) -> None:
    assert A14B.distilled is not None
    folder = studio.settings.studio_home / "loras" / A14B.distilled.name
    form: dict[str, Any] = {**FORM, "tier": "fast", "seed": 7}
    write_pair(folder)
    first, kept = studio._resolve(form)
    again, _ = studio._resolve(kept)
    here = loras.find(studio.settings.studio_home, folder.name)
    assert here is not None
    assert (first.pair, again) == (here.revision, first)
    write_pair(folder, seed=5)
    other, _ = studio._resolve(form)
    assert key_of(other) != key_of(first)
    # What was made before anybody looked at the pair is still found by its request.
    assert key_of(first.model_copy(update={"pair": ""})) == key_of(GenerationRequest.kept(_older(first)))
    assert "pair" not in form_of(first)


def _older(request: GenerationRequest) -> dict[str, Any]:
    """A row of a studio that knew no pairs."""
    return request.model_dump(mode="json", exclude={"pair"})


def test_a_lora_is_known_by_its_content(studio: Studio) -> None:
    _lora(studio, "grain", seed=1)
    form = {**FORM, "loras": "grain:0.8/0.5"}
    first, kept = studio._resolve(form)
    assert kept["loras"] == "grain:0.8/0.5"
    (use,) = first.loras
    assert (use.high, use.low, len(use.revision)) == (0.8, 0.5, 12)
    plain, _ = studio._resolve(FORM)
    _lora(studio, "grain", seed=2)
    second, _ = studio._resolve(form)
    assert len({key_of(plain), key_of(first), key_of(second)}) == 3
    assert first == studio._resolve({**form, "loras": " grain : 0.8/0.5 ,"})[0].model_copy(
        update={"loras": first.loras}
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"loras": "grain, grain"}, "lora_twice"),
        ({"loras": "nowhere"}, "lora_unknown"),
        ({"loras": "grain:heavy"}, "lora_text"),
        ({"loras": "narrow"}, "lora_misfit"),
        ({"loras": "grain", "model": "sketch"}, "lora_not_here"),
        ({"loras": "grain", "model": "wan2.2-ti2v-5b"}, "lora_misfit"),
    ],
)
def test_a_lora_that_cannot_be_used_is_refused_in_words(
    studio: Studio, changes: dict[str, str], code: str
) -> None:
    _lora(studio, "grain")
    _lora(studio, "narrow", width=3072)
    with pytest.raises(Refused) as refused:
        studio.generate(ANNA, **FORM | changes)
    assert [notice.code for notice in refused.value.notices] == [code]
    assert refused.value.notices[0].values["field"] == "loras"


def test_a_tier_has_a_pace_of_its_own(studio: Studio) -> None:
    exact, _ = studio._resolve(FORM)
    balanced, _ = studio._resolve({**FORM, "tier": "balanced"})
    draft, _ = studio._resolve({**FORM, "tier": "draft"})
    estimates = Estimates([Past(exact.model, volume_of(exact), 16, 100.0, 4.0)])
    assert estimates.seconds(exact) == pytest.approx(100.0)
    assert estimates.seconds(draft) is not None
    assert estimates.seconds(balanced) is None, "nobody has waited for one yet"

"""Speeds and LoRAs on the Create tab: only what can be chosen is offered, and its price is told."""

import pytest

from pipelines import loras
from pipelines.models import MODELS
from studio.ui import form as fields
from studio.ui import ways
from studio.ui.context import Page
from studio.ui.desk import Desk
from tests.tiny_lora import write_lora, write_pair

A14B = MODELS["wan2.2-t2v-a14b"]


@pytest.mark.parametrize("model", [name for name, spec in MODELS.items() if spec.shape is not None])
def test_every_speed_on_offer_can_be_asked_for(page: Page, model: str) -> None:
    spec = MODELS[model]
    offered = ways.tiers(page, spec)
    assert [tier for _, tier in offered] == list(spec.tiers)
    for words, tier in offered:
        name, _, price = words.partition("\n")
        assert name
        assert len(price) > 10
        page.studio.estimate(prompt="a boat", model=model, tier=tier)


@pytest.mark.parametrize("tier", A14B.tiers)
@pytest.mark.parametrize("here", [False, True])
def test_a_placeholder_is_what_an_empty_field_becomes_in_every_tier(
    page: Page, tier: str, here: bool
) -> None:
    assert A14B.distilled is not None
    if here:
        write_pair(page.studio.settings.studio_home / "loras" / A14B.distilled.name)
    seconds = fields.default_length(A14B)
    hints = fields.derived(page, A14B, style=None, quality="final", seconds=seconds, tier=tier)
    asked = {"prompt": "a boat", "model": A14B.name, "quality": "final", "tier": tier}
    request, _ = page.studio._resolve(asked)
    for name in ("num_inference_steps", "guidance_scale", "guidance_scale_2", "flow_shift"):
        assert float(hints[name]) == getattr(request, name)


def test_what_another_speed_would_run_stands_in_the_choice_and_before_the_button(page: Page) -> None:
    words = {tier: text for text, tier in ways.tiers(page, A14B)}
    assert "wan2.2-t2v-lightning" in words["fast"]
    told = Desk(page).price(prompt="a boat", model=A14B.name, tier="fast")
    assert "wan2.2-t2v-lightning" in told
    assert "lightning" not in Desk(page).price(prompt="a boat", model=A14B.name, tier="balanced")


def test_a_draft_begins_with_the_smallest_size_of_the_same_shape(page: Page) -> None:
    desk = Desk(page)
    sizes = [("1280x720", "832x480"), ("720x1280", "480x832"), ("960x960", "624x624")]
    for size, small in sizes:
        assert desk.switch_tier("draft", A14B.name, size)["size"]["value"] == small
        assert desk.switch_tier("exact", A14B.name, size)["size"]["value"] == size
    assert desk.switch_tier("fast", A14B.name, "1280x720")["quality"]["visible"] is False
    assert desk.switch_model(A14B.name)["quality"]["visible"] is True


def test_the_list_shows_the_loras_that_fit_with_the_strengths_of_the_form(page: Page) -> None:
    home = page.studio.settings.studio_home
    assert "<li" not in ways.lora_list(page, A14B, "")
    for name, width in (("grain", 5120), ("narrow", 3072)):
        write_lora(home / "loras" / name / "high.safetensors", rank=1, width=width)
    html = ways.lora_list(page, A14B, "grain:0.8/0.5")
    assert 'data-lora="grain"' in html
    assert "narrow" not in html
    assert html.count('type="number"') == 2
    assert 'value="0.8"' in html
    assert 'value="0.5"' in html
    assert "checked" in html
    assert ways.lora_list(page, A14B, "<b>").count("checked") == 0
    one = ways.lora_list(page, MODELS["wan2.2-ti2v-5b"], "")
    assert 'data-lora="narrow"' in one
    assert one.count('type="number"') == 1
    assert ways.lora_list(page, MODELS["sketch"], "") == ""


def test_a_kept_form_brings_its_speed_and_its_loras_back(page: Page) -> None:
    write_lora(page.studio.settings.studio_home / "loras" / "grain" / "high.safetensors", rank=1, width=5120)
    kept = {"prompt": "a boat", "model": A14B.name, "tier": "balanced", "loras": "grain:0.5", "seed": 3}
    updates = Desk(page).fill(kept)
    assert updates["tier"]["value"] == "balanced"
    assert updates["loras"]["value"] == "grain:0.5"
    assert 'value="0.5"' in updates["lora_list"]
    request, _ = page.studio._resolve(fields.filled(page, kept))
    assert (request.tier, loras.write_uses(request.loras)) == ("balanced", "grain:0.5")
    sketch = Desk(page).fill({"prompt": "a boat", "model": "sketch", "tier": "fast", "loras": "grain"})
    assert (sketch["tier"]["value"], sketch["tier"]["visible"]) == ("exact", False)
    assert sketch["loras"]["value"] == ""

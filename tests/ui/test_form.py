"""The form offers only what can be made, and a kept form fills it so that the same clip comes out."""

from typing import Any

import pytest

from pipelines.models import MODELS, QUALITIES
from studio.access import Visitor
from studio.core import Studio
from studio.styles import STYLES
from studio.text.terms import table
from studio.ui import form as fields
from studio.ui import unwanted
from studio.ui.context import Page
from studio.ui.desk import Desk
from studio.ui.examples import examples

EVERY = {"prompt": "a boat", "style": "none"}
HERE = [name for name, spec in MODELS.items() if spec.cloud is None]


@pytest.mark.parametrize("model", HERE)
def test_every_choice_can_be_made(page: Page, model: str) -> None:
    spec = MODELS[model]
    lengths = [value for _, value in fields.lengths(page, spec)]
    assert fields.default_length(spec) in lengths
    for _, size in fields.sizes(spec):
        page.studio.estimate(**EVERY, model=model, size=size)
    for seconds in lengths:
        page.studio.estimate(**EVERY, model=model, seconds=seconds)
    for _, quality in fields.qualities(page):
        page.studio.estimate(**EVERY, model=model, quality=quality)
    for _, style in fields.styles(page):
        page.studio.estimate(prompt="a boat", style=style, model=model)


@pytest.mark.parametrize("model", HERE)
@pytest.mark.parametrize("quality", QUALITIES)
def test_a_placeholder_is_what_an_empty_field_becomes(page: Page, model: str, quality: str) -> None:
    spec = MODELS[model]
    hints = fields.derived(page, spec, style=None, quality=quality, seconds=fields.default_length(spec))
    form = {**EVERY, "model": model, "quality": quality, "seconds": fields.default_length(spec)}
    request, _ = page.studio._resolve(form, priced=True)
    for name in fields.ADVANCED:
        value = getattr(request, name)
        said = hints[name] or None
        if name == "negative_prompt":
            assert said == (unwanted.told(page, value) or page.t("nothing"))
        else:
            assert (None if said is None else float(said)) == value


def test_what_ships_in_chinese_is_read_in_english_on_the_english_page(page: Page) -> None:
    english = table("unwanted")["en"]
    for text in (
        *(style.negative for style in STYLES.values()),
        *(m.negative_prompt for m in MODELS.values()),
    ):
        assert all(part in english for part in text.split("，") if part)
    assert unwanted.told(page, "色调艳丽，过曝").startswith("garish colours, overexposed (")
    for text in ("a car, rain", "只有我的话", ""):
        assert unwanted.told(page, text) == text
    assert unwanted.told(Page(page.studio, "zh"), "色调艳丽，过曝") == "色调艳丽，过曝"


@pytest.mark.parametrize(
    "form",
    [
        {"prompt": "a boat", "style": "ink", "seed": 5, "seconds": 3, "quality": "final", "size": "192x320"},
        {"prompt": "一只鹤", "num_frames": 21, "num_inference_steps": 7, "guidance_scale": 4.5},
        {"prompt": "a boat", "model": "wan2.2-ti2v-5b", "flow_shift": 4, "negative_prompt": "blur"},
    ],
)
def test_a_kept_form_fills_the_page_so_that_the_same_clip_comes_out(page: Page, form: dict[str, Any]) -> None:
    request, kept = page.studio._resolve(form)
    filled = fields.filled(page, kept)
    assert page.studio._resolve(filled)[0] == request


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {
            "prompt": "x",
            "model": "gone",
            "style": "gone",
            "size": "1x1",
            "quality": "gone",
            "num_frames": "many",
        },
        {"prompt": "x", "size": None, "seed": None, "num_frames": None},
    ],
)
def test_a_form_from_elsewhere_never_breaks_the_page(page: Page, kept: dict[str, Any]) -> None:
    filled = fields.filled(page, kept)
    assert filled["style"] == "none"
    assert filled["size"] == "320x192"
    page.studio.estimate(**{**filled, "prompt": "a boat"})


def test_filling_names_every_field_once(page: Page) -> None:
    desk = Desk(page)
    updates = desk.fill({"prompt": "a boat", "model": "wan2.2-ti2v-5b", "seed": 5})
    assert set(updates) == {*fields.filled(page, {}), "model_note", "lora_list"}
    assert updates["size"]["choices"] == fields.sizes(MODELS["wan2.2-ti2v-5b"])
    assert updates["guidance_scale_2"]["visible"] is False


def test_examples_are_in_both_languages_and_can_be_made(studio: Studio, visitor: Visitor) -> None:
    for example in examples():
        for language in ("en", "zh"):
            studio.estimate(prompt=example.prompt[language], style=example.style)


@pytest.mark.parametrize("key", ["0", "5", "", "-1", "99", "x"])
def test_an_example_key_from_a_browser_is_never_trusted(page: Page, key: str) -> None:
    assert Desk(page).example(key)["prompt"]

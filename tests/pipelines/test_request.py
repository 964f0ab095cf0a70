"""A request is checked once, at the type: a mistake gets one notice naming the field and what is allowed."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pipelines.models import MODELS
from pipelines.request import MAX_SEED, GenerationRequest, Notice, notices


def wrong(**form: Any) -> Notice:
    """The one notice that a form gets."""
    with pytest.raises(ValidationError) as caught:
        GenerationRequest(**{"prompt": "a boat", **form})
    found = notices(caught.value)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t\r\n", None, "\u200b\u200d", "\ufeff"])
def test_an_empty_prompt(prompt: str | None) -> None:
    assert wrong(prompt=prompt) == Notice("prompt_empty", {"field": "prompt"})


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_text_that_cannot_be_used(field: str) -> None:
    for character in ("\x00", "\x1b", "\x7f", "\x85", "\ud800"):
        assert wrong(**{field: f"a{character}b"}) == Notice("text_control", {"field": field})
    too_long = Notice("text_too_long", {"field": field, "length": 20_000, "high": 2000})
    assert wrong(**{field: "舟" * 20_000}) == too_long
    for value in (5, b"a boat", ["a boat"], True):
        assert wrong(**{field: value}) == Notice("text_needed", {"field": field})


def test_text_that_can_be_used() -> None:
    request = GenerationRequest(prompt="  a boat,\r\n\t夜晚的海上 👩‍🚀 ", negative_prompt="")
    assert (request.prompt, request.negative_prompt) == ("a boat,\r\n\t夜晚的海上 👩‍🚀", "")
    assert len(GenerationRequest(prompt="舟" * 2000).prompt) == 2000


@pytest.mark.parametrize("name", MODELS)
def test_a_size_off_the_models_list(name: str) -> None:
    notice = wrong(model=name, width=832, height=832)
    assert notice.code == "size_unknown"
    assert notice.values["field"] == "size"
    assert notice.values["value"] == "832×832"
    assert notice.values["allowed"] == ", ".join(f"{w}×{h}" for w, h in MODELS[name].sizes)


def test_half_a_size_names_the_other_half() -> None:
    assert wrong(width=320) == Notice("missing", {"field": "height"})


@pytest.mark.parametrize(
    ("model", "frames", "nearest"),
    [
        ("wan2.2-t2v-a14b", 82, "77 / 81"),
        ("wan2.2-t2v-a14b", 80, "77 / 81"),
        ("wan2.2-t2v-a14b", 50, "49 / 53"),
        ("wan2.2-t2v-a14b", 1, "17 / 21"),
        ("sketch", 82, "37 / 41"),
        ("sketch", 45, "37 / 41"),
    ],
)
def test_frames_that_are_not_4n_plus_1_in_range(model: str, frames: int, nearest: str) -> None:
    notice = wrong(model=model, num_frames=frames)
    assert notice.code == "frames_rule"
    spec = MODELS[model]
    assert notice.values == {
        "field": "num_frames",
        "value": frames,
        "model": spec.title,
        "low": spec.min_frames,
        "high": spec.max_frames,
        "nearest": nearest,
    }


NOT_NUMBERS = [
    "",
    "seven",
    "0x10",
    float("nan"),
    float("inf"),
    True,
    False,
    [1],
    {},
    b"3",
    2 + 0j,
    np.bool_(True),
]
NUMBERS = {
    "seed": ("number_whole", 0, MAX_SEED, [-5, -1, 2**31, 10**400, 10**5000, "1e400", 1.5, "2.5"]),
    "num_inference_steps": ("number_whole", 1, 100, [0, 101, -3, 7.5]),
    "num_frames": ("number_whole", 17, 41, [0, -17, 17.5, 10**9]),
    "guidance_scale": ("number_range", 1.0, 20.0, [0.99, 20.01, -4, "1e9"]),
    "guidance_scale_2": ("number_range", 1.0, 20.0, [0, 21]),
    "flow_shift": ("number_range", 0.1, 20.0, [0, 0.05, 50, -1]),
}


@pytest.mark.parametrize("field", NUMBERS)
def test_numbers_out_of_range_and_things_that_are_no_numbers(field: str) -> None:
    code, low, high, refused = NUMBERS[field]
    for value in [*refused, *NOT_NUMBERS]:
        notice = wrong(**{field: value})
        assert notice.code == code, value
        assert len(notice.values.pop("value")) <= 40
        assert notice.values == {"field": field, "low": low, "high": high}


@pytest.mark.parametrize("seed", [0, MAX_SEED, "7", " 7 ", 7.0, np.int64(7), np.uint8(7), np.float32(7)])
def test_numbers_in_any_form_become_plain_ones(seed: Any) -> None:
    request = GenerationRequest(prompt="x", seed=seed, guidance_scale=np.float64(4), num_inference_steps="12")
    assert (type(request.seed), type(request.guidance_scale), request.num_inference_steps) == (int, float, 12)
    assert request.seed == int(seed)


def test_an_unknown_model() -> None:
    allowed = ", ".join(name for name, spec in MODELS.items() if spec.cloud is None)
    for value in ("wan9", "", 5, ["sketch"], "SKETCH"):
        notice = wrong(model=value)
        assert notice.code == "model_unknown"
        assert notice.values == {"field": "model", "value": str(value), "allowed": allowed}


def test_an_unknown_quality() -> None:
    for value in ("ultra", 3, ["draft"]):
        notice = wrong(quality=value)
        expected = {"field": "quality", "value": str(value), "allowed": "draft, standard, final"}
        assert notice == Notice("quality_unknown", expected)


def test_an_unknown_field() -> None:
    notice = wrong(frame_num=81)
    assert notice.code == "field_unknown"
    assert notice.values["field"] == "frame_num"
    assert "num_frames" in notice.values["allowed"]
    assert len(wrong(**{"x" * 1000: 1}).values["field"]) == 40
    with pytest.raises(ValidationError) as caught:
        GenerationRequest.model_validate({3: 4, "prompt": "x"})
    assert [(n.code, n.values["field"]) for n in notices(caught.value)] == [("field_unknown", "3")]


@pytest.mark.parametrize("form", ["a boat", 5, None, [1], b"{}"])
def test_something_that_is_no_form(form: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        GenerationRequest.model_validate(form)
    assert [notice.values["field"] for notice in notices(caught.value)] == ["request"]


def test_the_second_guidance_belongs_to_models_with_two_experts() -> None:
    notice = wrong(model="wan2.1-t2v-1.3b", guidance_scale_2=3)
    assert notice == Notice("one_expert", {"field": "guidance_scale_2", "model": "Wan2.1 T2V-1.3B"})


def test_every_mistake_of_a_form_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        GenerationRequest(prompt="", seed=-5, num_inference_steps=0)
    fields = [notice.values["field"] for notice in notices(caught.value)]
    assert fields == ["prompt", "num_inference_steps", "seed"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("quality", ["draft", "standard", "final"])
def test_what_is_left_out_is_derived_and_the_json_restores_it_all(name: str, quality: str) -> None:
    spec = MODELS[name]
    picture = "a" * 64 if spec.first_frame == "needed" else ""
    request = GenerationRequest(prompt="a boat", model=name, quality=quality, first_frame=picture)
    sampling = spec.sampling[quality]
    assert request.size == spec.sizes[0]
    assert request.num_frames == spec.default_frames
    assert (request.guidance_scale, request.guidance_scale_2) == (
        sampling.guidance_scale,
        sampling.guidance_scale_2,
    )
    assert (request.num_inference_steps, request.flow_shift) == (
        sampling.num_inference_steps,
        sampling.flow_shift,
    )
    assert request.negative_prompt == spec.negative_prompt
    assert (request.spec, request.fps) == (spec, spec.fps)
    assert GenerationRequest.model_validate_json(request.model_dump_json()) == request


def test_none_means_left_out_and_an_empty_negative_prompt_stays_empty() -> None:
    blank = dict.fromkeys(("seed", "num_frames", "width", "height", "guidance_scale", "negative_prompt"))
    request = GenerationRequest(prompt="x", model="wan2.2-t2v-a14b", **blank)
    assert request.num_frames == 81
    assert request.negative_prompt == MODELS["wan2.2-t2v-a14b"].negative_prompt
    assert GenerationRequest(prompt="x", model="wan2.2-t2v-a14b", negative_prompt="").negative_prompt == ""


def test_the_seed_is_drawn_once_and_stays() -> None:
    seeds = {GenerationRequest(prompt="x").seed for _ in range(20)}
    assert len(seeds) > 15
    assert all(0 <= seed <= MAX_SEED for seed in seeds)


def test_a_request_does_not_change() -> None:
    request = GenerationRequest(prompt="x")
    with pytest.raises(ValidationError):
        request.seed = 3  # type: ignore[misc]

"""The table of the cloud's models: what ships is sound, a home's own is checked row by row."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines import cloud_models, models
from pipelines.cloud_facts import Money
from pipelines.models import MODELS
from pipelines.request import GenerationRequest, notices

OWN = """
[[model]]
name = "wan9-t2v"
title = "Wan9"
model = "wan9-t2v"
fps = 24
durations = [4, 8]
max_prompt = 100

[[model.tiers]]
name = "720P"
sizes = [[1280, 720]]
price = { intl = 0.2 }

[[model]]
name = "sketch"
title = "Not the sketch"
model = "x1"
fps = 24
durations = [4]
tiers = [{ name = "720P", sizes = [[1280, 720]] }]

[[model]]
name = "odd"
title = "Odd"
model = "odd"
fps = 24
durations = [4]
tiers = [{ name = "720P", sizes = [[1281, 720]] }]
"""


@pytest.fixture
def forgetting() -> Iterator[None]:
    """What is learned here is forgotten again."""
    before = dict(models._models._learned)
    yield
    models._models._learned.clear()
    models.learn(before)


def test_the_table_that_ships_is_sound() -> None:
    found, wrong = cloud_models.read(cloud_models.SHIPPED)
    assert wrong == []
    assert {"wan2.7-t2v", "wan2.5-t2v-preview", "wan2.2-t2v-plus"} <= set(found)
    for spec in found.values():
        assert spec.cloud is not None
        request = GenerationRequest(model=spec.name, prompt="a boat")
        assert request.num_frames == spec.cloud.durations[0] * spec.fps + 1
        assert request.guidance_scale_2 is None


def test_a_price_is_a_second_of_the_size_in_the_region() -> None:
    plus = MODELS["wan2.2-t2v-plus"].cloud
    assert plus is not None
    assert plus.price(832, 480, 5, "cn") == Money(pytest.approx(0.70), "CNY")
    assert plus.price(1920, 1080, 5, "intl") == Money(pytest.approx(0.50), "USD")
    assert plus.price(832, 480, 5, "us") is None
    assert plus.price(832, 480, 5, None) is None
    assert plus.price(100, 100, 5, "cn") is None


def test_lengths_are_the_clouds_whole_seconds() -> None:
    assert MODELS["wan2.5-t2v-preview"].legal_frames() == [121, 241]
    with pytest.raises(ValidationError) as caught:
        GenerationRequest(model="wan2.5-t2v-preview", prompt="a boat", num_frames=145)
    (notice,) = notices(caught.value)
    assert (notice.code, notice.values["allowed"], notice.values["value"]) == ("seconds_rule", "5, 10", "6")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"prompt": "a" * 801}, "text_too_long"),
        ({"negative_prompt": "a" * 501}, "text_too_long"),
        ({"width": 1280, "height": 720}, "size_unknown"),
        ({"num_inference_steps": 20}, "cloud_fixed"),
        ({"guidance_scale": 4.0}, "cloud_fixed"),
        ({"tier": "fast"}, "tier_unknown"),
        ({"loras": [{"name": "ink"}]}, "lora_not_here"),
    ],
)
def test_what_the_cloud_would_cut_off_or_ignore_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GenerationRequest(**{"model": "wan2.2-t2v-plus", "prompt": "a boat", **changes})
    assert [notice.code for notice in notices(caught.value)] == [code]


@pytest.mark.usefixtures("forgetting")
def test_a_home_adds_models_and_bad_rows_are_told(tmp_path: Path) -> None:
    assert cloud_models.learn(tmp_path) == ()
    (tmp_path / cloud_models.OWN).write_text(OWN)
    told = cloud_models.learn(tmp_path)
    assert sorted((notice.code, notice.values["row"]) for notice in told) == [
        ("cloud_row_bad", "odd"),
        ("cloud_row_bad", "sketch"),
    ]
    assert MODELS["wan9-t2v"].legal_frames() == [97, 193]
    assert MODELS["sketch"].cloud is None
    assert GenerationRequest(model="wan9-t2v", prompt="a boat").num_frames == 97


@pytest.mark.usefixtures("forgetting")
@pytest.mark.parametrize("text", ["", "model = 3", "[[model]", "\x00", "[[model]]\nname = 'x'\n"])
def test_a_broken_table_is_told_and_nothing_else_changes(tmp_path: Path, text: str) -> None:
    (tmp_path / cloud_models.OWN).write_text(text)
    known = list(MODELS)
    (notice,) = cloud_models.learn(tmp_path)
    assert notice.code in ("cloud_table_bad", "cloud_row_bad")
    assert list(MODELS) == known

"""The shipped sketch weights by the studio's own path: the picture follows the words, in both languages."""

import numpy as np
import pytest

from pipelines import loader
from pipelines.models import MODELS
from pipelines.request import GenerationRequest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Frames [T, H, W, 3] in 0..1 of the two sentences that the README and the issue name."""
    video = loader.load(MODELS["sketch"], home=tmp_path_factory.mktemp("home"), device="cpu")
    prompts = {"sunset": "a boat moving right at sea at sunset", "night": "夜晚的海上，一只小船向左航行"}
    made = {}
    for name, prompt in prompts.items():
        request = GenerationRequest(prompt=prompt, seed=7)
        made[name] = np.stack(list(video.generate(request, lambda _: None, lambda: False))) / 255
    return made


def test_the_time_of_day_is_the_one_asked_for(clips: dict[str, np.ndarray]) -> None:
    sunset_sky, night_sky = (clips[name][:, :80].mean((0, 1, 2)) for name in ("sunset", "night"))
    assert sunset_sky[0] > 1.2 * sunset_sky[2], "a sunset is redder than it is blue"
    assert night_sky.mean() < 0.3
    assert night_sky[2] > night_sky[0]


def test_there_is_a_sea(clips: dict[str, np.ndarray]) -> None:
    for name in ("sunset", "night"):
        water = clips[name][:, 160:].mean((0, 1, 2))
        assert water[2] > 1.2 * water[0], f"{name}: water is blue"


@pytest.mark.parametrize(("name", "way"), [("sunset", 1), ("night", -1)])
def test_something_travels_the_way_that_was_asked(clips: dict[str, np.ndarray], name: str, way: int) -> None:
    band = clips[name][:, 90:150]
    moved = np.abs(band - np.median(band, axis=0)).mean((1, 3))
    weights = np.clip(moved - np.quantile(moved, 0.7, axis=1, keepdims=True), 0, None)
    places = (weights * np.arange(320)).sum(1) / weights.sum(1)
    assert way * (places[-8:].mean() - places[:8].mean()) > 40, "pixels to the side asked for"

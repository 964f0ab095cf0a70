"""Rendered scenes show what they are asked for, and the same each time."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from pipelines.sketch.judge import FORMATS, Judge, real_clips
from pipelines.sketch.scenes import render
from pipelines.sketch.world import BACKDROPS, DEFAULTS, STYLES, SUBJECTS, TIMES, WEATHERS, Scene, sample_scene

HEIGHT, WIDTH = 96, 160


def scene(subject: str, **changes: str) -> Scene:
    return Scene(subject=subject, **{**DEFAULTS[subject], **changes})


def clip(*scenes: Scene, frames: int = 17, **more: object) -> torch.Tensor:
    return render(scenes, num_frames=frames, **{"height": HEIGHT, "width": WIDTH, **more})


def path(subject: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the subject's middle is in frames 0 and 40, as fractions (x, y) [2] each."""
    with_it, without = clip(subject, replace(subject, subject="none"), frames=41, frame_indices=[0, 40])
    weight = (with_it - without).abs().sum(1)
    weight = weight * (weight > 0.1)
    y, x = torch.meshgrid(torch.arange(HEIGHT) / HEIGHT, torch.arange(WIDTH) / WIDTH, indexing="ij")
    total = weight.sum((1, 2))
    return (weight * x).sum((1, 2)) / total, (weight * y).sum((1, 2)) / total


@pytest.mark.parametrize(("height", "width"), [(192, 320), (320, 192), (256, 256), (96, 160)])
def test_shape_and_range(height: int, width: int) -> None:
    rng = random.Random(5)
    out = render([sample_scene(rng) for _ in range(3)], num_frames=5, height=height, width=width)
    assert out.shape == (3, 5, 3, height, width)
    assert out.dtype == torch.float32
    assert out.isfinite().all()
    assert out.min() >= 0
    assert out.max() <= 1


def test_the_same_scene_gives_the_same_pixels() -> None:
    scenes = [sample_scene(random.Random(6)) for _ in range(2)]
    assert torch.equal(clip(*scenes, frames=5), clip(*scenes, frames=5))


def test_a_short_clip_is_the_start_of_a_long_one() -> None:
    rng = random.Random(7)
    scenes = [sample_scene(rng) for _ in range(6)]
    short, long = clip(*scenes, frames=17), clip(*scenes, frames=41)
    assert torch.allclose(short, long[:, :17], atol=1e-5)
    picked = clip(*scenes, frames=41, frame_indices=[3, 16])
    assert torch.allclose(picked, long[:, [3, 16]], atol=1e-5)


@pytest.mark.parametrize("subject", ["boat", "cat", "dragon", "rocket"])
def test_left_and_right(subject: str) -> None:
    x, _ = path(scene(subject, action="right"))
    assert x[1] - x[0] > 0.35
    x, _ = path(scene(subject, action="left"))
    assert x[0] - x[1] > 0.35


@pytest.mark.parametrize("subject", ["bird", "balloon", "person"])
def test_up_and_down(subject: str) -> None:
    _, y = path(scene(subject, action="up"))
    assert y[0] - y[1] > 0.25
    _, y = path(scene(subject, action="down"))
    assert y[1] - y[0] > 0.25


def test_growing_and_fading_in() -> None:
    for action in ("grow", "fade_in"):
        flower = scene("flower", action=action)
        with_it, without = clip(flower, replace(flower, subject="none"), frames=41, frame_indices=[1, 40])
        seen = (with_it - without).abs().mean((1, 2, 3))
        assert seen[1] > 3 * seen[0]


@pytest.mark.parametrize("style", STYLES)
def test_night_is_darker_than_day(style: str) -> None:
    for backdrop in BACKDROPS:
        day, night = clip(
            *(scene("none", backdrop=backdrop, time=time, style=style) for time in ("day", "night")), frames=1
        )
        assert night.mean() < day.mean() - 0.05, backdrop


def test_every_subject_and_weather_can_be_seen() -> None:
    for subject in SUBJECTS[:-1]:
        still = scene(subject, action="stand")
        with_it, without = clip(still, replace(still, subject="none"), frames=1)
        assert ((with_it - without).abs().amax(1) > 0.08).float().mean() > 0.03, subject
    views = clip(*(scene("none", weather=weather) for weather in WEATHERS), frames=1)
    for k in range(1, len(WEATHERS)):
        assert (views[k] - views[0]).abs().mean() > 0.05, WEATHERS[k]


def test_a_colour_word_paints_the_subject() -> None:
    red, blue = clip(*(scene("car", action="stand", colour=colour) for colour in ("red", "blue")), frames=1)
    changed = (red - blue).abs().amax(1)[0] > 0.4
    assert changed.float().mean() > 0.02
    assert red[0, 0][changed].mean() > blue[0, 0][changed].mean() + 0.4
    assert blue[0, 2][changed].mean() > red[0, 2][changed].mean() + 0.4


@pytest.mark.parametrize("weather", WEATHERS)
@pytest.mark.parametrize("style", ["paper-cut", "mono", "neon"])
def test_sun_and_moon_tell_the_hour_in_any_weather(weather: str, style: str) -> None:
    hours = [scene("none", backdrop="sea", weather=weather, time=t, style=style) for t in TIMES]
    sky = clip(*hours, frames=1)[:, 0].mean(1)[:, : HEIGHT // 2]
    # Where it stands each hour is lighter than in the pictures of the same row without it.
    for hour, (x, y) in enumerate(((0.20, 0.36), (0.82, 0.16), (0.66, 0.44), (0.785, 0.17))):
        row = sky[hour, int(y * HEIGHT)]
        here = row[int(x * WIDTH) - 2 : int(x * WIDTH) + 3].mean()
        assert here > row.median() + 0.02, TIMES[hour]


def test_the_judge_looks_at_every_format() -> None:
    judge = Judge()
    for form in FORMATS:
        logits = judge(real_clips([scene("boat"), scene("cat")], form))
        assert logits["subject"].shape == (2, len(SUBJECTS))
        assert logits["here"].shape == (2, 6, form.height // 32, form.width // 32)

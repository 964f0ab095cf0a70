"""Colour looks: named chains of ffmpeg filters. The names are those of the styles, and two more."""

from typing import Any, NamedTuple


class Step(NamedTuple):
    """One filter and its options."""

    filter: str
    options: dict[str, str | float]


# The styles colour the pictures themselves; a look only brings shots nearer to each other.
LOOKS: dict[str, tuple[Step, ...]] = {
    "": (),
    "none": (),
    "ink": (Step("eq", {"saturation": 0.35, "contrast": 1.06}), Step("lutyuv", {"u": "val-2", "v": "val+1"})),
    "mono": (Step("eq", {"saturation": 0, "contrast": 1.08}),),
    "mythic": (
        Step("eq", {"saturation": 1.12, "contrast": 1.06}),
        Step("colorbalance", {"rs": -0.03, "bs": 0.07, "rh": 0.06, "gh": 0.02, "bh": -0.07}),
    ),
    "neon": (
        Step("eq", {"saturation": 1.25, "contrast": 1.1}),
        Step("colorbalance", {"rs": 0.03, "bs": 0.08, "gm": -0.02, "bh": 0.04}),
    ),
    "paper-cut": (
        Step("eq", {"saturation": 1.15, "contrast": 1.05}),
        Step("lutyuv", {"u": "val-2", "v": "val+3"}),
    ),
    "watercolour": (Step("eq", {"saturation": 0.9, "contrast": 0.95, "gamma": 1.06}),),
    "warm": (Step("eq", {"saturation": 1.04}), Step("lutyuv", {"u": "val-5", "v": "val+4"})),
    "cool": (Step("eq", {"saturation": 0.96}), Step("lutyuv", {"u": "val+5", "v": "val-4"})),
}


def coloured(video: Any, look: str) -> Any:
    """The stream with a look on it; ValueError for a name that is not in the table."""
    if look not in LOOKS:
        raise ValueError(f"there is no look {look!r}")
    for step in LOOKS[look]:
        video = video.filter(step.filter, **step.options)
    return video

"""What can be done to a finished clip without rendering it anew, as data, and the graph that does it.

A clip's own visible label is taken off first: whoever writes the result puts the new one on.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import ffmpeg
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from pipelines.models import Size
from studio.media.canvas import Canvas
from studio.media.cut import intermediate, unlabelled
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.media.looks import LOOKS, Step, coloured
from studio.media.pace import paced_frames
from studio.media.probe import Facts

OperationName = Literal[
    "brightness", "contrast", "saturation", "warmth", "sharpness", "speed", "reverse", "loop", "trim",
    "fade", "crop", "mirror", "rotate", "stabilise", "look", "enlarge", "smooth",
]  # fmt: skip
MOST_OPERATIONS = 12
MAX_SECONDS = 60.0
"""Of a result: a loop of a loop ends somewhere."""
MIN_FRAMES = 2
FINISHING: tuple[OperationName, ...] = ("enlarge", "smooth")
"""What is done last, frame by frame (`studio.finishing`), not by the graph."""
LINES, RATES = (1080, 2160), (24, 30, 60)
"""What `enlarge` and `smooth` make of a clip: lines on its shorter side, frames a second."""

# What `amount` may be, for each operation that has one.
AMOUNTS: dict[OperationName, tuple[float, float]] = {
    **dict.fromkeys(("brightness", "contrast", "saturation", "warmth", "sharpness"), (-1.0, 1.0)),
    "speed": (0.25, 4.0),
    "loop": (1, 10),
    "trim": (0.05, MAX_SECONDS),
    "fade": (0.1, 5.0),
    "crop": (0.02, 0.6),
    "rotate": (90, 270),
    "enlarge": (min(LINES), max(LINES)),
    "smooth": (min(RATES), max(RATES)),
}
# What `how` may be.
_EXTRA_LOOKS: dict[str, tuple[Step, ...]] = {
    "sepia": (
        Step("eq", {"saturation": 0}),
        Step("colorbalance", {"rm": 0.14, "gm": 0.02, "bm": -0.14, "rh": 0.06, "bh": -0.1}),
    ),
    "grain": (Step("noise", {"alls": 16, "allf": "t+u"}),),
    "vignette": (Step("vignette", {"angle": 0.7}),),
}
HOWS: dict[OperationName, tuple[str, ...]] = {
    "loop": ("", "back"),
    "trim": ("start", "end", "keep_start", "keep_end"),
    "fade": ("in", "out", "in_white", "out_white"),
    "crop": ("edges", "left", "right", "top", "bottom"),
    "mirror": ("across", "down"),
    "look": tuple(name for name in (*LOOKS, *_EXTRA_LOOKS) if name not in ("", "none")),
    "enlarge": ("lanczos", "network"),
    "smooth": ("blend", "network"),
}
_CHOICES: dict[OperationName, tuple[int, ...]] = {
    "rotate": (90, 180, 270), "enlarge": LINES, "smooth": RATES,
}  # fmt: skip


class Operation(BaseModel):
    """One thing done to a clip. What `amount` and `how` mean, by `name`:

    brightness contrast saturation warmth sharpness   amount -1 (least) to 1 (most), 0 changes nothing
    speed      amount 0.25 to 4 times as fast
    loop       amount 2 to 10 times; how "back": there and back, 1 to 10 times
    trim       amount seconds; how "start" or "end" go, "keep_start" or "keep_end" stay
    fade       amount seconds; how "in", "out", "in_white", "out_white"
    crop       amount share 0.02 to 0.6; how "edges" (the size stays: closer) or the side that goes
    mirror     how "across" (left and right) or "down"
    rotate     amount 90, 180 or 270 degrees clockwise
    look       how: a name of HOWS["look"]
    enlarge    amount: lines of the shorter side, one of LINES; how "network" or "lanczos"
    smooth     amount: frames a second, one of RATES; how "network" or "blend"

    A clip that is as large, or as smooth, already stays so.

    pydantic's ValidationError with the code "number_range" or "choice_unknown".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: OperationName
    amount: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    how: Annotated[str, Field(max_length=20)] = ""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.name in AMOUNTS:
            low, high = AMOUNTS[self.name]
            whole = self.name != "loop" or self.amount == int(self.amount)
            chosen = self.name not in _CHOICES or self.amount in _CHOICES[self.name]
            if not low <= self.amount <= high or not whole or not chosen:
                raise PydanticCustomError(
                    "number_range",
                    "number_range",
                    {"field": self.name, "value": self.amount, "low": low, "high": high},
                )
        elif self.amount:
            raise PydanticCustomError("field_unknown", "field_unknown", {"field": "amount", "allowed": "how"})
        allowed = HOWS.get(self.name, ("",))
        if self.how not in allowed:
            told = {"field": self.name, "value": self.how, "allowed": ", ".join(allowed)}
            raise PydanticCustomError("choice_unknown", "choice_unknown", told)
        return self


@dataclass(frozen=True)
class Shape:
    """What a stretch of video is like between two operations."""

    width: int
    height: int
    frames: int
    fps: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.frames / self.fps


def shape_after(shape: Shape, operations: Sequence[Operation]) -> Shape:
    """What a clip is like afterwards. MediaError "retouch_long" (over 60 s) or "retouch_short" (empty)."""
    for operation in operations:
        shape = _SHAPES.get(operation.name, _same)(shape, operation)
        if shape.seconds > MAX_SECONDS:
            raise MediaError("retouch_long", high=round(MAX_SECONDS))
        if shape.frames < MIN_FRAMES:
            raise MediaError("retouch_short")
    return shape


def retouch_graph(
    source: Path,
    facts: Facts,
    fps: int,
    operations: Sequence[Operation],
    target: Path,
    *,
    label: LabelStyle | None = None,
) -> Any:
    """The graph that writes `source` with these operations to `target`, nearly lossless and silent.

    None of `FINISHING`, which is no work for a graph (KeyError).

    `label` is the one that stands on the source (None: none); it is taken off. MediaError as `shape_after`.
    """
    shape = Shape(facts.width, facts.height, facts.frames, fps)
    shape_after(shape, operations)
    read = ffmpeg.input(f"file:{source.absolute()}", f="mp4", protocol_whitelist="file", threads=2)
    video = read.video.filter("settb", "1/90000").filter("setpts", f"N/{fps}/TB")
    if label is not None:
        size = Size(facts.width, facts.height)
        video = unlabelled(video, label, size, fps=fps, frames=facts.frames)
    for operation in operations:
        video = _GRAPHS[operation.name](video, shape, operation)
        shape = shape_after(shape, (operation,))
    video = video.filter("setsar", 1)
    canvas = Canvas(shape.width, shape.height, fps)
    return intermediate(video, shape.frames, canvas, target)


# -- what each makes of the shape --------------------------------------------------------------------------


def _same(shape: Shape, operation: Operation) -> Shape:
    return shape


def _sped(shape: Shape, operation: Operation) -> Shape:
    return replace(shape, frames=max(1, round(shape.frames / operation.amount)))


def _looped(shape: Shape, operation: Operation) -> Shape:
    once = 2 * shape.frames - 2 if operation.how == "back" else shape.frames
    return replace(shape, frames=once * int(operation.amount))


def _kept(shape: Shape, operation: Operation) -> tuple[int, int]:
    """The first frame that stays and the one behind the last."""
    count = min(shape.frames, round(operation.amount * shape.fps))
    first, last = {
        "start": (count, shape.frames),
        "end": (0, shape.frames - count),
        "keep_start": (0, count),
        "keep_end": (shape.frames - count, shape.frames),
    }[operation.how]
    return first, last


def _trimmed(shape: Shape, operation: Operation) -> Shape:
    first, last = _kept(shape, operation)
    return replace(shape, frames=last - first)


def _cropped(shape: Shape, operation: Operation) -> Shape:
    stays = 1 - operation.amount
    if operation.how in ("left", "right"):
        return replace(shape, width=_even(shape.width * stays))
    if operation.how in ("top", "bottom"):
        return replace(shape, height=_even(shape.height * stays))
    return shape


def _turned(shape: Shape, operation: Operation) -> Shape:
    if operation.amount == 180:
        return shape
    return replace(shape, width=shape.height, height=shape.width)


def _enlarged(shape: Shape, operation: Operation) -> Shape:
    factor = operation.amount / min(shape.width, shape.height)
    if factor <= 1:
        return shape
    return replace(shape, width=_even(shape.width * factor), height=_even(shape.height * factor))


def _smoothed(shape: Shape, operation: Operation) -> Shape:
    fps = max(shape.fps, int(operation.amount))
    return replace(shape, fps=fps, frames=paced_frames(shape.frames, shape.fps, fps))


_SHAPES: dict[OperationName, Callable[[Shape, Operation], Shape]] = {
    "speed": _sped,
    "loop": _looped,
    "trim": _trimmed,
    "crop": _cropped,
    "rotate": _turned,
    "enlarge": _enlarged,
    "smooth": _smoothed,
}


# -- what each makes of the pictures -----------------------------------------------------------------------


def _steps(video: Any, steps: Sequence[Step]) -> Any:
    for step in steps:
        video = video.filter(step.filter, **step.options)
    return video


def _brightness(video: Any, shape: Shape, operation: Operation) -> Any:
    # Gamma lifts what lies between black and white; a little plain light makes it show in the dark, too.
    return video.filter("eq", gamma=round(2**operation.amount, 4), brightness=round(operation.amount / 16, 4))


def _contrast(video: Any, shape: Shape, operation: Operation) -> Any:
    return video.filter("eq", contrast=round(1.8**operation.amount, 4))


def _saturation(video: Any, shape: Shape, operation: Operation) -> Any:
    amount = operation.amount
    return video.filter("eq", saturation=round(1 + 1.4 * amount if amount > 0 else 1 + amount, 4))


def _warmth(video: Any, shape: Shape, operation: Operation) -> Any:
    amount = operation.amount
    kelvin = 6500 - 3000 * amount if amount > 0 else 6500 - 6000 * amount
    return video.filter("colortemperature", temperature=round(kelvin), pl=0.6)


def _sharpness(video: Any, shape: Shape, operation: Operation) -> Any:
    if operation.amount < 0:
        # A share of the height: 720 lines and 192 lines become equally soft.
        return video.filter("gblur", sigma=round(-operation.amount * shape.height / 160, 3))
    return video.filter("unsharp", 5, 5, round(1.8 * operation.amount, 3), 5, 5, 0)


def _speed(video: Any, shape: Shape, operation: Operation) -> Any:
    after = _sped(shape, operation)
    if after.frames <= shape.frames or shape.frames < 2:
        step = after.frames / shape.frames / shape.fps
        video = video.filter("setpts", f"N*{step:.9f}/TB").filter("fps", shape.fps)
        video = video.filter("tpad", stop_mode="clone", stop=after.frames)
        return _paced(video.filter("trim", end_frame=after.frames), shape.fps)
    # The last frame of the source lies on the last one of the result: no picture stands still at the end.
    step = (after.frames - 1) / shape.fps / (shape.frames - 1)
    video = video.filter("setpts", f"N*{step:.9f}/TB").filter("tpad", stop_mode="clone", stop=3)
    video = video.filter(
        "minterpolate", fps=shape.fps, mi_mode="mci", mc_mode="aobmc", me_mode="bidir", vsbmc=1
    )
    return _paced(video.filter("trim", end_frame=after.frames), shape.fps)


def _paced(video: Any, fps: int) -> Any:
    return video.filter("setpts", f"N/{fps}/TB")


def _reverse(video: Any, shape: Shape, operation: Operation) -> Any:
    return _paced(video.filter("reverse"), shape.fps)


def _loop(video: Any, shape: Shape, operation: Operation) -> Any:
    frames, times = shape.frames, int(operation.amount)
    if operation.how == "back":
        split = video.filter_multi_output("split")
        back = split[1].filter("trim", start_frame=1, end_frame=frames - 1).filter("reverse")
        video = ffmpeg.concat(_paced(split[0], shape.fps), _paced(back, shape.fps), v=1, a=0)
        frames = 2 * frames - 2
    return _paced(video.filter("loop", loop=times - 1, size=frames, start=0), shape.fps)


def _trim(video: Any, shape: Shape, operation: Operation) -> Any:
    first, last = _kept(shape, operation)
    return _paced(video.filter("trim", start_frame=first, end_frame=last), shape.fps)


def _fade(video: Any, shape: Shape, operation: Operation) -> Any:
    way, _, colour = operation.how.partition("_")
    frames = max(1, min(shape.frames, round(operation.amount * shape.fps)))
    first = 0 if way == "in" else shape.frames - frames
    return video.filter("fade", type=way, start_frame=first, nb_frames=frames, color=colour or "black")


def _crop(video: Any, shape: Shape, operation: Operation) -> Any:
    after, how = _cropped(shape, operation), operation.how
    if how == "edges":
        width, height = (_even(side * (1 - operation.amount)) for side in (shape.width, shape.height))
        return video.filter("crop", width, height).filter("scale", shape.width, shape.height, flags="lanczos")
    left = shape.width - after.width if how == "left" else 0
    top = shape.height - after.height if how == "top" else 0
    return video.filter("crop", after.width, after.height, left, top)


def _mirror(video: Any, shape: Shape, operation: Operation) -> Any:
    return video.filter("hflip" if operation.how == "across" else "vflip")


def _rotate(video: Any, shape: Shape, operation: Operation) -> Any:
    turns = {90: ("clock",), 180: ("clock", "clock"), 270: ("cclock",)}[int(operation.amount)]
    for way in turns:
        video = video.filter("transpose", way)
    return video


def _stabilise(video: Any, shape: Shape, operation: Operation) -> Any:
    return video.filter("deshake", rx=32, ry=32, edge="mirror")


def _look(video: Any, shape: Shape, operation: Operation) -> Any:
    if operation.how in _EXTRA_LOOKS:
        return _steps(video, _EXTRA_LOOKS[operation.how])
    return coloured(video, operation.how)


_GRAPHS: dict[OperationName, Callable[[Any, Shape, Operation], Any]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "warmth": _warmth,
    "sharpness": _sharpness,
    "speed": _speed,
    "reverse": _reverse,
    "loop": _loop,
    "trim": _trim,
    "fade": _fade,
    "crop": _crop,
    "mirror": _mirror,
    "rotate": _rotate,
    "stabilise": _stabilise,
    "look": _look,
}


def _even(length: float) -> int:
    return max(2, 2 * math.floor(length / 2 + 0.5))

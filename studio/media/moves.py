"""Camera moves inside a picture that stands: push in, pull out, pan. Frame by frame, finer than a pixel.

A window wanders over the picture and is brought to the picture's own size. `zoompan` and `crop` move it by
whole pixels, which trembles; `perspective` does not.
"""

from typing import Any

from studio.media.timeline import Move

# How far a move goes, as the share of the width and height that is cut away on each side.
_ZOOM = 0.04
_PAN = 0.05
# How fast the push-in that lengthens a shot becomes, in the same share a second.
_HOLD_SPEED = 0.03
_HOLD_EASE = 0.2


def moved(video: Any, move: Move, *, first: int, total: int, fps: int, hold: int | None = None) -> Any:
    """The stream with a move on it.

    Its frame 0 is frame `first` of a shot with `total` frames; over these the move goes once, begun and ended
    softly. From its frame `hold` on the picture stands, and a slow push-in keeps it alive.
    """
    inset, shift = _window(move, first=first, total=total)
    options: dict[str, str] = {}
    if hold is not None:
        inset = f"({inset}+{_held(hold, fps)})"
        if move == "none":
            options["enable"] = f"gte(n,{hold})"
    elif move == "none":
        return video
    return windowed(video, inset, shift, **options)


def windowed(video: Any, inset: str, shift: str = "0", **options: str) -> Any:
    """The stream seen through a window, both given as expressions of the frame's number `on` (from 1).

    `inset` is the share of width and height cut away on each side, `shift` how far right the window stands,
    as a share of the width.
    """
    left, right = f"W*({inset}+{shift})", f"W*(1-{inset}+{shift})"
    top, bottom = f"H*({inset})", f"H*(1-{inset})"
    return video.filter(
        "perspective",
        x0=left,
        y0=top,
        x1=right,
        y1=top,
        x2=left,
        y2=bottom,
        x3=right,
        y3=bottom,
        interpolation="cubic",
        eval="frame",
        **options,
    )


def _window(move: Move, *, first: int, total: int) -> tuple[str, str]:
    """Inset and shift of the window as expressions."""
    way = f"clip((on-1+{first})/{max(1, total - 1)},0,1)"
    soft = f"(0.5-0.5*cos(PI*{way}))"
    match move:
        case "push_in":
            return f"{_ZOOM}*{soft}", "0"
        case "pull_out":
            return f"{_ZOOM}*(1-{soft})", "0"
        case "pan_left":
            return f"{_PAN}", f"{_PAN}*(1-2*{soft})"
        case "pan_right":
            return f"{_PAN}", f"{_PAN}*(2*{soft}-1)"
        case _:
            return "0", "0"


def _held(hold: int, fps: int) -> str:
    """How far the push-in has gone: at rest at first, then steadily."""
    seconds = f"(max(0,on-1-{hold})/{fps})"
    return f"{_HOLD_SPEED}*{seconds}*{seconds}/({seconds}+{_HOLD_EASE})"

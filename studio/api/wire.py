"""DashScope's wire format, inwards: what a request's body asks for, read strictly. Pure but for one table.

Names and errors are the service's own, so that a script for it needs no change. What it would take and this
studio can't do is refused by name, never left out in silence.
"""

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from math import isfinite, log
from pathlib import Path
from typing import Any

from pipelines.models import MODELS, ModelSpec, Size
from pipelines.request import MAX_SEED, Notice, as_typed

_TABLE = Path(__file__).resolve().parents[2] / "assets" / "api" / "models.toml"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What would change the film and can't be had here, by its place in the body.
_NOT_HERE = {
    "input": (
        "template", "audio_url", "reference_url", "reference_urls", "reference_video_urls", "head_frame",
        "tail_frame", "last_frame_url",
    ),
    "parameters": ("audio_setting",),
}  # fmt: skip
# The area that each of the service's resolutions stands for, in pixels.
_RESOLUTIONS = {"480P": 832 * 480, "720P": 1280 * 720, "1080P": 1920 * 1080}
_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4")
# A size of this many times another one's area is no longer called by the same resolution.
_ALIKE = 1.5
# How far a size may be from a ratio and still be called by it: 832*480 is 16:9.
_SHAPE = 0.05


class Wrong(Exception):
    """What was sent can't be done: the service's `status` and `code`, and why in words."""

    def __init__(self, notice: Notice, *, status: int = 400, code: str = "InvalidParameter") -> None:
        super().__init__(notice.code)
        self.notices, self.status, self.code = (notice,), status, code
        self.headers: dict[str, str] = {}


@dataclass(frozen=True)
class Asked:
    """One task. `model` is the name that was sent, `spec` the model it means; `frames` a legal count.

    `picture` is the address of a first frame, empty for none; without a `size` its shape decides which of
    `sizes` it is. None means: the model's own.
    """

    model: str
    spec: ModelSpec
    prompt: str
    negative_prompt: str | None
    size: Size | None
    sizes: tuple[Size, ...]
    frames: int | None
    seed: int | None
    extend: bool
    picture: str

    def form(self) -> dict[str, Any]:
        """The form of `Studio.generate`, but for the picture and what becomes of the prompt."""
        size = None if self.size is None else f"{self.size.width}x{self.size.height}"
        form: dict[str, Any] = {"model": self.spec.name, "prompt": self.prompt, "size": size}
        form |= {"negative_prompt": self.negative_prompt, "num_frames": self.frames, "seed": self.seed}
        return {name: value for name, value in form.items() if value is not None}


def read(body: bytes, *, default: str) -> Asked:
    """What a body asks for; `default` is the model that the service's names mean. Raises `Wrong`."""
    document = _document(body)
    name = _text(document, "model", place="")
    if not name:
        raise Wrong(Notice("api_missing", {"name": "model"}), code="BadRequest.EmptyModel")
    spec = model_of(name, default)
    given = _object(document, "input", code="BadRequest.EmptyInput")
    more = _object(document, "parameters")
    for place, fields in (("input", given), ("parameters", more)):
        for field in _NOT_HERE[place]:
            if fields.get(field) not in (None, "", [], {}, False):
                raise Wrong(Notice("api_not_here", {"name": f"{place}.{field}"}))
    _choice(more, "shot_type", ("single",))
    picture = _picture(given)
    if picture and spec.first_frame == "no":
        raise Wrong(Notice("first_frame_not_here", {"field": "first_frame", "model": spec.title}))
    size, sizes = _size(more, name, spec, has_picture=picture != "")
    return Asked(
        model=name,
        spec=spec,
        prompt=_text(given, "prompt", place="input.") or "",
        negative_prompt=_text(given, "negative_prompt", place="input.") or None,
        size=size,
        sizes=sizes,
        frames=_frames(more, spec),
        seed=_number(more, "seed", 0, MAX_SEED, whole=True),
        extend=_switch(more, "prompt_extend"),
        picture=picture,
    )


def model_of(name: str, default: str) -> ModelSpec:
    """The model of a name: this studio's own, or `default` for the service's. Raises `Wrong`."""
    own = {spec.name: spec for spec in MODELS.values() if spec.cloud is None}
    if name in own:
        return own[name]
    for kind, can_not in (("text", "needed"), ("picture", "no")):
        if name in _service()[kind]["names"]:
            spec = MODELS[default]
            return MODELS[_service()[kind]["instead"]] if spec.first_frame == can_not else spec
    theirs = [known for kind in ("text", "picture") for known in _service()[kind]["names"]]
    values = {"value": as_typed(name), "allowed": [*own, *theirs]}
    raise Wrong(Notice("api_model", values), status=404, code="ModelNotFound")


@cache
def _service() -> dict[str, Any]:
    """The service's own names for its models."""
    return tomllib.loads(_TABLE.read_text("utf-8"))


def resolution(size: Size) -> int:
    """What the service would call a size: 480, 720 or 1080; the shorter side of one unlike all of these."""
    area = size.width * size.height
    name = min(_RESOLUTIONS, key=lambda one: abs(log(_RESOLUTIONS[one] / area)))
    alike = 1 / _ALIKE <= _RESOLUTIONS[name] / area <= _ALIKE
    return int(name.removesuffix("P")) if alike else min(size)


def is_id(typed: str) -> bool:
    """Whether this can be the id of a task at all."""
    return _ID.fullmatch(typed) is not None


def wired(size: Size) -> str:
    """A size as the service writes it: "1280*720"."""
    return f"{size.width}*{size.height}"


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Wrong(Notice("api_no_json")) from error
    if not isinstance(found, dict):
        raise Wrong(Notice("api_no_json"))
    return found


def _no_constant(name: str) -> Any:
    # Python's reader takes NaN and Infinity, which are no JSON.
    raise ValueError(name)


def _object(document: dict[str, Any], name: str, *, code: str = "") -> dict[str, Any]:
    found = document.get(name)
    if found is None and code:
        raise Wrong(Notice("api_missing", {"name": name}), code=code)
    if found is not None and not isinstance(found, dict):
        raise Wrong(Notice("api_object", {"name": name}))
    return found or {}


def _text(fields: dict[str, Any], name: str, *, place: str = "parameters.") -> str | None:
    found = fields.get(name)
    if found is not None and not isinstance(found, str):
        raise Wrong(Notice("api_text", {"name": place + name}))
    return found


def _switch(fields: dict[str, Any], name: str) -> bool:
    found = fields.get(name)
    if found is not None and not isinstance(found, bool):
        raise Wrong(Notice("api_switch", {"name": f"parameters.{name}", "value": as_typed(found)}))
    return bool(found)


def _choice(fields: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str | None:
    found = fields.get(name)
    if found is None or found == "":
        return None
    chosen = next((one for one in allowed if one == found), None)
    if chosen is None:
        values = {"name": f"parameters.{name}", "value": as_typed(found), "allowed": list(allowed)}
        raise Wrong(Notice("api_choice", values))
    return chosen


def _number(fields: dict[str, Any], name: str, low: float, high: float, *, whole: bool = False) -> Any:
    found = fields.get(name)
    if found is None:
        return None
    number = isinstance(found, int | float) and not isinstance(found, bool)
    # In this order: an integer of a thousand digits is no float.
    fits = number and low <= found <= high and isfinite(found) and (not whole or found == int(found))
    if not fits:
        values = {"name": f"parameters.{name}", "value": as_typed(found), "low": low, "high": high}
        raise Wrong(Notice("api_whole" if whole else "api_number", values))
    return int(found) if whole else found


def _frames(fields: dict[str, Any], spec: ModelSpec) -> int | None:
    low, high = ((count - 1) / spec.fps for count in (spec.min_frames, spec.max_frames))
    seconds = _number(fields, "duration", low, high)
    return None if seconds is None else spec.frames_for(seconds)


def _size(
    fields: dict[str, Any], name: str, spec: ModelSpec, *, has_picture: bool
) -> tuple[Size | None, tuple[Size, ...]]:
    """The size that is asked for, and those it may be where a picture's shape decides."""
    typed = _text(fields, "size")
    ratio = _choice(fields, "ratio", _RATIOS)
    told = {"resolution": (_text(fields, "resolution") or "").upper()}
    tier = _choice(told, "resolution", tuple(_RESOLUTIONS))
    if typed:
        found = next((size for size in spec.sizes if wired(size) == typed), None)
        return found or _no_size(typed, name, spec), spec.sizes
    sizes = tuple(size for size in spec.sizes if tier is None or f"{resolution(size)}P" == tier)
    if not sizes:
        _no_size(tier or "", name, spec)
    if ratio is None and (tier is None or has_picture):
        return None, sizes
    wide, _, high = (ratio or "16:9").partition(":")
    fit = (size for size in sizes if abs(log(size.width / size.height * int(high) / int(wide))) < _SHAPE)
    return next(fit, None) or _no_size(" ".join(filter(None, (tier, ratio))), name, spec), sizes


def _nearest(typed: str, spec: ModelSpec) -> Size | None:
    """The size that a script most likely meant: of the same shape, about as large; None if it wrote none."""
    found = re.fullmatch(r"\s*(\d{1,5})\s*[*x×]\s*(\d{1,5})\s*", typed.lower())
    if found is None or not (wide := int(found[1])) or not (high := int(found[2])):
        return None

    def off(size: Size) -> tuple[float, float]:
        shape = abs(log(size.width / size.height * high / wide))
        return round(shape, 1), abs(log(size.width * size.height / (wide * high)))

    return min(spec.sizes, key=off)


def _no_size(typed: str, name: str, spec: ModelSpec) -> Size:
    near = _nearest(typed, spec)
    values: dict[str, Any] = {
        "value": as_typed(typed),
        "model": spec.title,
        "allowed": [wired(size) for size in spec.sizes],
        "near": "" if near is None else Notice("api_size_near", {"size": wired(near)}),
    }
    if name == spec.name:
        raise Wrong(Notice("api_size", values))
    # A script for the cloud does not know what runs here.
    raise Wrong(Notice("api_size_meant", {**values, "name": as_typed(name)}))


def _picture(given: dict[str, Any]) -> str:
    """The address of the first frame, by any of the names the service has had for it."""
    for name in ("img_url", "first_frame_url"):
        if found := _text(given, name, place="input."):
            return found
    media = given.get("media")
    if not media:
        return ""
    only = media[0] if isinstance(media, list) and len(media) == 1 else None
    if (
        not isinstance(only, dict)
        or only.get("type") != "first_frame"
        or not isinstance(only.get("url"), str)
    ):
        raise Wrong(Notice("api_not_here", {"name": "input.media"}))
    return str(only["url"])

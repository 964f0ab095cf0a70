"""A form as a person filled it in: its fields, and how they become those of a request."""

from collections.abc import Callable
from typing import Any

from pipelines.models import QUALITIES, ModelSpec
from pipelines.request import MAX_SEED, GenerationRequest, Notice
from studio import styles
from studio.access import Visitor
from studio.grid_plan import COLUMNS
from studio.library import Asset
from studio.picture_rows import Picture
from studio.pictures import size_for
from studio.refusal import Refused
from studio.styles import Style
from studio.text.rewrite import comes_from

# What makes a request of a visitor's form, and the form to keep.
Resolve = Callable[[Visitor, dict[str, Any]], tuple[GenerationRequest, dict[str, Any]]]

# What a person may set; everything else in a form is refused by name.
FORM_FIELDS = (
    *COLUMNS,
    "style_version",
    # Where the clip is kept: it decides no pixel, but who sees the clip at once.
    "project",
    # What stood there before the prompt was improved: kept beside it, and never part of the pixels.
    "prompt_original",
    # The hash of the picture that the clip begins with.
    "first_frame",
)

# Stands for a picture where only the price is asked for.
ANY_PICTURE = "0" * 64
# The length is kept as frames, the prompt before its improvement only where it is one.
NOT_KEPT = ("seconds", "prompt_original")
# What a request does not have: it becomes other fields, or none.
_NO_PIXELS = ("style", "style_version", "size", "seconds", "prompt_original", "project")


def fields_of(given: dict[str, Any], spec: ModelSpec, style: Style | None) -> dict[str, Any]:
    """A form's fields as GenerationRequest takes them: style applied, size and length as numbers."""
    for name in given:
        if name not in FORM_FIELDS:
            raise refusal("field_unknown", field=name[:40], allowed=", ".join(FORM_FIELDS))
    fields = {name: given[name] for name in given if name not in _NO_PIXELS}
    if "size" in given:
        width, _, height = str(given["size"]).lower().replace("×", "x").partition("x")
        if not (width.strip().isdecimal() and height.strip().isdecimal()):
            allowed = ", ".join(map(str, spec.sizes))
            raise refusal(
                "size_unknown", field="size", value=str(given["size"])[:40], model=spec.title, allowed=allowed
            )
        fields |= {"width": int(width), "height": int(height)}
    if "seconds" in given and "num_frames" not in given:
        fields["num_frames"] = spec.frames_for(_seconds(given["seconds"], spec))
    prompt = given.get("prompt")
    if style is not None and isinstance(prompt, str) and prompt.strip():
        quality = next((one for one in QUALITIES if one == given.get("quality")), QUALITIES[0])
        # A distilled model was taught without guidance.
        guidance = {} if given.get("tier") == "fast" else styles.guidance(style, spec, quality)
        fields = {**guidance, **fields, "look": style.look}
        fields |= styles.apply(style, prompt=prompt, negative_prompt=given.get("negative_prompt"), spec=spec)
    return fields


def original_of(given: dict[str, Any]) -> dict[str, str]:
    """What the prompt was before it was improved; nothing if the prompt tells of something else by now."""
    if "prompt_original" not in given:
        return {}
    typed, prompt = {"prompt": given["prompt_original"]}, str(given["prompt"]).strip()
    original = GenerationRequest(**typed).prompt
    kept = original != prompt and comes_from(prompt, original)
    return {"prompt_original": original} if kept else {}


def _seconds(value: Any, spec: ModelSpec) -> float:
    low, high = ((n - 1) / spec.fps for n in (spec.min_frames, spec.max_frames))
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = float("nan")
    # Half a frame group of grace: the page rounds lengths to tenths.
    if not low - 0.25 <= seconds <= high + 0.25:
        raise refusal("number_range", field="seconds", value=str(value)[:40], low=low, high=high)
    return seconds


def refusal(code: str, **values: Any) -> Refused:
    return Refused(Notice(code, values))


def going_on(asset: Asset, spec: ModelSpec, picture: Picture) -> dict[str, Any]:
    """The form of a clip that goes on from another one, by a model that takes a first frame.

    Words, style and quality are those of the clip, the seed is the next one; what only its own model has is
    left out. Refused if the model takes no picture.
    """
    if spec.first_frame == "no":
        raise refusal("first_frame_not_here", field="model", model=spec.title)
    old, size = asset.request, size_for(picture, spec)
    kept = ("prompt", "style", "style_version", "quality", "project", "negative_prompt")
    form = {name: asset.form[name] for name in kept if asset.form.get(name)}
    if old is not None:
        form.setdefault("prompt", old.prompt)
        form["seed"] = (old.seed + 1) % (MAX_SEED + 1)
    return form | {"model": spec.name, "size": f"{size.width}x{size.height}", "first_frame": picture.id}

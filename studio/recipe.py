"""The recipe that every MP4 carries in its `comment`: all that is needed to make the clip, or film, again.

Read back, it is untrusted: anybody can write a comment.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.request import GenerationRequest
from studio.media import probe
from studio.media.ffmpeg import MediaError
from studio.story.film_plan import FilmPlan
from studio.styles import STYLES, Style

STUDIO: Literal["wan-studio"] = "wan-studio"
MAX_BYTES = 64 * 1024
# The metadata label that joins the recipe in the comment.
_LABEL_BYTES = 1024
MAX_FILE_BYTES = 500 * 1000 * 1000
# A form's fields and what they may hold in a file; the longest text is checked by the request itself.
_TEXTS = (
    "prompt", "prompt_original", "negative_prompt", "style", "model", "quality", "size", "first_frame",
    "tier", "loras",
)  # fmt: skip
_NUMBERS = (
    "seconds", "num_frames", "seed", "num_inference_steps", "guidance_scale",
    "guidance_scale_2", "flow_shift", "style_version",
)  # fmt: skip
_LONG_TEXTS = ("prompt", "prompt_original", "negative_prompt")
# The longest other text: four LoRAs with their strengths.
_MOST = {"loras": 400}


class Recipe(BaseModel):
    """How a clip was made. `form` is what was typed, `request` what came of it, `created` an ISO time.

    `engine` is what the model ran with (attention, compiled blocks): the same picture within its rounding.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    studio: Literal["wan-studio"] = STUDIO
    version: Annotated[int, Field(ge=1, le=1000)] = 1
    request: GenerationRequest
    form: dict[str, Any]
    model_revision: Annotated[str, Field(max_length=200)] = ""
    engine: Annotated[str, Field(max_length=200)] = ""
    actual_prompt: Annotated[str, Field(max_length=8000)] = ""
    created: Annotated[str, Field(max_length=40)] = ""
    job: Annotated[str, Field(max_length=64)] = ""

    @field_validator("form")
    @classmethod
    def _known_fields(cls, form: dict[str, Any]) -> dict[str, Any]:
        """Keep the fields of today's form; a value of the wrong kind is an error, an unknown field is not."""
        for name, value in form.items():
            whole = isinstance(value, int | float) and not isinstance(value, bool)
            if name in _TEXTS and not (isinstance(value, str) or value is None):
                raise ValueError(f"{name} is no text")
            if name in _NUMBERS and not (
                whole or value is None or (isinstance(value, str) and len(value) <= 40)
            ):
                raise ValueError(f"{name} is no number")
            if name in _TEXTS and name not in _LONG_TEXTS and len(value or "") > _MOST.get(name, 100):
                raise ValueError(f"{name} is too long")
        return {name: value for name, value in form.items() if name in _TEXTS + _NUMBERS}

    def text(self) -> str:
        """The recipe as the file's comment holds it."""
        return self.model_dump_json()


# What a film's recipe leaves out first where it has no room: the least needed to tell the story again.
_SPARE = (
    ("requests", "negative_prompt"),
    ("shot", "captions"),
    ("requests", "prompt"),
    ("shot", "requests"),
    ("shot", "narration"),
    ("plan", "shots"),
)


def film_recipe(
    plan: FilmPlan, *, job: str, created: str, networks: Mapping[str, Any] | None = None
) -> tuple[str, tuple[str, ...]]:
    """A film's recipe as its file's comment holds it, and what it leaves out to fit 64 KB ("captions" ...).

    `created` is an ISO time, `networks` what made its takes larger and smoother. The comment itself lists
    what is left out as `left_out`.
    """
    told = plan.model_dump(mode="json", exclude_defaults=True)
    told |= {"version": plan.version}
    left: list[str] = []
    for place, name in (("", ""), *_SPARE):
        shots = told.get("shots", ())
        requests = [request for shot in shots for request in shot.get("requests", ())]
        for part in {"plan": [told], "shot": shots, "requests": requests}.get(place, ()):
            part.pop(name, None)
        left += [name] if name else []
        found: dict[str, Any] = {"studio": STUDIO, "version": 1, "kind": "film", "job": job}
        found |= {"created": created, "plan": told, "left_out": left}
        found |= {"networks": dict(networks)} if networks else {}
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) <= MAX_BYTES - _LABEL_BYTES:
            break
    return text, tuple(left)


def read_recipe(path: Path, find: Callable[[str], Style | None] = STYLES.get) -> Recipe:
    """The recipe of a clip made here; `find` knows the styles that there are.

    Raises MediaError: "file_empty", "file_too_big", "not_a_video" (text named .mp4), "not_ours" (somebody
    else's video), "is_film" (its story is what can be changed), "is_grid", "recipe_bad" (changed or damaged).
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise MediaError("file_too_big", high=MAX_FILE_BYTES // 1_000_000)
    found = _read_json(probe.comment(path))
    try:
        recipe = Recipe.model_validate(found)
        return recipe.model_copy(update={"form": _checked(recipe, find)})
    except ValidationError as error:
        raise MediaError("recipe_bad") from error


def _read_json(text: str) -> dict[str, Any]:
    if f'"{STUDIO}"' not in text[:200]:
        raise MediaError("not_ours")
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise MediaError("recipe_bad")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MediaError("recipe_bad") from error
    if not isinstance(found, dict) or found.get("studio") != STUDIO:
        raise MediaError("not_ours")
    if found.get("kind") in ("film", "grid"):
        raise MediaError(f"is_{found['kind']}")
    return found


def _checked(recipe: Recipe, find: Callable[[str], Style | None]) -> dict[str, Any]:
    """The form, its texts checked as a request's are; a style that is gone gives way to the words it made."""
    form = {name: value for name, value in recipe.form.items() if value is not None and value != ""}
    if find(str(form.get("style", "none"))) is None or "prompt" not in form:
        form |= {"style": "none", "prompt": recipe.request.prompt}
        form |= {"negative_prompt": recipe.request.negative_prompt}
    texts = {name: form[name] for name in _LONG_TEXTS if name in form}
    original = {"prompt": texts.pop("prompt_original", texts["prompt"])}
    GenerationRequest(**texts)
    GenerationRequest(**original)
    return form

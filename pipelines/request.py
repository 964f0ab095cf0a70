"""The vocabulary between the studio and the pixels: what is asked, how far it is, what went wrong.

Pydantic only, no torch: the web process imports this.
"""

import contextlib
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pipelines.models import DEFAULT_MODEL, MODELS, QUALITIES, ModelSpec, Sampling, Size, Tier

MAX_PROMPT = 2000
MAX_SEED = 2**31 - 1
# Numbers from here on are told as a power of ten.
_LONG = 1e15
MAX_STEPS = 100
GUIDANCE_RANGE = (1.0, 20.0)
SHIFT_RANGE = (0.1, 20.0)
STRENGTH_RANGE = (-2.0, 4.0)
MAX_LORAS = 4
_ALLOWED_CONTROLS = frozenset("\n\t\r")


@dataclass(frozen=True)
class Notice:
    """Something to tell a person, as code + values: worded per reader by `studio.words.say`."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)


class ModelError(Exception):
    """A model could not load or run; `notice` says why in words a person understands."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(f"{code} {values}" if values else code)
        self.notice = Notice(code, values)


class Cancelled(Exception):
    """Raised from inside a running pipeline when its job was cancelled; `notice` is what to say of it."""

    def __init__(self, notice: Notice | None = None) -> None:
        super().__init__("" if notice is None else notice.code)
        self.notice = notice


@dataclass(frozen=True)
class Progress:
    """Where a running job is: a request in a pipeline or a cloud's queue, a film (the last three).

    `step` of `total` denoising steps, takes, or frames; `preview` is an animated WebP. `resume_token`: with
    it among its `Inputs`, another worker goes on with this very job instead of beginning, and paying, anew;
    it is kept before this report returns ("": there is nothing to go on with; None says nothing of it).
    `actual_prompt` is what a cloud made of the prompt.
    """

    stage: Literal[
        "loading", "encoding", "waiting", "denoising", "decoding", "takes", "voice", "finishing", "cutting"
    ]
    step: int = 0
    total: int = 0
    preview: bytes | None = None
    resume_token: str | None = None
    actual_prompt: str = ""


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Inputs:
    """What a request only names, found by the studio: files of this machine, and what an earlier try left.

    `first_frame` is the picture of `GenerationRequest.first_frame`; `loras` holds the files of each LoRA by
    its name: (high-noise, low-noise), the second None where one file serves the only expert.
    """

    first_frame: Path | None = None
    loras: Mapping[str, tuple[Path, Path | None]] = field(default_factory=dict)
    resume_token: str = ""


NO_INPUTS = Inputs()


class Pipeline(Protocol):
    """Anything that turns a request into frames: a local Wan, or a cloud."""

    def generate(
        self,
        request: "GenerationRequest",
        on_progress: OnProgress,
        should_stop: Callable[[], bool],
        inputs: Inputs = NO_INPUTS,
    ) -> Any:
        """Yield frames, uint8 arrays (height, width, 3); raise `Cancelled` once `should_stop()`."""


class LoraUse(BaseModel):
    """A LoRA of this studio by its name, with its strength (-2 to 4; 1 as its makers meant it) per expert.

    `low` is None for a model with one expert. `revision` is 12 hex digits over its files, as the studio found
    them when the clip was asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    high: float = Field(default=1.0, ge=STRENGTH_RANGE[0], le=STRENGTH_RANGE[1], allow_inf_nan=False)
    low: float | None = Field(default=1.0, ge=STRENGTH_RANGE[0], le=STRENGTH_RANGE[1], allow_inf_nan=False)
    revision: str = Field(default="", pattern=r"^([0-9a-f]{12})?$")


def _wrong(code: str, **values: Any) -> PydanticCustomError:
    return PydanticCustomError(code, code, values)


def as_typed(value: Any) -> str:
    """The beginning of a refused value, for the sentence about it: 999 for 999.0, 1e40 for forty zeros."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return f"{value:.15g}" if abs(value) < _LONG else f"{value:.4g}".replace("e+", "e")
        return str(value)[:40]
    except Exception:
        # Python refuses to write out integers of thousands of digits.
        return type(value).__name__


def _number(value: Any, *, name: str, low: float, high: float, whole: bool = False) -> Any:
    """The value if it is a number within [low, high]; an error that names the field and the range if not."""
    number = float("nan")
    if isinstance(value, Real | str) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            number = float(value)
    if not low <= number <= high or (whole and number != int(number)):
        raise _wrong(
            "number_whole" if whole else "number_range", field=name, value=as_typed(value), low=low, high=high
        )
    return int(number) if whole else number


class GenerationRequest(BaseModel):
    """Everything that decides the pixels of one clip. Frozen; validated once, here.

    What is left out (or None) is derived from the model and `quality` ("draft", "standard", "final", an input
    only); the seed is drawn now, so the stored request always makes the same clip again.

    prompt               1 to 2000 characters, no control characters
    width, height        pixels, one of the model's sizes
    num_frames           4n+1, within the model's range
    num_inference_steps  1 to 100
    guidance_scale       1 to 20; the high-noise expert's (1 turns guidance off in both experts)
    guidance_scale_2     1 to 20; the low-noise expert's; None for models with one expert
    flow_shift           0.1 to 20
    seed                 0 to 2^31 - 1
    look                 the colour look that the studio lays over the finished frames; empty for none
    tier                 how the model is run: one of its `tiers`; "fast" has steps and guidance of its own
    loras                at most four, each once
    pair                 of the tier "fast": 12 hex digits over the files of its distilled pair, as they were
                         when the clip was asked for; empty if nobody looked
    first_frame          sha256 (64 hex digits) of the picture that the clip begins with; empty for none
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str
    negative_prompt: str
    model: str
    width: int
    height: int
    num_frames: int
    num_inference_steps: int
    guidance_scale: float
    guidance_scale_2: float | None
    flow_shift: float
    seed: int = Field(default=0)
    look: str = Field(default="", max_length=40)
    tier: Tier = "exact"
    loras: tuple[LoraUse, ...] = Field(default=(), max_length=MAX_LORAS)
    pair: str = Field(default="", pattern=r"^([0-9a-f]{12})?$")
    first_frame: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, form: Any) -> Any:
        if not isinstance(form, dict):
            return form
        given = {name: value for name, value in form.items() if value is not None}
        unknown = sorted(map(str, set(form) - set(cls.model_fields) - {"quality"}))
        if unknown:
            raise _wrong("field_unknown", field=unknown[0][:40], allowed=", ".join(cls.model_fields))
        spec = model_spec(given.get("model", DEFAULT_MODEL))
        tier = given.setdefault("tier", spec.tiers[0])
        if tier not in spec.tiers:
            allowed = ", ".join(spec.tiers)
            raise _wrong(
                "tier_unknown", field="tier", value=as_typed(tier), model=spec.title, allowed=allowed
            )
        quality = given.pop("quality", "draft")
        if quality not in QUALITIES:
            raise _wrong(
                "quality_unknown", field="quality", value=as_typed(quality), allowed=", ".join(QUALITIES)
            )
        derived: dict[str, Any] = {
            "model": spec.name,
            "prompt": "",
            "negative_prompt": spec.negative_prompt,
            "num_frames": spec.default_frames,
            "seed": secrets.randbelow(MAX_SEED + 1),
            "guidance_scale_2": None,
            **spec.sampling_for(quality, tier).model_dump(),
        }
        if "width" not in given and "height" not in given:
            derived |= (spec.smallest if tier == "draft" else spec.sizes[0])._asdict()
        return derived | given

    @field_validator("prompt", "negative_prompt", mode="before")
    @classmethod
    def _plain_text(cls, text: Any, info: Any) -> str:
        name = info.field_name
        if not isinstance(text, str):
            raise _wrong("text_needed", field=name)
        plain: str = text.strip()
        # Invisible format characters alone (a zero-width space, say) are as empty as blanks are.
        if name == "prompt" and all(unicodedata.category(c) == "Cf" or c.isspace() for c in plain):
            raise _wrong("prompt_empty", field=name)
        if len(plain) > MAX_PROMPT:
            raise _wrong("text_too_long", field=name, length=len(plain), high=MAX_PROMPT)
        # Cc: control characters; Cs: lone surrogates, which no database or tokenizer takes.
        if any(unicodedata.category(c) in ("Cc", "Cs") and c not in _ALLOWED_CONTROLS for c in plain):
            raise _wrong("text_control", field=name)
        return plain

    @field_validator("seed", mode="before")
    @classmethod
    def _seed(cls, value: Any) -> int:
        return int(_number(value, name="seed", low=0, high=MAX_SEED, whole=True))

    @field_validator("num_inference_steps", mode="before")
    @classmethod
    def _steps(cls, value: Any) -> int:
        return int(_number(value, name="num_inference_steps", low=1, high=MAX_STEPS, whole=True))

    @field_validator("guidance_scale", "guidance_scale_2", mode="before")
    @classmethod
    def _guidance(cls, value: Any, info: Any) -> float | None:
        if value is None:
            return None
        return float(_number(value, name=info.field_name, low=GUIDANCE_RANGE[0], high=GUIDANCE_RANGE[1]))

    @field_validator("flow_shift", mode="before")
    @classmethod
    def _shift(cls, value: Any) -> float:
        return float(_number(value, name="flow_shift", low=SHIFT_RANGE[0], high=SHIFT_RANGE[1]))

    @field_validator("num_frames", "width", "height", mode="before")
    @classmethod
    def _whole(cls, value: Any, info: Any) -> int:
        spec, name = MODELS.get(info.data.get("model", "")), info.field_name
        try:
            return int(_number(value, name=name, low=1, high=100_000, whole=True))
        except PydanticCustomError:
            if name != "num_frames" or spec is None:
                raise
            # No number at all: the range to name is the model's own.
            low, high = spec.min_frames, spec.max_frames
            raise _wrong("number_whole", field=name, value=as_typed(value), low=low, high=high) from None

    @model_validator(mode="after")
    def _fits_the_model(self) -> "GenerationRequest":
        spec = MODELS[self.model]
        if Size(self.width, self.height) not in spec.sizes:
            sizes = ", ".join(map(str, spec.sizes))
            raise _wrong("size_unknown", field="size", value=str(self.size), model=spec.title, allowed=sizes)
        legal = spec.legal_frames()
        if self.num_frames not in legal:
            nearest = sorted(sorted(legal, key=lambda n: (abs(n - self.num_frames), n))[:2])
            if spec.cloud is not None:
                seconds = ", ".join(map(str, sorted(spec.cloud.durations)))
                asked = f"{(self.num_frames - 1) / spec.fps:.4g}"
                raise _wrong(
                    "seconds_rule", field="num_frames", value=asked, model=spec.title, allowed=seconds
                )
            raise _wrong(
                "frames_rule",
                field="num_frames",
                value=self.num_frames,
                model=spec.title,
                low=spec.min_frames,
                high=spec.max_frames,
                nearest=" / ".join(map(str, nearest)),
            )
        if self.guidance_scale_2 is not None and not spec.two_experts:
            raise _wrong("one_expert", field="guidance_scale_2", model=spec.title)
        if spec.first_frame == "no" and self.first_frame:
            raise _wrong("first_frame_not_here", field="first_frame", model=spec.title)
        if spec.first_frame == "needed" and not self.first_frame:
            raise _wrong("first_frame_needed", field="first_frame", model=spec.title)
        return self

    @model_validator(mode="after")
    def _fits_the_cloud(self) -> "GenerationRequest":
        spec = MODELS[self.model]
        if spec.cloud is None:
            return self
        for name, high in (("prompt", spec.cloud.max_prompt), ("negative_prompt", spec.cloud.max_negative)):
            # The service cuts off what is longer, and says nothing.
            if len(getattr(self, name)) > high:
                raise _wrong("text_too_long", field=name, length=len(getattr(self, name)), high=high)
        fixed = spec.sampling_for("draft", "exact")
        for name in Sampling.model_fields:
            if getattr(self, name) != getattr(fixed, name):
                raise _wrong("cloud_fixed", field=name, model=spec.title)
        return self

    @model_validator(mode="after")
    def _fits_the_tier(self) -> "GenerationRequest":
        spec = MODELS[self.model]
        fixed = spec.sampling_for("final", "fast") if self.tier == "fast" else None
        for name in Sampling.model_fields if fixed is not None else ():
            if getattr(self, name) != getattr(fixed, name):
                values = {"value": as_typed(getattr(self, name)), "allowed": as_typed(getattr(fixed, name))}
                raise _wrong("tier_fixed", field=name, **values)
        names = [lora.name for lora in self.loras]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise _wrong("lora_twice", field="loras", name=twice)
        if self.loras and (spec.embedded or spec.cloud is not None):
            raise _wrong("lora_not_here", field="loras", model=spec.title)
        return self

    @classmethod
    def kept(cls, document: Mapping[str, Any]) -> "GenerationRequest":
        """The request that a row of the database holds.

        It was validated when it was asked for; a later studio may allow other sizes and still makes it.
        """
        loras = tuple(LoraUse.model_construct(**lora) for lora in document.get("loras", ()))
        return cls.model_construct(**{**document, "loras": loras})

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(self.width, self.height)

    @property
    def spec(self) -> ModelSpec:
        """The facts about the model that is asked for."""
        return MODELS[self.model]

    @property
    def fps(self) -> int:
        """Frames a second of the finished clip: the model's own."""
        return self.spec.fps


def model_spec(name: Any) -> ModelSpec:
    """The spec of a model's name; a validation error that lists the models if there is none."""
    spec = MODELS.get(name) if isinstance(name, str) else None
    if spec is None:
        here = ", ".join(key for key, known in MODELS.items() if known.cloud is None)
        raise _wrong("model_unknown", field="model", value=as_typed(name), allowed=here)
    return spec


def notices(error: ValidationError) -> list[Notice]:
    """What is wrong with a request, one notice a problem, each with its `field` among the values."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        values = dict(item.get("ctx", {}))
        values.setdefault("field", ".".join(map(str, item["loc"])) or "request")
        found.append(Notice(item["type"], values))
    return found

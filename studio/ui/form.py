"""The form of the Create tab without its components: choices, defaults, and how a recipe fills it again."""

from collections.abc import Sequence
from typing import Any

from pipelines.cloud_facts import Money
from pipelines.models import MODELS, QUALITIES, ModelSpec, Quality
from pipelines.repos import of_model
from studio.core import Estimate
from studio.style_store import StyleView
from studio.styles import STYLES, Style, guidance
from studio.ui import unwanted, ways
from studio.ui.context import Page

ADVANCED = (
    "negative_prompt",
    "num_inference_steps",
    "guidance_scale",
    "guidance_scale_2",
    "flow_shift",
    "num_frames",
)
DEFAULT_QUALITY: Quality = "standard"

Choices = list[tuple[str, Any]]


def styles(page: Page, own: Sequence[StyleView] = ()) -> Choices:
    """The shipped styles by their titles, in the page's order, then the visitor's and the team's `own`."""
    listed = [*STYLES.values(), *(view.style for view in own)]
    return [(style.title[page.language], style.name) for style in listed]


def models(page: Page) -> Choices:
    """The models by their titles, the studio's default first; those without weights here say so."""
    return [
        (spec.title if weights_here(page, spec) else _absent(page, spec, "model_choice_absent"), spec.name)
        for spec in page.studio.models()
    ]


def qualities(page: Page) -> Choices:
    """The quality dial in the page's words."""
    return [(page.t(f"quality_{name}"), name) for name in QUALITIES]


def sizes(spec: ModelSpec) -> Choices:
    """The model's sizes; the stylesheet draws each one's shape beside it."""
    return [(str(size), f"{size.width}x{size.height}") for size in spec.sizes]


def lengths(page: Page, spec: ModelSpec) -> Choices:
    """The whole seconds this model makes; finer lengths are frames, under Advanced."""
    whole = [(n - 1) // spec.fps for n in spec.legal_frames() if (n - 1) % spec.fps == 0]
    return [(page.t("seconds", count=n), n) for n in whole]


def default_length(spec: ModelSpec) -> int:
    """The model's default length in whole seconds."""
    return (spec.default_frames - 1) // spec.fps


def version(typed: Any) -> int | None:
    """The version of a style that a form names; None for the newest."""
    return int(typed) if str(typed or "").isdecimal() else None


def derived(
    page: Page, spec: ModelSpec, *, style: Style | None, quality: str, seconds: float, tier: Any = ""
) -> dict[str, str]:
    """What an advanced field left empty will be, to show in its place."""
    if spec.cloud is not None:
        own = dict.fromkeys(ADVANCED, page.t("cloud_decides"))
        negative = "" if style is None else unwanted.told(page, style.negative)
        told = {"negative_prompt": negative or page.t("nothing"), "guidance_scale_2": ""}
        return own | told | {"num_frames": str(spec.frames_for(seconds))}
    dial = next((one for one in QUALITIES if one == quality), DEFAULT_QUALITY)
    runs = ways.runs(page, spec, tier)
    sampling, negative = spec.sampling_for(dial, runs), spec.negative_prompt
    if style is not None and negative:
        negative = style.negative or negative
    if style is not None and runs != "fast":
        sampling = sampling.model_copy(update=guidance(style, spec, dial))
    return {
        "negative_prompt": unwanted.told(page, negative) or page.t("nothing"),
        "num_inference_steps": str(sampling.num_inference_steps),
        "guidance_scale": f"{sampling.guidance_scale:g}",
        "guidance_scale_2": "" if sampling.guidance_scale_2 is None else f"{sampling.guidance_scale_2:g}",
        "flow_shift": f"{sampling.flow_shift:g}",
        "num_frames": str(spec.frames_for(seconds)),
    }


def filled(page: Page, kept: dict[str, Any]) -> dict[str, Any]:
    """The value of every field that makes the same clip as a kept form; what it does not name becomes empty.

    A form out of a file may name a model, style or size that is not here (any more): defaults then.
    """
    spec = MODELS.get(str(kept.get("model"))) or page.studio.models()[0]
    size = str(kept.get("size"))
    if size not in [value for _, value in sizes(spec)]:
        size = sizes(spec)[0][1]
    style = str(kept.get("style") or "none")
    # What a request falls back to, so that the same clip comes out.
    quality = str(kept.get("quality") or QUALITIES[0])
    values: dict[str, Any] = {name: _text(kept.get(name)) for name in ADVANCED}
    frames = kept.get("num_frames") or spec.default_frames
    seconds = (int(frames) - 1) / spec.fps if str(frames).isdecimal() else default_length(spec)
    whole = [value for _, value in lengths(page, spec)]
    if seconds in whole:
        values["num_frames"] = ""
    return values | {
        "prompt": _text(kept.get("prompt")),
        "prompt_original": _text(kept.get("prompt_original")),
        "style": style if page.studio.styles.find(style) else "none",
        "style_version": _text(kept.get("style_version")),
        "model": spec.name,
        "quality": quality if quality in QUALITIES else DEFAULT_QUALITY,
        "size": size,
        "seconds": int(seconds) if seconds in whole else default_length(spec),
        "seed": _text(kept.get("seed")),
        "tier": ways.tier_of(spec, kept.get("tier")),
        "loras": _text(kept.get("loras")) if ways.takes_loras(spec) else "",
        # A form out of a file only names it; it may never have been here.
        "first_frame": _text(kept.get("first_frame")) if picture_here(page, kept) else "",
    }


def picture_here(page: Page, kept: dict[str, Any]) -> bool:
    """Whether the picture that a kept form begins with is here."""
    return page.studio.pictures.find(kept.get("first_frame")) is not None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def price(page: Page, estimate: Estimate) -> str:
    """Time and price before the button: "about 11 s · free · label: AI生成"."""
    parts = []
    if estimate.ahead:
        parts.append(page.t("price_ahead", count=estimate.ahead))
    if estimate.seconds is None:
        parts.append(page.t("price_unknown"))
    elif estimate.ahead and estimate.wait is None:
        parts.append(page.t("price_then", time=page.duration(estimate.seconds)))
    else:
        parts.append(page.t("price_about", time=page.duration(estimate.seconds + (estimate.wait or 0))))
    free = [page.t("price_free")] if not estimate.paid else []
    parts += paid(page, estimate.cost, unlisted=estimate.cost is None) if estimate.paid else []
    return " · ".join([*parts, *free, label(page)])


def paid(page: Page, cost: Money | None, *, unlisted: bool) -> list[str]:
    """What the cloud takes, in words; that its list leaves something out if it does."""
    told = [] if cost is None else [page.t("price_cloud", price=f"{cost.amount:.2f}", currency=cost.currency)]
    return told + ([page.t("price_cloud_unlisted")] if unlisted else [])


def label(page: Page) -> str:
    """The visible label as it will be, by the rules of now: "label: AI生成"."""
    style = page.studio.reviews.policy().label.style(page.studio.settings.label_text)
    return page.t("price_label", label=style.text) if style.shown else page.t("price_label_off")


def weights_here(page: Page, spec: ModelSpec) -> bool:
    """Whether the model's weights lie on this machine (another worker may have them all the same).

    A cloud's model needs none.
    """
    return page.studio.model_room.is_here(spec)


def model_note(page: Page, spec: ModelSpec) -> str:
    """One line on a model: what it is good for, and that it is missing if it is."""
    if spec.cloud is not None:
        return page.t("model_cloud_sound" if spec.cloud.sound else "model_cloud")
    words = page.t(f"model_{spec.name.replace('.', '_').replace('-', '_')}")
    if not weights_here(page, spec):
        words += ("" if page.language == "zh" else " ") + _absent(page, spec, "model_absent")
    return words


def _absent(page: Page, spec: ModelSpec, key: str) -> str:
    return page.t(key, title=spec.title, size=f"{of_model(spec).size_gb:g}")

"""How a model runs, on the Create tab: its speed tiers with their price in quality, the LoRAs that fit it."""

from html import escape
from typing import Any

from pipelines import loras
from pipelines.models import ModelSpec, Tier
from pipelines.request import LoraUse, ModelError
from pipelines.tiers import choose
from studio import words
from studio.ui.context import Page
from studio.ui.markup import attributes

Choices = list[tuple[str, Any]]


def named(page: Page, tier: str) -> str:
    """What a tier is called."""
    return words.tier(tier, page.language)


def tiers(page: Page, spec: ModelSpec) -> Choices:
    """The model's tiers, each with a line on what it costs, or on what it lacks here."""
    return [(f"{named(page, tier)}\n{_price(page, spec, tier)}", tier) for tier in spec.tiers]


def _price(page: Page, spec: ModelSpec, tier: Tier) -> str:
    choice = choose(spec, tier, home=page.studio.settings.studio_home)
    return page.say(choice.why) if choice.why is not None else page.t(f"tier_price_{tier}")


def tier_of(spec: ModelSpec, kept: Any) -> Tier:
    """The tier that a kept form names, or the model's first."""
    return next((tier for tier in spec.tiers if tier == kept), spec.tiers[0])


def runs(page: Page, spec: ModelSpec, wanted: Any) -> Tier:
    """The tier that runs here when one is asked for."""
    return choose(spec, tier_of(spec, wanted), home=page.studio.settings.studio_home).tier


def takes_loras(spec: ModelSpec) -> bool:
    """Whether LoRAs can be used with a model at all."""
    return spec.shape is not None and not spec.embedded


def size_for(spec: ModelSpec, tier: Any, size: Any) -> str:
    """The size that a tier begins with: a draft takes the smallest of the same shape, the others leave it."""
    width, _, height = str(size).partition("x")
    if tier != "draft" or not (width.isdecimal() and height.isdecimal()):
        return str(size)
    shape = (int(width) > int(height)) - (int(width) < int(height))
    alike = [one for one in spec.sizes if (one.width > one.height) - (one.width < one.height) == shape]
    found = min(alike or [spec.smallest], key=lambda one: one.width * one.height)
    return f"{found.width}x{found.height}"


def lora_list(page: Page, spec: ModelSpec, text: Any) -> str:
    """The LoRAs that fit a model, to tick and to weigh; `text` says which are used, as the form writes them.

    `ways.js` writes what is ticked into the form's field.
    """
    if not takes_loras(spec):
        return ""
    try:
        used = {use.name: use for use in loras.read_uses(text or "")}
    except ModelError:
        used = {}
    pairs = {spec.distilled.name} if spec.distilled is not None else set()
    home = page.studio.settings.studio_home
    here = [lora for lora in loras.listed(home) if lora.fits(spec) and lora.name not in pairs]
    rows = "".join(_row(page, spec, lora, used.get(lora.name)) for lora in here)
    body = f"<ul>{rows}</ul>" if rows else f'<p class="muted">{escape(page.t("loras_none"))}</p>'
    return f'<fieldset class="lora-pick"><legend>{escape(page.field("loras"))}</legend>{body}</fieldset>'


def _row(page: Page, spec: ModelSpec, lora: loras.Lora, use: LoraUse | None) -> str:
    ticked = attributes(type="checkbox", name=lora.name, checked=use is not None)
    low = None if use is None else use.low
    weights = _weight(page, "lora_high" if spec.two_experts else "lora_strength", use.high if use else 1.0)
    if spec.two_experts:
        weights += _weight(page, "lora_low", (use.high if low is None else low) if use else 1.0)
    from_where = f'<span class="muted">{escape(lora.source)}</span>' if lora.source else ""
    name = escape(lora.name)
    return (
        f'<li data-lora="{name}"><label class="lora-name"><input{ticked}><b>{name}</b>'
        f"{from_where}</label><span class='weights'>{weights}</span></li>"
    )


def _weight(page: Page, key: str, value: float) -> str:
    named = attributes(type="number", min=-2, max=4, step=0.05, value=f"{value:g}", inputmode="decimal")
    return f"<label>{escape(page.t(key))}<input{named}></label>"


def told(page: Page, uses: tuple[LoraUse, ...]) -> str:
    """The LoRAs of a finished clip: name, strengths, revision."""
    parts = [f"{loras.write_uses([use])} · {use.revision}".removesuffix(" · ") for use in uses]
    return "\n".join(parts)

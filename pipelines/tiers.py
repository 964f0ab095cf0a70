"""Speed tiers: what runs when one is asked for, and why not it itself. No torch: the page tells it first."""

from pathlib import Path
from typing import NamedTuple

from pipelines.models import ModelSpec, Sampling, Tier
from pipelines.request import Notice

# What runs where "fast" can't: the quickest one that needs nothing but the model itself.
_INSTEAD: tuple[Tier, ...] = ("balanced", "exact")


class Choice(NamedTuple):
    """The tier that runs, and what is to be said where it is not the one that was asked for."""

    tier: Tier
    why: Notice | None = None


def choose(spec: ModelSpec, wanted: Tier, *, home: Path) -> Choice:
    """What runs when `wanted`, one of the model's own tiers, is asked for on a machine with this `home`.

    "fast" needs the files of the model's distilled pair; the others need nothing but the model.
    """
    missing = missing_pair(spec, home) if wanted == "fast" else ""
    if not missing:
        return Choice(wanted)
    tier = next((one for one in _INSTEAD if one in spec.tiers), spec.tiers[0])
    return Choice(tier, Notice("tier_instead", {"tier": wanted, "lora": missing, "runs": tier}))


def missing_pair(spec: ModelSpec, home: Path) -> str:
    """The name of the distilled pair that "fast" needs and this machine has not; empty if it is here."""
    if spec.distilled is None:
        return ""
    return "" if pair_files(spec, home) is not None else spec.distilled.name


def pair_files(spec: ModelSpec, home: Path) -> tuple[Path, Path | None] | None:
    """The files of the model's distilled pair, (high, low); None if they are not all here.

    They lie as every LoRA does: home/loras/NAME/high.safetensors and low.safetensors.
    """
    if spec.distilled is None:
        return None
    folder = home / "loras" / spec.distilled.name
    high, low = folder / "high.safetensors", folder / "low.safetensors"
    needed = (high, low) if spec.distilled.low is not None else (high,)
    if not all(path.is_file() for path in needed):
        return None
    return high, (low if spec.distilled.low is not None else None)


def without_fixed(spec: ModelSpec, fields: dict[str, object]) -> dict[str, object]:
    """A form's fields without what only "fast" dictates, for the tier that runs instead of it."""
    fixed = spec.sampling_for("final", "fast").model_dump()
    return {
        name: value
        for name, value in fields.items()
        if not (name in Sampling.model_fields and str(value) in _spellings(fixed[name]))
    }


def _spellings(value: object) -> tuple[str, ...]:
    """How a number may stand in a form: 4, 4.0."""
    return (str(value), f"{value:g}") if isinstance(value, int | float) else (str(value),)

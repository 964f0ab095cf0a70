"""How a form says that it is to be run: its speed and its LoRAs, as they are on this machine."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines import loras, tiers
from pipelines.models import ModelSpec
from pipelines.request import GenerationRequest, ModelError, Notice
from studio.refusal import Refused


def applied(given: dict[str, Any], spec: ModelSpec, home: Path) -> dict[str, Any]:
    """A form with the tier that runs for the one it asks for, and its LoRAs with the revisions that are here.

    A tier that the model has not stays for the request to refuse. Refused for LoRAs that are not here, fit
    another model or are no LoRAs at all.
    """
    found = dict(given)
    wanted = given.get("tier")
    if wanted in spec.tiers:
        choice = tiers.choose(spec, wanted, home=home)
        if choice.tier != wanted:
            found = tiers.without_fixed(spec, found)
        found["tier"] = choice.tier
    if "loras" in given:
        try:
            uses = loras.read_uses(given["loras"])
            if uses and (spec.embedded or spec.shape is None):
                raise ModelError("lora_not_here", field="loras", model=spec.title)
            found["loras"] = loras.resolved(home, uses, spec)
        except ModelError as error:
            raise Refused(error.notice) from error
    return found


def instead(form: Mapping[str, Any], request: GenerationRequest) -> tuple[Notice, ...]:
    """That another tier runs than the form asks for, and why; nothing if it runs as it was asked for."""
    wanted, pair = form.get("tier"), request.spec.distilled
    if not wanted or wanted == request.tier or wanted not in request.spec.tiers or pair is None:
        return ()
    return (Notice("tier_instead", {"tier": wanted, "lora": pair.name, "runs": request.tier}),)


def noted(form: Mapping[str, Any], request: GenerationRequest) -> list[dict[str, Any]] | None:
    """The same as a job's row holds it."""
    return [asdict(notice) for notice in instead(form, request)] or None

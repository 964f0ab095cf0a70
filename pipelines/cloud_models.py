"""The cloud's models out of their tables: the one that ships, and the one in a studio's home."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines import models
from pipelines.cloud_facts import CloudFacts
from pipelines.models import ModelSpec, Size
from pipelines.request import Notice

SHIPPED = Path(__file__).resolve().parent.parent / "assets" / "cloud" / "models.toml"
OWN = "cloud_models.toml"
"""The name of a studio's own table, in its home."""

MAX_BYTES = 200_000
# Neither is a fact for a program; both are for whoever looks after the table.
_FOR_PEOPLE = ("source", "unsure")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    title: str = Field(min_length=1, max_length=60)
    fps: int = Field(ge=1, le=60)
    facts: CloudFacts


def shipped() -> dict[str, ModelSpec]:
    """The models of the table that ships, by name. A mistake in it is a ValueError: a test reads it."""
    found, wrong = read(SHIPPED)
    if wrong:
        raise ValueError(f"assets/cloud/models.toml: {wrong[0]}")
    return found


def learn(home: Path) -> tuple[Notice, ...]:
    """Know the models of a home's own table too; what is wrong with it, row by row. Good rows count.

    A row may replace one of the cloud's models, never one that runs here.
    """
    path = home / OWN
    if not path.is_file():
        return ()
    found, wrong = read(path)
    for name in list(found):
        known = models.MODELS.get(name)
        if known is not None and known.cloud is None:
            del found[name]
            wrong.append(Notice("cloud_row_bad", {"row": name, "reason": "name"}))
    models.learn(found)
    return tuple(wrong)


def read(path: Path) -> tuple[dict[str, ModelSpec], list[Notice]]:
    """The models of a table, and a notice for each row (or the whole file) that can't be used."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES // 1000} KB")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        rows = document["model"]
        if not isinstance(rows, list):
            raise ValueError("model is no list")
    except (OSError, ValueError, KeyError) as error:
        return {}, [Notice("cloud_table_bad", {"path": path.name, "reason": _brief(error)})]
    found: dict[str, ModelSpec] = {}
    wrong = []
    for number, row in enumerate(rows, 1):
        try:
            spec = spec_of(row)
            found[spec.name] = spec
        except (ValidationError, TypeError) as error:
            named = row.get("name", number) if isinstance(row, Mapping) else number
            wrong.append(Notice("cloud_row_bad", {"row": str(named)[:64], "reason": _brief(error)}))
    return found, wrong


def spec_of(row: Mapping[str, Any]) -> ModelSpec:
    """The model that a row describes; ValidationError or TypeError if it describes none."""
    if not isinstance(row, Mapping):
        raise TypeError("a row is a table")
    own = {name: row[name] for name in ("name", "title", "fps") if name in row}
    rest = {name: value for name, value in row.items() if name not in own and name not in _FOR_PEOPLE}
    checked = _Row.model_validate({**own, "facts": rest})
    facts, fps = checked.facts, checked.fps
    frames = [seconds * fps + 1 for seconds in facts.durations]
    return ModelSpec(
        name=checked.name,
        title=checked.title,
        repo="",
        revision=None,
        embedded=False,
        licence="",
        sizes=tuple(dict.fromkeys(Size(*size) for tier in facts.tiers for size in tier.sizes)),
        fps=fps,
        min_frames=min(frames),
        max_frames=max(frames),
        default_frames=frames[0],
        max_sequence_length=512,
        two_experts=False,
        memory_gb=0.0,
        negative_prompt="",
        # How it denoises is the cloud's own affair: one value each, which nobody may change.
        sampling=models.one_sampling(),
        cloud=facts,
    )


def _brief(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part != "facts")
        return f"{place}: {first['msg']}"[:200]
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

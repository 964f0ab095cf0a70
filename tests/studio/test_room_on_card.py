"""A clip, speed or LoRA that no worker's card has room for is refused before it is queued."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.models import MODELS
from pipelines.placement import free_of, plan, seen_of
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.fleet import Machine
from studio.settings import Settings
from tests.tiny_lora import write_lora

ANNA = Visitor(owner="anna", admin=False)
FORM: dict[str, Any] = {"prompt": "a boat", "model": "wan2.2-t2v-a14b", "num_frames": 81}
LARGE, SMALL = "1280x720", "832x480"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """One whose clips are made by other machines."""
    found = Studio(Settings(studio_home=tmp_path / "home", local_worker=False))
    beat(found, "one", 24)
    return found


def beat(studio: Studio, worker: str, card: int) -> None:
    machine = Machine("card", free_of(card), seen_of(64))
    studio.model_room.fleet.beat(worker, device="cuda", pid=1, version="1", job_id=None, machine=machine)


def refusal(studio: Studio, **form: object) -> tuple[str, object]:
    told = studio.estimate(**FORM, **form).cannot
    with pytest.raises(Refused) as refused:
        studio.generate(ANNA, **FORM, **form)
    (notice,) = refused.value.notices
    assert notice == told, "said before pressing"
    assert studio.jobs.list(states=("queued",)) == []
    return notice.code, notice.values["field"]


def test_a_speed_that_keeps_too_much_is_refused_at_the_size_that_leaves_no_room(studio: Studio) -> None:
    assert refusal(studio, size=LARGE, tier="balanced") == ("tier_no_room", "tier")
    assert studio.generate(ANNA, **FORM, size=LARGE, tier="exact")
    assert studio.generate(ANNA, **FORM, size=SMALL, tier="balanced")


def test_a_lora_counts_by_its_file(tmp_path: Path) -> None:
    spec, home = MODELS[FORM["model"]], tmp_path / "home"
    studio = Studio(Settings(studio_home=home, local_worker=False))
    # A card that the clip itself fills.
    chosen = plan(spec, vram_gb=free_of(24), ram_gb=seen_of(64))
    machine = Machine("card", chosen.card_gb / 0.96 + 0.01, seen_of(64))
    studio.model_room.fleet.beat("one", device="cuda", pid=1, version="1", job_id=None, machine=machine)
    write_lora(home / "loras" / "grain" / "high.safetensors", rank=512, width=5120, layers=1)
    assert refusal(studio, size=LARGE, loras="grain") == ("lora_no_room", "loras")
    assert studio.generate(ANNA, **FORM, size=LARGE)
    assert studio.generate(ANNA, **FORM, size=SMALL, loras="grain")


def test_one_worker_with_room_is_enough(studio: Studio) -> None:
    beat(studio, "two", 80)
    assert studio.generate(ANNA, **FORM, size=LARGE, tier="balanced")


def test_a_clip_too_large_for_the_plan_names_what_has_room(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path / "home", local_worker=False))
    beat(studio, "one", 8)
    assert refusal(studio, size=LARGE) == ("clip_no_room", "size")
    told = studio.estimate(**FORM, size=LARGE).cannot
    assert told is not None
    assert studio.generate(ANNA, **{**FORM, "num_frames": told.values["most"]}, size=LARGE)

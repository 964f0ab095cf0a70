"""What the one door promises: a refused form queues nothing, a kept form makes the same clip, rights hold."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipelines.request import GenerationRequest, Notice
from studio.access import Visitor
from studio.claims import Claims
from studio.core import JobView, Refused, Studio
from studio.settings import Settings

ANNA = Visitor(owner="anna", admin=False)
BEN = Visitor(owner="ben", admin=False)
ADMIN = Visitor(owner="root", admin=True)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(studio_home=tmp_path / "home", open_demo=True, admin_token="secret"))


@pytest.mark.parametrize(
    ("form", "code", "field"),
    [
        ({}, "prompt_empty", "prompt"),
        ({"prompt": "   "}, "prompt_empty", "prompt"),
        ({"prompt": "a" * 20_000}, "text_too_long", "prompt"),
        ({"prompt": "a\x00b"}, "text_control", "prompt"),
        ({"prompt": 7}, "text_needed", "prompt"),
        ({"prompt": "a boat", "prompt_original": "a\x00b"}, "text_control", "prompt"),
        ({"prompt": "a boat", "prompt_original": ["a"]}, "text_needed", "prompt"),
        ({"prompt": "a boat", "size": "333x111"}, "size_unknown", "size"),
        ({"prompt": "a boat", "size": "wide"}, "size_unknown", "size"),
        ({"prompt": "a boat", "num_frames": 82}, "frames_rule", "num_frames"),
        ({"prompt": "a boat", "seconds": 60}, "number_range", "seconds"),
        ({"prompt": "a boat", "seed": -5}, "number_whole", "seed"),
        ({"prompt": "a boat", "seed": 2**31}, "number_whole", "seed"),
        ({"prompt": "a boat", "style": "rococo"}, "style_unknown", "style"),
        ({"prompt": "a boat", "model": "sora"}, "model_unknown", "model"),
        ({"prompt": "a boat", "quality": "best"}, "quality_unknown", "quality"),
        ({"prompt": "a boat", "lora": "x"}, "field_unknown", "lora"),
        ({"prompt": "a boat", "guidance_scale": "NaN"}, "number_range", "guidance_scale"),
    ],
)
def test_a_form_that_cannot_be_made_is_refused_and_nothing_is_queued(
    studio: Studio, form: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        studio.generate(ANNA, **form)
    assert [(n.code, n.values["field"]) for n in refused.value.notices] == [(code, field)]
    assert studio.queue(ADMIN) == []


def test_the_kept_form_asks_for_the_same_clip_again(studio: Studio) -> None:
    job_id = studio.generate(
        ANNA, prompt=" 夜晚的海上 ", style="ink", size="192x320", seconds=2, quality="final"
    )
    job = studio.job(ANNA, job_id).job
    assert job.form["prompt"] == "夜晚的海上", "the form keeps what was typed, not what the style made of it"
    assert "水墨" in job.request.prompt
    assert (job.request.width, job.request.height, job.request.num_frames) == (192, 320, 17)
    twin = studio.job(ANNA, studio.generate(BEN, **job.form)).job
    assert twin.request == job.request


def test_what_was_typed_before_a_prompt_was_improved_is_kept_and_never_seen(studio: Studio) -> None:
    improved = {"prompt": "a red boat, white sails, soft light", "seed": 5}
    plain = studio.job(ANNA, studio.generate(ANNA, **improved)).job
    job = studio.job(ANNA, studio.generate(ANNA, **improved, prompt_original=" a red boat ")).job
    assert job.form["prompt_original"] == "a red boat"
    assert job.request == plain.request
    again = studio.job(ANNA, studio.again(ANNA, job.id)).job
    assert again.form["prompt_original"] == "a red boat"


@pytest.mark.parametrize("original", ["", "a boat", "an astronaut on the moon"])
def test_words_that_were_not_improved_are_not_kept_as_such(studio: Studio, original: str) -> None:
    job = studio.job(ANNA, studio.generate(ANNA, prompt="a boat", prompt_original=original)).job
    assert "prompt_original" not in job.form


def test_again_keeps_all_but_the_seed(studio: Studio) -> None:
    first = studio.job(ANNA, studio.generate(ANNA, prompt="a boat", seed=5, num_inference_steps=7)).job
    again = studio.job(ANNA, studio.again(ANNA, first.id)).job
    assert again.request.seed != 5
    assert again.request.model_copy(update={"seed": 5}) == first.request


def test_whoever_holds_a_link_may_look_but_only_the_owner_may_change(studio: Studio) -> None:
    job_id = studio.generate(ANNA, prompt="a boat")
    assert studio.job(ANNA, job_id).may_change
    assert not studio.job(BEN, job_id).may_change
    for change in (studio.cancel, studio.retry):
        with pytest.raises(Refused, match="not_yours"):
            change(BEN, job_id)
    for change in (studio.to_front,):
        with pytest.raises(Refused, match="admin_only"):
            change(ANNA, job_id)
    with pytest.raises(Refused, match="admin_only"):
        studio.pause(ANNA)
    studio.cancel(ADMIN, job_id)
    assert studio.job(BEN, job_id).job.state == "cancelled"


def test_visitors_of_an_open_demo_list_only_their_own(studio: Studio) -> None:
    mine = studio.generate(ANNA, prompt="a boat")
    studio.generate(BEN, prompt="a bird")
    assert [view.job.id for view in studio.queue(ANNA)] == [mine]
    assert len(studio.queue(ADMIN)) == 2


def test_the_queue_shows_our_order_and_its_positions(studio: Studio) -> None:
    ids = [studio.generate(ANNA, prompt=f"boat {n}") for n in range(3)]
    studio.to_front(ADMIN, ids[2])
    assert [(view.job.id, view.position) for view in studio.queue(ADMIN)] == [
        (ids[2], 0),
        (ids[0], 1),
        (ids[1], 2),
    ]


def test_unknown_ids_are_refused_in_words(studio: Studio) -> None:
    for ask in (studio.job, studio.cancel, studio.again):
        with pytest.raises(Refused, match="job_unknown"):
            ask(ANNA, "nothing")
    with pytest.raises(Refused, match="asset_unknown"):
        studio.asset(ANNA, "nothing")


def test_followers_share_one_reader_and_all_see_the_end(studio: Studio) -> None:
    job_id = studio.generate(ANNA, prompt="a boat")
    reads = 0
    read = studio.jobs.get

    def counted(wanted: str) -> Any:
        nonlocal reads
        reads += 1
        return read(wanted)

    studio.jobs.get = counted  # type: ignore[method-assign]

    async def watch(visitor: Visitor) -> list[JobView]:
        return [view async for view in studio.follow(visitor, job_id)]

    async def everyone() -> list[list[JobView]]:
        watchers = [asyncio.create_task(watch(ANNA if n == 0 else BEN)) for n in range(50)]
        await asyncio.sleep(0.6)
        await asyncio.to_thread(studio.cancel, ANNA, job_id)
        return await asyncio.gather(*watchers)

    seen = asyncio.run(everyone())
    assert {views[-1].job.state for views in seen} == {"cancelled"}
    assert seen[0][0].may_change
    assert not seen[1][0].may_change
    assert reads < 80, "50 first looks, one poller, not 50 pollers"


def test_who_saw_a_job_end_is_told_what_is_ahead_then(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.outlook.FRESH_SECONDS", 60.0)
    job_id, claims = studio.generate(ANNA, prompt="a boat"), Claims(studio.engine, "w1")
    claims.claim("t1")
    attempt = claims.begin(job_id, "t1")
    assert attempt is not None

    async def watch() -> None:
        async for view in studio.follow(ANNA, job_id):
            if view.job.state == "running":
                assert studio.jobs.ahead().jobs == 1
                await asyncio.to_thread(claims.fail, attempt, Notice("model_failed"))

    asyncio.run(asyncio.wait_for(watch(), timeout=20))
    assert studio.jobs.ahead().jobs == 0


def test_following_ends_when_the_job_is_deleted_or_unknown(studio: Studio) -> None:
    job_id = studio.generate(ANNA, prompt="a boat")

    async def watch() -> list[str]:
        states = []
        async for view in studio.follow(ANNA, job_id):
            states.append(view.job.state)
            await asyncio.to_thread(studio.jobs.delete, job_id)
        return states

    assert asyncio.run(asyncio.wait_for(watch(), timeout=10)) == ["queued"]

    async def stranger() -> None:
        async for _ in studio.follow(ANNA, "nothing"):
            pass

    with pytest.raises(Refused, match="job_unknown"):
        asyncio.run(stranger())


def test_an_estimate_of_a_form_that_cannot_be_made_says_why(studio: Studio) -> None:
    with pytest.raises(Refused, match="frames_rule"):
        studio.estimate(prompt="a boat", num_frames=82)
    assert studio.estimate(prompt="a boat").ahead == 0
    assert isinstance(GenerationRequest(prompt="a boat").seed, int)


@pytest.mark.parametrize("called", ["ink", "Ink Wash", " 水墨 "])
def test_a_style_may_be_called_by_its_title(studio: Studio, called: str) -> None:
    job = studio.jobs.get(studio.generate(ANNA, prompt="a boat", style=called))
    assert job is not None
    assert job.form["style"] == "ink"

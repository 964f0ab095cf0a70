"""Edits carried out: on a real small clip, by the worker's own hand, through the gate."""

import contextlib
import hashlib
import json
from collections.abc import Iterator

import av
import numpy as np
import pytest

from pipelines.request import Cancelled
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.db import reading, writing
from studio.edits.plan import plan_of
from studio.edits.types import PromptChange, Reading, Wish
from studio.hands import Orders
from studio.library import Asset
from studio.media.probe import comment, probe
from studio.refusal import Objected
from studio.settings import Settings
from studio.trust import exports
from studio.trust.certificate import known_certificates
from studio.trust.credentials import read as credentials_of
from studio.trust.mark import match, read_file
from studio.trust.visible import find_label, usual_styles
from studio.ui import edits
from studio.ui.context import Page
from tests.edits.kit import FRAMES, claimed, clip, media_maker

ANN, BOB = Visitor("ann", False), Visitor("bob", False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("home")
    opened = Studio(Settings(studio_home=home, access_password="x"))
    yield opened
    opened.jobs.tickets.close()
    opened.engine.dispose()


@pytest.fixture(scope="module")
def source(shop: Studio) -> Asset:
    return clip(shop)


@pytest.fixture
def studio(shop: Studio) -> Iterator[Studio]:
    """The one studio, with nothing left in its queue afterwards."""
    yield shop
    for job in shop.jobs.list(states=("queued", "held", "running"), takes=True):
        shop.jobs.cancel(job.id)


def edited(studio: Studio, source: Asset, wish: str) -> Asset:
    """What a wish makes of a clip, all the way."""
    found = studio.edits.read(ANN, source.id, wish)
    job_id = studio.edits.make(ANN, source.id, plan_of(found, wish).model_dump(mode="json"))
    assert media_maker(studio).make(claimed(studio))
    job = studio.jobs.get(job_id)
    assert job is not None
    assert job.state == "done"
    asset = studio.assets.get(job.asset_id or "")
    assert asset is not None
    return asset


def pictures(studio: Studio, asset: Asset) -> np.ndarray:
    with av.open(str(studio.library_file(asset))) as file:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])


def test_brighter_is_brighter_and_a_whole_clip_of_its_own(studio: Studio, source: Asset) -> None:
    before = hashlib.sha256(studio.library_file(source).read_bytes()).hexdigest()
    asset = edited(studio, source, "brighter")
    old, new = pictures(studio, source), pictures(studio, asset)
    assert new.shape == old.shape
    assert new[:, :130].mean() > old[:, :130].mean() + 15
    assert (asset.kind, asset.owner, asset.frames) == ("edit", "ann", FRAMES)
    assert asset.form["prompt"] == "a red boat at sea"
    assert asset.request == source.request
    assert hashlib.sha256(studio.library_file(source).read_bytes()).hexdigest() == before


def test_what_is_edited_carries_everything_once(studio: Studio, source: Asset) -> None:
    asset = edited(studio, source, "half speed")
    path = studio.library_file(asset)
    assert find_label(path, usual_styles()) is not None
    found = credentials_of(path, known=known_certificates(studio.settings))
    assert (found.state, found.ours, found.export_id) == ("valid_untrusted", True, asset.id)
    assert [one.title for one in found.ingredients] == [f"clip {source.id}"]
    exporter = media_maker(studio).exporter
    with reading(studio.engine) as connection:
        rows = {row.id: row.codeword for row in exports.since(connection, None)}
    codewords = np.array(list(rows.values()), np.uint64)
    marked = match(read_file(path, exporter.mark_key), codewords)
    assert marked is not None
    assert marked.codeword == rows[asset.id]


def test_half_speed_doubles_the_length_and_keeps_every_frame_whole(studio: Studio, source: Asset) -> None:
    asset = edited(studio, source, "慢一倍")
    assert asset.seconds == pytest.approx(2 * source.seconds, abs=0.01)
    assert probe(studio.library_file(asset)).frames == asset.frames == 2 * FRAMES
    # The red thing is where it was, at half the pace: nothing stands still, nothing is missing.
    red = (frame[95, :, 0].astype(int) - frame[95, :, 2] > 60 for frame in pictures(studio, asset))
    middles = [np.argwhere(columns).mean() for columns in red]
    # A block that was guessed may lie a few pixels off; over three frames it always goes on.
    assert (np.subtract(middles[3:], middles[:-3]) > 0).all()
    assert middles[-1] - middles[0] == pytest.approx(8 * (FRAMES - 1), abs=8)


def test_the_recipe_tells_what_was_done_and_to_which_clip(studio: Studio, source: Asset) -> None:
    asset = edited(studio, source, "镜像")
    told = json.loads(comment(studio.library_file(asset)))
    assert told["source"] == source.id
    assert told["operations"] == [{"name": "mirror", "how": "across"}]
    assert studio.restore(studio.library_file(asset))["prompt"] == "a red boat at sea"
    take = studio.edits.takes(source.id)[0]
    assert (take.wish, take.intents, take.source_id) == ("镜像", ("mirror",), source.id)
    assert [one.id for one in studio.assets.clips_of(asset.id)] == [source.id]


def test_an_edited_clip_is_no_take_that_a_story_would_use_again(studio: Studio, source: Asset) -> None:
    asset = edited(studio, source, "darker")
    key = source.request_key or studio.assets.get(source.id).request_key  # type: ignore[union-attr]
    assert studio.assets.with_keys("ann", [key])[key].id == source.id != asset.id  # type: ignore[index,list-item]


def test_another_prompt_is_another_rendering_with_the_same_seed(studio: Studio, source: Asset) -> None:
    found = studio.edits.read(ANN, source.id, "as night")
    job_id = studio.edits.make(ANN, source.id, plan_of(found, "as night").model_dump(mode="json"))
    job = studio.jobs.get(job_id)
    assert job is not None
    assert (job.kind, job.form["prompt"], job.form["seed"]) == ("clip", "a red boat at sea, at night", 7)
    assert job.request is not None
    assert (job.request.seed, job.request.num_frames) == (7, FRAMES)
    assert studio.edits.takes(source.id)[0].job_id == job_id


def test_night_and_slower_waits_for_its_rendering(studio: Studio, source: Asset) -> None:
    found = studio.edits.read(ANN, source.id, "night and slower")
    assert found.intents == ("time", "speed")
    job_id = studio.edits.make(ANN, source.id, plan_of(found, "night and slower").model_dump(mode="json"))
    orders = Orders()
    attempt = claimed(studio)
    assert attempt.job.id == job_id
    orders.stopping.set()  # as a worker that is told to end while it waits
    with pytest.raises(Cancelled):
        media_maker(studio, orders).make(attempt)
    (take,) = studio.jobs.takes_of(job_id)
    assert take.request is not None
    assert (take.state, take.request.prompt, take.request.seed) == (
        "queued",
        "a red boat at sea, at night",
        7,
    )


def test_an_edit_of_an_edit_does_again_what_was_done_before(studio: Studio, source: Asset) -> None:
    mirrored = edited(studio, source, "mirror it")
    found = studio.edits.read(ANN, mirrored.id, "make the boat blue")
    job_id = studio.edits.make(ANN, mirrored.id, plan_of(found, "blue").model_dump(mode="json"))
    job = studio.jobs.get(job_id)
    assert job is not None
    assert job.task is not None
    assert (job.kind, job.task["operations"]) == ("media", [{"name": "mirror", "how": "across"}])
    assert job.task["request"]["prompt"] == "a blue boat at sea"


def test_a_job_that_was_killed_is_done_by_the_next_worker(studio: Studio, source: Asset) -> None:
    found = studio.edits.read(ANN, source.id, "reverse")
    job_id = studio.edits.make(ANN, source.id, plan_of(found, "reverse").model_dump(mode="json"))
    killed = claimed(studio)
    maker = media_maker(studio)
    (maker.tmp / "half.cut.mp4").write_bytes(b"half")
    maker.claims.give_back("media")
    studio.assets.sweep(maker.tmp)
    assert list(maker.tmp.iterdir()) == []
    assert maker.make(claimed(studio))
    assert studio.jobs.get(job_id).state == "done"  # type: ignore[union-attr]
    # The one that was left behind wakes up, and publishes nothing.
    with contextlib.suppress(Cancelled):
        assert not maker.make(killed)
    assert [one.job_id for one in studio.assets.list()].count(job_id) == 1


def test_what_nobody_may_see_nobody_edits(studio: Studio) -> None:
    source = clip(studio)
    with reading(studio.engine) as connection:
        assert studio.assets.standing(connection, source.id) == "public"
    with writing(studio.engine) as connection:
        studio.assets.stand(connection, source.id, "draft")
    with pytest.raises(Refused, match="asset_unknown"):
        studio.edits.read(BOB, source.id, "brighter")
    with pytest.raises(Refused, match="asset_unknown"):
        studio.edits.make(BOB, source.id, {"operations": [{"name": "reverse"}]})


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"operations": [{"name": "rm"}]},
        {"operations": [{"name": "speed", "amount": 99}]},
        {"operations": [{"name": "look", "how": "../../etc"}]},
        {"operations": [{"name": "reverse"}] * 13},
        {"settings": {"model": "evil"}},
        {"settings": {"style": "no-such"}},
        {"prompt": ""},
        {"operations": [{"name": "loop", "amount": 10}, {"name": "loop", "amount": 10}]},
        {"operations": [{"name": "trim", "amount": 50, "how": "start"}]},
        {"extra": 1},
    ],
)
def test_a_bad_document_is_refused_with_a_sentence_and_nothing_is_queued(
    studio: Studio, source: Asset, document: dict[str, object]
) -> None:
    before = studio.edits.takes(source.id)
    with pytest.raises(Refused) as refused:
        studio.edits.make(ANN, source.id, document)
    assert refused.value.notices
    assert studio.jobs.list(states=("queued", "held")) == []
    assert studio.edits.takes(source.id) == before


def test_words_that_may_not_be_used_are_told_before_anything_is_made(studio: Studio, source: Asset) -> None:
    page = Page(studio=studio, language="en")

    def shown(words: str) -> str:
        change = PromptChange(Wish("add", words), "a red boat", f"a red boat, {words}", ())
        return edits._reading(
            page, ANN, edits.Message("read", source.id, words), Reading((change.wish,), (change,))
        )

    fine, held, blocked = (shown(words) for words in ("at night", "a swastika", "a beheading video"))
    assert "edit_make" in fine
    assert "free · label:" in fine.partition('edit-price">')[2].partition("</p>")[0]
    assert 'class="note"' not in fine
    assert "edit_make" in held
    assert "swastika" in held.partition('class="note"')[2]
    assert "edit_make" not in blocked
    assert "beheading" in blocked.partition('class="sorry"')[2]
    with pytest.raises(Objected):
        studio.edits.make(ANN, source.id, {"prompt": "a red boat, a beheading video"})


def test_a_source_that_is_gone_fails_with_a_reason(studio: Studio) -> None:
    source = clip(studio)
    studio.edits.make(ANN, source.id, {"operations": [{"name": "reverse"}]})
    studio.library_file(source).unlink()
    with pytest.raises(Exception, match="file_missing"):
        media_maker(studio).make(claimed(studio))

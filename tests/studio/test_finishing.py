"""Clips made larger and smoother: by the worker's own hand, through the gate, with and without networks."""

import hashlib
import html
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from pipelines.request import Cancelled
from studio.access import Visitor
from studio.card import Card
from studio.core import Studio
from studio.finishing import Finish, polished, split
from studio.library import Asset
from studio.media.ffmpeg import MediaError
from studio.media.probe import comment, probe
from studio.media.retouch import Operation, Shape, shape_after
from studio.settings import Settings
from studio.trust.mark import match, read_file
from studio.ui import finish, form
from studio.ui.context import Page
from tests.edits.kit import FRAMES, claimed, clip, media_maker
from tests.pipelines.networks_kit import compact, ifnet, put

ANN = Visitor("ann", False)
SHAPE = Shape(96, 64, 9, 8)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("home")
    opened = Studio(Settings(studio_home=home, access_password="x", device="cpu"))
    yield opened
    opened.jobs.tickets.close()
    opened.engine.dispose()


@pytest.fixture(scope="module")
def source(studio: Studio) -> Asset:
    return clip(studio)


def op(name: str, amount: float, how: str) -> Operation:
    return Operation(name=name, amount=amount, how=how)  # type: ignore[arg-type]


def made(studio: Studio, source: Asset, *operations: Operation) -> Asset:
    document = {"operations": [one.model_dump() for one in operations], "wish": "x"}
    job_id = studio.edits.make(ANN, source.id, document)
    assert media_maker(studio).make(claimed(studio))
    job = studio.jobs.get(job_id)
    assert job is not None
    asset = studio.assets.get(job.asset_id or "")
    assert asset is not None
    return asset


def frames(count: int = 9) -> Iterator[np.ndarray]:
    for number in range(count):
        yield np.full((64, 96, 3), 20 + 10 * number, np.uint8)


def test_without_networks_a_clip_gets_larger_by_lanczos_and_smoother_by_blending(
    studio: Studio, source: Asset
) -> None:
    asset = made(studio, source, op("smooth", 24, "blend"), op("enlarge", 1080, "lanczos"))
    path = studio.library_file(asset)
    facts = probe(path)
    assert (facts.width, facts.height, facts.frames, facts.fps) == (1800, 1080, 49, 24)
    assert (asset.kind, asset.fps, asset.frames, asset.width) == ("edit", 24, 49, 1800)
    assert asset.seconds == pytest.approx(49 / 24, abs=0.01)
    told = json.loads(comment(path))
    assert told["operations"] == [
        {"name": "smooth", "amount": 24, "how": "blend"},
        {"name": "enlarge", "amount": 1080, "how": "lanczos"},
    ]
    assert (told["source"], "networks" in told) == (source.id, False)
    # Label and fingerprint are its own, of its own size.
    from studio.trust.visible import find_label, usual_styles

    assert find_label(path, usual_styles()) is not None
    assert match(read_file(path, media_maker(studio).exporter.mark_key), _codewords(studio)) is not None
    with av.open(str(path)) as file:
        shown = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    # Every third frame is one of the source: the red thing went on by eight small pixels, 45 large ones.
    edges = [int(np.argmax(frame[530, :, 0].astype(int) - frame[530, :, 2] > 60)) for frame in shown[::3]]
    assert np.diff(edges) == pytest.approx([45] * (FRAMES - 1), abs=6)


def _codewords(studio: Studio) -> np.ndarray:
    from studio.db import reading
    from studio.trust import exports

    with reading(studio.engine) as connection:
        return np.array([row.codeword for row in exports.since(connection, None)], np.uint64)


def test_how_long_it_takes_is_known_from_those_before_and_stands_on_the_page(
    studio: Studio, source: Asset
) -> None:
    shape = Shape(source.width, source.height, source.frames, source.fps)
    asset = made(studio, source, op("smooth", 24, "blend"))
    known = (op("smooth", 60, "blend"),)
    seconds, unknown = studio.edits.finish_seconds(shape, [known, (op("smooth", 60, "network"),)])
    # 60 pictures a second are 2.5 times as many as 24.
    assert seconds == pytest.approx(asset.render_seconds * 121 / 49, rel=0.01)
    assert unknown is None
    page = Page(studio, "en")
    shown = html.unescape(finish.render(page, source))
    costs = json.loads(shown.partition('data-costs="')[2].partition('">')[0])
    assert len(costs) == 2 + 3 + 6
    assert "free" in costs["enlarge 1080|smooth 24"]
    assert costs["smooth 60"] == f"about {page.duration(seconds)} · free · {form.label(page)}"


def test_networks_do_it_where_they_are_and_the_recipe_names_them(studio: Studio, source: Asset) -> None:
    home = studio.settings.studio_home
    large = put(home, "larger", "realesr-tiny.pth", {"params": compact(scale=2)})
    smooth = put(home, "smoother", "flownet.pkl", ifnet())
    small = made(studio, source, Operation(name="trim", amount=0.5, how="keep_start"))
    asset = made(studio, small, op("enlarge", 1080, "network"))
    facts = probe(studio.library_file(asset))
    assert (facts.width, facts.height, facts.frames, facts.fps) == (1800, 1080, 4, 8)
    told = json.loads(comment(studio.library_file(asset)))
    digest = hashlib.sha256(large.read_bytes()).hexdigest()[:12]
    assert told["networks"] == {"larger": {"name": "realesr-tiny", "sha256": digest}}
    asset = made(studio, small, op("smooth", 24, "network"))
    facts = probe(studio.library_file(asset))
    assert (facts.width, facts.height, facts.frames, facts.fps) == (320, 192, 10, 24)
    told = json.loads(comment(studio.library_file(asset)))
    assert told["networks"]["smoother"]["name"] == "flownet"
    for file in (large, smooth):
        file.unlink()
    # What was asked for with a network is not done without one, silently.
    studio.edits.make(ANN, small.id, {"operations": [op("smooth", 60, "network").model_dump()]})
    with pytest.raises(MediaError) as error:
        media_maker(studio).make(claimed(studio))
    assert error.value.notice.code == "network_gone"


def test_a_clip_that_is_rendered_anew_is_finished_again(studio: Studio, source: Asset) -> None:
    finished = made(studio, source, op("smooth", 30, "blend"))
    job_id = studio.edits.make(ANN, finished.id, {"prompt": "a blue boat at sea"})
    job = studio.jobs.get(job_id)
    assert job is not None
    assert job.task is not None
    assert job.task["operations"] == [{"name": "smooth", "amount": 30.0, "how": "blend"}]
    studio.jobs.cancel(job_id)


def test_shapes_are_known_before() -> None:
    wan = Shape(832, 480, 81, 16)
    assert shape_after(wan, [op("enlarge", 1080, "network")]) == Shape(1872, 1080, 81, 16)
    assert shape_after(wan, [op("smooth", 24, "network")]) == Shape(832, 480, 121, 24)
    assert shape_after(Shape(1280, 720, 81, 16), [op("enlarge", 2160, "lanczos")]).width == 3840
    assert shape_after(Shape(720, 1280, 81, 16), [op("enlarge", 1080, "lanczos")]).height == 1920
    large = Shape(1920, 1080, 60, 30)
    assert shape_after(large, [op("enlarge", 1080, "lanczos"), op("smooth", 24, "blend")]) == large


@pytest.mark.parametrize(
    ("name", "amount", "how"),
    [("enlarge", 1440, "lanczos"), ("smooth", 25, "blend"), ("smooth", 24, "rife"), ("enlarge", 1080, "")],
)
def test_only_the_choices_of_the_page_are_taken(name: str, amount: float, how: str) -> None:
    with pytest.raises(ValueError, match=r"number_range|choice_unknown"):
        op(name, amount, how)


def test_of_several_sizes_and_rates_the_last_one_counts(tmp_path: Path) -> None:
    bright = Operation(name="brightness", amount=0.2)
    several = (op("smooth", 24, "blend"), op("enlarge", 1080, "lanczos"), bright, op("smooth", 60, "blend"))
    plain, finish = split(several, tmp_path)
    assert plain == (bright,)
    assert finish == Finish(enlarge=several[1], smooth=several[3])


def test_the_networks_run_ahead_of_the_encoder_and_keep_few_frames(tmp_path: Path) -> None:
    put(tmp_path, "larger", "a.pth", compact(scale=2))
    put(tmp_path, "smoother", "flownet.pkl", ifnet())
    # Smaller than the page offers: a test's frames are many.
    small = Operation.model_construct(name="enlarge", amount=128, how="network")
    _, finish = split([small, op("smooth", 24, "network")], tmp_path)
    taken: list[int] = []

    def source() -> Iterator[np.ndarray]:
        for number, frame in enumerate(frames(40)):
            taken.append(number)
            yield frame

    pictures = polished(source(), Shape(96, 64, 40, 8), finish, card=Card(), device="cpu")
    assert next(pictures).shape == (128, 192, 3)
    assert len(taken) <= 9, "two frames a stage, two that wait, one in hand"
    pictures.close()
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {"larger", "smoother"}


def test_a_network_waits_while_a_clip_is_on_the_card_and_hears_a_cancellation(tmp_path: Path) -> None:
    put(tmp_path, "larger", "a.pth", compact(scale=2))
    _, finish = split([op("enlarge", 1080, "network")], tmp_path)
    card, stop = Card(), threading.Event()
    pictures = polished(frames(), SHAPE, finish, card=card, device="cpu", should_stop=stop.is_set)
    with card.clip():
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(Cancelled):
            next(pictures)
    assert not any(thread.name == "larger" for thread in threading.enumerate())

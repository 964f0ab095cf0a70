"""Clips made from a picture by a real (tiny) pipeline: what their files and rows say of it, and going on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import loader
from pipelines.request import GenerationRequest, ModelError
from studio.core import Studio
from studio.hands import Orders
from studio.library import Asset
from studio.media import probe
from studio.recipe import read_recipe
from studio.settings import Settings
from studio.trust import credentials
from studio.workflows import Maker
from tests.studio.test_pictures import ANN, CAN, picture
from tests.tiny_wan import write_tiny_wan

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    write_tiny_wan(folder / "models" / CAN, channels=48, two_experts=False)
    return folder


@pytest.fixture(scope="module")
def studio(home: Path) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "_ram_gb", lambda: 512.0)
        yield Studio(Settings(studio_home=home, local_worker=False, worker_id="w1", device="cpu"))
        loader.unload()


@pytest.fixture(scope="module")
def first(studio: Studio) -> Asset:
    """A clip that begins with a picture."""
    return made(studio, first_frame=studio.keep_picture(ANN, picture(832, 480)).id)


def made(studio: Studio, **form: object) -> Asset:
    """A clip that is asked for and made, as small as a form may ask for."""
    small = {"size": "832x480", "num_frames": 25, "num_inference_steps": 2}
    form = {"prompt": "a boat", "model": CAN, "seed": 7, **form, **small}
    job_id = studio.generate(ANN, **form)
    maker = Maker(studio.settings, studio.engine, Orders())
    assert maker.claims.claim("t") == job_id
    attempt = maker.claims.begin(job_id, "t")
    assert attempt is not None
    assert maker.make(attempt)
    view = studio.job(ANN, job_id)
    assert view.asset is not None
    return view.asset


def test_a_clip_says_what_it_began_with(studio: Studio, first: Asset) -> None:
    kept, asset = studio.keep_picture(ANN, picture(832, 480)), first
    path = studio.library_file(asset)
    recipe = read_recipe(path)
    assert recipe.request.first_frame == recipe.form["first_frame"] == kept.id
    told = json.loads(probe.comment(path))["request"]
    assert told["first_frame"] == kept.id
    found = credentials.read(path)
    assert [(one.title, one.relation) for one in found.ingredients] == [
        (f"first frame {kept.id[:12]}", "componentOf")
    ]
    assert "compositeWithTrained" in found.source_type
    assert studio.assets.clips_of(asset.id) == []


def test_a_clip_that_goes_on_names_the_one_before(studio: Studio, first: Asset) -> None:
    form = studio.goes_on(ANN, first.id, CAN)
    second = made(studio, **form)
    found = credentials.read(studio.library_file(second))
    assert [(one.title, one.state) for one in found.ingredients] == [(f"clip {first.id}", "valid_untrusted")]
    assert "compositeWithTrained" not in found.source_type
    assert [clip.id for clip in studio.assets.clips_of(second.id)] == [first.id]
    kin = studio.family.kin(ANN, second)
    assert [part.id for part in kin.parts] == [first.id]
    assert [part.id for part in studio.family.kin(ANN, first).used_in] == [second.id]


def test_a_recipe_from_elsewhere_only_names_a_picture(studio: Studio, first: Asset) -> None:
    form = studio.restore(studio.library_file(first))
    kept = studio.pictures.find(form["first_frame"])
    assert kept is not None
    studio.pictures.file(kept).unlink()
    assert studio.restore(studio.library_file(first)) == form
    assert studio.pictures.find(kept.id) is None
    request = GenerationRequest(prompt="a boat", model=CAN, first_frame=kept.id)
    maker = Maker(studio.settings, studio.engine, Orders())
    job_id = studio.jobs.submit("ann", {"prompt": "a boat"}, request)
    maker.claims.claim("t2")
    attempt = maker.claims.begin(job_id, "t2")
    assert attempt is not None
    with pytest.raises(ModelError) as error:
        maker.make(attempt)
    assert error.value.notice.code == "first_frame_gone"
    studio.jobs.cancel(job_id)
    maker.claims.stopped(attempt)

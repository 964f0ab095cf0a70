"""The room of models: everybody looks, admins change; the studio's thread does what is asked for."""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipelines import errands
from pipelines.models import MODELS
from pipelines.repos import named
from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.fleet import Fleet, Machine
from studio.model_room import ModelRoom
from studio.settings import Settings
from studio.ui import models
from studio.ui.context import Page
from studio.ui.desk import Desk
from studio.ui.models import Message
from studio.words import say
from tests.hub.kit import COMMIT, LARGE, SPEC, WEIGHTS, Repo, serving
from tests.studio.web_kit import client_of

ADMIN, GUEST = Visitor("anna", True), Visitor("ben", False)


@pytest.fixture
def repo(tiny: Path) -> Repo:
    return Repo(tiny)


@pytest.fixture
def studio(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    # The tiny repository stands for one of gigabytes.
    monkeypatch.setattr("pipelines.repos._KNOWN", {SPEC.repo: (COMMIT, 0.001)})
    with serving(repo) as hub:
        settings = Settings(studio_home=tmp_path / "home", hf_endpoint=hub.endpoint)
        monkeypatch.setattr("pipelines.fetch.Hub.first_pause", 0.01)
        yield Studio(settings)


def refusal(does: Any, *args: Any) -> Notice:
    with pytest.raises(Refused) as caught:
        does(*args)
    return caught.value.notices[0]


def state(models: ModelRoom) -> str:
    return next(card.shelf.state for card in models.cards() if card.weights.name == SPEC.name)


def test_only_admins_change_anything(studio: Studio) -> None:
    models = studio.model_room
    for does in (models.download, models.verify, models.stop, models.delete):
        assert refusal(does, GUEST, SPEC.name).code == "admin_only"
    assert refusal(models.link, GUEST, SPEC.name, "/tmp").code == "admin_only"
    assert refusal(models.add_lora, GUEST, "x", "a/b", "h.safetensors", "").code == "admin_only"
    assert errands.wanted(studio.settings.studio_home) == []


def test_a_download_is_an_errand_that_the_thread_fulfils(studio: Studio) -> None:
    models = studio.model_room
    mark, live = models.now()
    assert live == {}
    models.download(ADMIN, SPEC.name)
    assert models.now()[0] != mark
    assert list(models.now()[1]) == [SPEC.name]
    assert models.work_once()
    assert (state(models), models.now()[1]) == ("installed", {})
    assert models.is_here(SPEC)
    assert not models.work_once()
    models.verify(ADMIN, SPEC.name)
    assert models.work_once()
    activity = errands.activity_of(WEIGHTS, studio.settings.studio_home)
    assert activity is not None
    assert activity.notice == Notice("weights_verified", {"model": SPEC.title, "count": 10})
    assert models.delete(ADMIN, SPEC.name) > 100_000
    assert state(models) == "missing"


def test_another_studio_over_the_same_home_goes_on(studio: Studio) -> None:
    studio.model_room.download(ADMIN, SPEC.name)
    later = ModelRoom(studio.engine, studio.settings)
    assert later.work_once()
    assert state(later) == "installed"


def test_an_errand_that_is_taken_back_is_not_done(studio: Studio, repo: Repo) -> None:
    studio.model_room.download(ADMIN, SPEC.name)
    studio.model_room.stop(ADMIN, SPEC.name)
    assert not studio.model_room.work_once()
    assert repo.asked == []


def test_what_passes_by_itself_is_tried_again_and_the_rest_is_told(studio: Studio, repo: Repo) -> None:
    models = studio.model_room
    repo.listing = [503] * 20
    models.download(ADMIN, SPEC.name)
    assert models.work_once()
    assert not models.work_once(), "not at once"
    assert list(models.now()[1]) == [SPEC.name]
    models._not_before.clear()
    repo.listing = []
    repo.token = "hf_needed"
    assert models.work_once()
    assert models.now()[1] == {}
    activity = errands.activity_of(WEIGHTS, studio.settings.studio_home)
    assert activity is not None
    assert activity.notice is not None
    assert activity.notice.code == "download_forbidden"


def test_a_full_disk_is_said_before_the_errand(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.repos._KNOWN", {SPEC.repo: (COMMIT, 1e9)})
    assert refusal(studio.model_room.download, ADMIN, SPEC.name).code == "download_no_room"
    assert errands.wanted(studio.settings.studio_home) == []


def beat(studio: Studio, model: str, machine: Machine) -> None:
    Fleet(studio.engine).beat(
        "gpu-1", device="cuda", pid=1, version="1", job_id=None, model=model, machine=machine
    )


def test_what_a_worker_holds_is_not_deleted_and_where_it_runs_is_told(studio: Studio) -> None:
    models = studio.model_room
    models.download(ADMIN, SPEC.name)
    models.work_once()
    beat(studio, SPEC.name, Machine("NVIDIA H200", 139.8, 128.0))
    notice = refusal(models.delete, ADMIN, SPEC.name)
    assert (notice.code, notice.values["worker"]) == ("weights_resident", "gpu-1")
    card = next(card for card in models.cards() if card.weights.name == SPEC.name)
    assert card.loaded_in == ("gpu-1",)
    assert [(fit.fits, fit.worker.card) for fit in card.fits] == [(True, "NVIDIA H200")]
    beat(studio, "sketch", Machine("NVIDIA H200", 139.8, 128.0))
    assert models.delete(ADMIN, SPEC.name)


def test_a_lora_of_the_hub_is_added_by_its_names(studio: Studio, repo: Repo) -> None:
    models, home = studio.model_room, studio.settings.studio_home
    wrong = {
        ("../x", "a/b", "h.safetensors", ""): "lora_name",
        ("sketch", "a/b", "h.safetensors", ""): "lora_name",
        ("wan2.2-t2v-lightning", "a/b", "h.safetensors", ""): "lora_there",
        ("grain", "https://x/y", "h.safetensors", ""): "lora_repo",
        ("grain", "a/b", "", ""): "lora_files",
        ("grain", "a/b", "../h.safetensors", ""): "lora_files",
        ("grain", "a/b", "h.pt", ""): "lora_files",
    }
    for given, code in wrong.items():
        assert refusal(models.add_lora, ADMIN, *given).code == code
    twice = ("grain", "somebody/grain", "high.safetensors", "high.safetensors")
    assert refusal(models.add_lora, ADMIN, *twice).code == "lora_same"
    absent = ("grain", "somebody/grain", "high.safetensors", "low.safetensors")
    assert refusal(models.add_lora, ADMIN, *absent).code == "download_unknown"
    assert named("grain", home) is None, "what the hub has not is not known for ever"
    repo.repo = "somebody/grain"
    assert refusal(models.add_lora, ADMIN, *absent).code == "download_lacks"
    assert errands.wanted(home) == []
    models.add_lora(ADMIN, "grain", "somebody/grain", LARGE, "")
    assert [one.name for one in errands.wanted(home)] == ["grain"]
    assert models.work_once()
    assert named("grain", home) is not None
    models.delete(ADMIN, "grain")
    assert named("grain", home) is None


def test_a_clip_that_would_certainly_fail_is_not_queued(studio: Studio, published: Path) -> None:
    settings, form = studio.settings, {"prompt": "a boat", "model": SPEC.name}
    price = Desk(Page(studio=studio, language="en")).price
    assert refusal(partial(studio.generate, ADMIN, **form)).code == "model_missing"
    assert "The weights of" in price(**form)
    beat = partial(studio.model_room.fleet.beat, device="cuda", pid=1, version="1", job_id=None)
    beat(settings.worker_id, machine=Machine("Small", 4.0, 16.0))
    studio.model_room.link(ADMIN, SPEC.name, str(published))
    assert refusal(partial(studio.generate, ADMIN, **form)).code.startswith("plan_does_not_fit")
    assert "4" in price(**form)
    assert studio.jobs.list(owner=None, limit=9) == []
    beat("another", machine=Machine("Large", 80.0, 128.0))
    studio.model_room.delete(ADMIN, SPEC.name)
    assert studio.generate(ADMIN, **form), "another machine may have it"


def test_the_list_of_models_is_that_of_now(studio: Studio, published: Path) -> None:
    desk = Desk(Page(studio=studio, language="en"))

    def listed() -> str:
        return next(
            text for text, name in desk.models_now(SPEC.name)["model"]["choices"] if name == SPEC.name
        )

    assert listed() != SPEC.title
    studio.model_room.link(ADMIN, SPEC.name, str(published))
    assert listed() == SPEC.title


def test_a_new_loras_refusal_stands_with_its_form(studio: Studio) -> None:
    values = {"name": "grain", "repo": "nowhere", "high": "a.safetensors", "low": ""}
    drawn = models.answer(Page(studio, "en"), ADMIN, Message("add_lora", "", values))
    assert drawn.count('class="sorry"') == 1
    assert drawn.index('id="lora_form"') < drawn.index('class="sorry"') < drawn.index('data-key="add_lora"')


def test_what_is_larger_than_the_disk_says_so_before_it_is_asked_for(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "GB of free disk"
    assert told not in models.render(Page(studio, "en"), GUEST)
    monkeypatch.setattr("pipelines.fetch._SPARE", 10**18)
    assert told in models.render(Page(studio, "en"), ADMIN)


def test_what_ships_has_nothing_to_compare(studio: Studio) -> None:
    assert 'data-key="verify sketch"' not in models.render(Page(studio, "en"), ADMIN)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tab_tells_each_state_and_guests_get_no_buttons(
    studio: Studio, language: Any, repo: Repo
) -> None:
    page = Page(studio, language)
    empty = models.render(page, ADMIN)
    assert f'data-name="{SPEC.name}" data-state="missing"' in empty
    assert "data-act" not in models.render(page, GUEST)
    assert str(studio.settings.studio_home) not in models.render(page, GUEST)
    asked = models.answer(page, ADMIN, Message("download", SPEC.name))
    assert f'data-name="{SPEC.name}" data-state="busy"' in asked
    assert f'data-key="stop {SPEC.name}"' in asked
    studio.model_room.work_once()
    here = models.answer(page, ADMIN, Message("look"))
    assert f'data-name="{SPEC.name}" data-state="installed"' in here
    large = studio.settings.studio_home / "models" / SPEC.name / LARGE
    large.write_bytes(large.read_bytes()[:-1])
    assert f'data-name="{SPEC.name}" data-state="broken"' in models.render(page, ADMIN)
    assert say(Notice("weights_file_short", {"file": LARGE}), language) in models.render(page, ADMIN)
    refused = models.answer(page, ADMIN, Message("link", "wan2.2-t2v-a14b", {"folder": "<script>"}))
    assert "&lt;script&gt;" in refused
    assert "<script>" not in refused
    assert page.say(Notice("admin_only")) in models.answer(page, GUEST, Message("delete", SPEC.name))


def test_a_message_from_a_browser_may_be_anything(studio: Studio) -> None:
    page = Page(studio, "en")
    for data in (None, {}, {"act": 3, "name": [], "values": 7}, {"act": "delete"}, {"act": "x" * 999}):
        event = type("Event", (), {"_data": data})()
        assert "model-cards" in models.answer(page, ADMIN, models.read(event))


def test_an_open_tab_is_told_in_few_bytes(studio: Studio) -> None:
    client = client_of(studio)
    before = client.get("/models/now").json()
    assert (set(before), before["bars"]) == ({"mark", "bars"}, {})
    studio.model_room.download(ADMIN, SPEC.name)
    after = client.get("/models/now?language=zh").json()
    assert after["mark"] != before["mark"]
    assert after["bars"] == {SPEC.name: {"share": 0, "text": "马上开始"}}


def test_a_progress_line_says_how_much_of_what_and_how_long() -> None:
    from studio import model_words

    doing = errands.Activity("download", True, True, 4_100_000_000, 126_200_000_000, 170e6)
    assert model_words.progress(doing, "en") == "3 % · 4.1 GB of 126 GB · 12 min left"
    assert model_words.progress(doing, "zh") == "3% · 4.1 GB / 126 GB · 还需 12 分钟"
    waits = dataclasses.replace(doing, live=False)
    assert model_words.progress(waits, "en") == "Begins in a moment"


def test_every_model_of_the_table_is_on_the_page(studio: Studio) -> None:
    html = models.render(Page(studio, "en"), ADMIN)
    assert all(spec.title in html for spec in MODELS.values())


def test_a_linked_folder_that_went_away_refuses_clips_before_anything_is_queued(
    studio: Studio, published: Path, tmp_path: Path
) -> None:
    models, form = studio.model_room, {"prompt": "a boat", "model": SPEC.name}
    models.link(ADMIN, SPEC.name, str(published))
    assert studio.estimate(**form).cannot is None
    moved = published.rename(tmp_path / "moved")
    found = models.cannot(SPEC)
    assert found is not None
    assert found.code == "model_link_gone"
    assert studio.estimate(**form).cannot == found
    with pytest.raises(Refused) as refused:
        studio.generate(GUEST, **form)
    assert refused.value.notices == [found]
    moved.rename(published)
    (published / LARGE).write_bytes((published / LARGE).read_bytes()[:-7])
    found = models.cannot(SPEC)
    assert found is not None
    assert "not complete" in say(found, "en")
    # A worker that holds it in memory goes on with it.
    Fleet(studio.engine).beat(
        studio.settings.worker_id, device="cpu", pid=1, version="1", job_id=None, model=SPEC.name
    )
    assert models.cannot(SPEC) is None

"""The first picture on the page: what its area shows, and what its buttons make of the form."""

from html import escape
from types import SimpleNamespace
from typing import Any

import pytest

from studio.access import Visitor
from studio.core import Studio
from studio.ui import form as fields
from studio.ui import picture
from studio.ui.context import Page
from studio.ui.desk import Desk
from studio.ui.stage import render
from studio.views import JobView
from tests.studio.test_pictures import clip
from tests.studio.test_pictures import picture as drawn
from tests.ui.kit import asset, job

CAN, NEEDS = "wan2.2-ti2v-5b", "wan2.2-i2v-a14b"


@pytest.fixture
def here(page: Page, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models whose weights are here; a test may add some."""
    names = ["sketch", CAN]
    monkeypatch.setattr(fields, "weights_here", lambda _, spec: spec.name in names)
    return names


def pressed(act: str, key: str = "") -> Any:
    return SimpleNamespace(_data={"act": act, "key": key})


def kept(page: Page, width: int = 160, height: int = 96) -> str:
    return page.studio.keep_picture(Visitor("me", admin=False), drawn(width, height)).id


def test_a_model_that_can_has_a_place_for_a_picture(page: Page, here: list[str]) -> None:
    html = picture.render(page, "", CAN, "1280x704")
    assert 'type="file"' in html
    assert page.t("picture_optional") in html
    assert page.t("picture_needed") in picture.render(page, "", NEEDS, "")


def test_a_model_that_can_not_says_which_can(page: Page, here: list[str]) -> None:
    html = picture.render(page, "", "sketch", "320x192")
    assert "Wan2.2 TI2V-5B" in html
    assert "I2V-A14B" not in html, "its weights are not here"
    assert "take_model" not in html, "there is no picture yet"
    assert 'data-key="wan2.2-ti2v-5b"' in picture.render(page, kept(page), "sketch", "320x192")
    here.clear()
    absent = picture.render(page, "", "sketch", "320x192")
    assert "none of them is on this machine" in absent
    assert "I2V-A14B" in absent


def test_the_picture_is_shown_as_the_clip_will_be_cut(page: Page, here: list[str]) -> None:
    found = kept(page, 1280, 704)
    html = picture.render(page, found, CAN, "1280x704")
    assert f"../inputs/{found}.png" in html
    assert "aspect-ratio:1280/704" in html
    assert page.t("picture_fits") in html
    # Upright, what stands within 704 of 1280 columns: the middle third of it.
    assert page.t("picture_cut", percent=70) in picture.render(page, found, CAN, "704x1280")
    assert "aspect-ratio:1280/704" in picture.render(page, found, CAN, "nonsense")


def test_a_picture_that_is_gone_is_said_and_asked_for_again(page: Page, here: list[str]) -> None:
    for name in ("f" * 64, "<script>", "../../x"):
        html = picture.render(page, name, CAN, "")
        assert escape(page.t("picture_gone")) in html
        assert name not in html
        assert 'type="file"' in html


def test_what_the_area_asks_for(page: Page, here: list[str]) -> None:
    desk, tall = Desk(page), kept(page, 300, 500)
    updates = desk.picture(pressed("picture", tall), "", CAN, "1280x704")
    assert (updates["first_frame"], updates["size"]["value"]) == (tall, "480x832")
    assert desk.picture(pressed("unpicture"), tall, CAN, "480x832") == {"first_frame": ""}
    switched = desk.picture(pressed("take_model", CAN), tall, "sketch", "320x192")
    assert (switched["model"], switched["size"]["value"]) == (CAN, "480x832")
    assert switched["size"]["choices"]
    assert desk.picture(pressed("take_model", "nothing"), tall, "sketch", "") == {}
    assert desk.picture(pressed("boo"), tall, "sketch", "") == {}


def test_a_kept_form_brings_its_picture_back_only_while_it_is_here(page: Page, here: list[str]) -> None:
    found = kept(page)
    form = {"prompt": "a boat", "model": CAN, "first_frame": found}
    assert fields.filled(page, form)["first_frame"] == found
    for name in ("e" * 64, "../x", 7, None):
        assert fields.filled(page, form | {"first_frame": name})["first_frame"] == ""


def test_a_finished_clip_can_be_continued(page: Page, studio: Studio, here: list[str]) -> None:
    me, desk = Visitor("ann", admin=False), Desk(page)
    view = JobView(job("done"), None, None, None, asset=asset(), may_change=True)
    assert 'data-act="go_on"' in render(page, view)
    assert "cant-go-on" not in render(page, view)
    made = clip(studio)
    updates = desk.go_on(me, made.id)
    values = {
        name: found["value"]
        for name, found in updates.items()
        if isinstance(found, dict) and "value" in found
    }
    assert (values["model"], values["prompt"], values["seed"]) == (CAN, "a boat", "8")
    assert studio.pictures.find(values["first_frame"]) is not None
    assert values["size"] == "832x480"


def test_without_a_model_that_can_the_page_says_which_could(
    page: Page, studio: Studio, here: list[str]
) -> None:
    from studio.refusal import Refused

    here.remove(CAN)
    view = JobView(job("done"), None, None, None, asset=asset(), may_change=True)
    html = render(page, view)
    assert 'class="btn bare" data-act="go_on"' in html
    assert "No model here can go on" in html[html.index("cant-go-on") :]
    with pytest.raises(Refused) as error:
        Desk(page).go_on(Visitor("ann", admin=False), clip(studio).id)
    told = page.say(*error.value.notices)
    assert "Wan2.2 TI2V-5B" in told
    assert "No model here can go on" in told

"""What the tab Story shows: nobody's text as HTML, no edit for guests, the film's time in proportion."""

import json
import re
from dataclasses import replace

import pytest

from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Studio
from studio.story.edit import EDITS
from studio.ui.context import Page
from studio.ui.story import bar, head, screen, shown
from studio.ui.story.message import Here
from tests.story.kit import make_clip, requests_of, set_state
from tests.ui.kit import asset
from tests.ui.kit import view as job_view
from tests.ui.story_kit import EVIL, GUEST, ME, TEXT, everything, hostile, running, told
from tests.ui.test_stage import Tags


@pytest.mark.parametrize("visitor", [ME, GUEST])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_storys_texts_are_text_everywhere(studio: Studio, language: str, visitor: Visitor) -> None:
    page, made = Page(studio, language), hostile(studio)
    view = studio.stories.get(visitor, made.id)
    for name, html in everything(page, view, visitor).items():
        tags = Tags(html)
        for tag, attrs in tags.tags:
            assert "onerror" not in attrs, name
            assert attrs.get("src") != "x", name
            if tag == "img":
                assert not (attrs.get("src") or "").startswith(("javascript:", "//", "http")), name
            if attrs.get("data-values"):
                json.loads(attrs["data-values"])
    assert EVIL in Tags(everything(page, view, visitor)["open 1"]).text


def test_a_first_screen_shows_titles_as_text(page: Page, studio: Studio) -> None:
    hostile(studio)
    tags = Tags(shown.first(page, ME, sorry=EVIL))
    assert all("onerror" not in attrs and attrs.get("src") != "x" for _, attrs in tags.tags)
    assert tags.text.count(EVIL) == 2
    assert {"story_text", "story_split", "story_import", "story_sorry"} <= tags.ids()


def test_guests_find_nothing_to_edit(page: Page, studio: Studio) -> None:
    view = studio.stories.get(GUEST, told(studio).id)
    for name, html in everything(page, view, GUEST).items():
        tags = Tags(html)
        acts = {attrs["data-act"] for _, attrs in tags.tags if "data-act" in attrs}
        looks = {"home", "section", "open_shot", "watch", "goto", "duplicate", "copy_story", "play", "full"}
        assert acts <= looks | {"unwatch"}, name
        assert not any("data-edit" in attrs or tag == "textarea" for tag, attrs in tags.tags), name
    assert everything(page, view, GUEST)["shots bar"] == ""


def test_every_edit_that_is_offered_exists(page: Page, studio: Studio) -> None:
    view = hostile(studio)
    for html in everything(page, view).values():
        offered = {attrs["data-edit"] for _, attrs in Tags(html).tags if attrs.get("data-edit")}
        assert offered <= set(EDITS)


def test_blocks_are_as_wide_as_their_shots_are_long(page: Page, studio: Studio) -> None:
    view = told(studio)
    view = studio.stories.change(ME, view.id, "update_shot", shot_id=view.shots[0].shot.id, seconds=10.0)
    view = studio.stories.change(ME, view.id, "update_shot", shot_id=view.shots[1].shot.id, transition="cut")
    placed = head.spans(view)
    assert placed[1].start == pytest.approx(10.0 - 0.5)
    assert (placed[1].overlap, placed[2].overlap) == (0, 0)
    total = placed[-1].start + placed[-1].shot.seconds
    html = head.timeline(page, view)
    styles = [attrs["style"] for _, attrs in Tags(html).tags if attrs.get("class") == "slice"]
    wide = [float(re.search(r"width:([\d.]+)%", style)[1]) for style in styles]  # type: ignore[index]
    assert wide == pytest.approx([100 * span.shot.seconds / total for span in placed], abs=0.01)
    assert html.count('class="joint"') == 1
    assert f'data-total="{total:.2f}"' in html


def test_twenty_four_shots_are_all_there_and_no_more_are_offered(page: Page, studio: Studio) -> None:
    view = told(studio, "\n".join(f"{n}. A red boat number {n} sails on the sea." for n in range(1, 25)))
    html = shown.board(page, ME, view, Here())
    assert html.count('class="shot"') == 24
    assert "add_shot" not in html
    assert page.t("story_full", count=24) in html


def test_a_card_says_how_far_its_shot_is(page: Page, studio: Studio) -> None:
    view = told(studio)
    job = studio.stories.film(ME, view.id, "animatic")
    states = [attrs["data-state"] for _, attrs in Tags(_board(page, studio, view.id)).tags if _is_card(attrs)]
    assert states == ["empty"] * 3
    first = requests_of(studio, job)[0]
    clip = make_clip(studio, first, owner="me")
    html = _board(page, studio, view.id)
    states = [attrs["data-state"] for _, attrs in Tags(html).tags if _is_card(attrs)]
    assert states == ["draft", "empty", "empty"]
    assert f"../media/{clip.id}.webp" in html


def test_a_failed_shot_says_why_and_offers_to_try_again(page: Page, studio: Studio) -> None:
    view = told(studio)
    job = studio.stories.render_shot(ME, view.id, view.shots[1].shot.id, "animatic")
    set_state(studio, job, "failed", error={"code": "disk_full", "values": {}})
    tags = Tags(_board(page, studio, view.id))
    assert page.say(Notice("disk_full")) in tags.text
    keys = [attrs.get("data-key") for _, attrs in tags.tags if attrs.get("data-act") == "retry"]
    assert keys == [job]


def test_the_stage_follows_a_film_through_its_states(page: Page, studio: Studio) -> None:
    view = told(studio)
    assert Tags(screen.render(page, view, None)).tags[0][1]["data-state"] == "empty"
    job = studio.stories.film(ME, view.id, "animatic")
    for state, ids in (
        ("queued", {"story_cancel"}),
        ("failed", {"story_retry"}),
        ("cancelled", {"story_retry"}),
    ):
        set_state(studio, job, state)
        now = studio.stories.get(ME, view.id)
        tags = Tags(screen.render(page, now, now.film))
        assert tags.tags[0][1]["data-state"] == state
        assert ids <= tags.ids()


def test_a_running_film_shows_the_shot_that_is_rendered(page: Page, studio: Studio) -> None:
    view = told(studio)
    film = job_view("running")
    html = screen.render(page, view, film, live=running(view))
    assert "../preview/job.webp?v=2" in html
    assert "story_cancel" in html
    assert "story_cancel" not in screen.render(page, view, job_view("running", mine=False))


def test_a_finished_film_can_be_played_by_shots_and_taken_away(page: Page, studio: Studio) -> None:
    view = told(studio)
    studio.stories.film(ME, view.id, "animatic")
    plan = studio.stories.get(ME, view.id).film.job.plan  # type: ignore[union-attr]
    plan = plan.model_copy(update={"subtitles": ("en",), "burn": False})
    kept = asset(id="film_1", kind="film", request=None, plan=plan, title=EVIL, seconds=12.0)
    done = job_view("done", asset=kept)
    tags = Tags(screen.render(page, view, done, marks=(0.0, 4.0, 8.0)))
    video = next(attrs for _, attrs in tags.tags if attrs.get("id") == "story_player")
    assert video["data-marks"] == "0.000,4.000,8.000"
    assert "muted" not in video
    assert [attrs["srclang"] for tag, attrs in tags.tags if tag == "track"] == ["en"]
    assert {"story_download", "story_export_menu", "story_subtitles_menu"} <= tags.ids()


def test_the_stage_says_when_the_story_has_changed_since(page: Page, studio: Studio) -> None:
    view = told(studio)
    job = studio.stories.film(ME, view.id, "animatic")
    film = studio.stories.get(ME, view.id).film
    assert film is not None
    assert film.job.id == job
    assert screen.is_current(studio.stories.get(ME, view.id), film)
    for edit, values in (
        ("update_shot", {"shot_id": view.shots[0].shot.id, "text": "A girl lives by the sea."}),
        ("move_shot", {"shot_id": view.shots[0].shot.id, "to": 2}),
        ("update_look", {"format": "1:1"}),
    ):
        changed = studio.stories.change(ME, view.id, edit, **values)
        assert not screen.is_current(changed, film)
        studio.stories.put_back(ME, view.id, view.story)


def test_the_bar_tells_time_and_what_is_reused_before_it_is_pressed(page: Page, studio: Studio) -> None:
    view = told(studio)
    html = shown.priced(page, ME, view)
    tags = Tags(html)
    buttons = {
        attrs["id"]: attrs for _, attrs in tags.tags if attrs.get("id") in ("story_animatic", "story_film")
    }
    assert "primary" in buttons["story_animatic"]["class"]
    assert "disabled" in buttons["story_film"]
    assert page.t("story_render_all", count=3) in tags.text


def test_a_price_is_told_when_one_is_set(page: Page, studio: Studio) -> None:
    found = studio.stories.estimate(ME, told(studio).id, "animatic")
    dear = replace(found, to_render=2, reused=1, seconds=90.0, wait=None, ahead=0, price=1.5, currency="EUR")
    words = bar.parts(page, dear)
    assert page.t("story_render_some", count=2, reused=1) in words
    assert "1.50 EUR" in words
    assert not any("EUR" in word for word in bar.parts(page, replace(dear, price=None)))


def test_the_film_of_another_story_is_never_shown(page: Page, studio: Studio) -> None:
    one, other = told(studio), told(studio)
    foreign = studio.stories.film(ME, other.id, "animatic")
    assert shown.film_of(page, ME, one, Here(film=foreign)) is None
    assert shown.film_of(page, ME, one, Here(film="nothing")) is None
    mine = studio.stories.film(ME, one.id, "animatic")
    found = shown.film_of(page, ME, studio.stories.get(ME, one.id), Here(film=mine))
    assert found is not None
    assert found.job.id == mine


def test_the_stamp_changes_with_what_is_shown(page: Page, studio: Studio) -> None:
    view = told(studio)
    before = shown.stamp(view, Here())
    assert shown.stamp(studio.stories.get(ME, view.id), Here()) == before
    studio.stories.film(ME, view.id, "animatic")
    assert shown.stamp(studio.stories.get(ME, view.id), Here()) != before


def test_the_text_is_long_only_where_it_is_edited(page: Page, studio: Studio) -> None:
    view = told(studio, TEXT)
    assert TEXT in Tags(shown.board(page, ME, view, Here(section="text"))).text


def _board(page: Page, studio: Studio, story_id: str) -> str:
    return shown.board(page, ME, studio.stories.get(ME, story_id), Here())


def _is_card(attrs: dict[str, str]) -> bool:
    return "data-number" in attrs


def test_a_guest_sees_the_last_film_that_was_made(page: Page, studio: Studio) -> None:
    view = told(studio)
    first = studio.stories.film(ME, view.id, "animatic")
    plan = studio.stories.get(ME, view.id).film.job.plan  # type: ignore[union-attr]
    kept = asset(id="film_1", job_id=first, kind="film", request=None, plan=plan, title="A film")
    studio.assets.add(kept)
    set_state(studio, first, "done", asset_id="film_1")
    studio.stories.change(ME, view.id, "update_look", format="1:1")
    set_state(studio, studio.stories.film(ME, view.id, "animatic"), "failed")
    mine, theirs = (
        shown.film_of(page, visitor, studio.stories.get(visitor, view.id), Here()) for visitor in (ME, GUEST)
    )
    assert mine is not None
    assert theirs is not None
    assert (mine.job.state, theirs.job.id) == ("failed", first)


def test_a_cancelled_or_failed_try_leaves_the_last_good_film_on_the_stage(page: Page, studio: Studio) -> None:
    view = told(studio)
    first = studio.stories.film(ME, view.id, "animatic")
    plan = studio.stories.get(ME, view.id).film.job.plan  # type: ignore[union-attr]
    studio.assets.add(asset(id="film_1", job_id=first, kind="film", request=None, plan=plan, title="A film"))
    set_state(studio, first, "done", asset_id="film_1")
    studio.stories.change(ME, view.id, "update_look", format="1:1")
    again = studio.stories.film(ME, view.id, "animatic")
    for state, words in (("cancelled", page.t("cancelled_title")), ("failed", page.t("story_failed"))):
        set_state(studio, again, state)
        tags = Tags(shown.stage(page, ME, studio.stories.get(ME, view.id), Here()))
        assert {"story_player", "story_lost", "story_retry", "story_download"} <= tags.ids()
        assert tags.tags[0][1]["data-state"] == state
        assert words in tags.text
        keys = [attrs.get("data-key") for _, attrs in tags.tags if attrs.get("id") == "story_retry"]
        assert keys == [again]
    # One film of a table that is looked at is that film, and not another one.
    row = Tags(shown.stage(page, ME, studio.stories.get(ME, view.id), Here(film=first)))
    assert "story_lost" not in row.ids()

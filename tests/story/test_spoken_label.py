"""The spoken label: the first narration of a film says who made it; nothing is rendered anew for it."""

from pathlib import Path

from studio.core import Studio
from studio.settings import Settings
from studio.story.edit import edit
from studio.story.film_plan import FilmPlan, key_of
from studio.story.plan import make_plan
from studio.story.spoken_label import announced, sentence, unannounced
from studio.story.types import Story
from studio.ui.story.screen import is_current
from tests.story.kit import ADMIN, ANNA, TEXT, TEXTS, story_of

ZH, EN = "以下内容由人工智能生成。", "The following was made by AI."


def planned(story: Story, *, spoken: bool) -> FilmPlan:
    return make_plan(story, "animatic", story_id="s", default_model="sketch", spoken_label=spoken)


def test_the_first_narration_begins_with_the_sentence_and_captions_and_lengths_follow() -> None:
    story = edit(story_of(), "update_shot", shot_id="shot1", translation="A white deer stands in a forest.")
    plain, told = planned(story, spoken=False), planned(story, spoken=True)
    first = told.shots[0]
    assert (sentence("zh"), sentence("en")) == (ZH, EN)
    assert first.narration == ZH + TEXTS[0]
    assert first.captions == {"zh": ZH + TEXTS[0], "en": f"{EN} A white deer stands in a forest."}
    assert first.seconds > plain.shots[0].seconds + 1
    assert told.shots[1:] == plain.shots[1:]


def test_no_take_is_another_and_no_chapter_is_called_by_it() -> None:
    plain, told = planned(story_of(), spoken=False), planned(story_of(), spoken=True)
    assert list(map(key_of, told.requests())) == list(map(key_of, plain.requests()))
    assert [shot.title for shot in told.shots] == [shot.title for shot in plain.shots]


def test_what_nobody_reads_aloud_says_nothing() -> None:
    silent = edit(story_of(), "update_look", narrate=False)
    assert planned(silent, spoken=True) == planned(silent, spoken=False)
    empty = story_of(*TEXTS)
    empty = edit(empty, "update_shot", shot_id="shot1", text="", prompt="a lake")
    assert [shot.narration.startswith(ZH) for shot in planned(empty, spoken=True).shots[:2]] == [False, True]
    assert unannounced(announced(empty).shots[1].text, "zh") == TEXTS[1]


def test_the_rule_decides_and_a_film_with_it_still_shows_its_story(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path))
    story = studio.stories.new(ANNA, text=TEXT)
    studio.reviews.set_policy(ADMIN, {"label": {"spoken": True}})
    job = studio.stories.film(ANNA, story.id, "animatic")
    view = studio.job(ANNA, job)
    assert view.job.plan is not None
    assert view.job.plan.shots[0].narration.startswith(ZH)
    assert is_current(studio.stories.get(ANNA, story.id), view)

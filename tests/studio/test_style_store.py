"""Own styles: versions are kept, rights hold, files survive the round trip, hostile ones do nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.request import GenerationRequest
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.recipe import Recipe, read_recipe
from studio.settings import Settings
from studio.style_store import MAX_BYTES, StyleView
from studio.words import LANGUAGES, say
from tests.media.pictures import frames

ANNA, BEN = Visitor(owner="anna", admin=False), Visitor(owner="ben", admin=False)
ADMIN = Visitor(owner="root", admin=True)
WORDS: dict[str, Any] = {
    "title": "Harbour dusk",
    "about": "Old harbours at dusk",
    "template": {
        "en": "Old harbour film. {prompt}. Warm dusk light.",
        "zh": "老港口，{prompt}。暖暮光。",
    },
    "negative": "三维渲染",
    "look": "vintage",
    "palette": ["#112233", "#445566", "#778899"],
}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    shared: dict[str, Any] = {"access_password": "p", "admin_token": "secret", "local_worker": False}
    return Studio(Settings(studio_home=tmp_path / "home", **shared))


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """One for all hostile files: none of them leaves anything in it."""
    home = tmp_path_factory.mktemp("home")
    return Studio(Settings(studio_home=home, access_password="p", admin_token="secret"))


def request_of(studio: Studio, job_id: str) -> GenerationRequest:
    job = studio.jobs.get(job_id)
    assert job is not None
    assert job.request is not None
    return job.request


def own(studio: Studio, visitor: Visitor = ANNA) -> list[StyleView]:
    return [view for view in studio.styles.list(visitor) if not view.shipped]


def test_a_change_makes_a_version_and_the_old_ones_stay(studio: Studio) -> None:
    first = studio.styles.add(ANNA, WORDS).style
    assert (first.version, first.title) == (1, dict.fromkeys(LANGUAGES, "Harbour dusk"))
    second = studio.styles.save(ANNA, first.name, 1, WORDS | {"look": "mono"}).style
    assert (second.name, second.version, second.look) == (first.name, 2, "mono")
    assert studio.styles.save(ANNA, first.name, 2, second.words().model_dump()).style == second
    assert studio.styles.find(first.name) == studio.styles.find(first.name, 9) == second
    assert studio.styles.find(first.name, 1) == first
    assert [view.style for view in own(studio)] == [second]
    with pytest.raises(Refused) as refused:
        studio.styles.save(ANNA, first.name, 1, WORDS | {"look": "cool"})
    assert refused.value.notices[0].code == "style_changed"


def test_whose_it_is_changes_it_and_the_room_sees_it(studio: Studio, tmp_path: Path) -> None:
    name = studio.styles.add(ANNA, WORDS).style.name
    assert [view.mine for view in own(studio, BEN)] == [False]
    assert [view.mine for view in own(studio, ADMIN)] == [True]
    for act in (lambda: studio.styles.delete(BEN, name), lambda: studio.styles.save(BEN, name, 1, WORDS)):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.notices[0].code == "not_yours"
    with pytest.raises(Refused) as refused:
        studio.styles.save(ADMIN, "ink", 2, WORDS)
    assert refused.value.notices[0].code == "style_shipped"
    demo = Studio(Settings(studio_home=tmp_path / "demo", open_demo=True))
    demo.styles.add(ANNA, WORDS)
    assert (len(own(demo)), own(demo, BEN)) == (1, [])


def test_a_clip_keeps_the_version_that_it_was_made_with(studio: Studio) -> None:
    name = studio.styles.add(ANNA, WORDS).style.name
    first = studio.generate(ANNA, prompt="A red boat.", style=name, model="wan2.1-t2v-1.3b")
    asked, job = request_of(studio, first), studio.jobs.get(first)
    assert job is not None
    assert asked.prompt == "Old harbour film. A red boat. Warm dusk light."
    assert (asked.negative_prompt, asked.look) == ("三维渲染", "vintage")
    assert (job.form["style"], job.form["style_version"], job.form["prompt"]) == (name, 1, "A red boat.")

    studio.styles.save(ANNA, name, 1, WORDS | {"template": "Fog. {prompt}", "look": "cool"})
    assert request_of(studio, studio.generate(ANNA, **job.form)) == asked
    studio.styles.delete(ANNA, name)
    assert own(studio) == []
    assert request_of(studio, studio.again(ANNA, first)).prompt == asked.prompt
    newest = {field: value for field, value in job.form.items() if field != "style_version"}
    assert request_of(studio, studio.generate(ANNA, **newest)).prompt == "Fog. A red boat."


def test_guidance_is_the_styles_only_where_the_person_sets_none(studio: Studio) -> None:
    name = studio.styles.add(ANNA, WORDS | {"guidance": {"high_noise": 1.5, "low_noise": 0.5}}).style.name
    form = {"prompt": "a boat", "style": name, "model": "wan2.2-t2v-a14b"}
    found = [
        request_of(studio, studio.generate(ANNA, **form, **more)) for more in ({}, {"guidance_scale": 2})
    ]
    assert [(one.guidance_scale, one.guidance_scale_2) for one in found] == [(6.0, 1.5), (2.0, 1.5)]


def test_a_story_keeps_the_style_as_it_was_when_it_was_chosen(studio: Studio) -> None:
    name = studio.styles.add(ANNA, WORDS).style.name
    story = studio.stories.new(ANNA, text="A boat sails at sea.", language="en").id
    studio.stories.change(ANNA, story, "update_look", style=name)
    studio.styles.save(ANNA, name, 1, WORDS | {"template": "Fog. {prompt}"})
    studio.styles.delete(ANNA, name)
    view = studio.stories.get(ANNA, story)
    assert view.shots[0].prompt.startswith("Old harbour film.")
    kept = view.story.look.own_style
    assert kept is not None
    assert (kept.name, kept.version) == (name, 1)
    back = studio.stories.import_json(BEN, studio.stories.export_json(ANNA, story))
    assert back.shots[0].prompt == view.shots[0].prompt
    plain = studio.stories.change(ANNA, story, "update_look", style="ink")
    assert plain.story.look.own_style is None


def test_a_film_from_another_studio_brings_the_words_its_style_made(studio: Studio, tmp_path: Path) -> None:
    asked = GenerationRequest(prompt="Old harbour film. A boat.", look="vintage", num_frames=17, seed=7)
    form = {"prompt": "A boat.", "style": "own-0123456789ab", "style_version": 3, "seed": 7}
    path = tmp_path / "a.mp4"
    text = Recipe(request=asked, form=form).text()
    write_clip(frames(17), path=path, fps=8, comment=text, label=LabelStyle(), expected_frames=17)
    assert read_recipe(path).request.look == "vintage"
    assert (studio.restore(path)["style"], studio.restore(path)["prompt"]) == ("none", asked.prompt)
    known = studio.styles.add(ANNA, WORDS).style
    found = read_recipe(path, lambda name: known).form
    assert (found["style"], found["style_version"]) == (form["style"], 3)


@pytest.mark.parametrize("kind", ["toml", "json"])
def test_a_style_survives_its_file(studio: Studio, kind: Any) -> None:
    mine = studio.styles.add(ANNA, WORDS | {"about": 'say "no" \\ 不'}).style
    for name in ("gongbi", mine.name):
        before = studio.styles.get(ANNA, name).style
        back = studio.styles.bring(BEN, studio.styles.export(ANNA, name, kind).encode()).style
        assert (back.words(), back.version) == (before.words(), 1)
        assert back.name != name


def test_a_file_written_by_hand_needs_one_language_only(studio: Studio) -> None:
    text = 'title = "Fog"\nabout = ""\ntemplate = "{prompt}, in fog"\n'
    text += 'palette = ["#000000", "#777777", "#ffffff"]'
    found = studio.styles.bring(ANNA, text.encode()).style
    assert found.template == dict.fromkeys(LANGUAGES, "{prompt}, in fog")


BAD_FILES = {
    "much too big": b'{"template": "' + b"a" * MAX_BYTES + b'"}',
    "no text": b"\xff\xfe\x00\x01",
    "no TOML": b"template = [",
    "no JSON": b'{"template": ',
    "too deep": b'{"template": ' + b"[" * 30_000,
    "something else": b'{"studio": "wan-studio", "kind": "story"}',
    "a list": b'["template"]',
    **{
        name: json.dumps(WORDS | changes).encode()
        for name, changes in {
            "a look of its own": {"look": "movie=/etc/passwd"},
            "a look as a list": {"look": ["ink"]},
            "no place for the prompt": {"template": "fog"},
            "two places": {"template": "{prompt} {prompt}"},
            "another language": {"template": {"fr": "{prompt}"}},
            "nothing for a template": {"template": None},
            "an endless template": {"template": "{prompt}" + "fog " * 500},
            "a control character": {"negative": "a\x00b"},
            "half a character": {"negative": "\ud800"},
            "no title": {"title": "  "},
            "an endless title": {"title": "a" * 5000},
            "no colour": {"palette": ["red", "blue", "green"]},
            "a colour that closes the rule": {"palette": ["#000000", "#000000", "}</style>"]},
            "too many colours": {"palette": ["#000000"] * 6},
            "guidance without end": {"guidance": {"high_noise": 1e308}},
            "guidance that is no number": {"guidance": {"high_noise": "NaN"}},
            "an unknown field": {"script": "alert(1)"},
            "an unknown drawing": {"nearest": "rococo"},
            "a way out": {"based_on": "../../etc"},
        }.items()
    },
}


@pytest.mark.parametrize("data", BAD_FILES.values(), ids=BAD_FILES)
def test_a_hostile_file_is_refused_in_words_and_nothing_is_kept(unharmed: Studio, data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        unharmed.styles.bring(ANNA, data)
    for language in LANGUAGES:
        told = [say(notice, language) for notice in refused.value.notices]
        assert told[0] != say("generic", language)
        assert 6 < len(told[0]) < 300
    assert own(unharmed) == []


def test_words_that_may_not_be_used_make_no_style(studio: Studio) -> None:
    with pytest.raises(Refused) as refused:
        studio.styles.add(ANNA, WORDS | {"template": "{prompt}, child pornography"})
    assert refused.value.notices[0].code.startswith("trust_")
    assert own(studio) == []

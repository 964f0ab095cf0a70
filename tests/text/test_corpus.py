"""The stories with known shots are well formed: every mark has its fields, every field is one we know."""

import tomllib
from pathlib import Path

import pytest

STORIES = sorted((Path(__file__).parent / "stories").glob("*/*.toml"))
FIELDS = {"subject", "action", "environment", "time", "weather", "mood", "camera", "style"}
HOLDS = {"environment", "time", "weather", "style"}


@pytest.mark.parametrize(
    ("folder", "count"),
    [("dev", 80), ("check", 20), ("further", 348), ("unseen", 24), ("fresh", 24)],
)
def test_there_are_stories_in_two_languages_and_their_mixture(folder: str, count: int) -> None:
    stories = [path for path in STORIES if path.parent.name == folder]
    languages = [tomllib.loads(path.read_text(encoding="utf-8"))["language"] for path in stories]
    assert len(languages) == count
    assert min(languages.count(language) for language in ("zh", "en", "mixed")) >= 3


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_each_mark_has_its_shot_and_each_phrase_is_the_storys_own(path: Path) -> None:
    story = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(story) == {"language", "form", "text", "shots"}
    assert story["language"] in ("zh", "en", "mixed")
    assert story["form"]
    _before, *bodies = story["text"].split("||")
    assert len(bodies) == len(story["shots"])
    assert 1 <= len(bodies) <= 24
    plain = "".join(story["text"].split("||")).lower()
    for body, shot in zip(bodies, story["shots"], strict=True):
        assert body.strip()
        assert not body[0].isspace()
        assert set(shot) == FIELDS
        for phrase in (phrase for field in FIELDS for phrase in shot[field]):
            assert phrase == phrase.strip()
            assert phrase.lower() in plain
        assert all(action.lower() in body.lower() for action in shot["action"])


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_what_does_not_hold_is_named_where_it_is_seen(path: Path) -> None:
    story = tomllib.loads(path.read_text(encoding="utf-8"))
    before, *bodies = story["text"].split("||")
    known = before.lower()
    earlier: dict[str, list[str]] = {field: [] for field in HOLDS}
    for body, shot in zip(bodies, story["shots"], strict=True):
        known += body.lower()
        for field in HOLDS:
            fresh = [phrase for phrase in shot[field] if phrase not in earlier[field]]
            assert all(phrase.lower() in known for phrase in fresh), (field, fresh)
        earlier = {field: shot[field] for field in HOLDS}

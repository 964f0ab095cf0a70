"""Stories in the database: kept whole, changed by one at a time, gone when deleted."""

from studio.core import Studio
from studio.story.store import Take
from studio.story.types import Story
from tests.story.kit import story_of


def test_a_story_is_kept_whole(studio: Studio) -> None:
    store = studio.stories.store
    story = story_of(title="一个故事")
    kept = store.add("anna", story)
    assert store.get(kept.id) == kept
    assert (kept.story, kept.revision) == (story, 1)
    assert store.get("nothing") is None


def test_only_the_newest_revision_can_be_replaced(studio: Studio) -> None:
    store = studio.stories.store
    kept = store.add("anna", Story(title="one"))
    assert store.save(kept.id, Story(title="two"), revision=1)
    assert not store.save(kept.id, Story(title="three"), revision=1)
    found = store.get(kept.id)
    assert found is not None
    assert (found.story.title, found.revision) == ("two", 2)
    assert found.updated >= found.created
    assert not store.save("nothing", Story(), revision=1)


def test_the_list_is_by_owner_and_the_last_changed_first(studio: Studio) -> None:
    store = studio.stories.store
    first, second = store.add("anna", Story(title="a")), store.add("anna", story_of())
    store.add("ben", Story(title="c"))
    store.save(first.id, Story(title="a2"), revision=1)
    assert [(line.title, line.shots) for line in store.list("anna")] == [("a2", 0), ("试", 4)]
    assert len(store.list()) == 3
    assert [line.id for line in store.list(limit=1)] == [first.id]
    assert store.delete(second.id)
    assert not store.delete(second.id)
    assert [line.id for line in store.list("anna")] == [first.id]


def test_takes_are_remembered_once_and_go_with_their_story(studio: Studio) -> None:
    store = studio.stories.store
    kept, other = store.add("anna", Story()), store.add("anna", Story())
    takes = [Take("shot1", "k1", "animatic", 2**31 - 1), Take("shot1", "k2", "film", 2)]
    store.add_takes(kept.id, takes)
    store.add_takes(kept.id, [Take("shot1", "k1", "film", 9), Take("shot2", "k1", "film", 3)])
    store.add_takes(other.id, takes)
    store.add_takes(other.id, [])
    assert set(store.takes(kept.id)) == {*takes, Take("shot2", "k1", "film", 3)}
    store.delete(kept.id)
    assert store.takes(kept.id) == []
    assert len(store.takes(other.id)) == 2

"""A short title for a story that brings none: who it is about, and where. Never a cut sentence."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from studio.story.types import Shot, Story
from studio.text.language import has_han
from studio.text.traditional import simplified

# In Chinese characters; a Latin letter is two fifths as wide.
_WIDEST = 16.0
_LATIN = 0.4
_FIRST_FROM = 0x2E80
_SIGNS = " \t\n，,。.;；、：:！!？?…—–-“”\"'「」《》"
# Who only tells the story gives it no title.
_TELLERS = {"我", "我们", "你", "他", "她", "它", "他们", "她们", "大家", "人们"}
_TELLERS |= {"i", "we", "you", "he", "she", "it", "they", "people", "everyone"}
_LOCALIZED = re.compile(r"[上里中下边旁外内前后间畔口岸顶脚处面底]$")
_CLAUSE = re.compile(r"[，,。.;；：:！!？?…\n]")
_ARTICLE = re.compile(r"(?:the|an?)\s+", re.IGNORECASE)
_OWNED = re.compile(r"(?:his|her|its|their|my|our|your|this|that|these|those)\s", re.IGNORECASE)
_PREPOSITION = re.compile(
    r"(?:in|on|at|by|under|over|inside|outside|behind|near|above|below|beneath|between|among|along|across)\s",
    re.IGNORECASE,
)
# Places that take no article.
_ADVERBS = {"home", "outdoors", "indoors", "outside", "inside", "upstairs", "downstairs", "downtown", "there"}


def told_title(story: Story, heading: str = "") -> str:
    """The story's own heading; without one, "牛郎与织女" or "The fox and the lighthouse".

    At most 16 Chinese characters or 40 letters, but for a heading, which is the person's own; empty if the
    story shows nobody, no place and has no short first words either.
    """
    if heading.strip():
        return heading.strip()[:120]
    return next((title for title in _proposed(story) if title and _width(title) <= _WIDEST), "")


def _proposed(story: Story) -> Iterator[str]:
    people, place = _people(story), _place(story.shots)
    if len(people) > 1 and people[1] not in people[0]:
        yield _both(people[0], people[1])
    if people and place and place not in people[0] and people[0] not in place:
        yield _there(people[0], place)
    if people:
        yield _alone(people[0])
    if place:
        yield _alone(place)
    if story.shots:
        yield _CLAUSE.split(story.shots[0].text.strip(_SIGNS), maxsplit=1)[0].strip(_SIGNS)
    for shot in story.shots:
        yield from (_alone(phrase) for phrase in (*shot.fields.subject, *shot.fields.action))


def _people(story: Story) -> list[str]:
    """Who the story is about: one or two names, those seen most first."""
    seen = Counter(who for shot in story.shots for who in shot.characters)
    known = [person for person in story.characters if seen[person.id]]
    known.sort(key=lambda person: -seen[person.id])
    found = [person.name for person in known if person.name.lower() not in _TELLERS]
    # Who is seen in passing shares no title.
    often = [p.name for p in known if seen[p.id] > 1 and 3 * seen[p.id] >= seen[known[0].id]]
    if found:
        return [found[0], *(name for name in found[1:] if name in often)][:2]
    subjects = Counter(phrase for shot in story.shots for phrase in shot.fields.subject[:1])
    return [phrase for phrase, _ in subjects.most_common(3) if simplified(phrase.lower()) not in _TELLERS][:1]


def _place(shots: Sequence[Shot]) -> str:
    places = (place.strip() for shot in shots for place in shot.fields.environment)
    return next((place for place in places if place and place.lower() not in _ADVERBS), "")


def _both(one: str, other: str) -> str:
    return f"{one}{_and(one, other)}{other}" if has_han(one + other) else _headed(one, f"and {_named(other)}")


def _there(who: str, place: str) -> str:
    if has_han(who + place):
        inside = _LOCALIZED.search(simplified(place))
        return f"{place}的{who}" if inside else f"{who}{_and(who, place)}{place}"
    if _PREPOSITION.match(place):
        return _headed(who, place)
    # A place with a name of its own is where one is, not what one meets.
    return _headed(who, f"in {place}" if _proper(place) else f"and {_named(place)}")


def _alone(phrase: str) -> str:
    return phrase if has_han(phrase) else _headed(phrase, "")


def _headed(who: str, rest: str) -> str:
    title = f"{_named(who)} {rest}".strip()
    return title[:1].upper() + title[1:]


def _named(noun: str) -> str:
    """The noun with its article, a name without one."""
    if _proper(noun) or _OWNED.match(noun) or not noun[:1].isalpha():
        return noun
    return f"the {_ARTICLE.sub('', noun, count=1)}"


def _proper(noun: str) -> bool:
    return noun[:1].isupper() and not _ARTICLE.match(noun)


def _and(one: str, other: str) -> str:
    return "与" if simplified(one + other) == one + other else "與"


def _width(title: str) -> float:
    return sum(1.0 if ord(char) >= _FIRST_FROM else _LATIN for char in title)

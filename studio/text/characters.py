"""The characters of a story: who they are, which shots show them, and giving one another name."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from studio.text.beings import Gender, beings, gender_of, kind_of, plural
from studio.text.language import TextLanguage, has_han
from studio.text.names import uses
from studio.text.told import unquoted
from studio.text.traditional import Own, each, simplified

MAX_NAME = 60
MAX_LOOKS = 400
MAX_ALIASES = 12

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Said = Annotated[str, Field(max_length=MAX_LOOKS)]

_STOPS = " \t\n，,。.;；、"
_HE_SHE: dict[str, Gender] = {
    **dict.fromkeys(("他", "he", "him", "his", "himself"), "male"),
    **dict.fromkeys(("她", "she", "her", "hers", "herself"), "female"),
    **dict.fromkeys(("它", "it", "its", "itself"), "thing"),
}
_CROWD_ZH = re.compile(
    r"(?:村民|渔民|渔夫|士兵|战士|学生|工人|水手|村里人|路人|客人|邻居|[\u4e00-\u9fff]员)们"
)
_CROWD_EN = re.compile(
    r"\b(?:the|some|many|several|few|his|her|their|all) (?P<noun>[a-z]{4,})\b", re.IGNORECASE
)
# Such may be the characters themselves.
_TOGETHER = frozenset(
    [
        "children",
        "kids",
        "boys",
        "girls",
        "friends",
        "lovers",
        "twins",
        "brothers",
        "sisters",
        "siblings",
        "parents",
        "couples",
        "partners",
        "heroes",
        "companions",
        "others",
        "strangers",
        "creatures",
        "animals",
        "men",
        "women",
        "people",
    ]
)
_PRONOUN = re.compile(
    r"(?P<many>[他她它]们|他俩|她俩|两人|二人|\b(?:they|them|their|theirs|themselves)\b)"
    r"|(?P<one>(?<!其)[他她它](?!们|俩|人|乡|方)|\b(?:he|him|his|himself|she|her|hers|herself|its|itself)\b"
    r"|\bit\b(?!['’]s)(?! (?:was|is|has|had|got|gets|became|seems?|seemed|rain|snow|took|takes|turned)))",
    re.IGNORECASE,
)


class Character(BaseModel):
    """Somebody of a story. `looks`, `age` and `clothing` are short phrases; `aliases` other names.

    Names have 1 to MAX_NAME characters, the others at most MAX_LOOKS; else pydantic's ValidationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=40)]
    name: Name
    looks: Said = ""
    age: Annotated[str, Field(max_length=MAX_NAME)] = ""
    clothing: Said = ""
    aliases: Annotated[tuple[Name, ...], Field(max_length=MAX_ALIASES)] = ()

    def description(self, language: TextLanguage) -> str:
        """Name, age, looks and clothing in one phrase, put together the same way every time."""
        age, clothing = self.age.strip(_STOPS), self.clothing.strip(_STOPS)
        if language == "zh":
            if clothing and not re.match(r"[身穿着戴披系围]", clothing) and has_han(clothing):
                clothing = f"穿{clothing}"
        else:
            if re.fullmatch(r"\d{1,3}", age):
                age = f"{age} years old"
            if (
                clothing
                and not has_han(clothing)
                and not re.match(r"(?:wear|dress|in |with |clad|clothed)", clothing, re.IGNORECASE)
            ):
                clothing = f"wearing {clothing}"
        name, looks = self.name.strip(_STOPS) or self.name, self.looks.strip(_STOPS)
        if name[0].islower() and looks.isalpha() and not has_han(looks):
            name, looks = f"{looks} {name}", ""  # "white horse", not "horse, white"
        elif name in beings("zh") and re.fullmatch(r"\w{1,3}色", looks):
            name, looks = f"{looks}的{name}", ""
        parts = [name, age, looks, clothing]
        return ("，" if language == "zh" else ", ").join(part for part in parts if part)


def find_characters(text: str, shots: Sequence[str]) -> tuple[Character, ...]:
    """The characters that a story's text proposes: names, and protagonists who come back (小女孩).

    `shots` are the texts of its shots in order. Those who act most come first; what the text says of their
    age, looks and clothing is filled in. Ids depend on the name only.
    """
    from studio.text.casting import cast

    own = Own((*shots, text))
    return tuple(each(one, own) for one in cast(simplified(text), [simplified(shot) for shot in shots]))


def who_is_in(text: str, characters: Sequence[Character], before: Sequence[str]) -> tuple[str, ...]:
    """Ids of the characters that a shot names by name, alias or pronoun, in the story's order.

    `before` are the texts of the shots before it, oldest first: a pronoun means the last one named that fits
    (by sex, if the name or the looks tell it), "they" the last ones. What is only said does not count.
    """
    if Own((text, *before, *(name for character in characters for name in _names(character)))).differs:
        text, before = simplified(text), [simplified(shot) for shot in before]
        characters = [each(character, simplified) for character in characters]
    known = {character.id: _sex(character) for character in characters}
    history = [place for shot in before[-12:] for place in _mentions(unquoted(shot), characters)]
    shot = unquoted(text)
    named = _mentions_at(shot, characters)
    found = {who for _, who in named}
    crowds = _crowds(shot, named)
    for match in _PRONOUN.finditer(shot):
        if _of_another(match, shot) or (match["many"] and any(at < match.start() for at in crowds)):
            continue
        earlier = [*history, *(who for at, who in named if at < match.start())]
        found |= _meant(match, earlier, known)
    return tuple(character.id for character in characters if character.id in found)


def rename(text: str, old: str, new: str) -> str:
    """The text with `old` replaced by `new` wherever it stands as a name, possessives put right.

    A name in capitals (a speaker's label) stays in capitals. Words that only look like the name stay.
    """
    new = new.strip()
    if not new or not old.strip():
        return text
    parts: list[str] = []
    place = 0
    for start, end in uses(simplified(text), simplified(old.strip())):
        shouted = text[start:end].isupper() and not old.isupper() and len(old) > 1
        parts += [text[place:start], new.upper() if shouted else new]
        place = end
        # "James' hat" becomes "Tom's hat"; "Tom's" stays "Tom's", "James's" for James.
        if (
            not has_han(old)
            and (bare := re.match(r"(['’])(?!\w)(?=\s+\w)", text[end:]))
            and old.lower().endswith("s")
        ):
            parts.append(f"{bare.group(1)}{'S' if shouted else 's'}")
            place = end + bare.end()
    return "".join([*parts, text[place:]])


def character_gender(character: Character) -> Gender:
    """Of whom the character's name, aliases and looks speak; "any" if they don't tell."""
    for words in (
        character.name,
        *character.aliases,
        character.age,
        *re.split(r"[，,、;；]", character.looks),
    ):
        if words.strip():
            gender = gender_of(words.strip())
            if gender in ("female", "male"):
                return gender
    return "any"


def _sex(character: Character) -> Gender:
    """Like `character_gender`, but an animal of unknown sex is one that "it" may mean."""
    gender = character_gender(character)
    animal = any(kind_of(name) == "animal" for name in (*_names(character), character.looks) if name)
    return "thing" if gender == "any" and animal else gender


def _names(character: Character) -> tuple[str, ...]:
    return (character.name, *character.aliases)


def _mentions_at(text: str, characters: Sequence[Character]) -> list[tuple[int, str]]:
    """(place, id) of each name, the longest name first where one holds another."""
    found: list[tuple[int, int, str]] = []
    for character in characters:
        for name in _names(character):
            found += [(start, end, character.id) for start, end in _places_of(text, name)]
    found.sort(key=lambda place: (place[0], -place[1]))
    kept: list[tuple[int, int, str]] = []
    for place in found:
        if not kept or place[0] >= kept[-1][1]:
            kept.append(place)
    return [(start, who) for start, _, who in kept]


def _mentions(text: str, characters: Sequence[Character]) -> list[str]:
    return [who for _, who in _mentions_at(text, characters)]


def _places_of(text: str, name: str) -> list[tuple[int, int]]:
    """Names as names; a noun such as "the fisherman" in any case and not as part of a longer word."""
    if has_han(name) and name in beings("zh"):
        return [match.span() for match in re.finditer(re.escape(name), text)]
    if has_han(name) or name[:1].isupper():
        return uses(text, name)
    bare = re.sub(r"^(?:the|a|an)\s+", "", name, flags=re.IGNORECASE)
    return [
        match.span() for match in re.finditer(rf"(?<![\w-]){re.escape(bare)}(?![\w-])", text, re.IGNORECASE)
    ]


def _of_another(match: re.Match[str], shot: str) -> bool:
    """Whether it only tells whose somebody is: his granddaughter, 他的妈妈."""
    behind = shot[match.end() : match.end() + 24]
    if has_han(match.group()):
        near = behind.removeprefix("的")
        return any(near[:k] in beings("zh") for k in (2, 3, 4)) and not behind.startswith("们")
    if match.group().lower() not in ("his", "her", "its", "their"):
        return False
    return any(word.lower() in beings("en") for word in re.findall(r"[A-Za-z'-]+", behind)[:2])


def _crowds(text: str, named: Sequence[tuple[int, str]]) -> list[int]:
    """Where several come into a shot who are no characters: the fishermen come in, stamping their boots."""
    found = [match.start() for match in _CROWD_ZH.finditer(text)]
    for match in _CROWD_EN.finditer(text):
        noun = match["noun"].lower()
        if plural(noun) and kind_of(noun) != "thing" and noun not in _TOGETHER:
            found.append(match.start())
    return [place for place in found if len({who for at, who in named if at < place}) < 2]


def _meant(match: re.Match[str], earlier: list[str], known: dict[str, Gender]) -> set[str]:
    if match["many"]:
        word = match["many"].lower()
        female = word.startswith("她")
        latest = list(dict.fromkeys(who for who in reversed(earlier) if not female or known[who] != "male"))
        return set(latest[:2])
    wanted = _HE_SHE[match["one"].lower()]
    for strict in (True, False):
        for who in reversed(earlier):
            gender = known[who]
            if gender == wanted or (not strict and gender in ("any", "thing") and wanted != "thing"):
                return {who}
        if strict and earlier and known[earlier[-1]] in ("any", "thing") and wanted != "thing":
            return {earlier[-1]}
    return set()

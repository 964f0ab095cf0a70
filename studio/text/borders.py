"""How surely a new shot begins with a sentence: what it, its neighbours and the shot before tell, weighed."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studio.text.meaning import meanings
from studio.text.traits import NAMED, hint_names
from studio.text.units import Unit

FILE = Path(__file__).resolve().parent.parent.parent / "assets" / "lexicon" / "borders.toml"
MEANT = FILE.with_suffix(".npy")

# Lengths count as their logarithm, brought to about 0 to 2 like the other cues.
_LENGTH_SCALE = 3.0
_SHORT = 0.6  # of the story's mean sentence
_SHORT_OPENING = 14
_SHORT_SETTING = 16
_MUCH_SPEECH = 0.4
_SOME_SPEECH = 0.25
# Who was named longer ago is no help, and looking further back would make long shots slow.
_MEMORY = 14


@cache
def weights() -> Mapping[str, float]:
    """Weight of each cue by its name; "bias" is what a border without any cue has."""
    table: dict[str, float] = tomllib.loads(FILE.read_text(encoding="utf-8"))["weights"]
    return table


@cache
def direction() -> npt.NDArray[np.float32]:
    """How much each part of a sentence's meaning speaks for a new shot: (512,)."""
    found: npt.NDArray[np.float32] = np.load(MEANT, allow_pickle=False).astype(np.float32)
    return found


def is_open(i: int, unit: Unit) -> bool:
    """Whether the words decide about a border before unit i, not the layout."""
    return i > 0 and not unit.opens and not unit.said


def meanings_of(text: str, units: Sequence[Unit]) -> npt.NDArray[np.float32]:
    """What each unit says (units, 512); zeros where the layout decides."""
    found = np.zeros((len(units), 512), np.float32)
    asked = [i for i, unit in enumerate(units) if is_open(i, unit)]
    if asked:
        found[asked] = meanings([text[units[i].start : units[i].end] for i in asked])
    return found


def meant(text: str, units: Sequence[Unit]) -> list[float]:
    """How much what each unit says speaks for a new shot, as log odds: a gesture, a moral, a view."""
    return [float(odds) for odds in meanings_of(text, units) @ direction()]


def strength(cues: Mapping[str, float], weight: Mapping[str, float]) -> float:
    """Log odds that a shot begins here: above 0 it does."""
    return weight["bias"] + sum(weight[name] * value for name, value in cues.items())


def _meets(some: frozenset[str] | set[str], others: frozenset[str] | set[str]) -> bool:
    """Whether two sets of nouns have one in common, or one that is part of another: 花猫, 猫."""
    if some & others:
        return True
    return any((len(a) > 1 and a in b) or (len(b) > 1 and b in a) for a in some if a for b in others if b)


class Told:
    """A story's sentences, as the cues of borders between them see them."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = units
        lengths = [max(1, unit.signs.length) for unit in units]
        self._sums = list(accumulate(lengths, initial=0))
        mean = self._sums[-1] / max(1, len(units))
        self._beside = [math.log(length / mean) for length in lengths]
        paragraphs = [k for k, unit in enumerate(units) if unit.paragraph or not k]
        self._last_paragraph = paragraphs[-1] if paragraphs else 0
        # So many sentences has a paragraph.
        self._crowd = math.log(len(units) / max(1, len(paragraphs)))
        self._quoted = sum(unit.signs.spoken > _SOME_SPEECH for unit in units) / max(1, len(units))
        self._scripted = any(unit.said for unit in units)
        self._first: dict[str, int] = {}  # where each noun was named first
        for k, unit in enumerate(units):
            for noun in unit.traits.nouns:
                self._first.setdefault(noun, k)

    def cues(self, i: int, j: int) -> dict[str, float]:
        """The cues of a border before unit i, each about -2 to 2; the shot so far began with unit j < i."""
        found = self._of_sentence(i) | self._of_paragraph(i) | self._of_shot(i, j) | self._of_next(i, j)
        return {name: float(value) for name, value in found.items()}

    def _of_sentence(self, i: int) -> dict[str, float]:
        unit, beside = self._units[i], self._beside[i]
        signs, traits = unit.signs, unit.traits
        hints, who = traits.hints, traits.who
        acts = traits.acts > 0
        length = math.log1p(signs.length) / _LENGTH_SCALE
        return {
            "acts": min(traits.acts, 3) / 2,
            "acts_at_all": acts,
            "nothing_seen": not acts and not signs.actions,
            "acts_twice": len(signs.actions) >= 2,
            "only_states": not signs.actions and signs.states > 0,
            "length": length,
            "length_of_act": length * bool(signs.actions),
            "beside": beside,
            "beside_in_english": beside * (not signs.chinese),
            "short_act": beside < -_SHORT and acts,
            "told_by_speech": signs.spoken > _MUCH_SPEECH and signs.length > 0,
            "place": signs.place,
            "placed": traits.placed,
            "clauses": min(4, traits.clauses) / 2,
            "remark": signs.remark,
            "reacts": signs.reacts,
            "exists": signs.exists and len(signs.actions) < 2,
            "sudden_act": signs.sudden and bool(signs.actions),
            "then_act": "then" in hints and acts,
            "goes": signs.goes,
            "goes_anew": signs.goes and who not in ("pronoun", "it", "none", "me"),
            "person_acts": who == "person" and acts,
            "i_act": who == "me" and acts,
            "animal": who == "animal",
            "unseen_acts": who == "unseen" and acts,
            "thing_acts_shortly": who == "thing" and acts and beside < 0,
            "asks": "asks" in hints,
            "exclaims": "exclaims" in hints,
        } | {f"hint_{name}": name in hints for name in hint_names()}

    def _of_paragraph(self, i: int) -> dict[str, float]:
        unit = self._units[i]
        first, acts = unit.paragraph, unit.traits.acts > 0
        ends = i + 1 == len(self._units) or self._units[i + 1].paragraph
        last = i >= self._last_paragraph
        spoken = unit.signs.spoken > _SOME_SPEECH
        return {
            "paragraph": first,
            "alone": unit.alone,
            "paragraph_spoken": first and spoken,
            "paragraph_acts": first and acts,
            "paragraph_of_many": first * self._crowd,
            "paragraph_among_talk": first * self._quoted,
            "paragraph_of_script": first and self._scripted,
            "paragraph_in_english": first and not unit.signs.chinese,
            "paragraph_with_time": first and unit.signs.time,
            "second_of_paragraph": not first and self._units[i - 1].paragraph,
            "ends_paragraph": ends,
            "ends_paragraph_shortly": ends and self._beside[i] < -_SHORT,
            "last_paragraph": last and first,
            "last_words_still": last and not acts,
            "last_words_to_you": last and "talks" in unit.traits.hints,
            "progress": i / len(self._units),
        }

    def _of_shot(self, i: int, j: int) -> dict[str, float]:
        unit, before = self._units[i], self._units[i - 1]
        traits, signs = unit.traits, before.signs
        shot = self._units[max(j, i - _MEMORY) : i]
        subjects = {subject for one in shot for subject in one.traits.subjects}
        nouns = {noun for one in shot for noun in one.traits.nouns}
        named, acts = traits.who in NAMED, traits.acts > 0
        same = named and _meets({traits.subject}, subjects)
        there = named and not same and _meets({traits.subject}, nouns)
        acted = any(one.traits.acts for one in shot)
        second = i - j == 1
        told = self._sums[i] - self._sums[j]
        sets = signs.time or signs.place
        short = self._beside[i - 1] < -_SHORT / 2
        return {
            "known": named and self._is_known(traits.subject, i),
            "new_acts": named and not same and not there and acts,
            "mentioned_acts": there and acts,
            "alternates": named and i > 1 and not same and _meets({traits.subject}, self._two_back(i)),
            "still_after_act": not acts and acted,
            "first_act": acts and not acted,
            "act_after_still": acts and not before.traits.acts,
            "act_after_speech": acts and signs.spoken > _SOME_SPEECH,
            "nothing_shown": not any(one.traits.acts or one.signs.actions for one in shot),
            "only_talk": not j and all("talks" in one.traits.hints or not one.traits.acts for one in shot),
            "before_beside": self._beside[i - 1],
            "second_unit": i == 1,
            "second_goes_on": second and (not named or same),
            "second_after_few_words": second and told <= _SHORT_OPENING,
            "second_after_setting": second and sets and not before.traits.acts and short,
            "second_after_short_setting": second and (sets or signs.sudden) and told <= _SHORT_SETTING,
            "second_after_weather": second and before.traits.weather,
            "second_after_short_weather": second and before.traits.weather and short,
            "second_after_short_still": second and short and not before.traits.acts,
            "third": i - j == 2,
        }

    def _is_known(self, subject: str, i: int) -> bool:
        """Whether it was named before unit i, or what its last part says was: 三花猫, 花猫."""
        ends = (subject[k:] for k in range(max(1, len(subject) - 1)))
        return any(self._first.get(end, i) < i for end in ends)

    def _two_back(self, i: int) -> frozenset[str]:
        return self._units[i - 2].traits.subjects

    def _of_next(self, i: int, j: int) -> dict[str, float]:
        """What the sentence behind tells, unless the layout cuts before it."""
        unit = self._units[i]
        after = self._units[i + 1] if i + 1 < len(self._units) else None
        if after is None or after.opens:
            return dict.fromkeys(
                ("next_paragraph", "next_goes_on_still", "next_goes_back", "time_then_act", "short_then_act"),
                0,
            )
        acts = after.traits.acts > 0
        here = {unit.traits.subject} | unit.traits.nouns
        shot = self._units[max(j, i - _MEMORY) : i]
        earlier = {noun for one in shot for noun in one.traits.nouns | one.traits.subjects}
        names = after.traits.who in NAMED
        on = after.traits.who in ("pronoun", "it", "none") or _meets({after.traits.subject}, here)
        back = names and _meets({after.traits.subject}, earlier) and not _meets({after.traits.subject}, here)
        still = not unit.traits.acts
        return {
            "next_paragraph": after.paragraph,
            "next_goes_on_still": on and not acts,
            "next_goes_back": back,
            "time_then_act": unit.signs.time and still and acts,
            "short_then_act": still and acts and self._beside[i] < -_SHORT,
        }

"""How surely a new shot begins with a sentence: its signs and those before it, weighed and added up."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from studio.text.signs import Signs
from studio.text.units import Unit

FILE = Path(__file__).resolve().parent.parent.parent / "assets" / "lexicon" / "borders.toml"

# Lengths count as their logarithm, brought to about 0 to 2 like the other signs.
_LENGTH_SCALE = 3.0
_SHORT = 8
_SHORT_OPENING = 14
_SHORT_SETTING = 16
_MUCH_SPEECH = 0.4
# So many subjects back a thing still counts as the one spoken of.
_MEMORY = 2


@cache
def weights() -> Mapping[str, float]:
    """Weight of each cue by its name; "bias" is what a border without any cue has."""
    table: dict[str, float] = tomllib.loads(FILE.read_text(encoding="utf-8"))["weights"]
    return table


def strength(cues: Mapping[str, float], weight: Mapping[str, float]) -> float:
    """Log odds that a shot begins here: above 0 it does."""
    return weight["bias"] + sum(weight[name] * value for name, value in cues.items())


@dataclass
class Thread:
    """What a story has told up to a sentence: who was spoken of, and how far the present shot has come."""

    subjects: list[str] = field(default_factory=list)
    nouns: frozenset[str] = frozenset()
    before: Signs | None = None
    opening: Signs | None = None  # the first sentence of the present shot
    told: int = 0  # length of the present shot
    sentences: int = 0  # of the present shot

    def cues(self, unit: Unit, following: Unit | None) -> dict[str, float]:
        """The cues of a border before this unit, each 0 to about 2. `following` is the unit behind it."""
        signs, paragraph = unit.signs, unit.paragraph
        then_acts = bool(following and not following.opens and following.signs.actions)
        known = signs.subject in self.subjects or signs.subject in self.nouns
        same = bool(signs.subject) and signs.subject in self.subjects[-_MEMORY:]
        named = signs.subject_kind == "named"
        acts = len(signs.actions)
        length = math.log1p(signs.length) / _LENGTH_SCALE
        told = math.log1p(self.told) / _LENGTH_SCALE
        goes_on = signs.subject_kind in ("pronoun", "none") or same
        first = self.opening or Signs()
        second = self.sentences == 1
        sets = second and (first.time or first.place or first.sudden)
        flags = {
            "acts_twice": acts >= 2,
            "only_states": not acts and signs.states > 0,
            "states_too": acts >= 1 and signs.states > 0,
            "mostly_told_by_speech": signs.spoken > _MUCH_SPEECH and signs.length > 0,
            "short": signs.length <= _SHORT,
            "place": signs.place,
            "remark": signs.remark,
            "addresses": signs.addresses,
            "paragraph": paragraph,
            "alone": unit.alone,
            "time_then_act": signs.time and not acts and then_acts,
            "new_actor": acts >= 1 and named and not known,
            "points": signs.points,
            "new_is_it": signs.subject in ("它", "它们", "it", "they")
            and bool(self.before and self.before.fresh),
            "same_goes": goes_on and acts >= 1 and signs.goes,
            "reacts": signs.reacts,
            "lasting": signs.lasting,
            "exists": signs.exists and acts < 2,
            "time_opens": signs.time and paragraph,
            "sudden_act": signs.sudden and acts >= 1,
            "second": second,
            "second_after_few_words": second and self.told <= _SHORT_OPENING,
            "second_after_still": second and not first.actions,
            "second_after_short_setting": sets and self.told <= _SHORT_SETTING,
        }
        return {name: float(flag) for name, flag in flags.items()} | {
            "length": length,
            "length_in_chinese": length * signs.chinese,
            "length_of_act": length * (acts >= 1),
            "told": told,
            "told_by_first": told * second,
        }

    def follow(self, signs: Signs, begins: bool) -> None:
        """Take the sentence in, as the beginning of a shot or as part of the present one."""
        if begins:
            self.told, self.sentences, self.opening = 0, 0, signs
        self.told += signs.length
        self.sentences += signs.length > 0
        if signs.subject_kind == "named" or signs.subject in ("我", "我们", "i", "we"):
            self.subjects.append(signs.subject)
        self.nouns = signs.nouns or self.nouns
        self.before = signs

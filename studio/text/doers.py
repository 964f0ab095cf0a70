"""Who acts in a shot: everybody who may, each with the cues that tell how surely; and what they do."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from studio.text.aliases import proper
from studio.text.antecedents import Candidate, Past, is_me, is_pronoun, is_setting, meant, same, strength
from studio.text.beings import is_body, is_unseen, kind_of
from studio.text.clause import Clause
from studio.text.language import has_han
from studio.text.likely import as_cue, clause_around, likely
from studio.text.mention import Mention
from studio.text.mentions import spoken_of
from studio.text.presence import presence
from studio.text.terms import find, table, words

_MOST = 3
_ROLES = frozenset(("acts", "is", "appears", "named"))
# How the text speaks of somebody: it means one thing of who acts and another of who is only named.
_SPOKEN = frozenset(
    (
        *("counted", "owned", "of", "ba", "by", "has_of", "passive", "says"),
        *("a", "the", "led", "beside", "owns"),
    )
)
# What of a noun's standing tells whether the shot is about it.
_STANDS = frozenset(
    ("opens", "opens_clause", "before_verb", "ends_clause", "has_follows", "counted", "modifies", "simile")
)
# Log odds above which the surest one counts though nobody is sure.
_ALONE = -2.0
# Whom these mean is there, though somebody else acts: 老马驮着他.
_POINTS = re.compile(r"\b(?:him|his|her)\b|[他她](?!们)", re.IGNORECASE)
# Those of whom a clause before told already.
_THE_SAME = frozenset(("一个人", "两个人", "俩人"))
# 下起了大雪: weather, and nobody's doing.
_FALLS = re.compile(r"[下刮飘起打]起?[着了]?(?:一[阵场])?.{0,3}[雨雪风雾雷]")


@cache
def weights() -> Mapping[str, float]:
    """Weight of each cue by its name (assets/lexicon/doers.toml)."""
    found: Mapping[str, float] = table("doers")["weights"]
    return found


def actions_of(clauses: Sequence[Clause]) -> list[str]:
    """Each thing that is seen to be done, in order.

    What sun, rain and winter do counts only if nobody else does anything.
    """
    done = [clause for clause in clauses if clause.actions]
    acted: list[Clause] = []
    weather = False  # 沙暴吞没了工具箱，又吞没了红旗: who does it stands in the clause before
    for clause in done:
        weather = all(map(is_setting, clause.subjects)) if clause.subjects else weather
        acted += [] if weather else [clause]
    found = dict.fromkeys(action for clause in acted or done for action in clause.actions)
    return [action for action in found if not _FALLS.fullmatch(action)] or list(found)


def doers_of(
    clauses: Sequence[Clause],
    past: Sequence[Past],
    names: Collection[str],
    told: str,
    story: str = "",
    text: str = "",
    nouns: Sequence[Mention] = (),
) -> list[str]:
    """Up to three who act or are described, in the text's order.

    `told` is what the shot tells, `story` the text of the whole story, `text` that of the shot in it; `nouns`
    are its noun phrases, whatever they do there.
    """
    return chosen(candidates(clauses, past, names, told, story, text, nouns), weights())


def chosen(found: Sequence[Candidate], weight: Mapping[str, float]) -> list[str]:
    """Those of the candidates who count by these weights, at most three; at least the surest."""
    sure = {id(one): strength(one, weight) for one in found}
    best = sorted(found, key=lambda one: -sure[id(one)])[:_MOST]
    kept = [one for k, one in enumerate(best) if sure[id(one)] > 0 or (not k and sure[id(one)] > _ALONE)]
    return [one.word for one in found if any(one is other for other in kept)]


def candidates(
    clauses: Sequence[Clause],
    past: Sequence[Past],
    names: Collection[str],
    told: str,
    story: str = "",
    text: str = "",
    nouns: Sequence[Mention] = (),
) -> list[Candidate]:
    """Everybody and everything that may be a subject of the shot, each once, with cues."""
    gathered = _Gathered([list(fields.subject) for fields in past], names, story or told, text or told)
    for clause in clauses:
        gathered.read(clause)
    gathered.mention(told)
    gathered.stands(nouns)
    gathered.carry()
    gathered.means(told)
    return gathered.weighed()


@dataclass
class _Gathered:
    """What the clauses read so far say of each candidate."""

    known: list[list[str]]
    names: Collection[str]
    story: str
    text: str
    found: list[Candidate] = field(default_factory=list)
    latest: list[str] = field(default_factory=list)
    clauses: int = 0
    sentences: list[int] = field(default_factory=list)  # in which sentence each clause is
    orphaned: bool = False  # something is done, and nobody was named yet

    @property
    def here(self) -> list[str]:
        """Those of this shot whom a pronoun may mean."""
        seen = [one for one in self.found if "unseen" not in one.cues]
        acting = [one.word for one in seen if {"acts", "appears", "named"} & one.cues.keys()]
        return acting or [one.word for one in seen]

    def note(self, word: str, **cues: float) -> None:
        """Add cues to a candidate, which is put at the end of the list if it is new."""
        one = next((one for one in self.found if same(word, [one.word])), None)
        if one is None:
            one = Candidate(word)
            self.found.append(one)
        for cue, value in cues.items():
            one.cues[cue] = max(value, one.cues.get(cue, 0.0))
        if _ROLES & cues.keys():
            one.told.add(self.clauses - 1)
        if "acts" in cues:
            one.acts.add(self.clauses - 1)

    def read(self, clause: Clause) -> None:
        """Take in a clause: its subjects, or for want of them those of the clause before."""
        self.clauses += 1
        last = self.sentences[-1] if self.sentences else -1
        self.sentences.append(last + (clause.first or last < 0))
        if clause.first and self.here:
            self.latest = []
        heads: list[str] = []
        for subject in clause.subjects:
            heads += self._subject(subject, clause)
        if not heads and clause.actions:
            self.orphaned = self.orphaned or not self.found
            heads = self.latest
            for head in heads:
                self.note(head, acts=1.0)
        self.latest = heads or self.latest

    def _subject(self, subject: str, clause: Clause) -> list[str]:
        """Note one subject of a clause; returns whom it means."""
        how = {
            "named"
            if clause.named
            else "acts"
            if clause.actions
            else "appears"
            if clause.appears
            else "is": 1.0,
            "subordinate": float(clause.subordinate),
            "first_clause": float(self.clauses == 1),
        }
        if "is" in how and clause.state:
            how[f"is_{clause.state}"] = 1.0
        if subject.lower() == "it" and not clause.actions:
            return []  # "it was late"
        if subject in _THE_SAME and any(kind_of(one) != "thing" for one in self.here):
            return self.latest or self.here
        if is_pronoun(subject):
            heads = self._meant(subject)
            for head in heads:
                self.note(head, pronoun=1.0, **how)
            return heads
        if is_body(subject, self.names):
            heads = self._owner(clause.owner)
            for head in heads:
                self.note(head, owner=1.0, **how)
            self.note(subject, part=1.0, part_owned=float(bool(heads)), **how)
            return heads
        if clause.owner.lower() in ("its", "它") and kind_of(subject) == "thing":
            for head in self._meant(clause.owner):
                self.note(head, owner=1.0, **how)
        if subject.lower() in words("names", "somebody", "en"):
            how["somebody"] = 1.0
        elif is_unseen(subject):
            how["unseen"] = 1.0
        if self._only_sets(subject, clause):
            how["sets"] = 1.0
        subject = proper(subject, self.text, self.story, self.names)
        self.note(subject, **how)
        return [] if "unseen" in how else [subject]

    def _meant(self, pronoun: str) -> list[str]:
        """Whom a pronoun of this shot means."""
        start = self.story.find(self.text)
        within = _place_of(pronoun, self.text, self.text.lower())
        spoken = spoken_of(self.story, start + max(0, within), self.names) if start >= 0 else {}
        return meant(pronoun, self.here, self.known, self.story, spoken)

    def _owner(self, owner: str) -> list[str]:
        if owner in ("a", "an"):
            return []
        if is_pronoun(owner):
            return self._meant(owner)
        if owner.lower() in ("my", "our"):
            return ["I" if owner.lower() == "my" else "we"]
        if owner and not is_unseen(owner):
            return [owner]
        return self.here[-1:] or (self.known[-1][:1] if self.known else [])

    @staticmethod
    def _only_sets(head: str, clause: Clause) -> bool:
        """Whether a subject only says when it is or what weather: "Winter came", "Rain on the windows"."""
        if _covered(head, "times", ("day", "season", "months", "unseen")):
            return True
        return not clause.actions and _covered(head, "weather", ("words",))

    def mention(self, told: str) -> None:
        """Beings that the shot names or points at without their doing anything that was read."""
        low = told.lower()
        for pronoun in dict.fromkeys(match.group().lower() for match in _POINTS.finditer(told)):
            for head in self._meant(pronoun):
                self.note(head, pointed=1.0)
        known = [one for fields in self.known[-6:] for one in fields]
        for word in dict.fromkeys([*self.names, *known]):
            place = _place_of(word, told, low)
            if place >= 0 and not self._there(word):
                self.note(word, mentioned=1.0, mentioned_first=float(place < len(told) / 4))
        for part in ("people", "animals"):
            for one in find(told, "nouns", part):
                word = proper(one.word, self.text, self.story, self.names)
                if not self._there(word):
                    self.note(word, noun=1.0)

    def stands(self, nouns: Sequence[Mention]) -> None:
        """How everything named stands in its clause; what nothing else told of may be a subject too."""
        for noun in nouns:
            word = noun.phrase
            low = word.lower()
            one = next((one for one in self.found if one.word.lower() == low), None)
            if one is None and (self._there(word) or is_unseen(word) or is_pronoun(word)):
                continue
            cues = {f"np_{noun.role}": 1.0, **{f"np_{name}": 1.0 for name in _STANDS & noun.flags.keys()}}
            self.note(one.word if one else word, **({} if one else {"np": 1.0}), **cues)

    def means(self, told: str) -> None:
        """What the meanings of the candidates and of their clauses say."""
        here = [one for one in self.found if _place_of(one.word, told, told.lower()) >= 0]
        asked = [(one.word, clause_around(told, one.word)) for one in here]
        for one, odds in zip(here, likely("subject", asked), strict=True):
            value = as_cue(odds)
            how = next((how for how in ("acts", "appears", "named", "is", "np") if how in one.cues), "other")
            one.cues |= {"like": value, f"like_{how}": value}
        for one in self.found:
            one.cues.setdefault("like", 0.0)
            told_of = any(one is other for other in here) or _ROLES & one.cues.keys()
            one.cues["away"] = float(not told_of)

    def _there(self, word: str) -> bool:
        """Whether a candidate says the same already: 孩子 of 孩子们, 大孔雀 of 孔雀."""
        there = [one.word for one in self.found]
        return same(word, there) or (has_han(word) and any(word in one or one in word for one in there))

    def carry(self) -> None:
        """Those of the shot before, who may still be there; a diary's writer, who is left out."""
        nobody = not any({"acts", "appears", "named"} & one.cues.keys() for one in self.found)
        for k, word in enumerate(self.known[-1] if self.known else []):
            if not same(word, [one.word for one in self.found]):
                self.note(
                    word,
                    carried=1.0,
                    carried_first=float(not k),
                    carried_alone=float(nobody and not k),
                    carried_orphan=float(self.orphaned and not k),
                )

    def _share(self, one: Candidate) -> dict[str, float]:
        """In how much of the shot somebody is a subject, and in which sentences."""
        if not one.told:
            return {}
        first, last = self.sentences[min(one.told)], self.sentences[-1]
        acted = len(one.acts)
        return {
            "told": min(3.0, len(one.told)),
            "told_share": len(one.told) / self.clauses,
            "acted": min(3.0, acted),
            "acted_once": float(acted == 1 and self.clauses > 1),
            "acted_again": float(acted > 1),
            "first_sentence": float(first == 0),
            "last_sentence": float(first == last > 0),
            "opens": float(min(one.told) in (0, self.sentences.index(first))),
            "sentence": first / max(1, last),
            "first_shot_acts": float(not self.known and acted > 0),
        }

    def weighed(self) -> list[Candidate]:
        """The candidates with the cues that depend on all of them."""
        acting = sum("acts" in one.cues for one in self.found)
        for k, one in enumerate(self.found):
            cues, kind = one.cues, kind_of(one.word)
            before = self.known[-1] if self.known else []
            earlier = [word for fields in self.known[:-1] for word in fields]
            cues["later"] = min(2.0, k / 2)
            cues[kind] = 1.0
            cues["name"] = float(one.word in self.names)
            cues["me"] = float(is_me(one.word))
            cues["last"] = float("carried" not in cues and same(one.word, before))
            cues["old"] = float(not cues["last"] and same(one.word, earlier))
            cues["setting"] = float(is_setting(one.word))
            cues["place"] = float(_is_place(one.word))
            cues["han"] = float(has_han(one.word))
            cues.update(presence(one.word, self.text, self.story))
            cues.update(self._share(one))
            crowd = acting - ("acts" in cues)
            cues["others_act"] = min(2.0, float(crowd))
            for cue in ("is", "setting", "part", "thing", "noun", "mentioned", "owner", "appears", "named"):
                cues[f"{cue}_others_act"] = cues.get(cue, 0.0) * float(crowd > 0)
            for cue in ("setting", "part", "thing", "sets", "pronoun", "person", "unseen", "place"):
                cues[f"{cue}_acts"] = cues.get(cue, 0.0) * cues.get("acts", 0.0)
            for cue in _SPOKEN & cues.keys():
                for how in ("acts", "noun", "mentioned", "is"):
                    cues[f"{cue}_{how}"] = cues[cue] * cues.get(how, 0.0)
        return self.found


def _is_place(word: str) -> bool:
    return any(_covered(word, "places", (part,)) for part in ("water", "land", "sky", "town", "indoors"))


def _covered(head: str, name: str, parts: tuple[str, ...]) -> bool:
    return any(one.end - one.start == len(head) for one in find(head, name, *parts, free=True))


def _place_of(word: str, told: str, low: str) -> int:
    if has_han(word):
        return told.find(word)
    hit = re.search(rf"(?<!\w){re.escape(word.lower())}(?!\w)", low)
    return hit.start() if hit else -1

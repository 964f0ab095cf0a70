"""What a sentence tells of who acts, clause by clause, and the words that hint at something new."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from studio.text.antecedents import is_setting
from studio.text.beings import is_body, is_unseen, kind_of
from studio.text.chinese_clauses import clauses_of as chinese_clauses
from studio.text.clause import Clause
from studio.text.cues import cues_en, cues_zh
from studio.text.english_clauses import clauses_of as english_clauses
from studio.text.language import has_han
from studio.text.signs import Signs
from studio.text.told import unsaid

FILE = Path(__file__).resolve().parent.parent.parent / "assets" / "lexicon" / "hints.toml"

# "me": who tells, and who is told. "none": nobody is named.
Who = Literal["none", "pronoun", "it", "me", "unseen", "body", "person", "animal", "thing"]
NAMED: tuple[Who, ...] = ("person", "animal", "thing", "body")

# A sentence is read so far; what follows tells hardly more about it.
_FAR = 400
_IT = frozenset(("it", "this", "that", "these", "those", "one", "它", "它们", "这", "那", "其"))
_PIECE = re.compile(r"[^，,；;。！？!?]+[，,；;。！？!?]*")


@dataclass(frozen=True)
class Traits:
    """Of one sentence: `subjects` are all heads of main clauses, `subject` the first; lower case.

    `nouns` are they and what else is named. `hints` are the classes of assets/lexicon/hints.toml that it
    holds, "asks" and "exclaims".
    """

    subject: str = ""
    who: Who = "none"
    subjects: frozenset[str] = frozenset()
    nouns: frozenset[str] = frozenset()
    acts: int = 0
    clauses: int = 0
    placed: bool = False  # a place is named
    weather: bool = False  # the subject is sun, rain, night …
    hints: frozenset[str] = frozenset()


def traits_of(sentence: str, signs: Signs) -> Traits:
    """The traits of a sentence, quotations left out; of `signs` only the nouns are taken."""
    told = unsaid(sentence[:_FAR]).strip()
    clauses = _clauses(told)
    main = [clause for clause in clauses if not clause.subordinate]
    subjects = [subject.lower() for clause in main for subject in clause.subjects]
    first = subjects[0] if subjects else ""
    named = {subject for subject in subjects if _who(subject) not in ("pronoun", "it", "me")}
    return Traits(
        subject=first,
        who=_who(next((s for clause in main for s in clause.subjects), "")),
        subjects=frozenset(subjects),
        nouns=frozenset(named | {noun.lower() for noun in signs.nouns}),
        acts=sum(len(clause.actions) for clause in clauses),
        clauses=len(clauses),
        placed=any(clause.places for clause in clauses),
        weather=bool(first) and is_setting(first),
        hints=_hints(told, sentence[:_FAR]),
    )


def _clauses(told: str) -> list[Clause]:
    """Clauses, read in the language of each run of pieces between commas."""
    runs: list[tuple[str, bool]] = []
    for piece in _PIECE.findall(told):
        chinese = has_han(piece)
        if runs and runs[-1][1] == chinese:
            runs[-1] = (runs[-1][0] + piece, chinese)
        else:
            runs.append((piece, chinese))
    return [c for run, zh in runs for c in (chinese_clauses(run, ()) if zh else english_clauses(run, ()))]


@cache
def _who(subject: str) -> Who:
    low = subject.lower()
    if not low:
        return "none"
    if low in _IT:
        return "it"
    for cues in (cues_zh(), cues_en()):
        if low in cues["speakers"]:
            return "me"
        if low in cues["pronouns"]:
            return "pronoun"
    if is_unseen(subject):
        return "unseen"
    return "body" if is_body(subject) else kind_of(subject)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))
    found = []
    for where, lead in (("starts", r"\A\W*"), ("holds", "")):
        for name, words in table[where].items():
            english = rf"{lead}\b(?:{words['en']})\b"
            chinese = rf"|{lead}(?:{words['zh']})" if "zh" in words else ""
            found.append((name, re.compile(english + chinese, re.IGNORECASE)))
    return tuple(found)


def hint_names() -> tuple[str, ...]:
    """The classes of words that hint at something."""
    return tuple(name for name, _ in _patterns())


def _hints(told: str, sentence: str) -> frozenset[str]:
    """`talks` is looked for in what is said, too."""
    found = {name for name, pattern in _patterns() if pattern.search(sentence if name == "talks" else told)}
    if told.endswith(("?", "？")):
        found.add("asks")
    if told.endswith(("!", "！")):
        found.add("exclaims")
    return frozenset(found)

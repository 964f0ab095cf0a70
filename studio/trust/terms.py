"""The listed terms: what is looked for in a text, and in whose company it means something harmless.

The lists are `assets/safety/*.yaml`. A term is a row of elements with spaces between: words with "|" between
alternatives, "~" for a few words in between, "_" for the blank inside one alternative. English words count in
all their regular forms; "=" before a word means this form only.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from studio.trust.normal import fold, is_han

Outcome = Literal["allow", "hold", "block"]
FOLDER = Path(__file__).resolve().parents[2] / "assets" / "safety"
LISTS = ("violence", "gore", "sexual", "minors", "self_harm", "hate", "political")
# Lists across categories: each of their rows names its own.
MIXED = ("slang",)

# How far a context reaches, in characters: a story is long, and its beginning may tell what it is.
_REACH = 600
_SENTENCE = re.compile(r"[。！？!?;；\n]|\.(?=\s|$)")
# Words of so many letters are told by themselves, wherever they stand in a term.
_LONG = 6
_EDGE = r"a-z\d"
_GAP_LATIN = rf"(?:[^{_EDGE}.!?;\n]{{1,3}}[a-z\d']+){{0,4}}?"
_GAP_HAN = r"[^。！？!?;；\n]{0,8}?"


@dataclass(frozen=True)
class Term:
    """One listed term; `why` is for those who review the list.

    In a context of `allow_in` it means nothing bad, in one of `hold_in` a person decides; it counts only
    where a context of `only_with` stands in the same sentence. Inside the phrases of `not_in` it is
    something else. `heard`: its sound alone is enough to recognise it (homophones, pinyin).
    """

    text: str
    category: str
    outcome: Outcome
    why: str
    allow_in: tuple[str, ...] = ()
    hold_in: tuple[str, ...] = ()
    only_with: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    heard: bool = True


@dataclass(frozen=True)
class Hit:
    """A term that was found at text[start:end], and what it leads to there."""

    term: Term
    start: int
    end: int
    outcome: Outcome


def forms(word: str) -> set[str]:
    """The regular forms of an English word: plural, third person, past, -ing; "=" asks for the word alone."""
    if word.startswith("="):
        return {word[1:]}
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return {word}
    found = {word, word + "s"}
    if word[-1] == "e":
        return found | {word + "d", word[:-1] + "ing"}
    if word[-1] == "y" and word[-2] not in "aeiou":
        return {word, word[:-1] + "ies", word[:-1] + "ied", word + "ing"}
    if word.endswith(("s", "x", "z", "ch", "sh")):
        found = {word, word + "es"}
    found |= {word + "ed", word + "ing"}
    if re.search(r"[^aeiou][aeiou][bdgklmnprt]$", word):
        found |= {word + word[-1] + "ed", word + word[-1] + "ing"}
    return found


def elements(term: str) -> list[list[str]]:
    """The alternatives of each element of a term; "~" stands alone."""
    return [part.split("|") for part in term.split()]


def has_han(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return any(map(is_han, text))


class Lexicon:
    """Terms, and a machine that finds all in one pass; thread-safe, as nothing changes after building."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(terms)
        self._found_by: dict[str, list[tuple[Term, re.Pattern[str]]]] = {}
        self.words: set[str] = set()
        """Every English word form in the terms."""
        self.telling: set[str] = set()
        """Those that a term begins with, and long ones: only these are looked for in misspellings."""
        self.literals: set[str] = set()
        """Chinese strings in the terms that their sound or their parts give away."""
        for term in self.terms:
            self._add(term)
        self._machine = machine(self._found_by)

    def _add(self, term: Term) -> None:
        row = elements(term.text)
        pattern = re.compile(_pattern(row))
        for word in row[0]:
            latin = word.removeprefix("=").partition("_")[0]
            stem = latin[:-1] if not has_han(latin) and latin[-1:] in ("e", "y") and len(latin) > 3 else latin
            self._found_by.setdefault(stem, []).append((term, pattern))
        for word in (word for part in row for word in part if word != "~"):
            if not has_han(word):
                self.words |= forms(word)
                self.telling |= forms(word) if word in row[0] or len(word) >= _LONG else set()
            elif len(word) > 1 and term.heard:
                self.literals.add(word)

    def find(self, text: str, contexts: "Contexts") -> list[Hit]:
        """The terms in a folded text, in order; of one category's that overlap, the gravest and longest."""
        found: list[Hit] = []
        seen: set[tuple[int, int]] = set()
        for last, stem in self._machine.iter(text) if self.terms else ():
            start = last - len(stem) + 1
            for term, pattern in self._found_by[stem]:
                if (start, id(term)) in seen:
                    continue
                seen.add((start, id(term)))
                match = pattern.match(text, start)
                if match and (outcome := _outcome(term, text, start, match.end(), contexts)):
                    found.append(Hit(term, start, match.end(), outcome))
        return _gravest(found)


def _gravest(hits: Iterable[Hit]) -> list[Hit]:
    """Of hits of one category that overlap, one; else a term inside a longer one would be told twice."""
    kept: list[Hit] = []
    ends: dict[str, int] = {}
    for hit in sorted(hits, key=lambda one: (one.start, one.outcome != "block", one.start - one.end)):
        category = hit.term.category
        before = next((one for one in reversed(kept) if one.term.category == category), None)
        if before is None or hit.start >= ends[category]:
            kept.append(hit)
        elif hit.outcome == "block" and before.outcome == "hold":
            kept[kept.index(before)] = hit
        else:
            continue
        ends[category] = max(hit.end, ends.get(category, 0))
    return kept


def machine(words: Iterable[str]) -> Any:
    """An automaton that finds all of these words in one pass over a text (Aho and Corasick, 1975)."""
    import ahocorasick

    made = ahocorasick.Automaton()
    for word in words:
        made.add_word(word, word)
    if len(made):
        made.make_automaton()
    return made


def _pattern(row: list[list[str]]) -> str:
    found: list[str] = []
    before: str | None = None  # "latin", "han"
    gap = False
    for part in row:
        if part == ["~"]:
            gap = True
            continue
        latin = not has_han(part[0])
        either = "|".join(
            sorted(
                (re.escape(form) for word in part for form in (forms(word) if latin else (word,))), key=len
            )[::-1]
        )
        either = either.replace("_", rf"[^{_EDGE}.!?;\n]{{1,3}}")
        if before is None:
            found.append(rf"(?<![{_EDGE}])" if latin and part[0].lstrip("=").isalnum() else "")
        elif latin and before == "latin":
            found.append((_GAP_LATIN if gap else "") + rf"[^{_EDGE}.!?;\n]{{1,3}}")
        else:
            found.append(_GAP_HAN if gap else r"\s?")
        found.append(f"(?:{either})" + (rf"(?![{_EDGE}])" if latin and part[0][-1].isalnum() else ""))
        before, gap = "latin" if latin else "han", False
    return "".join(found)


def _outcome(term: Term, text: str, start: int, end: int, contexts: "Contexts") -> Outcome | None:
    """What a match leads to in its company; None if it means something else."""
    around = text[max(0, start - 16) : end + 16]
    at = start - max(0, start - 16)
    for phrase in term.not_in:
        for inside in re.finditer(re.escape(phrase), around):
            if inside.start() <= at < inside.end() or inside.start() < at + end - start <= inside.end():
                return None
    if end - start <= 3 and " " not in term.text and is_han(text[start]) and crosses_words(text, start, end):
        return None
    if term.only_with and not contexts.in_sentence(term.only_with, text, start, end):
        return None
    # What is grave is excused by the company in its own sentence alone.
    grave = term.outcome == "block" or term.category == "gore"
    low, high = _sentence_of(text, start, end, 2 * _REACH) if grave else (start - _REACH, end + _REACH)
    if contexts.around(term.allow_in, start, end, low, high):
        return None
    if term.outcome == "block" and contexts.around(term.hold_in, start, end, low, high):
        return "hold"
    return term.outcome


@cache
def jieba() -> Any:
    """The Chinese segmenter."""
    import rjieba  # reads its dictionary when it is imported

    return rjieba


def crosses_words(text: str, start: int, end: int) -> bool:
    """Whether a Chinese word lies partly inside text[start:end] and partly outside: 干细胞 holds no 细."""
    begin = max(0, start - 6)
    at = begin
    for word in jieba().cut(text[begin : end + 6], False):
        to = at + len(word)
        if at < start < to < end or start < at < end < to:
            return True
        at = to
    return False


class Contexts:
    """Where in a text its contexts show: medicine, history, myth, children…"""

    def __init__(self, text: str) -> None:
        words, machine = _context_words()
        self._places: dict[str, list[int]] = {}
        for last, word in machine.iter(text):
            start = last - len(word) + 1
            if not is_han(word[0]) and not _stands_alone(text, start, last + 1):
                continue
            for name in words[word]:
                self._places.setdefault(name, []).append(start)
        for places in self._places.values():
            places.sort()

    def around(self, names: Sequence[str], start: int, end: int, low: int, high: int) -> bool:
        """Whether one of the contexts shows in text[low:high], but outside of text[start:end] itself."""
        return any(self._between(name, low, start) or self._between(name, end, high) for name in names)

    def in_sentence(self, names: Sequence[str], text: str, start: int, end: int) -> bool:
        """Whether one of the contexts shows in the same sentence (at most 120 characters off)."""
        low, high = _sentence_of(text, start, end, 120)
        return any(self._between(name, low, high) for name in names)

    def _between(self, name: str, low: int, high: int) -> bool:
        places = self._places.get(name, [])
        at = bisect_left(places, low)
        return at < len(places) and places[at] < high


def _sentence_of(text: str, start: int, end: int, reach: int) -> tuple[int, int]:
    """Where the sentence around text[start:end] begins and ends, at most `reach` characters off."""
    low, high = max(0, start - reach), min(len(text), end + reach)
    for border in _SENTENCE.finditer(text, low, start):
        low = border.end()
    after = _SENTENCE.search(text, end, high)
    return low, after.start() if after else high


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start] if start else "", text[end : end + 3]
    if before.isascii() and before.isalnum():
        return False
    for ending in ("es", "s", ""):
        if after.startswith(ending):
            rest = after[len(ending) : len(ending) + 1]
            if not (rest.isascii() and rest.isalnum()):
                return True
    return False


@cache
def _context_words() -> tuple[dict[str, list[str]], Any]:
    words: dict[str, list[str]] = {}
    for name, listed in table("contexts").items():
        for word in listed:
            words.setdefault(fold(str(word)).text, []).append(name)
    return words, machine(words)


@cache
def table(name: str) -> Any:
    """What stands in assets/safety/NAME.yaml."""
    import yaml

    with (FOLDER / f"{name}.yaml").open(encoding="utf-8") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def listed() -> Lexicon:
    """The lexicon of the lists that ship."""
    terms: list[Term] = []
    for category in (*LISTS, *MIXED):
        for row in table(category):
            rules = {key: tuple(map(str, row.get(key, ()))) for key in ("allow_in", "hold_in", "only_with")}
            not_in = tuple(fold(str(phrase)).text for phrase in row.get("not_in", ()))
            terms += [
                Term(
                    fold(str(text)).text,
                    row.get("category", category),
                    row["outcome"],
                    row["why"],
                    not_in=not_in,
                    heard=row.get("heard", True),
                    **rules,
                )
                for text in row["terms"]
            ]
    return Lexicon(terms)


@lru_cache(maxsize=8)
def named(names: tuple[str, ...]) -> Lexicon:
    """A lexicon of the persons and brands that an admin listed; they are held."""
    plain = {" ".join(re.sub(r"[|~=]", " ", fold(name).text).split()) for name in names}
    # Exact forms: a name is not inflected (but may stand before 's).
    rows = (
        " ".join(part if has_han(part) else "=" + part for part in name.split()) for name in plain if name
    )
    return Lexicon([Term(row, "names", "hold", "listed by an admin") for row in sorted(rows)])

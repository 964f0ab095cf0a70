"""The text check: what people write is looked over before anything is made of it."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from pipelines.request import Notice
from studio.trust.escapes import told, unescaped
from studio.trust.mending import Mender
from studio.trust.normal import Mapped, fold
from studio.trust.sense import readings, sentences, surer_among
from studio.trust.sounding import Ear
from studio.trust.terms import Contexts, Hit, Outcome, listed, named

Source = Literal["list", "names", "sense", "service"]
CATEGORIES = ("violence", "gore", "sexual", "minors", "self_harm", "hate", "political", "names")
"""What a finding can be about; "names" are the real persons and brands that an admin listed."""

# What counts in a negative prompt too (as a hold at most): slurs, and children beside sexual words. To list
# "nsfw, gore, blood" there is what negative prompts are for.
_UNWANTED = ("hate", "minors")
_RANK: dict[Outcome, int] = {"allow": 0, "hold": 1, "block": 2}

_reading = threading.Lock()


@dataclass(frozen=True)
class Finding:
    """Something in a text that a person or the policy has to look at.

    `words` are text[start:end] of the text at `place`, as they were typed; `reason` is a code of assets/words
    that takes {words}.
    """

    place: str
    category: str
    outcome: Outcome
    words: str
    start: int
    end: int
    reason: str
    source: Source

    @property
    def notice(self) -> Notice:
        """The reason in words a person understands, with the words that caused it."""
        return Notice(self.reason, {"words": self.words})


@dataclass(frozen=True)
class Verdict:
    """What is to be done with the texts, and why; the worst findings come first."""

    outcome: Outcome
    findings: tuple[Finding, ...] = ()

    @property
    def worst(self) -> Finding | None:
        """The finding that decided, if there is one."""
        return self.findings[0] if self.findings else None


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """The verdict that follows from findings (of this check, of a service, or of both)."""
    ordered = sorted(findings, key=lambda one: -_RANK[one.outcome])
    return Verdict(ordered[0].outcome if ordered else "allow", tuple(ordered))


def check_texts(
    texts: Mapping[str, str], *, names: Sequence[str] = (), outcomes: Mapping[str, Outcome] | None = None
) -> Verdict:
    """Whether texts (place to text: "prompt", "negative_prompt", "story", "shot 3"…) may be used.

    `names` are persons and brands that an admin listed; `outcomes` says for a category what its findings lead
    to, instead of what the lists say ("allow" drops them; what only a sentence's sense suggests is never
    blocked). A negative prompt says what not to show, so it may name almost anything: see `_UNWANTED`. Pure;
    the first call loads lists and a model.
    """
    read_ahead()
    findings: list[Finding] = []
    listed_names = tuple(dict.fromkeys(name for name in names if name.strip()))
    least = surer_among(text for place, text in texts.items() if not _unwanted(place))
    for place, text in texts.items():
        if text.strip():
            findings += _checked(place, text, listed_names, least)
    return verdict_of([ruled for one in findings if (ruled := _ruled(one, outcomes or {}))])


def read_ahead() -> None:
    """Read lists and model: some seconds, once, however many ask at the same time."""
    with _reading:
        _read_all()


@cache
def _read_all() -> None:
    _checked("prompt", "a boat on the lake", (), 0.0)


def _ruled(finding: Finding, outcomes: Mapping[str, Outcome]) -> Finding | None:
    outcome = outcomes.get(finding.category, finding.outcome)
    if finding.source == "sense" and outcome == "block":
        outcome = "hold"
    return None if outcome == "allow" else replace(finding, outcome=outcome)


def _checked(place: str, text: str, names: tuple[str, ...], least: float) -> list[Finding]:
    plain = _mended(text, names)
    found = _found(place, text, plain, names, least)
    if (spoken := told(plain)) is not None:
        known = {(one.category, one.start) for one in found}
        more = _found(place, text, spoken, names, least)
        found += [one for one in more if (one.category, one.start) not in known]
    return found


def _unwanted(place: str) -> bool:
    return "negative" in place.lower()


def _found(place: str, text: str, plain: Mapped, names: tuple[str, ...], least: float) -> list[Finding]:
    contexts = Contexts(plain.text)
    hits = [(hit, "list") for hit in listed().find(plain.text, contexts)]
    if _unwanted(place):
        wanted = [(hit, source) for hit, source in hits if hit.term.category in _UNWANTED]
        return [_finding(place, text, plain, hit, "list", at_most="hold") for hit, _ in wanted]
    found = [_finding(place, text, plain, hit, "list") for hit, _ in hits]
    if names:
        found += [
            _finding(place, text, plain, hit, "names") for hit in named(names).find(plain.text, contexts)
        ]
    judged = [(hit.start, hit.end) for hit, _ in hits]
    # What the lists have judged is not asked again.
    spans = [
        (a, b) for a, b in sentences(plain.text) if not any(a < end and start < b for start, end in judged)
    ]
    for reading in readings(plain.text, spans, least):
        start, end = plain.span(reading.start, reading.end)
        reason = f"trust_reads_{reading.category}"
        found.append(
            Finding(place, reading.category, "hold", text[start:end], start, end, reason, source="sense")
        )
    return found


def _finding(
    place: str, text: str, plain: Mapped, hit: Hit, source: Source, *, at_most: Outcome = "block"
) -> Finding:
    start, end = plain.span(hit.start, hit.end)
    category = hit.term.category
    outcome = min(hit.outcome, at_most, key=lambda one: _RANK[one])
    return Finding(place, category, outcome, text[start:end], start, end, f"trust_{category}", source)


def _mended(text: str, names: tuple[str, ...]) -> Mapped:
    plain = fold(unescaped(text))
    for mender, ear in (_menders(), *([_name_menders(names)] if names else ())):
        plain = ear.mend(mender.mend(plain, ear.spells))
    return plain


@cache
def _menders() -> tuple[Mender, Ear]:
    return Mender(listed().words, listed().telling), Ear(listed().literals)


@lru_cache(maxsize=8)
def _name_menders(names: tuple[str, ...]) -> tuple[Mender, Ear]:
    return Mender(named(names).words, named(names).telling), Ear(named(names).literals)

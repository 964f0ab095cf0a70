"""A story cut into the smallest parts of which shots are made, each with its signs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from studio.text.language import words_of
from studio.text.layout import Passage
from studio.text.reading import read
from studio.text.sentences import Span, clauses, sentences
from studio.text.signs import Signs
from studio.text.traits import Traits, traits_of

# A sentence longer than this may hold more than one picture; its parts are at least so long.
_LONG = 80
_LEAST_PART = 20
# Something breaks in upon what was going on; either side has at least so many words.
_BREAKS_IN = re.compile(
    r"(?:突然间?|忽然间?|猛地|猛然|蓦地|谁知|不料|冷不防|就在这时|说时迟那时快)[，,]?"
    r"|(?:(?:and|but|then|when) )?"
    r"(?:suddenly|all at once|all of a sudden|just then|out of nowhere|without warning)\b,?",
    re.IGNORECASE,
)
_LEAST_BROKEN = 6
# Who comes is named behind the verb, 飞来一只大鸟, or at the beginning, 一根漂来的树干.
_APPEARS = re.compile(
    r"[，,]?(?:[飞跑窜冲跳传响掉落刮钻冒闪出走滚扑射涌][^，。]?[来出过起进下现]+了?)?[一几两三许好]"
)
# So many characters on either side tell enough about it.
_ENOUGH = 200
# How sure a border is that the layout asks for, beside those that the words ask for (log odds).
_SURE = {"prose": 9.0, "speech": 9.0, "single": 7.0, "verse": 5.0}
_BROKEN_IN = 2.0


@dataclass(frozen=True)
class Unit:
    """text[start:end]. `opens`: a shot begins here, as surely as `sure` says. `said`: by a speaker."""

    start: int
    end: int
    signs: Signs
    traits: Traits
    heading: str = ""
    opens: bool = False
    sure: float = 0.0
    said: bool = False
    paragraph: bool = False  # the first of its paragraph
    alone: bool = False  # the only sentence of it


def units_of(text: str, passages: tuple[Passage, ...]) -> list[Unit]:
    """The units of all passages, in order."""
    return [unit for passage in passages for unit in _units(text, passage)]


def _units(text: str, passage: Passage) -> Iterator[Unit]:
    for start, end, told_from in _sentences(text, passage):
        first = start == passage.start
        parts = _parts(text, told_from, end) if passage.kind == "prose" else [(told_from, end, False)]
        for k, (part_start, part_end, breaks) in enumerate(parts):
            opens = (first and passage.opens and k == 0) or breaks
            signs = read(text, part_start, part_end)
            told = passage.kind in ("prose", "speech")
            yield Unit(
                start if k == 0 else part_start,
                part_end,
                signs,
                traits_of(text[part_start:part_end], signs) if told else Traits(),
                heading=passage.heading,
                opens=opens,
                sure=(_BROKEN_IN if breaks else _SURE[passage.kind]) if opens else 0.0,
                said=passage.kind == "speech",
                paragraph=first and k == 0,
                alone=first and k == 0 and end == passage.end,
            )


def _sentences(text: str, passage: Passage) -> Iterator[tuple[int, int, int]]:
    """Start and end of each sentence, and where that begins which is told in it.

    A paragraph that begins with bare speech shows its speaker in the next sentence: they stay together.
    """
    if passage.kind in ("verse", "single"):
        yield passage.start, passage.end, passage.start
        return
    spans = sentences(text, passage.start, passage.end)
    if passage.kind == "prose" and len(spans) > 1:
        speech, reply = (read(text, *span) for span in spans[:2])
        if speech.spoken and not speech.length and reply.length:
            yield spans[0][0], spans[1][1], spans[1][0]
            spans = spans[2:]
    for start, end in spans:
        yield start, end, start


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Start and end of the parts of a sentence, and whether a part breaks in upon the one before."""
    spans = clauses(text, start, end)
    begin, breaks = 0, False
    for k in range(1, len(spans)):
        place = spans[k][0]
        if not _BREAKS_IN.match(text, place, end):
            continue
        before = read(text, max(spans[begin][0], place - _ENOUGH), spans[k - 1][1])
        rest = text[place : min(end, place + _ENOUGH)]
        if _differ(before, read(rest, 0, len(rest)), _BREAKS_IN.sub("", rest, count=1)):
            yield from _long_parts(text, spans[begin:k], breaks)
            begin, breaks = k, True
    yield from _long_parts(text, spans[begin:], breaks)


def _differ(part: Signs, rest: Signs, told: str) -> bool:
    """Whether the rest of a sentence, `told`, shows somebody else than the part before it."""
    enough = min(part.length, rest.length) >= _LEAST_BROKEN
    other = rest.subject_kind == "named" and rest.subject != part.subject
    return enough and bool(rest.actions) and (other or (rest.fresh and bool(_APPEARS.match(told))))


def _long_parts(text: str, spans: list[Span], breaks: bool) -> Iterator[tuple[int, int, bool]]:
    """A very long sentence, cut where a clause has a time of its own or somebody else who acts."""
    begin, end = spans[0][0], spans[-1][1]
    lengths = [words_of(text[a:b]) for a, b in spans]
    left = sum(lengths)
    if left > _LONG:
        part, subject = 0, ""
        for (clause_start, clause_end), length in zip(spans, lengths, strict=True):
            clause = read(text, clause_start, clause_end)
            actor = bool(clause.actions) and clause.subject_kind == "named" and clause.subject != subject
            if min(part, left) >= _LEAST_PART and (clause.time or clause.sudden or actor):
                yield begin, clause_start, breaks
                begin, breaks, part, subject = clause_start, False, 0, ""
            subject = subject or (clause.subject if clause.subject_kind == "named" else "")
            part += length
            left -= length
    yield begin, end, breaks

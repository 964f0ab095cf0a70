"""A prompt made more visible, by rules or by a language model, and how it differs from what was typed.

The person decides: nothing of theirs is dropped without being shown.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Annotated, Literal

import rjieba
from pydantic import BaseModel, ConfigDict, Field

from pipelines.request import MAX_PROMPT, Notice
from studio.text.chinese import Word
from studio.text.chinese import words_of as chinese_words
from studio.text.fields import fields_of
from studio.text.language import HAN, TextLanguage, has_han, language_of
from studio.text.lexicon import visible
from studio.text.llm import LlmClient, LlmProblem, PlainText, ask
from studio.text.llm_story import Target, instructions
from studio.text.rewrite_rules import additions, no_picture
from studio.text.traditional import Own, simplified

STYLE_ROOM = 300
"""Characters of a prompt's length that are left for the style."""
MOST_LOST = 1 / 3
"""A model that loses more of a prompt's words has not understood what it was asked."""

PartKind = Literal["same", "added", "removed", "lost"]

# Pieces times pieces; beyond, common ones are matched only beside rarer ones.
_LARGE = 90_000
_KINDS = ("noun", "adj", "measure", "time", "place", "verb", "adverb", "other")
_PIECE = re.compile(rf"[{HAN}]+|[^\W\d_{HAN}]+(?:['’-][^\W\d_{HAN}]+)*|\d+(?:[.,]\d+)*|\s+|.", re.DOTALL)
_LATIN = re.compile(rf"[^\W_{HAN}]+(?:['’-][^\W_{HAN}]+)*")
_TAIL = re.compile(r"[\s。．.!！?？…,，;；、]*$")


@dataclass(frozen=True)
class DiffPart:
    """A piece of both texts: "same", "added", "removed" (said elsewhere, or empty), "lost" (said no more)."""

    kind: PartKind
    text: str


@dataclass(frozen=True)
class Rewrite:
    """A prompt as it was typed and as it could be. `diff` leads from one to the other, part by part."""

    original: str
    rewritten: str
    source: Literal["rules", "llm"]
    diff: tuple[DiffPart, ...]
    notices: tuple[Notice, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is anything to decide about."""
        return self.original != self.rewritten


class _Prompt(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: Annotated[PlainText, Field(min_length=1, max_length=MAX_PROMPT - STYLE_ROOM)]


def rewrite(prompt: str, *, language: TextLanguage | None = None, client: LlmClient | None = None) -> Rewrite:
    """The prompt with what a viewer would see; by the model, or by the rules where there is none or it fails.

    `language`: the prompt's; None finds it. Notices: "llm_failed_rules_used", "rewrite_lost" (which words of
    the person the model left out), "rewrite_nothing", "text_too_long" (then nothing is done).
    """
    original = prompt.strip()
    spoken = language or language_of(original)
    notices: list[Notice] = []
    if len(original) > MAX_PROMPT:
        high = {"field": "prompt", "length": len(original), "high": MAX_PROMPT}
        return Rewrite(original, original, "rules", (), (Notice("text_too_long", high),))
    if client is not None and original:
        try:
            return _by_model(original, spoken, client)
        except LlmProblem as problem:
            notices.append(Notice("llm_failed_rules_used", {"reason": problem.notice}))
    rewritten = _by_rules(original, spoken)
    if rewritten == original:
        notices.append(Notice("rewrite_nothing"))
    return Rewrite(original, rewritten, "rules", diff(original, rewritten), tuple(notices))


def diff(original: str, rewritten: str) -> tuple[DiffPart, ...]:
    """How one text becomes the other, word by word; the parts but the added ones join to the original."""
    old, new = list(_pieces(original)), list(_pieces(rewritten))
    left = Counter(lost_words(original, rewritten))
    parts: list[tuple[PartKind, str]] = []
    for tag, a, b, c, d in _steps(old, new):
        if tag == "equal":
            parts.append(("same", "".join(old[a:b])))
            continue
        for piece in old[a:b]:
            lost = left[piece.casefold()] > 0
            left[piece.casefold()] -= lost
            parts.append(("lost" if lost else "removed", piece))
        parts.append(("added", "".join(new[c:d])))
    return tuple(_joined(parts))


def _steps(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """As difflib's opcodes. What begins and ends alike is not searched: that would take minutes at worst."""
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    within, among = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = SequenceMatcher(None, within, among, autojunk=len(within) * len(among) > _LARGE)
    return [
        ("equal", 0, head, 0, head),
        *((tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in matcher.get_opcodes()),
        ("equal", len(old) - tail, len(old), len(new) - tail, len(new)),
    ]


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def lost_words(original: str, rewritten: str) -> tuple[str, ...]:
    """The words of a prompt that carry its picture and stand no more in another text; lower case."""
    # A model may well answer in simplified characters: that loses no word.
    own = Own((original,))
    original, rewritten = simplified(original), simplified(rewritten)
    low = rewritten.casefold()
    latin = Counter(match.group().casefold() for match in _LATIN.finditer(rewritten))
    wanted: Counter[str] = Counter()
    lost = []
    for word in content_words(original):
        wanted[word] += 1
        there = low.count(word) if has_han(word) else latin[word]
        if there < wanted[word]:
            lost.append(word)
    return tuple(map(own, lost))


def content_words(text: str) -> tuple[str, ...]:
    """The words of a text that carry its picture, in order, lower case: figures and colours, too."""
    found: list[str] = []
    for piece in _runs(text):
        if has_han(piece):
            found += [word.text for word in chinese_words(piece) if _carries(word)]
        elif piece.casefold() not in no_picture():
            found.append(piece)
    return tuple(word.casefold() for word in found if any(c.isalnum() for c in word))


def _carries(word: Word) -> bool:
    # 很 and 们 say nothing that a picture could lack.
    small = len(word.text) == 1 and (word.kind == "adverb" or word.text == "们")
    return word.kind in _KINDS and not small


def comes_from(prompt: str, original: str) -> bool:
    """Whether a prompt still says at least half of what another one said."""
    words = content_words(original)
    return len(lost_words(original, prompt)) * 2 <= len(words)


def _by_model(original: str, language: TextLanguage, client: LlmClient) -> Rewrite:
    own: Target = "en" if language == "en" else "zh"
    found = ask(client, instructions=instructions("rewrite", own), data={"prompt": original}, answer=_Prompt)
    rewritten = found.prompt.strip()
    words, lost = content_words(original), lost_words(original, rewritten)
    if not rewritten or len(lost) > MOST_LOST * len(words):
        raise LlmProblem("llm_bad_answer", client)
    notices = []
    if lost:
        notices.append(Notice("rewrite_lost", {"words": ("、" if own == "zh" else ", ").join(lost[:12])}))
    if rewritten == original:
        notices.append(Notice("rewrite_nothing"))
    return Rewrite(original, rewritten, "llm", diff(original, rewritten), tuple(notices))


def _by_rules(original: str, language: TextLanguage) -> str:
    """The original, word for word, and behind it what the lexicon and the template have to add."""
    if not any(c.isalnum() for c in original):
        return original
    spoken: Target = "en" if language == "en" else "zh"
    plain = simplified(original)
    comma = "，" if spoken == "zh" else ", "
    tail = _TAIL.search(original)
    end = tail.start() if tail else len(original)
    body, closing = original[:end], original[end:]
    room = MAX_PROMPT - STYLE_ROOM - len(original)
    for phrase in additions(plain, fields_of(plain), visible(plain, language), spoken):
        if len(comma) + len(phrase) > room:
            break
        body += comma + phrase
        room -= len(comma) + len(phrase)
    return body + closing


def _pieces(text: str) -> Iterator[str]:
    for match in _PIECE.finditer(text):
        if has_han(match.group()):
            at = match.start()
            for word in rjieba.cut(simplified(match.group()), False):
                yield text[at : at + len(word)]
                at += len(word)
        else:
            yield match.group()


def _runs(text: str) -> Iterator[str]:
    """Chinese clauses, and Latin words and figures one by one."""
    for match in re.finditer(rf"[{HAN}]+|{_LATIN.pattern}", text):
        yield match.group()


def _joined(parts: Sequence[tuple[PartKind, str]]) -> Iterator[DiffPart]:
    """Neighbours of one kind as one part; removed ones before the added ones that stand for them."""
    kind: PartKind | None = None
    text = ""
    for now, piece in parts:
        if not piece:
            continue
        if now != kind and kind is not None:
            yield DiffPart(kind, text)
            text = ""
        kind = now
        text += piece
    if kind is not None and text:
        yield DiffPart(kind, text)

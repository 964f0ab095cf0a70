"""What a sentence means, whatever its words: a small classifier over offline sentence embeddings.

A sentence is judged by its likeness to written examples, harmful and harmless (a kernel machine). It only
ever asks for a person: what it finds is held. What it learnt, `assets/safety/sense.safetensors`, is fitted
by `python -m tests.trust.fit_sense`. After its first call the whole text check holds about 275 MB more
memory: 115 the encoder (which stories share), 70 the menders with the readings of Chinese characters, 40
the segmenter (shared too).
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from studio.text.meaning import meanings
from studio.trust.terms import FOLDER

Floats = NDArray[np.float32]
WEIGHTS = FOLDER / "sense.safetensors"

_END = re.compile(r"[。！？!?；;\n]+|\.(?=\s|$)")
_PAUSE = re.compile(r"[，,、：:]\s*")
# The longest piece that is read at once: the encoder takes the mean of what it reads.
_LONGEST = 160
# How fast likeness falls with distance: wide enough that an example speaks for its paraphrases.
WIDTH = 1.0
# What is shorter says too little.
_SHORTEST = 5
# So few sentences are judged each for itself; more than so many make none surer.
_FEW, _MANY = 3, 40
# By .15 the twenty sentences of a story are judged between the thresholds that take 1 and 2 % of the harmless
# near misses of writers left out (fit_sense), one sentence at the one that takes 3 %.
_SURER = 0.15


@dataclass(frozen=True)
class Reading:
    """What a sentence text[start:end] reads like: the likeliest category, and how far it is over the
    threshold."""

    category: str
    start: int
    end: int
    margin: float


def sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text begin and end; long ones are cut at their pauses."""
    found: list[tuple[int, int]] = []
    at = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        while end - at > _LONGEST:
            pause = [m.end() for m in _PAUSE.finditer(text, at, at + _LONGEST)]
            cut = pause[-1] if pause and pause[-1] - at > 20 else at + _LONGEST
            found.append((at, cut))
            at = cut
        found.append((at, end))
        at = end
    return [trimmed for start, end in found if (trimmed := _trimmed(text, start, end))[0] < trimmed[1]]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return start, end


def surer_among(texts: Iterable[str]) -> float:
    """How far over the threshold a sentence has to be among all of these texts: with each sentence more it is
    likelier that one of them is taken for harm, so a long story would hardly ever pass."""
    read = {text[a:b] for text in texts for a, b in sentences(text) if b - a >= _SHORTEST}
    return _SURER * math.log(max(1.0, min(len(read), _MANY) / _FEW))


def readings(text: str, spans: Sequence[tuple[int, int]], least: float = 0.0) -> list[Reading]:
    """Those of the sentences that read like something a person has to look at, so far over the threshold."""
    found: list[Reading] = []
    for start, end in spans:
        if end - start < _SHORTEST:
            continue
        name, margin = _read(text[start:end])
        if margin >= least:
            found.append(Reading(name, start, end, margin))
    return found


@lru_cache(maxsize=4096)
def _read(sentence: str) -> tuple[str, float]:
    """The likeliest category, and how far the sentence is over the threshold of all."""
    judge = _judge()
    scores = likeness(meanings([sentence]), judge.examples) @ judge.weights
    return judge.names[int(np.argmax(scores[0, 1:]))], float(harm(scores)[0] - judge.threshold)


def likeness(some: Floats, others: Floats) -> Floats:
    """How alike meanings are, (some, others): 1 for the same, less the further apart they are."""
    return np.asarray(np.exp(2 * WIDTH * (some @ others.T - 1)), np.float32)


def harm(scores: Floats) -> Floats:
    """How harmful sentences read; `scores` (sentences, 1 + categories): for any harm, then for each category.

    A sentence that reads like one category more than like any other is trusted more: of writers left out that
    finds 5 of 100 more than the score for harm of any kind alone, at as many false alarms.
    """
    return np.asarray(scores[:, 0] + scores[:, 1:].max(axis=1), np.float32)


@dataclass(frozen=True)
class _Judge:
    """`weights` (examples, 1 + categories): what likeness to an example says for harm of any kind, then for
    each category."""

    names: tuple[str, ...]
    examples: Floats
    weights: Floats
    threshold: float


@cache
def _judge() -> _Judge:
    from safetensors import safe_open

    with safe_open(WEIGHTS, framework="numpy") as file:
        names = tuple(file.metadata()["categories"].split())
        examples, weights = (file.get_tensor(name).astype(np.float32) for name in ("examples", "weights"))
        return _Judge(names, examples, weights, float(file.get_tensor("threshold")[0]))

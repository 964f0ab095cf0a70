"""How likely a phrase is a subject or a place of a shot by what it and its clause mean: kist, tern, 锁头.

Small networks that have read the annotated stories; the rules weigh what it says among their cues.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from studio.text.language import has_han
from studio.text.meaning import remembered
from studio.text.terms import FOLDER

WEIGHTS = FOLDER / "likely.npz"
Question = Literal["subject", "environment"]
QUESTIONS: tuple[Question, ...] = ("subject", "environment")
# So many characters of the clause on each side.
_NEAR = {"zh": 12, "en": 40}
_STOPS = re.compile(r"[，。！？；：、,.!?;:\n“”\"—]")
# Stands for the phrase: what the clause alone says of whatever is there.
_SOMETHING = {"zh": "什么", "en": "something"}

Floats = npt.NDArray[np.float32]
Asked = tuple[str, str]
"""A phrase and the clause around it, without the phrase."""


@dataclass(frozen=True)
class Learned:
    """A network of one hidden layer: `hidden` (inputs, units), `bias` (units,), `out` (units,), `base`."""

    hidden: Floats
    bias: Floats
    out: Floats
    base: float

    def odds(self, inputs: Floats) -> Floats:
        """Log odds (n,) of inputs (n, inputs)."""
        found: Floats = np.maximum(inputs @ self.hidden + self.bias, 0) @ self.out + np.float32(self.base)
        return found


@cache
def learned() -> dict[Question, Learned]:
    """The networks of assets/lexicon/likely.npz, which `python -m tests.text.fit_likely` writes."""
    with np.load(WEIGHTS, allow_pickle=False) as file:
        parts = {name: file[name].astype(np.float32) for name in file.files}
    found: dict[Question, Learned] = {}
    for of in QUESTIONS:
        hidden, bias, out = (parts[f"{of}_{part}"] for part in ("hidden", "bias", "out"))
        found[of] = Learned(hidden, bias, out, float(parts[f"{of}_base"]))
    return found


def clause_around(text: str, phrase: str) -> str:
    """The clause of a text that a phrase first stands in, with a word for anything in its place; or ""."""
    low, sought = text.lower(), phrase.lower()
    start = low.find(sought)
    if start < 0:
        return ""
    end = start + len(phrase)
    script = "zh" if has_han(phrase) or has_han(text[max(0, start - 5) : end + 5]) else "en"
    left = _STOPS.split(text[max(0, start - _NEAR[script]) : start])[-1]
    right = _STOPS.split(text[end : end + _NEAR[script]])[0]
    return f"{left}{_SOMETHING[script]}{right}".strip()


def inputs_of(asked: Sequence[Asked]) -> Floats:
    """What the networks see: meanings of phrase, of its last word and of the clause (n, 1536)."""
    phrases = [phrase.lower() for phrase, _ in asked]
    heads = [phrase if has_han(phrase) else (phrase.split() or [""])[-1] for phrase in phrases]
    around = [clause for _, clause in asked]
    found = remembered([*phrases, *heads, *around])
    n = len(asked)
    return np.hstack([found[:n], found[n : 2 * n], found[2 * n :]])


def likely(of: Question, asked: Sequence[Asked]) -> list[float]:
    """Log odds that each phrase is what is looked for, by meaning alone."""
    if not asked:
        return []
    return [float(odds) for odds in learned()[of].odds(inputs_of(asked))]


def as_cue(odds: float) -> float:
    """Log odds as the rules weigh them beside their cues: -2 to 1.3."""
    return max(-6.0, min(4.0, odds)) / 3

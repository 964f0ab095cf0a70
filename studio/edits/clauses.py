"""A wish, or a piece of one, ready to be read: tidied, with the things that it names and how much it says."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from studio.edits.concepts import Mark, marks, no_things, pattern
from studio.text.chinese import words_of as chinese_words
from studio.text.english import Token, tokens_of
from studio.text.language import HAN, has_han
from studio.text.traditional import simplified

MAX_TEXT = 400
"""Of a wish that is read: what is longer is a new prompt."""

# Concepts whose words are no things of their own.
_COVERING = (
    "polite", "more", "less", "too", "enough", "denied", "little", "much", "whole",
    "brightness_more", "brightness_less", "brightness", "contrast_more", "contrast_less", "contrast",
    "saturation_more", "saturation_less", "saturation", "warmth_more", "warmth_less", "warmth",
    "sharpness_more", "sharpness_less", "sharpness", "speed_more", "speed_less", "speed",
    "sound", "text", "undo", "again", "fade", "reverse", "loop", "crop", "mirror", "rotate", "stabilise",
    "length", "format", "quality", "guidance", "camera", "camera_weak", "style", "time", "weather", "season",
    "light", "mood", "add", "remove", "remove_weak", "replace", "make", "colour", "number", "place", "looks",
    "motion", "seconds", "trim_what", "trim_verb",
)  # fmt: skip
_ARTICLES = ("DT", "PRP$", "CD", "JJ", "JJR", "JJS", "POS", "VBG", "VBN", "NN", "NNS", "NNP", "NNPS")
_NOUNS = ("NN", "NNS", "NNP", "NNPS")
_SOMEBODY = re.compile(
    r"(?<![A-Za-z'’])(?:he|him|she|her|they|them|himself|herself)(?![A-Za-z'’])|[他她]们?|它们|主角|主体|主人公",
    re.IGNORECASE,
)
# 那段, 一点, 三秒: what counts is no thing.
_COUNTED = re.compile(r"[那这哪每某一两二三四五六七八九十几半\d.]*[段个些种条张次遍版样秒分倍度成点]+钟?")
_COUNTED_NOUN = re.compile(r"[一两二三四五六七八九十几\d]+[只个条座棵朵匹头位片块艘把盏辆架群](\w+)")
_ZH_NOUNS = ("noun", "place")


@dataclass(frozen=True)
class Clause:
    """One piece of a wish: `text` is lower case, simplified, without polite words; `prompt` the clip's."""

    text: str
    prompt: str = ""

    @cached_property
    def chinese(self) -> bool:
        """Whether it is read as Chinese."""
        return has_han(self.text)

    def marks(self, *concepts: str) -> tuple[Mark, ...]:
        """The words of these concepts in it, in order."""
        found = [mark for concept in concepts for mark in self._marks(concept)]
        return tuple(sorted(found, key=lambda mark: (mark.start, -mark.end)))

    def has(self, *concepts: str) -> bool:
        """Whether a word of any of these concepts stands in it."""
        return any(self._marks(concept) for concept in concepts)

    def word(self, *concepts: str) -> str:
        """The first word of these concepts; empty if there is none."""
        found = self.marks(*concepts)
        return found[0].word if found else ""

    def says(self, expression: str) -> bool:
        """Whether a regular expression is found in it."""
        return re.search(expression, self.text) is not None

    def _marks(self, concept: str) -> tuple[Mark, ...]:
        if concept not in self._found:
            self._found[concept] = marks(self.text, concept)
        return self._found[concept]

    @cached_property
    def _found(self) -> dict[str, tuple[Mark, ...]]:
        return {}

    @cached_property
    def tokens(self) -> Sequence[Token]:
        """Its English words."""
        return tokens_of(self.text)

    @cached_property
    def somebody(self) -> str:
        """A pronoun that means somebody in the picture."""
        found = _SOMEBODY.search(self.text)
        return found.group() if found else ""

    @cached_property
    def things(self) -> tuple[str, ...]:
        """The things of the picture that it names, as they stand there, in order; pronouns last."""
        found = list(self._chinese_things() if self.chinese else self._english_things())
        if self.somebody and not found:
            found.append(self.somebody)
        return tuple(dict.fromkeys(found))

    @property
    def thing(self) -> str:
        """The first of its things; empty if it has none."""
        return self.things[0] if self.things else ""

    def _covered(self) -> list[bool]:
        covered = [False] * len(self.text)
        for concept in _COVERING:
            for mark in self._marks(concept):
                if concept in ("remove", "replace") and len(mark.word.split()) > 3:
                    continue  # "take the house out" names the house
                covered[mark.start : mark.end] = [True] * (mark.end - mark.start)
        return covered

    def _english_things(self) -> Iterator[str]:
        covered, tokens = self._covered(), self.tokens
        run: list[Token] = []
        for token in (*tokens, None):
            named = token is not None and token.tag in _ARTICLES and token.text.isascii()
            # A new article begins another thing.
            if token is not None and named and not (token.tag in ("DT", "PRP$") and run):
                run.append(token)
                continue
            yield from self._thing(run, covered)
            run = [token] if token is not None and token.tag in ("DT", "PRP$") else []

    def _thing(self, run: list[Token], covered: list[bool]) -> Iterator[str]:
        """The thing that a run of words ends with, if it is one."""
        while run and (run[-1].tag not in _NOUNS or not self._is_thing(run[-1], covered)):
            run = run[:-1]
        if run:
            first = next((at for at, token in enumerate(run) if token.tag not in ("VBG", "VBN")), 0)
            yield self.text[run[first].start : run[-1].end]

    def _is_thing(self, token: Token, covered: list[bool]) -> bool:
        if token.low in no_things() or not token.text[0].isalpha():
            return False
        return not all(covered[token.start : token.end]) or self._in_prompt(token.low)

    def _in_prompt(self, word: str) -> bool:
        """Whether the prompt names it, too: a light or a painting may be a thing there."""
        base = word[:-1] if word.endswith("s") and len(word) > 3 else word
        return len(base) > 3 and base in _PLAIN_THINGS and base in self.prompt.lower()

    def _chinese_things(self) -> Iterator[str]:
        covered = self._covered()
        # 天上再来只鸟 is about the bird.
        for word in sorted(chinese_words(self.text), key=lambda word: word.kind == "place"):
            if word.kind == "measure" and (counted := _COUNTED_NOUN.fullmatch(word.text)):
                yield counted[1]
            if (
                word.kind not in _ZH_NOUNS
                or _COUNTED.fullmatch(word.text)
                or word.text in no_things()
                or not re.search(r"\w", word.text)
            ):
                continue
            if all(covered[word.start : word.end]) or re.fullmatch(r"[\d.%]+", word.text):
                continue
            bare = word.text.rstrip("上里中") if word.kind == "place" else word.text
            if bare and bare not in no_things():
                yield bare


# Words of other concepts that are things where the prompt has them.
_PLAIN_THINGS = frozenset(
    ("light", "lantern", "painting", "puppet", "candle", "lamp", "cloud", "clock", "drum")
)


def tidy(text: str) -> str:
    """The wish in small letters and simplified characters, on one line, without what is merely polite."""
    text = unicodedata.normalize("NFKC", text[:MAX_TEXT]).lower().replace("’", "'")
    text = simplified(" ".join(text.split()))
    text = re.sub(r"(?<![\u4e00-\u9fff])在(?=[亮暗快慢近远大小长短高低多少来加清鲜暖冷])", "再", text)
    text = re.sub(r"\bits\b(?= (?:too|so|a bit|very|not))", "it's", text)
    return text


def without_manners(text: str) -> str:
    """A piece of a wish without polite words, and without signs around it."""
    text = pattern("polite").sub(" ", text)
    text = re.sub(rf"(?<=[{HAN}])\s+(?=[{HAN}])", "", text)
    return " ".join(text.split()).strip(" ,，.。;；!！?？:：~～…、\"'“”()（）")

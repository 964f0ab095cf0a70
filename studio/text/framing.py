"""How a shot is framed and feels: mood, camera words and style words of its text and heading."""

import re
from collections.abc import Sequence

from studio.text.language import has_han
from studio.text.terms import SCRIPTS, Found, find, pattern_of

_NOTE = re.compile(r"(?:style|look|tone|风格|画风|色调|基调)\s*[:：]\s*(.+)$", re.IGNORECASE)
_STYLED = re.compile(
    r"\s*(?:风格|风|画风|质感|调子|感|动画|style|styles|look|aesthetic|animation|painting|illustration|drawing)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"[\W\d_]*(?:slow|slowly|gently|quick|fast|慢慢|缓缓|快速|in|into|from|a|the|of|on|and|shot|地|向|的|[\s，,.。!！])*",
    re.IGNORECASE,
)
_MOVES = re.compile(r"[，,、]+|(?<=[a-z])\s+(?=[\u4e00-\u9fff])")


def moods_in(text: str) -> list[str]:
    """Feelings and airs that the text names and does not deny."""
    found = [(f.start, f.word) for f in find(text, "moods", "words")]
    found += [(m.start(), m.group()) for m in pattern_of("moods", "patterns", "zh").finditer(text)]
    return longest([word for start, word in sorted(found) if not _denied(text[:start])])


def _denied(before: str) -> bool:
    """Whether what stands before a mood in its clause says that it is not felt."""
    clause = re.split(r"[,，.。;；!！?？:：\n]|\bbut\b", before)[-1]
    return any(pattern_of("moods", "denied", script).search(clause) for script in SCRIPTS)


def camera_in(sentences: Sequence[str], around: str) -> list[str]:
    """Framing and movement of the camera, from told sentences and from a shot's label."""
    labels = "\n".join(line for line in around.splitlines() if not _NOTE.match(line))
    found = [word for sentence in sentences for word in _framed(sentence)]
    found += [f.word for f in find(labels, "camera", "patterns", "words")]
    for inside in re.findall(r"[（(]([^()（）]+)[)）]|^([^:：\n]{1,24})$", labels, re.MULTILINE):
        word = next(filter(None, inside))
        found += [f.word for f in find(word, "camera", "patterns", "words", "labels", free=True)]
    return [part for word in longest(found) for part in _MOVES.split(word)]


def unframed(sentence: str) -> str:
    """The sentence without its camera words: a close-up acts as little as a slow pan does."""
    found = _found(sentence)
    for one in reversed(found):
        sentence = f"{sentence[: one.start]} {sentence[one.end :]}"
    return (
        "" if found and _FILLER.fullmatch(sentence) else sentence.lstrip(" :：,，-–—") if found else sentence
    )


def styles_in(sentences: Sequence[str], around: str) -> list[str]:
    """Words for the look of the whole picture, from the text and from a note such as "Style: …"."""
    found: list[str] = []
    for line in around.splitlines():
        if note := _NOTE.match(line):
            found += [part.strip() for part in re.split(r"[,，、;；]", note.group(1)) if part.strip()]
    for sentence in sentences:
        found += [f.word for f in find(sentence, "looks", "words")]
        for one in find(sentence, "looks", "materials"):
            styled = _STYLED.match(sentence, one.end)
            if styled or _alone(sentence, one):
                found.append(one.word + (styled.group() if styled else ""))
    return longest(found)


def longest(found: Sequence[str]) -> list[str]:
    """Without those that are part of another."""
    return [
        word for word in found if not any(word != other and word.lower() in other.lower() for other in found)
    ]


def _framed(sentence: str) -> list[str]:
    return [f.word for f in _found(sentence)]


def _found(sentence: str) -> list[Found]:
    short = len(sentence.split()) <= 4 and not has_han(sentence)
    return find(sentence, "camera", *(("patterns", "words", "labels") if short else ("patterns", "words")))


def _alone(sentence: str, one: Found) -> bool:
    """Whether the word is a phrase of its own between commas."""
    before = sentence[: one.start].rstrip()
    behind = sentence[one.end :].lstrip()
    return (not before or before[-1] in ",，、;；.。") and (not behind or behind[0] in ",，、;；.。!！")

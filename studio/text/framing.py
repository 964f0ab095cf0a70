"""How a shot is framed and feels: mood, camera words and style words of its text and heading."""

import re
from collections.abc import Sequence

from studio.text.language import has_han
from studio.text.terms import SCRIPTS, Found, find, pattern_of

_NOTE = re.compile(r"(?:style|look|tone|风格|画风|色调|基调)\s*[:：]\s*(.+)$", re.IGNORECASE)
_STYLED = re.compile(
    r"\s*(?:风格|风|画风|质感|调子|感|动画|styles?|look|aesthetic|animation|painting|illustration|drawing)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"[\W\d_]*(?:slow|slowly|gently|quick|fast|慢慢|缓缓|快速|in|into|from|a|the|of|on|and|shot|地|向|的"
    r"|[\s，,.。!！])*",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[^，。；！？,.;!?\n]+")
_ASIDES = re.compile(r"[（(]([^()（）]+)[)）]")
_NUMBER = re.compile(
    r"^\W*(?:(?:scene|shot|panel|镜头|画面|场景?)\s*)?[\d一二三四五六七八九十]*[\W]*", re.IGNORECASE
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
    found = [f.word for sentence in sentences for f in _found(sentence)]
    for line in around.splitlines():
        if _NOTE.match(line):
            continue
        found += [f.word for f in find(line, "camera", "patterns", "words")]
        asides = _ASIDES.findall(line)
        bare = _NUMBER.sub("", _ASIDES.sub(" ", line)).strip()
        for label in (*asides, bare) if names_framing(bare) else asides:
            found += [f.word for f in find(label, "camera", "patterns", "words", "labels", free=True)]
    return [part for word in longest(found) for part in _MOVES.split(word)]


def names_framing(label: str) -> bool:
    """Whether a label speaks of nothing but the camera: "Close-up", 全景, "wide, slow push in"."""
    first = re.split(r"[,，、;；+/]", label.strip(), maxsplit=1)[0]
    found = find(first, "camera", "patterns", "words", "labels", free=True)
    return sum(len(f.word) for f in found) * 2 > len(first.strip())


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


def _found(sentence: str) -> list[Found]:
    """Camera words of a sentence; those that mean something else too only in a clause of nothing but them."""
    found = find(sentence, "camera", "patterns", "words")
    for match in _CLAUSE.finditer(sentence):
        clause, at = match.group(), match.start()
        # Long English sentences have a plain "low" or "close" between commas, too.
        if (has_han(clause) or len(sentence.split()) <= 4) and names_framing(clause):
            inside = find(clause, "camera", "patterns", "words", "labels", free=True)
            found += [Found(f.word, at + f.start, at + f.end) for f in inside]
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _alone(sentence: str, one: Found) -> bool:
    """Whether the word is a phrase of its own between commas."""
    before = sentence[: one.start].rstrip()
    behind = sentence[one.end :].lstrip()
    return (not before or before[-1] in ",，、;；.。") and (not behind or behind[0] in ",，、;；.。!！")

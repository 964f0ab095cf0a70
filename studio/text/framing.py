"""How a shot is framed and feels: mood, camera words and style words of its text and heading."""

import re
from collections.abc import Sequence

from studio.text.language import HAN, has_han
from studio.text.terms import SCRIPTS, Found, find, pattern_of

# Labels of what a script asks of the whole picture, and of what it asks of the camera.
LOOK = (
    r"(?:style|look|tone|palette|colou?rs?|grade|grading|mood|treatment|aesthetics?|art direction|vibe"
    r"|feel|lighting|art|animation|整体|布景|风格|画风|色调|基调|调性|影调|质感|色彩|光线|光影|灯光|滤镜|氛围|视觉|视效|美术|画幅|画质"
    r"|画面要求|比例)"
)
SHOOTING = (
    r"(?:camera(?: (?:angle|move|movement|moves|work|notes?))?|shot (?:size|type|angle)|lens|framing|angle"
    r"|movement|景别|景深|机位|运镜|镜头(?:运动|运用|语言|角度|类型|要求)|角度|视角|焦段|焦距|拍摄(?:手法|方式|角度|技巧)?)"
)
LOOK_LABEL = (
    rf"(?:(?:[A-Za-z]+ (?:and |& )?){{0,2}}|[{HAN}]{{0,4}}){LOOK}(?:要求|说明|参考|定位)?"
    rf"(?:\s*[/／&与和、]\s*{LOOK})?"
)
# Length: 40 s. Look: paper-cut, deep blues; 时长：45秒｜竖屏｜风格：水彩.
NOTE_WITHIN = re.compile(
    rf"(?:^|[｜|\u3000。.;；（(]\s*)[*_]*{LOOK_LABEL}[*_]*\s*[:：][*_]*\s*([^｜|\u3000()（）]+)",
    re.IGNORECASE,
)
_SHOT_NOTE = re.compile(rf"(?:[{HAN}]{{0,2}}){SHOOTING}\s*(?:[:：]\s*)?(.+)$", re.IGNORECASE)
_HEARD = re.compile(r"音|声|\bmusic\b|\bsound|\bdialogue|\bno ", re.IGNORECASE)
_LENGTH = re.compile(r"(?:约|about )?\d+\s*(?:s|sec|secs|seconds|min|秒|分钟?)\W*", re.IGNORECASE)
_STYLED = re.compile(
    r"\s*(?:风格|风|画风|质感|调子|感|动画|styles?|look|aesthetic|animation|painting|illustration|drawing)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"[\W\d_]*(?:slow|slowly|gently|quick|fast|慢慢|缓缓|快速|in|into|from|a|the|of|on|and|shot|地|向|的"
    r"|[\s，,.。!！])*",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r",\s*(?:and|but|who|which|as|so|like|he|she|it|they|with|\w+ed)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[^，。；！？,.;!?\n]+")
_ASIDES = re.compile(r"[（(]([^()（）]+)[)）]")
_NUMBER = re.compile(
    r"^\W*(?:(?:scene|shot|panel|镜头|画面|场景?)\s*)?[\d一二三四五六七八九十]*[\W]*", re.IGNORECASE
)
_PARTS = re.compile(r"[,，、;；+/／｜|:：。]+|(?<=[\u4e00-\u9fff])\s+|\s+(?=[\u4e00-\u9fff])|\s[-–—→]+\s")
_PLAIN_NUMBER = re.compile(r"^\W*(?:镜头|画面)\s*[\d一二三四五六七八九十]+")
_LONGEST_PART = 40
# How shots are joined is no framing.
_CUT = re.compile(
    r"\W*(?:(?:we|slow|smash|match|jump|hard) )?(?:cuts?|fades?|dissolves?|wipe|iris)\b"
    r"|(?:画面|镜头)?(?:缓缓|慢慢|逐渐|渐渐)?(?:淡入|淡出|叠化|化入|化出|渐暗|渐亮|渐黑|渐显|渐隐|变黑|切换|黑场|黑屏|转场)",
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
    found = [f.word for sentence in sentences for f in _found(sentence)]
    for line in around.splitlines():
        if NOTE_WITHIN.match(line):
            continue
        if note := _SHOT_NOTE.match(line):
            found += [part.strip() for part in _PARTS.split(note[1]) if len(part.strip()) <= _LONGEST_PART]
            continue
        asides = _ASIDES.findall(line)
        bare = _NUMBER.sub("", _ASIDES.sub(" ", line)).strip()
        found += [f.word for f in find(_PLAIN_NUMBER.sub(" ", line), "camera", "patterns", "words")]
        found += [word for label in (*asides, bare) for word in framing_in(label)]
    moves = longest([word for word in found if word and not _CUT.match(word)])
    return [part for word in moves for part in _MOVES.split(word)]


def framing_in(label: str) -> list[str]:
    """The camera words of a label or an aside, from those of its parts that speak of little else."""
    found: list[str] = []
    for part in _PARTS.split(label):
        inside = find(part, "camera", "patterns", "words", "labels", free=True) if names_framing(part) else []
        end = -1
        for one in inside:
            # 拉 and 升 beside each other are one movement.
            if one.start == end and len(one.word) == 1:
                found[-1] += one.word
            else:
                found.append(one.word)
            end = one.end if len(one.word) == 1 else -1
    return found


def names_framing(label: str) -> bool:
    """Whether a label speaks of nothing but the camera: "Close-up", 全景, "wide, slow push in"."""
    first = _PARTS.split(label.strip(), maxsplit=1)[0].strip()
    found = find(first, "camera", "patterns", "words", "labels", free=True)
    return sum(len(f.word) for f in found) * 2 > len(first)


def unframed(sentence: str) -> str:
    """The sentence without its camera words: a close-up acts as little as a slow pan does."""
    found = _found(sentence, "cuts")
    for one in reversed(found):
        sentence = f"{sentence[: one.start]} {sentence[one.end :]}"
    return (
        "" if found and _FILLER.fullmatch(sentence) else sentence.lstrip(" :：,，-–—") if found else sentence
    )


def styles_in(sentences: Sequence[str], around: str) -> list[str]:
    """Words for the look of the whole picture, from the text and from a note such as "Style: …"."""
    found: list[str] = []
    for line in around.splitlines():
        for note in NOTE_WITHIN.finditer(line):
            parts = (part.strip("*_. ") for part in re.split(r"[,，、;；。/／]|\. ", note[1]))
            found += [
                part for part in parts if part and not _LENGTH.fullmatch(part) and not _HEARD.search(part)
            ]
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
        word
        for word in found
        if not any(word.lower() != other.lower() and word.lower() in other.lower() for other in found)
    ]


def _found(sentence: str, *more: str) -> list[Found]:
    """Camera words of a sentence; those that mean something else too only in a clause of nothing but them."""
    found = find(sentence, "camera", "patterns", "words", *more)
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
    """Whether the word is a phrase of its own between commas, and the sentence does not go on behind it."""
    before = sentence[: one.start].rstrip()
    behind = sentence[one.end :].lstrip()
    if _GOES_ON.match(behind):
        return False
    return (not before or before[-1] in ",，、;；.。") and (not behind or behind[0] in ",，、;；.。!！")

"""How a story is laid out: title, headings, lists, verse, speakers. What is left is what is told and said."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from studio.text.language import HAN, words_of
from studio.text.lines import FULL_STOP, Line, is_dated, lines_of, short

# prose: told. speech: said. verse: a line of it. single: a list item or numbered shot, always one shot.
PassageKind = Literal["prose", "speech", "verse", "single"]

_STOPS = "。.!！…"
_ASIDE = re.compile(r"\s*[（(][^()（）]*[)）]\s*$")
_IN_CAPITALS = re.compile(r"[A-Z][A-Z0-9 .'’&#-]{1,30}")
_STAGE_DIRECTION = re.compile(r"[（(][^()（）]+[)）]")
_AUTHOR = re.compile(
    r"(?:by |[\[（(〔【]?[唐宋元明清][\]）)〕】]?[·•\s]*)?[^\s。，,.]{1,12}(?: [A-Z][\w.]{1,12}){0,2}"
)
_PAIRED = re.compile(r"[《\"“*_ ]+(?P<rest>[^《》\"“”*_]+)[》\"”*_ ]+")
_COUPLET = re.compile(rf"([{HAN}]{{4,7}})[，、,]([{HAN}]{{4,7}})[。！？；!?.]?")
_LAST_VOWEL = re.compile(r"([aeiouy]+[^aeiouy\W]*e?)\W*$")
# Lines of verse are no longer than this, by `words_of`.
_LONGEST_VERSE = 30
_SHORT_HEADING = 16
_LONGEST_HEADLINE = 40
_WRAPPED_FROM = 50
_WRAPPED_HAN_FROM = 16
_INNER_STOP = re.compile(rf"[，。！？；][{HAN}]+$")


@dataclass(frozen=True)
class Passage:
    """A paragraph, list item, line of verse or of dialogue: text[start:end]. `opens`: a shot begins here."""

    kind: PassageKind
    start: int
    end: int
    heading: str = ""
    opens: bool = False


@dataclass(frozen=True)
class Layout:
    """A story's title, "" if it has none, and its passages in order."""

    title: str
    passages: tuple[Passage, ...]


def layout_of(text: str) -> Layout:
    """Title and passages of a story. A text that is all headings has no passages."""
    lines = _list_headings(text, _single_items(_speakers(text, lines_of(text))))
    title, lines = _title(text, lines)
    lines = _without_head(text, lines) if title else lines
    return Layout(title, tuple(_passages(text, _headings(text, lines))))


def _following(lines: list[Line]) -> list[int | None]:
    """For each line the index of the next one that is neither blank nor a drawn line."""
    found: list[int | None] = []
    following: int | None = None
    for i in range(len(lines) - 1, -1, -1):
        found.append(following)
        if lines[i].kind not in ("blank", "rule"):
            following = i
    return found[::-1]


def _whole(text: str, line: Line) -> Line:
    """The line with its label as plain text again."""
    begin = max(text.rfind(end, 0, line.start) for end in "\n\r") + 1
    while begin < line.start and text[begin].isspace():
        begin += 1
    return Line("plain", begin, line.end)


def _speakers(text: str, lines: list[Line]) -> list[Line]:
    """Names before a colon, and names in capitals on a line of their own with the words below."""
    labels = [_ASIDE.sub("", line.label) for line in lines if line.kind == "speaker"]
    script = any(line.kind in ("narrator", "visual", "shot") or line.marker == "scene" for line in lines)
    sure = script or len(set(labels)) > 1
    found: list[Line] = []
    speaking = ""
    for line, below in zip(lines, [*lines[1:], None], strict=True):
        bare = text[line.start : line.end]
        if line.kind == "speaker":
            name = _ASIDE.sub("", line.label)
            dashed = line.label.startswith("—")
            if not (sure or dashed or labels.count(name) > 1 or bare[:1] in tuple('“"「') or name.isupper()):
                line = _whole(text, line)
        elif line.kind != "plain":
            speaking = ""
        elif _is_cue(bare) and below and below.kind == "plain" and (script or speaking):
            speaking = bare
            line = Line("rule", line.start, line.end, marker="cue")
        elif speaking and not _STAGE_DIRECTION.fullmatch(bare):
            line = replace(line, kind="speaker", label=speaking)
        elif speaking and words_of(bare) <= 8:
            line = Line("note", line.end, line.end, bare)
        found.append(line)
    return found


def _is_cue(bare: str) -> bool:
    """Whether a line is a speaker's name as screenplays have it: MARA (V.O.)."""
    name = _ASIDE.sub("", bare)
    return bool(_IN_CAPITALS.fullmatch(name)) and len(name.split()) <= 4


def _single_items(lines: list[Line]) -> list[Line]:
    """A numbered line without a second one is no list."""
    markers = [line.marker for line in lines if line.kind == "item"]
    few = {marker for marker in markers if markers.count(marker) < 2 and marker not in ("bullet", "clock")}
    if any(line.kind == "shot" and line.label[:1] == "0" for line in lines):
        few.discard("padded")
    else:
        few.add("padded")
    return [
        Line("plain", line.start, line.end) if line.kind == "item" and line.marker in few else line
        for line in lines
    ]


def _list_headings(text: str, lines: list[Line]) -> list[Line]:
    """Numbered lines that are short and have paragraphs below them are headings, not items."""
    following = _following(lines)
    items = [i for i, line in enumerate(lines) if line.kind == "item"]
    headed = 0
    for i in items:
        below = following[i]
        over = below is not None and lines[below].kind == "plain" and not lines[below].indented
        headed += over and short(text[lines[i].start : lines[i].end], 16)
    if not items or headed * 2 <= len(items) or headed < len(items) - 1:
        return lines
    return [
        Line("chapter", line.end, line.end, text[line.start : line.end]) if line.kind == "item" else line
        for line in lines
    ]


def _title(text: str, lines: list[Line]) -> tuple[str, list[Line]]:
    """The story's title, and the lines without it and without the author's name below it."""
    first = next((i for i, line in enumerate(lines) if line.kind not in ("blank", "rule")), None)
    if first is None:
        return "", lines
    line = lines[first]
    if line.kind == "title" or (line.kind == "chapter" and line.marker == "#"):
        title = line.label
    elif line.kind == "plain" and _is_title(text, lines[first:]):
        title = text[line.start : line.end]
    elif line.kind == "speaker" and _is_title(text, [_whole(text, line), *lines[first + 1 :]]):
        whole = _whole(text, line)
        title = text[whole.start : whole.end]
    else:
        return "", lines
    match = _PAIRED.fullmatch(title)
    return (match["rest"] if match else title).rstrip(":： "), _without_author(text, lines[first + 1 :])


def _is_title(text: str, lines: list[Line]) -> bool:
    """Whether the first of these lines is a title: short, and over something told otherwise."""
    line = lines[0]
    second = _following(lines)[0]
    if second is None:
        return False
    below = lines[second]
    if not short(text[line.start : line.end]):
        return _is_headline(text, lines[: second + 1])
    if below.kind != "plain" or text[line.start] == "《" or _without_head(text, lines) != lines:
        return True
    if second == 1 and len(lines) > 3 and lines[2].kind == "blank" and _is_author(text, below):
        return True
    if lines[1].kind == "blank":
        # Where every line stands alone without a full stop, the first is no more a title than the others.
        ended = any(FULL_STOP.search(text[k.start : k.end]) for k in lines[1:] if k.kind == "plain")
        neighbours = pairwise(lines[second:])
        return ended or any(a.kind == b.kind == "plain" for a, b in neighbours)
    told = text[below.start : below.end]
    return bool(FULL_STOP.search(told)) and words_of(text[line.start : line.end]) < words_of(told)


def _is_headline(text: str, lines: list[Line]) -> bool:
    """Whether the first of these lines is a longer title, as news have it, alone over the last one."""
    line, told = lines[0], text[lines[-1].start : lines[-1].end]
    alone = len(lines) > 2 and lines[-1].kind == "plain"
    headline = short(text[line.start : line.end], _LONGEST_HEADLINE)
    return alone and headline and bool(FULL_STOP.search(told)) and words_of(told) > _LONGEST_HEADLINE


def _without_author(text: str, lines: list[Line]) -> list[Line]:
    """Lines without an author's name straight below the title, with a blank line behind."""
    alone = len(lines) > 2 and lines[1].kind == "blank" and _is_author(text, lines[0])
    return lines[1:] if alone else lines


def _without_head(text: str, lines: list[Line]) -> list[Line]:
    """Lines without what stands right below the title, up to a blank line, if none of it is a sentence."""
    blank = next((i for i, line in enumerate(lines) if line.kind == "blank"), 0)
    if not blank:
        return lines
    head = [text[line.start : line.end] for line in lines[:blank]]
    kinds = {line.kind for line in lines[:blank]}
    told = any(words_of(text[k.start : k.end]) > _LONGEST_VERSE for k in lines[blank:] if k.kind == "plain")
    labelled = any(line.kind in ("shot", "item", "visual", "narrator") for line in lines[blank:])
    if kinds <= {"plain", "note", "speaker"} and (told or labelled) and all(map(_is_subtitle, head)):
        return lines[blank:]
    return lines


def _is_subtitle(bare: str) -> bool:
    return short(bare) or (bool(_STAGE_DIRECTION.fullmatch(bare)) and words_of(bare) <= 30) or not bare


def _is_author(text: str, line: Line) -> bool:
    bare = text[line.start : line.end]
    return line.kind == "plain" and short(bare, 6) and bool(_AUTHOR.fullmatch(bare))


def _headings(text: str, lines: list[Line]) -> list[Line]:
    """Plain lines that are headings, and labels with a name or with the content itself behind them."""
    following = _following(lines)
    found: list[Line] = []
    for i, line in enumerate(lines):
        bare = text[line.start : line.end]
        next_line = following[i]
        below = lines[next_line].kind if next_line is not None else ""
        if line.kind == "chapter" and bare:
            ended = bool(FULL_STOP.search(bare))
            told = ended or (line.marker != "scene" and (words_of(bare) > 20 or below != "plain"))
            line = line if told else _all_label(text, line)
        elif line.kind == "shot" and short(bare, 10) and below == "plain":
            line = _all_label(text, line)
        elif (
            line.kind == "plain"
            and next_line is not None
            and (
                _stands_out(text, lines, i, next_line)
                or (lines[i + 1].kind == "blank" and short(bare.rstrip(_STOPS), 24) and is_dated(bare))
            )
        ):
            line = Line("chapter", line.end, line.end, bare)
        found.append(line)
    return found


def _all_label(text: str, line: Line) -> Line:
    whole = _whole(text, line)
    return replace(line, start=line.end, label=text[whole.start : whole.end].strip("【】[] "))


def _stands_out(text: str, lines: list[Line], i: int, below: int) -> bool:
    """A short line with no full stop at the top of a paragraph, or one that leads to a list."""
    bare = text[lines[i].start : lines[i].end]
    if lines[below].kind == "item":
        return bare.endswith((":", "：")) or short(bare)
    alone = i == 0 or lines[i - 1].kind != "plain"
    told = text[lines[below].start : lines[below].end]
    over = lines[below].kind == "plain" and bool(FULL_STOP.search(told))
    blank = lines[i + 1].kind == "blank"
    if not (alone and over):
        return False
    if bare.endswith((",", "，", "：", ":")):
        # Whom a letter is written to; a line of verse has lines like it around.
        return words_of(bare) <= _SHORT_HEADING and (blank or words_of(told) > _LONGEST_VERSE)
    # Scripts put a scene's heading straight on top of it.
    script = any(line.kind in ("speaker", "rule") for line in lines)
    least = words_of(bare) if script else max(_LONGEST_VERSE, 3 * words_of(bare))
    return short(bare, 12) and (blank or words_of(told) > least)


def _passages(text: str, lines: list[Line]) -> list[Passage]:
    following = _following(lines)
    plain = [text[line.start : line.end] for line in lines if line.kind == "plain"]
    verse = _is_verse(plain)
    scripted = any(line.kind in ("shot", "visual", "item") for line in lines)
    found: list[Passage] = []
    heading, opens, single, last = "", False, False, ""
    i = 0
    while i < len(lines):
        line = lines[i]
        next_line = following[i]
        below = lines[next_line] if next_line is not None else None
        if line.kind in ("chapter", "shot", "visual", "item", "title"):
            opens = True
            single = line.kind in ("shot", "visual", "item")
            heading = heading if line.kind in ("item", "visual") else line.label
        elif line.kind == "rule":
            opens = opens or line.marker != "cue"
        elif (
            line.kind == "blank" and last == "item" and below and below.kind == "plain" and not below.indented
        ):
            # A paragraph behind a list is no part of its last item.
            single = False
        last = line.kind if line.kind != "blank" else last
        block = _block(lines, i) if line.kind == "plain" and not single else []
        if block:
            new = _of_block(text, block, heading, verse)
            found += [replace(new[0], opens=opens or new[0].opens), *new[1:]]
            opens = False
        elif line.start < line.end and line.kind not in ("rule", "note"):
            said = line.kind == "speaker" or (line.kind == "narrator" and scripted)
            kind: PassageKind = "speech" if said else "single" if single else "prose"
            found.append(Passage(kind, line.start, line.end, heading, opens))
            opens = False
        i += max(1, len(block))
    return found


def _block(lines: list[Line], i: int) -> list[Line]:
    """Plain lines from here to the next line that is none."""
    k = i
    while k < len(lines) and lines[k].kind == "plain":
        k += 1
    return lines[i:k]


def _of_block(text: str, block: list[Line], heading: str, verse: bool) -> list[Passage]:
    """Lines of verse one by one, in `verse` every line; wrapped lines joined to paragraphs."""
    if verse or _is_verse([text[line.start : line.end] for line in block]):
        return [Passage("verse", line.start, line.end, heading, True) for line in block]
    found: list[Passage] = []
    for line in block:
        if found and not FULL_STOP.search(text[found[-1].start : found[-1].end][-20:]):
            found[-1] = replace(found[-1], end=line.end)
        else:
            found.append(Passage("prose", line.start, line.end, heading))
    return found


def _is_verse(lines: list[str]) -> bool:
    """Short lines that do not end where the sentences end, or that rhyme, or that are equally long."""
    if len(lines) > 1 and all(_equal_halves(line) for line in lines):
        return True
    if len(lines) < 3:
        return False
    lengths = [words_of(line) for line in lines]
    if max(lengths) > _LONGEST_VERSE or min(lengths) == 0:
        return False
    if _is_wrapped(lines):
        return False
    running = sum(1 for line in lines[:-1] if not FULL_STOP.search(line))
    if running * 5 >= len(lines) - 1:
        return True
    even = max(lengths) - min(lengths) <= 1 and len(lines) >= 4
    tails = [_rhyme(line) for line in lines]
    rhymed = sum(
        1 for k, tail in enumerate(tails) if tail and tail in tails[max(0, k - 2) : k] + tails[k + 1 : k + 3]
    )
    return even or (len(lines) >= 4 and rhymed * 3 >= 2 * len(lines) and max(lengths) <= 2 * min(lengths))


def _is_wrapped(lines: list[str]) -> bool:
    """Whether the lines of a paragraph end where a page was full, not where a line of verse does."""
    pairs = [(line, below) for line, below in pairwise(lines) if not FULL_STOP.search(line)]
    width = max(map(len, lines))
    carried = sum(
        1
        for line, below in pairs
        if len(line) >= _WRAPPED_FROM and len(line) + len(below.split()[0]) >= width
    )
    full = sum(1 for line, _ in pairs if len(line) >= _WRAPPED_HAN_FROM and _INNER_STOP.search(line))
    return bool(pairs) and (carried * 3 >= 2 * len(pairs) or full * 2 >= len(pairs))


def _equal_halves(line: str) -> bool:
    """Whether a line is a couplet of old Chinese verse: 床前明月光，疑是地上霜。"""
    match = _COUPLET.fullmatch(line)
    return match is not None and len(match[1]) == len(match[2])


def _rhyme(line: str) -> str:
    """The end of a line's last word from its last vowel on; "" where rhyme cannot be told from letters."""
    match = _LAST_VOWEL.search(line.lower())
    return match[1] if match else ""

"""Shots in a table: a row each, whose columns say its number, its framing, its picture and what is said."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_BAR = re.compile(r"[|｜]")
_DRAWN = re.compile(r"[\s|｜:：—–-]+")
_PICTURE = re.compile(
    r"(?:画面|镜头|场景)?(?:内容|描述|画面|说明)|visuals?|pictures?|action|description|image|on[- ]screen"
    r"|video|what (?:we|you) see|see",
    re.IGNORECASE,
)
# What stands in these is heard or counted, not seen.
_UNSEEN = re.compile(
    r"#|no\.?|nr\.?|(?:shot |scene )?(?:number|no\.?|#)|(?:镜|序|编|分镜|镜头)号"
    r"|.*(?:声|音|旁白|台词|对白|解说|文案|字幕|时长|秒|备注|audio|sound|vo\b|v\.o|voice|narration|dialogue|music"
    r"|sfx|length|duration|secs?\b|notes?|hear).*",
    re.IGNORECASE,
)
_VOICE = re.compile(
    r".*(?:旁白|台词|对白|解说|口播|配音)|vo|v\.o\.?|voice[- ]?over|narration|narrator|dialogue|script",
    re.IGNORECASE,
)
# In a column of sounds: 旁白：回家了。 but no 音效：雷声.
_SAID = re.compile(
    r"(?!音|配乐|BGM|SFX|music|sound)(?P<who>[^\s:：|｜]{1,16})\s*[:：]\s*(?=\S)", re.IGNORECASE
)
_LEAST_CELLS = 3
# The beginning of the next row; a picture is longer than how it is framed.
_NEXT = re.compile(r"\s*[|｜]?\s*\d{1,3}\s*[|｜].*[|｜]")
_LEAST_PICTURE = 6


@dataclass(frozen=True)
class Row:
    """A row of a table of shots.

    `start`, `end`: its picture; `label`: what its other columns say of it; `said`: start and end of what is
    said behind the picture, and by whom.
    """

    start: int
    end: int
    label: str
    said: tuple[int, int, str] | None = None


def rows_of(text: str) -> Iterator[tuple[int, Row | None]]:
    """Where each line of a table of shots starts, and its row; None for its head and what is drawn below."""
    told: tuple[int, ...] = ()
    head: list[str] = []
    picture, width, place = -1, 0, 0
    for raw in text.splitlines(keepends=True):
        at, place = place, place + len(raw)
        cells = _cells(text, at, at + len(raw.rstrip()))
        if len(cells) < _LEAST_CELLS:
            picture = -1 if raw.strip() else picture
            continue
        words = [text[start:end] for start, end in cells]
        if picture < 0:
            picture, told = _columns(words)
            width, head = len(cells), words
            if picture >= 0:
                yield at, None
        elif _DRAWN.fullmatch(raw.strip()):
            yield at, None
        elif picture < len(cells) <= width and words[picture]:
            label = " ".join(words[k] for k in told if k < len(cells) and words[k])
            said = _said(text, cells, head, picture)
            yield at, Row(*cells[picture], label, said)


def picture_of(text: str) -> str:
    """A shot's text without the rest of its row and the beginning of the next one, if it is of a table."""
    if "|" not in text and "｜" not in text:
        return text
    head, _, last = text.rstrip().rpartition("\n")
    text = head if _NEXT.fullmatch(last) else text
    row = text.strip()
    picture = _BAR.split(row, maxsplit=1)[0].strip()
    return picture if "\n" not in row and len(picture) >= _LEAST_PICTURE else text


def _cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Start and end of what stands in each cell of a line; bars around the line make no cells."""
    edges = [start - 1, *(bar.start() for bar in _BAR.finditer(text, start, end)), end]
    found = []
    for left, right in pairwise(edges):
        cell = text[left + 1 : right]
        begin = left + 1 + len(cell) - len(cell.lstrip())
        found.append((begin, max(begin, begin + len(cell.strip()))))
    for at in (0, -1):
        if len(found) > 1 and found[at][0] == found[at][1]:
            found.pop(at)
    return found


def _said(
    text: str, cells: Sequence[tuple[int, int]], head: Sequence[str], picture: int
) -> tuple[int, int, str] | None:
    """What a voice says in a row, behind its picture."""
    for k in range(picture + 1, len(cells)):
        start, end = cells[k]
        if not re.search(r"\w", text[start:end]) or text[start:end] == "无":
            continue
        if spoken := _SAID.match(text, start, end):
            return spoken.end(), end, spoken["who"]
        if _VOICE.fullmatch(head[k]):
            return start, end, "VO"
    return None


def _columns(head: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    """Which column is the picture, and which others tell of it; -1 if this is no head of such a table."""
    picture = next((k for k, word in enumerate(head) if _PICTURE.fullmatch(word.strip("* "))), -1)
    told = tuple(k for k, word in enumerate(head) if k != picture and not _UNSEEN.fullmatch(word))
    return picture, told

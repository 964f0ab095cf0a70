"""What of a shot's text is told and so can be seen; what is only said or stands in a heading can't."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.text.columns import picture_of
from studio.text.framing import framing_in
from studio.text.language import has_han
from studio.text.lines import FULL_STOP, Line, lines_of
from studio.text.sentences import sentences, speech_spans
from studio.text.traditional import Own, simplified

_SAID = re.compile(r"[。！？!?，,…~～.]")
_QUOTES = '“”‘’「」『』"'
_PARENTHESES = re.compile(r"[（(][^()（）]*[)）]")
_NOTED = re.compile(r"[（(\[【]([^()（）\[\]【】\n]{1,60})[)）\]】]")
_SCENE = re.compile(
    r"\b(?:INT|EXT|I/E)\b|内景|外景|第.{1,3}场|^场(?:景|次)?\s*[\d一二三四五六七八九十]|^S\d{1,2}\b"
    r"|(?:^|\s)[日夜晨昏内外][\s/／]+[日夜晨昏内外](?:\s|$)|(?:^|\s)[内外][\s/／]+(?:日|夜|清晨|黄昏|傍晚|深夜|黎明|晨)",
    re.IGNORECASE,
)
_LABELLED = ("chapter", "shot", "item", "note", "visual")
_NUMBERED = ("shot", "item", "visual")
_LEADING = re.compile(r"[\s\-–—•*·]+")


@dataclass(frozen=True)
class Told:
    """`sentences` of a shot without what is said in them; `around`: its headings, labels and notes."""

    sentences: tuple[str, ...]
    around: str = ""


def told_in(text: str) -> Told:
    """Take a shot's text apart. Labels behind its last told line belong to the next shot and are left out."""
    text = picture_of(text)
    lines = lines_of(text)
    last = max(
        (i for i, line in enumerate(lines) if line.start < line.end and not _only_sets(text, line)),
        default=-1,
    )
    told: list[str] = []
    around: list[str] = []
    cue = False
    for line in lines[: max({last, *_closing(lines, True)}) + 1]:
        bare = text[line.start : line.end]
        if line.kind in _LABELLED:
            around.append(_label(text, line))
        if line.kind == "speaker" and _is_prose(line.label, bare):
            bare = f"{line.label}：{bare}"
        elif line.kind in ("speaker", "narrator") or _only_sets(text, line):
            cue = False
            continue
        if not re.search(r"[^\W\d]", bare):
            cue = False  # nothing, or a list's number alone
            continue
        if (
            line.kind == "plain"
            and re.fullmatch(r"[A-Z][A-Z0-9 .'’()-]{1,30}", bare)
            and not bare.endswith(".")
        ):
            cue = True  # a name over what it says
            continue
        if cue:
            continue
        around += [f"（{framing}）" for framing in _noted(bare)]
        told += [part for start, end in sentences(bare) if (part := unsaid(bare[start:end]))]
    return Told(tuple(told), "\n".join(around))


def _closing(lines: Sequence[Line], begun: bool = False) -> set[int]:
    """Which notes stand straight below a shot and not over the next picture: they are of the shot above.

    `begun`: the lines are those of one shot, whose label stands before them.
    """
    if not any(line.kind in _NUMBERED for line in lines):
        return set()
    found: set[int] = set()
    run: list[int] = []
    for i, line in enumerate([*lines, Line("blank", 0, 0)]):
        if line.kind == "note":
            told = begun and i > 0 and lines[i - 1].start < lines[i - 1].end
            run = [*run, i] if run or told else []
            continue
        found.update(run if line.kind not in ("visual", "plain") else ())
        begun = begun or line.kind in _NUMBERED
        run = []
    return found


def _noted(bare: str) -> list[str]:
    """What asides in brackets say of the camera."""
    asides = (match[1] for match in _NOTED.finditer(bare))
    return [word for aside in asides for word in framing_in(aside)]


def _only_sets(text: str, line: Line) -> bool:
    """Whether a line tells nothing itself: a note, or a heading with no sentence behind it."""
    if line.kind in ("note", "rule", "title", "blank"):
        return True
    return line.kind == "chapter" and not FULL_STOP.search(text[line.start : line.end])


def _is_prose(label: str, behind: str) -> bool:
    """周敏举起手：“会灭！”李老师笑了: a sentence that leads up to speech, and no name before it."""
    from studio.text.chinese import words_of

    if behind[:1] not in _QUOTES:
        return False
    does = has_han(label) and any(word.kind == "verb" for word in words_of(label))
    return does or bool(re.search(r"\w", unsaid(behind)))


def _label(text: str, line: Line) -> str:
    """A heading as it stands, with what follows its number."""
    behind = text[line.start : line.end] if _only_sets(text, line) else ""
    return " ".join(part for part in (line.label, behind) if part)


def unsaid(sentence: str) -> str:
    """The sentence without what is said in it. Words only put in quotation marks stay."""
    kept = ""
    place = 0
    for start, end in speech_spans(sentence, 0, len(sentence)):
        inside = sentence[start + 1 : end - 1]
        kept += sentence[place:start]
        if not _SAID.search(inside) and not re.search(r"[:：，,]\s*$", kept):
            kept += inside
        else:
            kept += "，" if has_han(sentence) else ", "
        place = end
    kept += sentence[place:]
    kept = _PARENTHESES.sub(" ", kept)
    kept = "".join(c for c in kept if c not in _QUOTES or c in "’‘")
    return _LEADING.sub("", kept, count=1) if _LEADING.match(kept) else kept


def unquoted(text: str) -> str:
    """The text with everything in quotation marks that is said blanked out; places stay where they were."""
    blank = list(text)
    for start, end in speech_spans(text, 0, len(text)):
        if _SAID.search(text[start + 1 : end - 1]) or re.search(
            r"[:：，,]\s*$", text[max(0, start - 6) : start]
        ):
            blank[start:end] = [" " if c != "\n" else c for c in text[start:end]]
    return "".join(blank)


def is_scene(heading: str) -> bool:
    """Whether a heading names a place of a screenplay (INT. KITCHEN - NIGHT, 第一场 外景)."""
    return bool(_SCENE.search(heading))


def _title(head: str) -> str:
    """The first line of what stands before a story's first shot, marked as its title."""
    lines = [line for line in lines_of(head) if line.kind in ("title", "plain") or line.label]
    first = next((line.label or head[line.start : line.end] for line in lines), "")
    return f"《{first.strip('《》 ')}》" if first else ""


def headings_of(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """What stands over each shot text[start:end]: labels before it, and the heading of the scene it is in."""
    lines = lines_of(text)
    closing = _closing(lines)
    labels = [
        (text.rfind("\n", 0, line.start) + 1, line.kind, _label(text, line))
        for i, line in enumerate(lines)
        if line.kind in _LABELLED and i not in closing
    ]
    below = [(lines[i].start, _label(text, lines[i])) for i in sorted(closing)]
    ends = [start for start, _ in spans[1:]] + [len(text) + 1]
    found: list[str] = []
    scene = _title(text[: spans[0][0]]) if spans else ""
    place = -1
    for (start, _), end in zip(spans, ends, strict=True):
        # A label at which a shot itself begins is read with that shot's text.
        own = [(kind, label) for at, kind, label in labels if place < at < start]
        if chapter := next((label for kind, label in reversed(own) if kind == "chapter"), ""):
            # Only a scene's heading holds for all its shots; a title or a date stands over the first one.
            scene = chapter if is_scene(chapter) else ""
        notes = [label for at, label in below if start < at < end]
        found.append("\n".join(dict.fromkeys([scene, *(label for _, label in own), *notes])).strip())
        scene = "" if scene.startswith("《") else scene
        place = start
    return found


def around_shots(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """All that stands around each shot text[start:end] and is not told: over it and in it, a line each."""
    found = []
    own, text = Own((text,)), simplified(text)
    for (start, end), head in zip(spans, headings_of(text, spans), strict=True):
        lines = "\n".join((head, told_in(text[start:end]).around)).split("\n")
        # A list's number says nothing, and is another one as soon as an item is put before it.
        found.append("\n".join(own(line) for line in lines if re.search(r"[^\W\d_]", line)))
    return found


def untitled(around: str) -> str:
    """What stands around a shot, less the story's title: that stands over whichever comes first."""
    return "\n".join(line for line in around.split("\n") if not line.startswith("《"))

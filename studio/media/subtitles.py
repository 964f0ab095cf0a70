"""Subtitles: when what is read, as files beside the film and as a document that is drawn into it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

from noto_cjk_sans_otc import FONT_PATH
from PIL import ImageFont

from studio.media.canvas import canvas_of, place_label, place_logo
from studio.media.timeline import Caption, FilmCut, Format, Layout, label_of
from studio.media.wrap import columns, split, tidy, wrapped
from studio.words import LANGUAGES, Language

FONT = "Noto Sans CJK SC"
FONT_FOLDER = Path(FONT_PATH).parent
MIN_SECONDS = 0.8
"""How long a cue stands at least, where the next one leaves room."""
LINES = 2
"""How many lines a cue has at most in a language."""

_STYLE_FIELDS = (
    "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, "
    "MarginL, MarginR, MarginV, Encoding"
)
_NEW_LINE = r"\N"
_EVENT_FIELDS = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
_WHITE, _OUTLINE, _SHADOW = "&H00FFFFFF", "&H18120E0A", "&H70000000"
# Shares of the em.
_OUTLINE_EM, _SHADOW_EM, _BLUR_EM = 0.065, 0.045, 0.03

_FACE_SC = 2
# libass takes a font's size with the room above and below, which in this font is 1.448 of the em.
_EM = 1.448
_JOINER = "\u2060"


@dataclass(frozen=True)
class Cue:
    """What is read from `start` to `end`, in seconds of the film: lines by language, Chinese first."""

    start: float
    end: float
    lines: dict[Language, tuple[str, ...]]


@dataclass(frozen=True)
class _Page:
    """How much fits in a format: columns of a line; the em's size, room below and at the sides.

    Sizes are shares of the frame's short side, the rooms of its height and width.
    """

    limit: dict[Language, int]
    em: dict[Language, float]
    below: float
    beside: float


# Upright films are seen in apps that lay their own words over the lowest part.
_PAGES: dict[Format, _Page] = {
    "16:9": _Page({"zh": 36, "en": 42}, {"zh": 0.060, "en": 0.047}, 0.05, 0.05),
    "9:16": _Page({"zh": 32, "en": 38}, {"zh": 0.055, "en": 0.042}, 0.16, 0.05),
    "1:1": _Page({"zh": 32, "en": 40}, {"zh": 0.054, "en": 0.040}, 0.05, 0.05),
}


def cues(cut: FilmCut, layout: Layout, languages: Iterable[Language]) -> list[Cue]:
    """The captions on the film's time, in order, never two at once.

    A caption too long for two lines a language becomes several cues that share its time by their length. A
    language that a caption lacks has no lines in its cues.
    """
    return _cues(cut, layout, languages, tidy)


def srt(cut: FilmCut, layout: Layout, *languages: Language) -> str:
    """An SRT file's text in one language, or in both together."""
    blocks = (
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_plain(cue)}\n"
        for number, cue in enumerate(cues(cut, layout, languages), 1)
    )
    return "\n".join(blocks)


def vtt(cut: FilmCut, layout: Layout, *languages: Language) -> str:
    """A WebVTT file's text in one language, or in both together."""
    blocks = (
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(cue)}\n"
        for cue in cues(cut, layout, languages)
    )
    return "\n".join(("WEBVTT\n", *blocks))


def ass_document(cut: FilmCut, layout: Layout) -> str:
    """The document that libass draws into the film, its fonts from `FONT_FOLDER`: all of `cut.subtitles`.

    Inside the safe area, above the label and a logo at the bottom if they would meet. Characters that the
    font lacks are left out (see `missing_glyphs`).
    """
    canvas = canvas_of(cut)
    page, short = _PAGES[cut.format], min(canvas.width, canvas.height)
    sizes = {language: max(9.0, page.em[language] * short) for language in LANGUAGES}
    found = _cues(cut, layout, cut.subtitles, _drawable)
    room = canvas.width * (1 - 2 * page.beside)
    widest = max((_wide(line, sizes[one]) for cue in found for one, line in _lines(cue)), default=0.0)
    below = _below(cut, min(widest, room), page)
    beside = round(canvas.width * page.beside)
    styles = "\n".join(_style(one, sizes[one], below, beside) for one in LANGUAGES)
    events = "\n".join(_event(cue, sizes, room) for cue in found)
    return (
        "[Script Info]\nScriptType: v4.00+\nWrapStyle: 2\nScaledBorderAndShadow: yes\n"
        f"YCbCr Matrix: TV.709\nPlayResX: {canvas.width}\nPlayResY: {canvas.height}\n\n"
        f"[V4+ Styles]\nFormat: {_STYLE_FIELDS}\n{styles}\n\n"
        f"[Events]\nFormat: {_EVENT_FIELDS}\n{events}\n"
    )


def missing_glyphs(text: str) -> str:
    """The characters of a text that the font cannot draw, each once, in order; empty if there are none."""
    return "".join(dict.fromkeys(char for char in tidy(text) if not _has_glyph(char)))


def _cues(
    cut: FilmCut, layout: Layout, languages: Iterable[Language], clean: Callable[[str], str]
) -> list[Cue]:
    """The cues with texts made clean."""
    wanted = [one for one in LANGUAGES if one in tuple(languages)]
    limits = _PAGES[cut.format].limit
    found: list[Cue] = []
    for shot, span in zip(cut.shots, layout.shots, strict=True):
        begin = layout.seconds(span.start)
        for caption in shot.captions:
            texts = {one: text for one in wanted if (text := clean(caption.text.get(one, "")))}
            if texts:
                found += _shared(caption, texts, begin, limits)
    return _apart(found, layout.seconds(layout.frames))


def _shared(
    caption: Caption, texts: dict[Language, str], begin: float, limits: dict[Language, int]
) -> list[Cue]:
    """One caption as cues, in all languages as many."""
    parts = _parts(texts, limits)
    count = max(map(len, parts.values()))
    # Each cue's share of the time: that of its text, over all languages alike.
    whole = {one: columns(text) for one, text in texts.items()}
    shares = [
        sum(columns(part[number]) / whole[one] for one, part in parts.items() if number < len(part))
        for number in range(count)
    ]
    start, length = begin + caption.start, max(0.0, caption.end - caption.start)
    found = []
    gone = 0.0
    for number, share in enumerate(shares):
        till = gone + share
        lines = {
            one: wrapped(part[number], limit=limits[one], lines=LINES) or (part[number],)
            for one, part in parts.items()
            if number < len(part)
        }
        found.append(Cue(start + length * gone / sum(shares), start + length * till / sum(shares), lines))
        gone = till
    return found


def _parts(texts: dict[Language, str], limits: dict[Language, int]) -> dict[Language, tuple[str, ...]]:
    """The texts in as many parts each as the longest one needs."""
    count = max(-(-columns(text) // (limits[one] * LINES)) for one, text in texts.items())
    while True:
        found = {one: split(text, count, limit=limits[one], lines=LINES) for one, text in texts.items()}
        done = {one: parts for one, parts in found.items() if parts}
        if len(done) == len(found):
            return done
        if count > sum(map(len, texts.values())):
            return {one: found[one] or (text,) for one, text in texts.items()}
        count += 1 + count // 8


def _apart(found: list[Cue], end: float) -> list[Cue]:
    """The cues in order, none over another one, none after the film, each long enough where there is room."""
    found = sorted(found, key=lambda cue: cue.start)
    starts: list[float] = []
    for cue in found:
        # Two that begin together follow one another: both shall be read.
        together = bool(starts) and cue.start - starts[-1] < 0.1
        starts.append(starts[-1] + MIN_SECONDS if together else cue.start)
    done = []
    for cue, (start, following) in zip(found, pairwise([*starts, end]), strict=True):
        till = min(max(cue.end, start + MIN_SECONDS), max(following, start), end)
        if till - start >= 0.001:
            done.append(Cue(start, till, cue.lines))
    return done


def _below(cut: FilmCut, widest: float, page: _Page) -> int:
    """How many pixels stay free below: more where text would lie on the label or the logo."""
    canvas = canvas_of(cut)
    label = label_of(cut)
    boxes = [place_label(label, canvas).box] if label.shown and label.corner.startswith("bottom") else []
    if cut.logo is not None and cut.logo.corner.startswith("bottom"):
        boxes.append(place_logo(cut.logo, canvas).box)
    gap = round(min(canvas.width, canvas.height) * 0.02)
    left, right = (canvas.width - widest) / 2 - gap, (canvas.width + widest) / 2 + gap
    meet = [box for box in boxes if box.left < right and box.left + box.width > left]
    return max([round(canvas.height * page.below), *(canvas.height - box.top + gap for box in meet)])


def _style(language: Language, size: float, below: int, beside: int) -> str:
    numbers = f"{_OUTLINE_EM * size:.2f},{_SHADOW_EM * size:.2f},2,{beside},{beside},{below},1"
    colours = f"{_WHITE},{_WHITE},{_OUTLINE},{_SHADOW}"
    return f"Style: {language},{FONT},{size * _EM:.2f},{colours},0,0,0,0,100,100,0,0,1,{numbers}"


def _event(cue: Cue, sizes: dict[Language, float], room: float) -> str:
    """All lines in one event, so that they never lie on one another: Chinese above, English below."""
    blocks = []
    for one, lines in cue.lines.items():
        size = sizes[one]
        over = max(_wide(line, size) for line in lines) / room
        smaller = f"\\fs{size * _EM / over:.2f}" if over > 1 else ""
        text = _NEW_LINE.join(_ass_escaped(line) for line in lines)
        blocks.append(f"{{\\r{one}\\blur{_BLUR_EM * size:.2f}{smaller}}}{text}")
    start, end = (_clock(seconds, ".", digits=2)[1:] for seconds in (cue.start, cue.end))
    return f"Dialogue: 0,{start},{end},{next(iter(cue.lines))},,0,0,0,,{_NEW_LINE.join(blocks)}"


def _lines(cue: Cue) -> list[tuple[Language, str]]:
    return [(one, line) for one, lines in cue.lines.items() for line in lines]


def _clock(seconds: float, point: str, *, digits: int = 3) -> str:
    """hh:mm:ss.mmm"""
    scale = 10**digits
    whole, part = divmod(round(seconds * scale), scale)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{point}{part:0{digits}d}"


def _plain(cue: Cue) -> str:
    """Lines for SRT, which knows no escape, though players obey tags in it, and some those of ASS.

    An invisible joiner keeps tags, arrows and commands from being any; braces become wide ones.
    """
    text = "\n".join(line for _, line in _lines(cue))
    for char in "<\\":
        text = text.replace(char, char + _JOINER)
    return text.replace("-->", f"--{_JOINER}>").replace("{", "｛").replace("}", "｝")


def _escaped(cue: Cue) -> str:
    """Lines for WebVTT."""
    text = "\n".join(line for _, line in _lines(cue))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ass_escaped(line: str) -> str:
    """A line for libass: braces would open a command, a backslash would begin one."""
    return line.replace("\\", f"\\{_JOINER}").replace("{", r"\{").replace("}", r"\}")


def _drawable(text: str) -> str:
    return tidy("".join(char for char in tidy(text) if _has_glyph(char)))


def _wide(line: str, size: float) -> float:
    """The width of a line in pixels at an em's size."""
    return _face().getlength(line) * size / _face().size


@lru_cache(maxsize=8192)
def _has_glyph(char: str) -> bool:
    # This layout asks the font itself: what it lacks becomes its one sign for that.
    return char == " " or bytes(_face().getmask(char)) != _no_glyph()


@cache
def _no_glyph() -> bytes:
    return bytes(_face().getmask("\U0010fffe"))


@cache
def _face() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_PATH, 40, index=_FACE_SC, layout_engine=ImageFont.Layout.BASIC)

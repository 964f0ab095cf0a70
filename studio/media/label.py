"""The visible label "AI生成": drawn once as a picture, then blended onto frames.

GB 45438-2025 asks for text at least 5 % of the frame's short side high, legible, in a fitting place, on the
opening frames and for 2 s at least. Where it stands and for how long is a `LabelStyle`.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from noto_cjk_sans_otc import FONT_PATH
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from studio.media.ffmpeg import MediaError
from studio.words import says_made_by_ai

Frame = NDArray[np.uint8]
Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]
Wording = Literal["zh", "en", "both"]

TEXTS: dict[Wording, str] = {"zh": "AI生成", "en": "AI-generated", "both": "AI生成 · AI-generated"}
"""The label's usual texts."""
MAX_TEXT = 60
MIN_SECONDS = 2.0
"""How long a label stands at least that does not stand all the time."""
FADE_SECONDS = 0.4
"""In what time it goes, after its seconds."""

# Faces of the collection: 0 Japanese, 1 Korean, 2 Simplified Chinese. The glyph shapes differ.
_FACE_SC = 2
# Capitals, the lowest of the letters that count, are 0.73 em high: see `_font_for`.
_MIN_SHARE = 0.05
_MIN_INK = 11.0
# The second language may be smaller: what the standard asks for is said once.
_SMALL = 0.68
_MIN_SMALL_INK = 8.0
# With a margin it leaves room for a logo in the corner across, as wide as a logo may be.
_WIDEST = 0.52
_WHITE = (255, 255, 255, 244)
_PLATE = (12, 14, 18, 148)


@dataclass(frozen=True)
class LabelStyle:
    """What a visible label says, where it stands and how long.

    `text` has at most 60 printable characters and says AI (or 人工智能) with 生成, 合成 or generated.
    `seconds` counts from the opening frame, 2 at least; None: all the time. `shown` False: it is not drawn.
    `stacked` sets texts parted by "·" one above the other, those smaller that the standard does not need;
    False: all in one line, as clips carried it before there were styles.

    MediaError "label_text" or "label_seconds".
    """

    text: str = TEXTS["both"]
    corner: Corner = "bottom_right"
    seconds: float | None = None
    shown: bool = True
    stacked: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no label."""
        if not (len(self.text) <= MAX_TEXT and self.text.isprintable() and says_made_by_ai(self.text)):
            raise MediaError("label_text", high=MAX_TEXT)
        if self.seconds is not None and not MIN_SECONDS <= self.seconds < math.inf:
            raise MediaError("label_seconds", low=MIN_SECONDS)

    def frames(self, fps: float) -> float:
        """On how many frames anything of it is seen, from the first: 0 if not shown, inf if on all."""
        if not self.shown:
            return 0.0
        return math.inf if self.seconds is None else self.full_frames(fps) + self.fade_frames(fps)

    def full_frames(self, fps: float) -> float:
        """On how many frames it stands fully, from the first; after these it fades."""
        if not self.shown:
            return 0.0
        return math.inf if self.seconds is None else math.ceil(self.seconds * fps - 1e-6)

    @staticmethod
    def fade_frames(fps: float) -> int:
        """On how many frames it is seen less and less."""
        return max(1, round(FADE_SECONDS * fps))

    def strength(self, number: int, fps: float) -> float:
        """How much of it is seen on frame `number` (from 0): 1 to 0."""
        if not self.shown or self.seconds is None:
            return float(self.shown)
        gone = (number + 1 - self.full_frames(fps)) / (self.fade_frames(fps) + 1)
        return min(1.0, max(0.0, 1 - gone))


@dataclass(frozen=True)
class Label:
    """A label for one frame size: where it lies (pixels) and what it does to the pixels there.

    `light` is the label's colour times its opacity, `keep` how much of the frame stays (0 to 256); both are
    uint16 arrays of shape (height, width, 3 or 1), so that blending is one multiply-add. `ink_height` is that
    of the text that the standard asks for.
    """

    style: LabelStyle
    top: int
    left: int
    light: NDArray[np.uint16]
    keep: NDArray[np.uint16]
    ink_height: int

    def stamp(self, frame: Frame, strength: float = 1.0) -> None:
        """Blend the label onto a frame (uint8, height x width x 3), in place; `strength` 0 to 1."""
        if strength <= 0:
            return
        light, keep = self.light, self.keep
        if strength < 1:
            part = round(strength * 256)
            # Light and cover are shares of one opacity: both shrink alike, or dark ground would wrap around.
            light = (light.astype(np.uint32) * part >> 8).astype(np.uint16)
            keep = (256 - ((256 - keep.astype(np.uint32)) * part >> 8)).astype(np.uint16)
        height, width = light.shape[:2]
        place = frame[self.top : self.top + height, self.left : self.left + width]
        place[...] = (place * keep + light) >> 8

    def stamp_frame(self, frame: Frame, number: int, fps: float) -> None:
        """Blend it onto frame `number` (from 0) of a clip, as far as it stands there."""
        self.stamp(frame, self.style.strength(number, fps))


@dataclass(frozen=True)
class _Line:
    text: str
    font: ImageFont.FreeTypeFont
    stroke: float
    above: int
    """Free pixels above its ink."""


@lru_cache(maxsize=32)
def label_for(style: LabelStyle, width: int, height: int) -> Label:
    """The label for frames of this size, in its corner; drawn even if it is not to be shown."""
    short = min(width, height)
    need = max(_MIN_INK, _MIN_SHARE * short)
    pad_x, pad_y = round(need * 0.62), round(need * 0.42)
    margin = max(4, round(short * 0.028))
    widest = width * _WIDEST if style.stacked else width - 2 * margin
    lines = _set(style, need, int(widest) - 2 * pad_x)
    inks = _inks(lines)
    plate_w = min(width, round(max(_wide(line) for line in lines)) + 2 * pad_x)
    tall = sum(line.above + bottom - top for line, (top, bottom) in zip(lines, inks, strict=True))
    plate_h = min(height, tall + 2 * pad_y)
    picture = _plate(plate_w, plate_h, radius=need * 0.5)
    draw = ImageDraw.Draw(picture)
    y = pad_y
    for line, (top, bottom) in zip(lines, inks, strict=True):
        y += line.above
        left, _, right, _ = line.font.getbbox(line.text)
        x = pad_x - left if style.corner.endswith("left") else plate_w - pad_x - right
        at = (x, y - top)
        draw.text(at, line.text, font=line.font, fill=_WHITE, stroke_width=line.stroke, stroke_fill=_WHITE)
        y += bottom - top
    pixels = np.asarray(picture, dtype=np.uint32)
    alpha = pixels[..., 3:] * 256 // 255
    main = max(range(len(lines)), key=lambda at: lines[at].font.size)
    return Label(
        style=style,
        top=margin if style.corner.startswith("top") else max(0, height - margin - plate_h),
        left=margin if style.corner.endswith("left") else max(0, width - margin - plate_w),
        light=(pixels[..., :3] * alpha).astype(np.uint16),
        keep=(256 - alpha).astype(np.uint16),
        ink_height=inks[main][1] - inks[main][0],
    )


def _set(style: LabelStyle, need: float, room: int) -> list[_Line]:
    """The text in lines no wider than `room`: what the standard asks for in capitals `need` pixels high."""
    big = _font_for(need)
    parts = [part.strip() for part in style.text.split("·") if part.strip()]
    told = next((at for at, part in enumerate(parts) if says_made_by_ai(part)), None)
    if not style.stacked or told is None or len(parts) == 1:
        # The font's middle dot is as wide as a Han character: its own space is enough.
        texts = _lines(style.text.replace(" · ", "·"), big, room)
        return [
            _Line(text, big, need * 0.018, round(need * 0.5) if at else 0) for at, text in enumerate(texts)
        ]
    lesser = max(_MIN_SMALL_INK, need * _SMALL)
    small = _font_for(lesser)
    lines: list[_Line] = []
    for at, part in enumerate(parts):
        font, high = (big, need) if at == told else (small, lesser)
        for text in _lines(part, font, room):
            lines.append(_Line(text, font, high * 0.025, round(lesser * 0.5) if lines else 0))
    return lines


def _wide(line: _Line) -> float:
    left, _, right, _ = line.font.getbbox(line.text)
    return right - left


def _inks(lines: list[_Line]) -> list[tuple[int, int]]:
    """Where each line's ink begins and ends, from its font's top: lines of one font are alike high."""
    boxes = [line.font.getbbox(line.text) for line in lines]
    alike = {
        line.font.size: [box for other, box in zip(lines, boxes, strict=True) if other.font is line.font]
        for line in lines
    }
    return [
        (round(min(box[1] for box in same)), round(max(box[3] for box in same)))
        for same in (alike[line.font.size] for line in lines)
    ]


def _font_for(need: float) -> ImageFont.FreeTypeFont:
    """The smallest font whose capitals are `need` pixels high."""
    size = int(need / 0.75)
    while True:
        font = ImageFont.truetype(FONT_PATH, size, index=_FACE_SC)
        _, top, _, bottom = font.getbbox("AI")
        if bottom - top >= need:
            return font
        size += 1


def _lines(text: str, font: ImageFont.FreeTypeFont, room: int) -> list[str]:
    """The text in as few lines as fit: broken at separators or spaces, inside a word only if it must be."""
    if font.getlength(text) <= room:
        return [text]
    lines = [""]
    for word in text.replace("·", " ").split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= room:
            lines[-1] = longer
            continue
        lines.append("")
        for character in word:
            if lines[-1] and font.getlength(lines[-1] + character) > room:
                lines.append("")
            lines[-1] += character
    return [line for line in lines if line]


def _plate(width: int, height: int, *, radius: float) -> Image.Image:
    """A dark translucent plate with smooth round corners."""
    scale = 4
    big = Image.new("L", (width * scale, height * scale), 0)
    box = (0, 0, width * scale - 1, height * scale - 1)
    ImageDraw.Draw(big).rounded_rectangle(box, radius * scale, fill=_PLATE[3])
    plate = Image.new("RGBA", (width, height), (*_PLATE[:3], 0))
    plate.putalpha(big.resize((width, height), Image.Resampling.LANCZOS))
    return plate

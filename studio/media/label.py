"""The visible label "AI生成": drawn once as a picture, then blended onto each frame.

GB 45438-2025 asks for text at least 5 % of the frame's short side high, legible, in a fitting place. This is
the one place where frames are marked; a later trust layer stands here.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from noto_cjk_sans_otc import FONT_PATH
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Frame = NDArray[np.uint8]

# Faces of the collection: 0 Japanese, 1 Korean, 2 Simplified Chinese. The glyph shapes differ.
_FACE_SC = 2
# Capitals, the lowest of the letters that count, are 0.73 em high: see `_font_for`.
_MIN_SHARE = 0.05
_MIN_INK = 11.0
_WHITE = (255, 255, 255, 238)
_PLATE = (12, 14, 18, 108)


@dataclass(frozen=True)
class Label:
    """A label for one frame size: where it lies (pixels) and what it does to the pixels there.

    `light` is the label's colour times its opacity, `keep` how much of the frame stays (0 to 256); both are
    uint16 arrays of shape (height, width, 3 or 1), so that blending is one multiply-add.
    """

    top: int
    left: int
    light: NDArray[np.uint16]
    keep: NDArray[np.uint16]
    ink_height: int

    def stamp(self, frame: Frame) -> None:
        """Blend the label onto a frame (uint8, height x width x 3), in place."""
        height, width = self.light.shape[:2]
        place = frame[self.top : self.top + height, self.left : self.left + width]
        place[...] = (place * self.keep + self.light) >> 8


@lru_cache(maxsize=16)
def label_for(text: str, width: int, height: int) -> Label:
    """The label for frames of this size, bottom right; broken into lines where one line would be too wide."""
    short = min(width, height)
    need = max(_MIN_INK, _MIN_SHARE * short)
    font = _font_for(need)
    pad_x, pad_y = round(need * 0.62), round(need * 0.42)
    margin = max(4, round(short * 0.028))
    # The font's middle dot is as wide as a Han character: its own space is enough.
    lines = _lines(text.replace(" · ", "·"), font, width - 2 * (margin + pad_x))
    leading = round(need * 0.5)
    boxes = [font.getbbox(line) for line in lines]
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    ink = round(bottom - top)
    plate_w = round(max(box[2] - box[0] for box in boxes)) + 2 * pad_x
    plate_h = ink * len(lines) + leading * (len(lines) - 1) + 2 * pad_y
    plate_w, plate_h = min(plate_w, width), min(plate_h, height)
    picture = _plate(plate_w, plate_h, radius=need * 0.5)
    draw = ImageDraw.Draw(picture)
    for row, (line, box) in enumerate(zip(lines, boxes, strict=True)):
        at = (plate_w - pad_x - box[2], pad_y - top + row * (ink + leading))
        draw.text(at, line, font=font, fill=_WHITE, stroke_width=need * 0.018, stroke_fill=_WHITE)
    pixels = np.asarray(picture, dtype=np.uint32)
    alpha = pixels[..., 3:] * 256 // 255
    return Label(
        top=max(0, height - margin - plate_h),
        left=max(0, width - margin - plate_w),
        light=(pixels[..., :3] * alpha).astype(np.uint16),
        keep=(256 - alpha).astype(np.uint16),
        ink_height=ink,
    )


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

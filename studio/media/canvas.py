"""What a film is drawn on, and what stands on it: sizes, the label's place, the logo, the end card.

Pictures that people bring are opened here: three formats, limited in size before a pixel is read.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from noto_cjk_sans_otc import FONT_PATH
from PIL import Image, ImageDraw, ImageFont, ImageOps

from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle, label_for
from studio.media.timeline import EndCard, FilmCut, Logo, frame_size

PICTURE_FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PICTURE_SIDE = 4096
MAX_PICTURE_MB = 30
# Televisions and players may hide what lies nearer to the edge.
SAFE_SHARE = 0.05
LOGO_HEIGHTS = (0.02, 0.4)
_LOGO_WIDEST = 0.4
# Simplified Chinese in the font's collection.
_FACE_SC = 2
# A Han character with the marks that may not begin a line, a word of anything else, or a gap.
_TOKENS = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff][\u3001-\u3011\uff01-\uff1f”’…]*|[^\s\u2e80-\u9fff]+|\s+")


@dataclass(frozen=True)
class Canvas:
    """What a shot's pictures are made for; width and height in pixels, both even."""

    width: int
    height: int
    fps: int
    look: str = ""
    fps_mode: Literal["blend", "motion"] = "blend"


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels from the frame's top left corner."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Placed:
    """A picture (RGBA) and where it lies on the frame."""

    picture: Image.Image
    box: Box


def canvas_of(cut: FilmCut) -> Canvas:
    """The canvas of a film."""
    width, height = frame_size(cut.format, cut.height)
    return Canvas(width, height, cut.fps, cut.look, cut.fps_mode)


def place_label(style: LabelStyle, canvas: Canvas) -> Placed:
    """The visible label as a picture, in its corner."""
    label = label_for(style, canvas.width, canvas.height)
    height, width = label.light.shape[:2]
    cover = 256 - label.keep.astype(np.uint32)
    colour = np.minimum(255, label.light.astype(np.uint32) // np.maximum(cover, 1))
    pixels = np.concatenate([colour, np.minimum(cover, 255)], axis=2).astype(np.uint8)
    return Placed(Image.fromarray(pixels, "RGBA"), Box(label.left, label.top, width, height))


def place_logo(logo: Logo, canvas: Canvas) -> Placed:
    """The logo at its size and opacity, in its corner of the safe area; MediaError as `open_picture`."""
    low, high = LOGO_HEIGHTS
    short = min(canvas.width, canvas.height)
    room = (round(canvas.width * _LOGO_WIDEST), round(short * min(high, max(low, logo.height))))
    picture = _fitted(open_picture(logo.path, "logo"), room)
    opacity = min(1.0, max(0.0, logo.opacity))
    picture.putalpha(picture.getchannel("A").point(lambda alpha: round(alpha * opacity)))
    safe = round(short * SAFE_SHARE)
    left = safe if logo.corner.endswith("left") else canvas.width - safe - picture.width
    top = safe if logo.corner.startswith("top") else canvas.height - safe - picture.height
    return Placed(picture, Box(left, top, picture.width, picture.height))


def draw_card(card: EndCard, canvas: Canvas) -> Image.Image:
    """The end card (RGB): the logo above the text, both in the middle of the plain ground."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", card.ground):
        raise ValueError(f"a ground is #rrggbb, not {card.ground}")
    width, height = canvas.width, canvas.height
    picture = Image.new("RGB", (width, height), card.ground)
    logo = None
    if card.logo is not None:
        logo = _fitted(open_picture(card.logo, "logo"), (round(width * 0.5), round(height * 0.28)))
    gap = round(min(width, height) * 0.07) if logo and card.text.strip() else 0
    used = (logo.height if logo else 0) + gap
    room = (round(width * 0.84), round(height * 0.84) - used)
    lines, font, leading = _text_that_fits(card.text, room, min(width, height))
    top = (height - used - leading * len(lines)) // 2
    if logo:
        picture.paste(logo, ((width - logo.width) // 2, top), logo)
    draw = ImageDraw.Draw(picture)
    light = ImageOps.grayscale(picture).getpixel((0, 0))
    ink = "#f4f5f7" if isinstance(light, int | float) and light < 140 else "#14171c"
    for row, line in enumerate(lines):
        middle = top + used + leading * row + leading // 2
        draw.text((width // 2, middle), line, font=font, fill=ink, anchor="mm")
    return picture


def open_picture(path: Path, kind: Literal["logo", "picture"]) -> Image.Image:
    """A picture that somebody brought, as RGBA and upright.

    MediaError "logo_bad" or "picture_bad" if it is no PNG, JPEG or WebP; "logo_too_big" or "picture_too_big"
    above 4096 pixels a side or 30 MB. What is too big is never decoded.
    """
    too_big = "logo_too_big" if kind == "logo" else "picture_too_big"
    bad = "logo_bad" if kind == "logo" else "picture_bad"
    try:
        if path.stat().st_size > MAX_PICTURE_MB * 1024 * 1024:
            raise MediaError(too_big, high=MAX_PICTURE_SIDE, megabytes=MAX_PICTURE_MB)
        with Image.open(path, formats=PICTURE_FORMATS) as picture:
            if max(picture.size) > MAX_PICTURE_SIDE:
                raise MediaError(too_big, high=MAX_PICTURE_SIDE, megabytes=MAX_PICTURE_MB)
            return ImageOps.exif_transpose(picture).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise MediaError(too_big, high=MAX_PICTURE_SIDE, megabytes=MAX_PICTURE_MB) from error
    # Pillow's readers raise whatever a broken file makes them stumble over.
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise MediaError(bad, stderr=str(error)) from error


def _fitted(picture: Image.Image, room: tuple[int, int]) -> Image.Image:
    """The picture as large as the room allows, at least a pixel."""
    factor = min(room[0] / picture.width, room[1] / picture.height)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _text_that_fits(
    text: str, room: tuple[int, int], short: int
) -> tuple[list[str], ImageFont.FreeTypeFont, int]:
    """The text's lines, its font and the line height: as large as fits, cut off if even small does not.

    `short` is the frame's short side, of which the sizes are shares.
    """
    sizes = [max(9, round(short * share)) for share in (0.085, 0.075, 0.065, 0.055, 0.045)]
    # Rather a little smaller than broken within a line; rather broken than tiny.
    for size, may_break in [*((size, False) for size in sizes[:4]), *((size, True) for size in sizes)]:
        font = _font(size)
        leading = round(size * 1.5)
        lines = _wrapped(text, font, room[0])
        whole = len(lines) == len(text.strip().splitlines())
        if leading * len(lines) <= room[1] and (whole or may_break):
            return lines, font, leading
    fit = max(1, room[1] // leading)
    return [*lines[: fit - 1], lines[fit - 1][:-1] + "…"], font, leading


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: int) -> list[str]:
    """Lines no wider than `room`; line breaks in the text stay, a word is broken only if it must be."""
    lines: list[str] = []
    for paragraph in text.strip().splitlines():
        lines.append("")
        for token in _TOKENS.findall(paragraph.strip()):
            parts = [token] if font.getlength(token) <= room else list(token)
            for part in parts:
                if lines[-1] and font.getlength(lines[-1] + part) > room:
                    lines[-1] = lines[-1].rstrip()
                    lines.append("")
                lines[-1] += part if lines[-1] else part.lstrip()
    return lines


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_PATH, size, index=_FACE_SC)

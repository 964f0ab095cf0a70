"""Pictures that a clip begins with: what people bring, made plain; and a frame of a clip that is there.

A picture is written anew from its pixels alone, so nothing of the file that was brought is kept: no metadata,
no place, no second picture. Files are not trusted.
"""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
from PIL import Image, ImageCms, ImageOps

from pipelines.models import Size
from studio.media.cut import unlabelled
from studio.media.ffmpeg import MediaError, run
from studio.media.label import LabelStyle
from studio.media.probe import probe
from studio.media.whole import unfinished

MAX_BYTES = 25 * 1000 * 1000
MAX_PIXELS = 50 * 1000 * 1000
SMALLEST_SIDE = 64
LONGEST_SIDE = 2560
"""A larger picture is made smaller: no model makes clips of more pixels."""
CONTINUES_AT = 3
"""A clip is gone on from its third frame from the end: models let the last ones go soft."""

_FORMATS = ("PNG", "JPEG", "WEBP")
# What phones and browsers make too, known by their first bytes and never opened.
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
# Each picture of a GIF that moves says how long it stays.
_GIF_STAYS = b"\x21\xf9\x04"
# MPO is what many phones make: a JPEG with a second picture in it.
_ONE_PICTURE = ("JPEG", "MPO")
# What Pillow's readers raise over a file that is broken, or made to break them.
_BROKEN = (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, OverflowError, EOFError)


@dataclass(frozen=True)
class Still:
    """A picture as a PNG file in sRGB, upright, without transparency; width and height in pixels."""

    png: bytes
    width: int
    height: int


def normal(data: bytes) -> Still:
    """A picture that somebody brought, made plain.

    MediaError "file_empty", "picture_bad" (no PNG, JPEG or WebP, or broken), "still_too_big" above 25 MB or
    50 million pixels (never decoded), "still_animated", "still_heic", "picture_small" below 64 pixels a side.
    """
    if not data:
        raise MediaError("file_empty")
    if len(data) > MAX_BYTES:
        raise _too_big()
    _refuse_by_name(data)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_big()
            if getattr(picture, "n_frames", 1) > 1 and picture.format not in _ONE_PICTURE:
                raise MediaError("still_animated")
            if min(picture.size) < SMALLEST_SIDE:
                raise MediaError("picture_small", low=SMALLEST_SIDE)
            plain = _plain(picture)
    except Image.DecompressionBombError as error:
        raise _too_big() from error
    except _BROKEN as error:
        raise MediaError("picture_bad", stderr=str(error)) from error
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if min(plain.size) < SMALLEST_SIDE:
        # A ribbon: no frame is filled by it.
        raise MediaError("picture_small", low=SMALLEST_SIDE)
    buffer = io.BytesIO()
    plain.save(buffer, "PNG")
    return Still(buffer.getvalue(), plain.width, plain.height)


def _refuse_by_name(data: bytes) -> None:
    """What people often bring, and can do something about: a phone's HEIC, a GIF of several pictures."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        raise MediaError("still_heic")
    if data[:6] in (b"GIF87a", b"GIF89a") and data.count(_GIF_STAYS) > 1:
        raise MediaError("still_animated")


def frame_of(
    path: Path,
    label: LabelStyle | None,
    target: Path,
    *,
    from_end: int = CONTINUES_AT,
    should_stop: Callable[[], bool] = lambda: False,
) -> int:
    """Write a frame of a clip made here as PNG, counted `from_end`; which one it is, from 0.

    The visible `label` on it is drawn over with its surroundings: it would stand in the next clip twice.
    MediaError "file_empty", "not_a_video", "clip_short"; Cancelled.
    """
    facts = probe(path)
    at = facts.frames - from_end
    if at < 0:
        raise MediaError("clip_short")
    source = ffmpeg.input(f"file:{path.absolute()}", f="mp4", protocol_whitelist="file", threads=1)
    video = source.video.filter("trim", start_frame=at, end_frame=at + 1)
    if label is not None:
        size = Size(facts.width, facts.height)
        video = unlabelled(video, label, size, fps=facts.fps, frames=1, first=at)
    video = video.filter("scale", in_color_matrix="bt709", in_range="tv", flags="lanczos+accurate_rnd")
    video = video.filter("format", "rgb24")
    with unfinished(target) as part:
        run(
            ffmpeg.output(video, f"file:{part.absolute()}", f="image2", vcodec="png", vframes=1, update=1),
            should_stop=should_stop,
        )
        if not part.is_file():
            raise MediaError("not_a_video")
        os.replace(part, target)
    return at


def _plain(picture: Image.Image) -> Image.Image:
    """Upright, in sRGB, on white where one could see through it."""
    profile = picture.info.get("icc_profile")
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
        # Sixteen bits a pixel: Pillow would cut off all above 255.
        upright = upright.convert("F").point(lambda light: light / 257).convert("L")
    if upright.mode in ("RGBA", "LA", "PA", "P", "La", "RGBa"):
        over = upright.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        upright = Image.alpha_composite(ground, over).convert("RGB")
    return _in_srgb(upright, profile).convert("RGB")


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    if not isinstance(profile, bytes) or picture.mode not in ("RGB", "CMYK", "L"):
        return picture
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        found = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return picture if found is None else found
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A profile that is broken or of another kind: the numbers as they are.
        return picture


def _too_big() -> MediaError:
    return MediaError("still_too_big", megabytes=MAX_BYTES // 1_000_000, pixels=MAX_PIXELS // 1_000_000)

"""Many clips as one video: pages of tiles with their captions, each page as long as its longest clip.

ffmpeg puts a page together on a picture that is drawn once; the frames then go through the same hands as
those of any clip: fingerprint, label, encoder (`media.clip.write_clip`).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import av
import ffmpeg
import numpy as np
from noto_cjk_sans_otc import FONT_PATH
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipelines.request import Cancelled
from studio.media import ffmpeg as program
from studio.media.canvas import Box, Canvas
from studio.media.clip import ClipFacts, write_clip
from studio.media.cut import intermediate
from studio.media.label import LabelStyle, label_for
from studio.media.probe import Facts, probe

Frame = NDArray[np.uint8]

MOST_TILES = 16
"""On one page."""
MAX_SECONDS = 30.0
"""Of one page: longer clips are cut off there."""
_WIDEST, _HIGHEST = 1920, 1080
# A tile is enlarged at most so much: a small clip stays sharp, and a caption still has room.
_ENLARGED = 2.0
# How much of a page's width a label may take: a title stands beside it.
_MOST_LABEL = 0.66
_SC = 2
_GROUND, _SCREEN, _TEXT, _MUTED = "#0f1115", "#08090b", "#e9e6df", "#9aa3ad"


@dataclass(frozen=True)
class Tile:
    """One clip and what stands below it, in one line."""

    path: Path
    caption: str


@dataclass(frozen=True)
class Sheet:
    """How a page is divided. `tiles` are the boxes of the clips; captions lie right below them.

    `strip` is the room for the title and, across from it, the label.
    """

    width: int
    height: int
    tiles: tuple[Box, ...]
    caption: int
    strip: Box


def pages_of(tiles: Sequence[Tile], most: int = MOST_TILES) -> list[Sequence[Tile]]:
    """The tiles in pages of about the same number."""
    pages = max(1, math.ceil(len(tiles) / most))
    size = math.ceil(len(tiles) / pages)
    return [tiles[at : at + size] for at in range(0, len(tiles), size)]


def sheet_of(count: int, width: int, height: int, label: LabelStyle, columns: int | None = None) -> Sheet:
    """How `count` clips of about that size (pixels) are laid out on a page of at most 1920 x 1080 pixels.

    `columns` is a wish; without one the page is about as wide as a screen.
    """
    if not 1 <= count <= MOST_TILES:
        raise ValueError(f"a page has 1 to {MOST_TILES} tiles, not {count}")
    columns = min(count, columns or _columns(count, width / height))
    # What the label leaves: it is as high as the standard asks for, in one line less than in two.
    sheets = (_sheet(count, width, height, label, columns, share) for share in (0.88, 0.84))
    fits = next((sheet for sheet in sheets if sheet.height <= _HIGHEST), None)
    return fits or _sheet(count, width, height, label, columns, 0.79)


def _sheet(count: int, width: int, height: int, label: LabelStyle, columns: int, share: float) -> Sheet:
    """A page whose clips and captions take at most a share of the height that there is."""
    rows = math.ceil(count / columns)
    gap, caption = 12, 30
    room_wide = (_WIDEST - gap * (columns + 1)) / columns
    room_high = (share * _HIGHEST - gap - rows * (caption + gap)) / rows
    scale = min(_ENLARGED, room_wide / width, room_high / height)
    wide, high = _even(width * scale), _even(height * scale)
    whole = _even(max(640, columns * (wide + gap) + gap))
    body = rows * (high + caption + gap) + gap
    # The label lies in a strip of its own, on no clip and no caption.
    strip = _even(max(48, _label_room(label, whole, body)))
    top = label.corner.startswith("top")
    left = (whole - columns * wide - (columns - 1) * gap) // 2
    boxes = tuple(
        Box(
            left + (at % columns) * (wide + gap),
            (strip if top else 0) + gap + (at // columns) * (high + caption + gap),
            wide,
            high,
        )
        for at in range(count)
    )
    place = Box(left, 0 if top else body, whole - 2 * left, strip)
    return Sheet(whole, _even(body + strip), boxes, caption, place)


def flatter(tiles: Sequence[Tile], label: LabelStyle, columns: int | None = None) -> LabelStyle:
    """The label in one line where that leaves more room to the clips, and room for a title beside it."""
    if not label.shown:
        return label
    flat = replace(label, stacked=False)
    widest, usual, _ = _measured(tiles)
    sheets = [sheet_of(widest, usual.width, usual.height, one, columns) for one in (label, flat)]
    drawn = label_for(flat, sheets[1].width, sheets[1].height)
    fits = drawn.light.shape[1] <= _MOST_LABEL * sheets[1].width
    return flat if fits and sheets[1].strip.height < sheets[0].strip.height else label


def page_graph(
    sheet: Sheet, tiles: Sequence[Tile], ground: Path, target: Path, *, fps: int, frames: int
) -> Any:
    """The graph of one page: every clip at its place on the ground; one that ends earlier stands still."""
    page = ffmpeg.input(f"file:{ground.absolute()}", f="image2", loop=1, framerate=fps)
    for at, (tile, box) in enumerate(zip(tiles, sheet.tiles, strict=True)):
        # The number makes two tiles of one file two inputs.
        clip = ffmpeg.input(f"file:{tile.path.absolute()}", f="mov", thread_queue_size=8 + at)
        clip = clip.video.filter("fps", fps).filter(
            "scale", box.width, box.height, force_original_aspect_ratio="decrease", flags="lanczos"
        )
        clip = clip.filter(
            "pad", box.width, box.height, "(ow-iw)/2", "(oh-ih)/2", color=_SCREEN.replace("#", "0x")
        )
        clip = clip.filter("setsar", 1).filter("tpad", stop_mode="clone", stop_duration=MAX_SECONDS)
        page = page.overlay(clip, x=box.left, y=box.top, eof_action="repeat", format="yuv444")
    return intermediate(page, frames, Canvas(sheet.width, sheet.height, fps), target)


def make_mosaic(
    title: str,
    tiles: Sequence[Tile],
    path: Path,
    *,
    aside: Path,
    label: LabelStyle,
    comment: str,
    tags: Mapping[str, str],
    mark: Callable[[Frame], None] | None = None,
    columns: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ClipFacts:
    """Make the video at `path`; `aside` is an empty folder for what lies about meanwhile.

    `on_progress(done, total)` counts frames of work. Raises MediaError for a clip that can't be read, or when
    ffmpeg does not end well; Cancelled soon after `should_stop()` turns true. Nothing is at `path` then.
    """
    widest, usual, facts = _measured(tiles)
    fps = min(30, max(round(one.fps) for one in facts))
    pages = pages_of(tiles)
    sheet = sheet_of(widest, usual.width, usual.height, label, columns)
    counts = [max(1, round(seconds * fps)) for seconds in _lengths(pages, facts)]
    total, files = 2 * sum(counts), []
    for at, (page, count) in enumerate(zip(pages, counts, strict=True)):
        told = sum(counts[:at])
        file, ground = aside / f"page-{at}.mp4", aside / f"page-{at}.png"
        own = Sheet(sheet.width, sheet.height, sheet.tiles[: len(page)], sheet.caption, sheet.strip)
        name = title if len(pages) == 1 else f"{title} · {at + 1}/{len(pages)}"
        draw_ground(own, name, [tile.caption for tile in page], label).save(ground)
        graph = page_graph(own, page, ground, file, fps=fps, frames=count)
        program.run(graph, should_stop=should_stop, on_frame=partial(_tell, on_progress, told, total))
        files.append(file)

    def frames() -> Iterator[Frame]:
        for number, frame in enumerate(_frames(files)):
            if should_stop():
                raise Cancelled
            if number % fps == 0:
                on_progress(sum(counts) + number, total)
            yield frame

    return write_clip(
        frames(),
        path=path,
        fps=fps,
        comment=comment,
        tags=tags,
        label=label,
        mark=mark,
        expected_frames=sum(counts),
    )


def _measured(tiles: Sequence[Tile]) -> tuple[int, Facts, list[Facts]]:
    """How many tiles the fullest page has, what a clip usually is, and what each is."""
    facts = [probe(tile.path) for tile in tiles]
    usual = max(facts, key=lambda one: sum(one.width == other.width for other in facts))
    return max(map(len, pages_of(tiles))), usual, facts


def draw_ground(sheet: Sheet, title: str, captions: Sequence[str], label: LabelStyle) -> Image.Image:
    """What lies under the clips of a page: their captions, and the title across from the label."""
    picture = Image.new("RGB", (sheet.width, sheet.height), _GROUND)
    draw = ImageDraw.Draw(picture)
    small = ImageFont.truetype(FONT_PATH, 17, index=_SC)
    for box, caption in zip(sheet.tiles, captions, strict=True):
        draw.rectangle((box.left, box.top, box.left + box.width - 1, box.top + box.height - 1), _SCREEN)
        place = (box.left + box.width / 2, box.top + box.height + sheet.caption / 2)
        draw.text(place, fitted(caption, small, box.width), font=small, fill=_MUTED, anchor="mm")
    large = ImageFont.truetype(FONT_PATH, 24, index=_SC)
    label_wide = label_for(label, sheet.width, sheet.height).light.shape[1] if label.shown else 0
    room, middle = sheet.strip.width - label_wide - 40, sheet.strip.top + sheet.strip.height / 2
    right = label.corner.endswith("left")
    x = sheet.strip.left + (sheet.strip.width if right else 0)
    draw.text((x, middle), fitted(title, large, room), font=large, fill=_TEXT, anchor="rm" if right else "lm")
    return picture


def fitted(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """The text in one line, its end left out where it is too long."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if font.getlength(line) <= room:
        return line
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(line[:middle] + "…") <= room else (low, middle - 1)
    return line[:low].rstrip() + "…"


def _columns(count: int, ratio: float) -> int:
    """So many columns that the page's shape comes nearest to a screen's."""
    return min(range(1, count + 1), key=lambda n: abs(math.log(n * ratio / math.ceil(count / n) * 9 / 16)))


def _lengths(pages: Sequence[Sequence[Tile]], facts: Sequence[Facts]) -> Iterator[float]:
    left = iter(facts)
    for page in pages:
        yield min(MAX_SECONDS, max(next(left).seconds for _ in page))


def _label_room(label: LabelStyle, width: int, body: int) -> int:
    if not label.shown:
        return 0
    drawn = label_for(label, width, _even(body * 1.1))
    high = int(drawn.light.shape[0])
    margin = drawn.top if label.corner.startswith("top") else _even(body * 1.1) - drawn.top - high
    # Above it the gap between the rows is margin enough.
    return high + margin + min(margin, 12)


def _frames(files: Sequence[Path]) -> Iterator[Frame]:
    for file in files:
        with av.open(str(file), options={"protocol_whitelist": "file"}) as opened:
            for frame in opened.decode(video=0):
                pixels: Frame = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
                yield pixels


def _tell(on_progress: Callable[[int, int], None], before: int, total: int, frame: int) -> None:
    on_progress(before + frame, total)


def _even(number: float) -> int:
    return max(2, int(number) // 2 * 2)

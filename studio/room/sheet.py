"""What was decided, to keep and to hand on: a table (CSV) and a sheet to print (PDF)."""

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typst
from noto_cjk_sans_otc import FONT_PATH
from PIL import Image

from studio.db import utc_now
from studio.room.rooms import RoomView, is_stale
from studio.room.types import FILM, Comment, Item, Verdict
from studio.room.verdicts import newest
from studio.words import Language, room

_TEMPLATE = Path(__file__).with_name("sheet.typ")
_COLUMNS = ("number", "title", "what", "counts", "name", "text", "time", "place", "when", "done")
# Cells that begin so are formulas to a spreadsheet.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def table(view: RoomView, language: Language) -> str:
    """Every decision and comment as a row, in the items' order; an item without any has a row, too."""
    said = room(language)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([said[f"column_{name}"] for name in _COLUMNS])
    for item in _items(view):
        rows = [_of_verdict(view, one, said) for one in view.verdicts if one.item == item.id]
        rows += [_of_comment(one, said) for one in view.comments if one.item == item.id]
        for row in rows or [{"what": said["verdict_none"]}]:
            about = {"number": item.number or "", "title": _title(item, said)}
            writer.writerow([_safe((about | row).get(name, "")) for name in _COLUMNS])
    return file.getvalue()


def paper(view: RoomView, language: Language, stills: Mapping[str, bytes]) -> bytes:
    """The sheet as a PDF: each item's still, what was decided of it, and what was said. `stills`: WebP."""
    said = room(language)
    with tempfile.TemporaryDirectory(prefix="sheet-") as folder:
        here = Path(folder)
        items = [_on_paper(view, item, said, _keep(here, item, stills)) for item in _items(view)]
        approved = sum(item["tone"] == "approve" for item in items)
        changes = sum(item["tone"] == "changes" for item in items)
        facts = said["sheet_facts"].format(items=len(items), approved=approved, changes=changes)
        data = {
            "title": view.contents.title or said["untitled"],
            "facts": facts,
            "footer": f"{said['sheet_title']} · {utc_now():%Y-%m-%d %H:%M} UTC",
            "lang": language,
            "words": {"no_still": said["no_still"]},
            "items": items,
        }
        (here / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        source = here / "sheet.typ"
        source.write_text(_TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
        fonts = [str(Path(FONT_PATH).parent)]
        return bytes(typst.compile(str(source), root=str(here), font_paths=fonts, ignore_system_fonts=True))


def _items(view: RoomView) -> Sequence[Item]:
    """What is in the room, and behind it what was spoken of and is no longer there."""
    there = {item.id for item in view.contents.items}
    spoken = dict.fromkeys([one.item for one in view.verdicts] + [one.item for one in view.comments])
    return [*view.contents.items, *(Item(one, 0, "", ()) for one in spoken if one not in there)]


def _title(item: Item, said: Mapping[str, str]) -> str:
    if item.id == FILM:
        return said["the_film"]
    if not item.number:
        return said["gone_item"]
    return item.title or said["shot"].format(number=item.number)


def _of_verdict(view: RoomView, one: Verdict, said: Mapping[str, str]) -> dict[str, Any]:
    counts = newest(view.verdicts)[one.item].id == one.id
    told = "counts_no" if not counts else "counts_stale" if is_stale(view.contents, one) else "counts_yes"
    return {
        "what": said[f"verdict_{one.what}"],
        "counts": said[told],
        "name": one.name,
        "text": one.text,
        "when": f"{one.at:%Y-%m-%d %H:%M:%S}",
    }


def _of_comment(one: Comment, said: Mapping[str, str]) -> dict[str, Any]:
    return {
        "what": said["answer" if one.parent else "comment"],
        "name": one.name,
        "text": one.text,
        "time": "" if one.seconds is None else clock(one.seconds),
        "place": "" if one.x is None or one.y is None else f"{one.x:.0%}, {one.y:.0%}",
        "when": f"{one.at:%Y-%m-%d %H:%M:%S}",
        "done": said["resolved"] if one.resolved else "",
    }


def _on_paper(view: RoomView, item: Item, said: Mapping[str, str], still: str) -> dict[str, Any]:
    verdicts = [one for one in view.verdicts if one.item == item.id]
    last = verdicts[-1] if verdicts else None
    number = f"{item.number}  " if item.number else ""
    comments = [one for one in view.comments if one.item == item.id]
    stale = last is not None and is_stale(view.contents, last)
    return {
        "title": number + _title(item, said) if item.title else _title(item, said),
        "still": still,
        "tall": item.asset is not None and item.asset.height > item.asset.width,
        "tone": "undecided" if last is None or stale else last.what,
        "verdict": said["verdict_none"] if last is None else said[f"verdict_{last.what}"],
        "by": "" if last is None else _by(last) + (f" · {said['counts_stale']}" if stale else ""),
        "text": "" if last is None else last.text,
        "older": [f"{said[f'verdict_{one.what}']} · {_by(one)} {one.text}" for one in verdicts[:-1]],
        "comments": [
            {"who": " · ".join(filter(None, _of_comment_by(one, said))), "text": one.text} for one in comments
        ],
    }


def _of_comment_by(one: Comment, said: Mapping[str, str]) -> tuple[str, ...]:
    told = _of_comment(one, said)
    answers = said["answer"] if one.parent else ""
    return one.name, answers, told["time"], f"{one.at:%Y-%m-%d %H:%M}", told["done"]


def _by(one: Verdict) -> str:
    return f"{one.name} · {one.at:%Y-%m-%d %H:%M} UTC"


def _keep(folder: Path, item: Item, stills: Mapping[str, bytes]) -> str:
    """An item's still as a JPEG beside the sheet's text; empty if there is none, or what is there is none."""
    content = stills.get(item.asset.id, b"") if item.asset is not None else b""
    name = f"{len(list(folder.iterdir()))}.jpg"
    try:
        with Image.open(io.BytesIO(content), formats=("WEBP",)) as picture:
            picture.convert("RGB").save(folder / name, "JPEG", quality=88)
    except (OSError, ValueError, Image.DecompressionBombError):
        # One that is broken may not break the sheet.
        (folder / name).unlink(missing_ok=True)
        return ""
    return name


def clock(seconds: float) -> str:
    """A moment in a clip: 1:07.4."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _safe(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULAS) else text

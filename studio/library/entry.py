"""What an asset is found by: its words by weight, its facets, its meaning. Read out of its texts once."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from studio.library.tables import asset_table, entry_table, tick
from studio.library.types import Asset
from studio.library.words import is_han, plain, tokens
from studio.styles import STYLES, Style
from studio.text.beings import kind_of
from studio.text.fields import fields_of
from studio.text.language import has_han
from studio.text.lexicon import visible
from studio.text.naming import names_in
from studio.text.terms import english_forms, inside_words, table

# Raised when entries are read otherwise than before: older ones are read anew, in the background. What is
# written along with a new asset takes no reading, and has none.
EDITION = 1
_PLAIN = 0

# How much a word counts by where it stands; one digit each, as the row keeps it.
TITLE, PROMPT, NAMES, TAGS, NARRATION, STYLE, FINAL, FACTS = 9, 9, 9, 7, 6, 6, 4, 5
_LONGEST = 6000
_MOST_NAMES = 8
_ARTICLE = re.compile(r"^(?:an?|the|his|her|their|one)\s+|^(?:一|两|几)?[个位只名条匹头]", re.IGNORECASE)

FindStyle = Callable[[str], Style | None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """`name`: what it is listed by. `words`: per line a weight (a digit) and its tokens, in their order.

    `facets` are (facet, value): people, theme, scene, style, size, format. `meaning`: int8 numbers, None if
    there was nothing to read it from. `edition`: of the reading that made it.
    """

    name: str
    words: str
    facets: tuple[tuple[str, str], ...]
    meaning: bytes | None
    edition: int = EDITION


def plain_entry(asset: Asset, find_style: FindStyle = STYLES.get) -> Entry:
    """What an asset is found by before anybody read it: its words as they stand. Takes no time."""
    facets = [("style", style)] if (style := _style(asset)) else []
    facets += [("size", str(asset.size)), ("format", format_of(asset.width, asset.height))]
    return Entry(asset.asked[:200], _lines(asset, find_style), tuple(facets), None, _PLAIN)


def entry_of(asset: Asset, find_style: FindStyle = STYLES.get) -> Entry:
    """Read an asset's texts: who, where, what about. Milliseconds, for a long film seconds.

    `find_style` gives the style of a name, whose titles it is found by, too.
    """
    plainly, told = plain_entry(asset, find_style), _told(asset)
    own = "\n".join((asset.asked, told))[:_LONGEST]
    names = _names(own)
    people = _people(names, "" if asset.kind == "film" else own)
    facets = [("people", name) for name in people]
    facets += [("scene", key) for key in _found("scenes", own)]
    facets += [("theme", key) for key in _found("tags", own)]
    words = _lines(asset, find_style, (*people, *_other_names(own, names)))
    facets += plainly.facets
    return Entry(plainly.name, words, tuple(dict.fromkeys(facets)), meaning_of(asset.asked or told))


def _lines(asset: Asset, find_style: FindStyle, names: Sequence[str] = ()) -> str:
    style = find_style(_style(asset)) if _style(asset) else None
    titles = [_style(asset)] if style is None else list(style.title.values())
    lines = [
        (TITLE if asset.title else PROMPT, asset.asked),
        (NAMES, " . ".join(names)),
        (NARRATION, _told(asset)),
        (STYLE, " . ".join(titles)),
        (FINAL, "" if asset.request is None else _added(asset.request.prompt, asset.asked)),
        (FACTS, " . ".join((asset.model, str(asset.form.get("seed", ""))))),
    ]
    return "\n".join(f"{weight}\t{' '.join(found)}" for weight, text in lines if (found := _read(text)))


def _style(asset: Asset) -> str:
    style = str(asset.form.get("style") or "")
    return "" if style == "none" else style


def write(connection: Connection, asset_id: str, entry: Entry) -> None:
    """Keep an asset's entry, instead of the one it had."""
    connection.execute(sa.delete(entry_table).where(entry_table.c.asset_id == asset_id))
    values = {"asset_id": asset_id, "edition": entry.edition, "name": entry.name, "words": entry.words}
    facets = "\n".join(f"{facet}\t{value}" for facet, value in entry.facets)
    connection.execute(sa.insert(entry_table).values(**values, facets=facets, meaning=entry.meaning))


def rewrite(connection: Connection, entries: Mapping[str, Entry]) -> None:
    """Write entries of assets that are there already, so that whoever looks finds them by these."""
    revision = tick(connection)
    there = sa.select(asset_table.c.id).where(asset_table.c.id.in_(list(entries)))
    for asset_id in connection.execute(there).scalars().all():
        write(connection, asset_id, entries[asset_id])
        changed = sa.update(asset_table).where(asset_table.c.id == asset_id)
        connection.execute(changed.values(revision=revision))


def unread(connection: Connection, limit: int) -> list[str]:
    """The ids of assets without an entry of this edition, the newest first."""
    ours = sa.and_(entry_table.c.asset_id == asset_table.c.id, entry_table.c.edition == EDITION)
    query = sa.select(asset_table.c.id).where(~sa.select(entry_table.c.asset_id).where(ours).exists())
    return list(connection.execute(query.order_by(asset_table.c.created.desc()).limit(limit)).scalars())


def format_of(width: int, height: int) -> str:
    """Wide, tall or square."""
    return "square" if width == height else "wide" if width > height else "tall"


def meaning_of(text: str) -> bytes | None:
    """A text's meaning as int8 numbers of about the same length; None if there is none or no encoder."""
    if not text.strip():
        return None
    try:
        from studio.text.meaning import meanings

        return packed(meanings([text[:400]])[0])
    except Exception:
        # It is looked for by its words then; a clip is never lost for that.
        log.warning("no meaning could be read", exc_info=True)
        return None


def packed(vector: Any) -> bytes:
    """A vector of length 1 as int8: its largest number becomes 127."""
    scale = 127 / max(float(np.abs(vector).max()), 1e-6)
    return bytes(np.round(vector * scale).astype(np.int8).tobytes())


def label_of(facet: str, value: str, language: str) -> str:
    """What a scene or a theme is called."""
    rows = table({"scene": "scenes", "theme": "tags"}[facet])
    return str(rows[value][language][0]) if value in rows else value


# -- reading -----------------------------------------------------------------------------------------------


def _told(asset: Asset) -> str:
    """What a film's narrator says."""
    if asset.plan is None:
        return ""
    shots = asset.plan.shots
    return "\n".join(text for shot in shots for text in (shot.narration, *shot.captions.values()) if text)


def _read(text: str) -> list[str]:
    return tokens(text[:_LONGEST])


def _added(prompt: str, asked: str) -> str:
    """What the style put around the prompt that was asked for."""
    return prompt.replace(asked, " . ") if asked else prompt


def _names(text: str) -> list[str]:
    return names_in(text, text) if text.strip() else []


def _people(names: Sequence[str], text: str) -> tuple[str, ...]:
    """Who is in it: those that have names, and the persons and animals that act in a text."""
    found = [*names, *(fields_of(text).subject if text.strip() else ())]
    kept: dict[str, str] = {}
    for name in found:
        short = _ARTICLE.sub("", " ".join(name.split()))
        if 1 < len(short) <= 24 and len(short.split()) <= 3 and kind_of(short) != "thing":
            kept.setdefault(plain(short), short if short[:1].isupper() else plain(short))
    return tuple(kept.values())[:_MOST_NAMES]


def _other_names(text: str, names: Sequence[str]) -> Iterable[str]:
    """What those of myths and festivals are called in the other language, and names in pinyin."""
    rows = table("myths")
    for hint in visible(text[:2000], "mixed"):
        if hint.kind != "tag":
            word = plain(hint.word)
            for row in rows.values():
                if word in map(plain, (*row["zh"], *row["en"])):
                    yield from (*row["zh"][:2], *row["en"][:2])
                    break
    for name in names[:_MOST_NAMES]:
        yield _pinyin(name)


def _pinyin(name: str) -> str:
    """孙悟空 as "sun wukong sunwukong"; empty for other scripts."""
    if not has_han(name) or not all(map(is_han, plain(name))):
        return ""
    from pypinyin import lazy_pinyin

    parts = lazy_pinyin(plain(name))
    return " ".join((parts[0], "".join(parts[1:]), "".join(parts)))


def _found(name: str, text: str) -> Iterable[str]:
    """The rows of a table of words (scenes, tags) whose words stand in a text."""
    read = plain(text)
    for key, pattern in _patterns(name).items():
        for match in pattern.finditer(read):
            if not has_han(match.group()) or inside_words(read, match.start(), match.end()):
                yield key
                break


@cache
def _patterns(name: str) -> dict[str, re.Pattern[str]]:
    return {
        key: re.compile(
            "|".join(map(re.escape, sorted(row["zh"], key=len, reverse=True)))
            + rf"|\b(?:{'|'.join(english_forms(word.lower()) for word in row['en'])})\b"
        )
        for key, row in table(name).items()
    }

"""Own styles: made by people, kept with all their versions, handed on as files. Shipped ones: `styles`.

A style's name is its key: who has it in a recipe may use it. Lists follow the rules of the room (`access`).
"""

import json
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.checking import Checker
from studio.db import UtcTime, metadata, reading, utc_now, writing
from studio.refusal import Refused
from studio.settings import Settings
from studio.story.problems import problem
from studio.styles import STYLES, Style, StyleWords
from studio.words import LANGUAGES

OWN = "own-"
MOST_OWN = 300
MAX_BYTES = 64 * 1024
STUDIO, KIND = "wan-studio", "style"
FileKind = Literal["toml", "json"]

style_table = sa.Table(
    "own_style",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    # Gone from all lists; kept, so that what was made with it can be made again.
    sa.Column("deleted", UtcTime),
    sa.Index("own_style_by_owner", "owner", "name"),
)


@dataclass(frozen=True)
class StyleView:
    """A style as a visitor sees it. `owner` is empty for a shipped one; `mine`: they may change it."""

    style: Style
    owner: str = ""
    mine: bool = False
    updated: datetime | None = None

    @property
    def shipped(self) -> bool:
        """Whether it comes with the studio."""
        return self.updated is None


class Styles:
    """Owns the table `own_style`; finds shipped and own styles alike."""

    def __init__(self, engine: Engine, settings: Settings, checker: Checker) -> None:
        self.engine, self._settings, self._checker = engine, settings, checker

    # -- looking -------------------------------------------------------------------------------------------

    def find(self, name: str, version: int | None = None) -> Style | None:
        """The style of that name: in that version if it is kept, else the newest; None if there is none."""
        if name in STYLES or not name.startswith(OWN):
            return STYLES.get(name)
        table = style_table.c
        wanted = sa.case((table.version == version, 0), else_=1)
        query = sa.select(style_table).where(table.name == name[:40]).order_by(wanted, table.version.desc())
        with reading(self.engine) as connection:
            row = connection.execute(query.limit(1)).mappings().first()
        return None if row is None else _style(row)

    def named(self, visitor: Visitor, text: str) -> str:
        """The name of the style that somebody calls by its name or title, in any case; else the text."""
        wanted = text.strip().casefold()
        for view in self.list(visitor):
            style = view.style
            if wanted in {style.name, *(title.casefold() for title in style.title.values())}:
                return style.name
        return text

    def list(self, visitor: Visitor) -> list[StyleView]:
        """What this visitor may choose from: the shipped ones, then own ones, the oldest first."""
        return [*(StyleView(style) for style in STYLES.values()), *self._own(visitor)]

    def get(self, visitor: Visitor, name: str) -> StyleView:
        """One style in its newest version; Refused if there is none, or it is not shown to this visitor."""
        found = next((view for view in self.list(visitor) if view.style.name == name), None)
        if found is None:
            raise Refused(Notice("style_gone"))
        return found

    def _own(self, visitor: Visitor) -> Sequence[StyleView]:
        table = style_table.c
        newest = sa.select(table.name, sa.func.max(table.version).label("version"))
        newest_of = newest.where(table.deleted.is_(None)).group_by(table.name).subquery()
        same = sa.and_(table.name == newest_of.c.name, table.version == newest_of.c.version)
        first = (
            sa.select(table.name, sa.func.min(table.created).label("made")).group_by(table.name).subquery()
        )
        query = sa.select(style_table).join(newest_of, same).join(first, first.c.name == table.name)
        if not access.sees_all(visitor, self._settings):
            query = query.where(table.owner == visitor.owner)
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(first.c.made, table.name)).mappings().all()
        return [_view(row, visitor) for row in rows]

    # -- changing ------------------------------------------------------------------------------------------

    def add(self, visitor: Visitor, words: Mapping[str, Any]) -> StyleView:
        """Keep a new own style of these words (`StyleWords`), as version 1; Refused if they can't be."""
        style = Style(name=f"{OWN}{secrets.token_hex(6)}", **self._checked(words))
        with reading(self.engine) as connection:
            table = style_table.c
            query = sa.select(sa.func.count(sa.distinct(table.name)))
            kept = connection.execute(
                query.where(table.owner == visitor.owner, table.deleted.is_(None))
            ).scalar()
        if (kept or 0) >= MOST_OWN:
            raise Refused(Notice("style_too_many", {"high": MOST_OWN}))
        return self._keep(visitor, visitor.owner, style)

    def save(self, visitor: Visitor, name: str, version: int, words: Mapping[str, Any]) -> StyleView:
        """One's own style with other words, as its next version; the same one if nothing is different.

        `version` is the one that was changed: Refused if somebody was quicker.
        """
        before = self._mine(visitor, name)
        found = self._checked(words)
        if before.style.version != version:
            raise Refused(Notice("style_changed"))
        if found == before.style.words().model_dump():
            return before
        return self._keep(visitor, before.owner, Style(name=name, version=version + 1, **found))

    def delete(self, visitor: Visitor, name: str) -> None:
        """Take one's own style off the lists; what was made with it can still be made again."""
        self._mine(visitor, name)
        change = sa.update(style_table).where(style_table.c.name == name).values(deleted=utc_now())
        with writing(self.engine) as connection:
            connection.execute(change)

    def _mine(self, visitor: Visitor, name: str) -> StyleView:
        found = self.get(visitor, name)
        if found.shipped:
            raise Refused(Notice("style_shipped"))
        if not found.mine:
            raise Refused(Notice("not_yours"))
        return found

    def _checked(self, words: Mapping[str, Any]) -> dict[str, Any]:
        """The words, whole and legal, and nothing in them that may not be used."""
        try:
            found = StyleWords.model_validate(dict(words))
        except ValidationError as error:
            raise Refused(_wrong(error)) from error
        texts = {"title": " · ".join(dict.fromkeys(found.title.values()))}
        for language in LANGUAGES:
            texts |= {
                f"prompt {language}": found.template[language],
                f"about {language}": found.about[language],
            }
        self._checker.passed({place: text for place, text in texts.items() if text.strip()})
        return found.model_dump()

    def _keep(self, visitor: Visitor, owner: str, style: Style) -> StyleView:
        row = {
            "name": style.name,
            "version": style.version,
            "owner": owner,
            "document": style.words().model_dump(mode="json"),
            "created": utc_now(),
            "deleted": None,
        }
        try:
            with writing(self.engine) as connection:
                connection.execute(sa.insert(style_table).values(**row))
        except IntegrityError as error:
            # Two people saved the same version at the same moment.
            raise Refused(Notice("style_changed")) from error
        return _view(row, visitor)

    # -- files ---------------------------------------------------------------------------------------------

    def export(self, visitor: Visitor, name: str, kind: FileKind = "toml") -> str:
        """A style as a file to keep or hand on, shipped or own."""
        style = self.get(visitor, name).style
        told = {"studio": STUDIO, "kind": KIND, "version": style.version}
        told |= style.words().model_dump(mode="json")
        return json.dumps(told, ensure_ascii=False, indent=1) + "\n" if kind == "json" else _toml(told)

    def bring(self, visitor: Visitor, data: bytes) -> StyleView:
        """A new own style out of a file, exported or written by hand as those in assets/styles.

        Refused: "style_file_big", "style_file_bad" (neither TOML nor JSON), or what is wrong with a value.
        """
        found = _read_file(data)
        for name in ("studio", "kind", "version", "order", "name"):
            found.pop(name, None)
        return self.add(visitor, found)


def _style(row: Mapping[Any, Any]) -> Style:
    return Style(name=row["name"], version=row["version"], **row["document"])


def _view(row: Mapping[Any, Any], visitor: Visitor) -> StyleView:
    mine = access.may_change(visitor, row["owner"])
    return StyleView(_style(row), owner=row["owner"], mine=mine, updated=row["created"])


def _wrong(error: ValidationError) -> Notice:
    """The first thing that is wrong: by the style's own rules, else by those of any document."""
    found = error.errors(include_url=False, include_input=False)[0]
    if str(found["type"]).startswith("style_"):
        return Notice(found["type"], dict(found.get("ctx", {})))
    told = problem(error).notice
    # Of a text in two languages the field is its name, not the language.
    return Notice(told.code, told.values | {"field": str(found["loc"][0])}) if found["loc"] else told


def _read_file(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise Refused(Notice("style_file_big", {"high": MAX_BYTES // 1024}))
    try:
        text = data.decode("utf-8-sig")
        found = json.loads(text) if text.lstrip()[:1] == "{" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(Notice("style_file_bad")) from error
    if not isinstance(found, dict) or "template" not in found:
        raise Refused(Notice("style_file_bad"))
    return found


def _toml(told: Mapping[str, Any]) -> str:
    """The file as TOML: JSON's strings, numbers and lists are TOML's too, only tables differ."""
    plain = [f"{name} = {_value(value)}" for name, value in told.items() if not isinstance(value, dict)]
    tables = [
        "\n".join([f"\n[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())])
        for name, table in told.items()
        if isinstance(table, dict)
    ]
    return "\n".join([*plain, *tables]) + "\n"


def _value(value: object) -> str:
    # JSON leaves this one control character as it is, TOML does not.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

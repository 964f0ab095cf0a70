"""Projects: folders that a team gives its clips a place in, with rules of their own for publishing."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.checking import Checker
from studio.db import reading, utc_now, writing
from studio.library.tables import asset_table, project_table, tick
from studio.refusal import Refused
from studio.settings import Settings
from studio.trust import ledger
from studio.trust.policy import Policy

Publish = Literal["at_once", "after_review"]
MAX_NAME = 60
MAX_PROJECTS = 500


@dataclass(frozen=True)
class Project:
    """A folder of assets. `publish` None: what is made here is shown as the studio's rules say."""

    id: str
    name: str
    owner: str
    publish: Publish | None
    created: datetime


class Projects:
    """Owns the table `project`."""

    def __init__(self, engine: Engine, settings: Settings, checker: Checker) -> None:
        self._engine, self._settings, self._checker = engine, settings, checker

    def list(self, visitor: Visitor) -> list[Project]:
        """The projects this visitor may use, by name; at most MAX_PROJECTS."""
        query = sa.select(project_table).order_by(sa.func.lower(project_table.c.name), project_table.c.id)
        if not access.sees_all(visitor, self._settings):
            query = query.where(project_table.c.owner == visitor.owner)
        with reading(self._engine) as connection:
            return [Project(**row) for row in connection.execute(query.limit(MAX_PROJECTS)).mappings()]

    def get(self, visitor: Visitor, project_id: str) -> Project:
        """One project; Refused if this visitor knows of none by that id."""
        with reading(self._engine) as connection:
            found = read_project(connection, project_id)
        if found is None or not (access.sees_all(visitor, self._settings) or found.owner == visitor.owner):
            raise Refused(Notice("project_unknown"))
        return found

    def known(self, visitor: Visitor, project_id: object) -> bool:
        """Whether this is the id of a project that the visitor may use."""
        try:
            return isinstance(project_id, str) and bool(self.get(visitor, project_id))
        except Refused:
            return False

    def create(self, visitor: Visitor, name: str) -> Project:
        """A new project of this visitor's; Refused for a name that can't be used, or one too many."""
        made = Project(secrets.token_urlsafe(9), self._name(name), visitor.owner, None, utc_now())
        with writing(self._engine) as connection:
            count = connection.execute(sa.select(sa.func.count()).select_from(project_table)).scalar_one()
            if count >= MAX_PROJECTS:
                raise Refused(Notice("projects_many", {"high": MAX_PROJECTS}))
            values = {field: getattr(made, field) for field in Project.__dataclass_fields__}
            connection.execute(sa.insert(project_table).values(**values))
        return made

    def rename(self, visitor: Visitor, project_id: str, name: str) -> None:
        """Give one's own project another name."""
        self._change(self._own(visitor, project_id).id, name=self._name(name))

    def set_publish(self, visitor: Visitor, project_id: str, publish: Publish | None) -> None:
        """Let what is made here be shown otherwise than the rules say; an admin's right, in the ledger."""
        if not visitor.admin:
            raise Refused(Notice("admin_only"))
        before = self.get(visitor, project_id).publish
        if before == publish:
            return
        with writing(self._engine) as connection:
            changed = sa.update(project_table).where(project_table.c.id == project_id)
            connection.execute(changed.values(publish=publish))
            facts = {"publish": publish, "before": before}
            self._checker.note(connection, "policy", f"project {project_id}", visitor.owner, **facts)
        ledger.note_last(self._engine, self._settings.studio_home)

    def delete(self, visitor: Visitor, project_id: str) -> None:
        """Remove one's own project; what lay in it stays in the library, in none."""
        self._own(visitor, project_id)
        with writing(self._engine) as connection:
            inside = sa.update(asset_table).where(asset_table.c.project_id == project_id)
            connection.execute(inside.values(project_id=None, revision=tick(connection)))
            connection.execute(sa.delete(project_table).where(project_table.c.id == project_id))

    def _own(self, visitor: Visitor, project_id: str) -> Project:
        found = self.get(visitor, project_id)
        if not access.may_change(visitor, found.owner):
            raise Refused(Notice("not_yours"))
        return found

    def _change(self, project_id: str, **values: Any) -> None:
        with writing(self._engine) as connection:
            changed = sa.update(project_table).where(project_table.c.id == project_id)
            connection.execute(changed.values(**values))

    def _name(self, name: str) -> str:
        tidy = " ".join(name.split())
        if not tidy or len(tidy) > MAX_NAME or not tidy.isprintable():
            raise Refused(Notice("project_name", {"high": MAX_NAME}))
        self._checker.passed({"title": tidy})
        return tidy


def read_project(connection: Connection, project_id: str | None) -> Project | None:
    """A project by its id, within the caller's transaction; None if there is none (any more)."""
    query = sa.select(project_table).where(project_table.c.id == project_id)
    row = connection.execute(query).mappings().first() if project_id else None
    return None if row is None else Project(**row)


def rules_in(connection: Connection, rules: Policy, project_id: object) -> Policy:
    """The studio's rules as they hold for what is made in a project (None or an unknown one: unchanged)."""
    found = read_project(connection, project_id if isinstance(project_id, str) else None)
    if found is None or found.publish is None:
        return rules
    return rules.model_copy(update={"publish": found.publish})

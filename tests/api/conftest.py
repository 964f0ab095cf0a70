"""A studio without a worker behind a key: what is asked for waits until a test says what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from studio.access import Visitor
from studio.core import Studio
from studio.db import utc_now, writing
from studio.library.tables import asset_table
from studio.rows import job_table
from studio.settings import Settings
from tests.postgres import postgres_server
from tests.studio.web_kit import client_of, keep

__all__ = ["postgres_server"]

SUBMIT = "/api/v1/services/aigc/video-generation/video-synthesis"
ADMIN = Visitor(owner="anna", admin=True)
PROMPT = "a small boat on the sea at night"


@dataclass
class Counter:
    """The API of a studio as one key sees it."""

    studio: Studio
    client: TestClient
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}", "x-dashscope-async": "enable"}

    def post(self, body: Any = None, **more: Any) -> httpx.Response:
        sent: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.client.post(SUBMIT, **sent, headers={**self.headers, **more})

    def ask(self, prompt: str = PROMPT, model: str = "wan2.2-t2v-plus", **parameters: Any) -> httpx.Response:
        return self.post({"model": model, "input": {"prompt": prompt}, "parameters": parameters})

    def queued(self, **parameters: Any) -> str:
        """The id of a new task."""
        answer = self.ask(**parameters)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["output"]["task_id"])

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.client.get(f"/api/v1/{path}", params=query, headers=self.headers)

    def output(self, task_id: str) -> dict[str, Any]:
        answer = self.get(f"tasks/{task_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["output"])

    def becomes(self, task_id: str, **values: Any) -> None:
        """What a worker or a person made of it."""
        with writing(self.studio.engine) as connection:
            connection.execute(sa.update(job_table).where(job_table.c.id == task_id).values(**values))

    def done(self, task_id: str, **asset: Any) -> str:
        """It is done, with a real film; the clip's id."""
        kept = keep(self.studio, asset_id=f"film-{task_id}")
        self.becomes(task_id, state="done", asset_id=kept.id, started=utc_now(), finished=utc_now())
        owner = self.studio.keys.list(ADMIN)[0].owner
        with writing(self.studio.engine) as connection:
            mine = sa.update(asset_table).where(asset_table.c.id == kept.id)
            connection.execute(mine.values(owner=owner, **asset))
        return kept.id


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    """Behind a password, which no program needs to know."""
    shared: dict[str, Any] = {"access_password": "secret", "admin_token": "admin", "local_worker": False}
    studio = Studio(Settings(studio_home=tmp_path / "home", **shared))
    _, secret = studio.keys.make(ADMIN, "tests")
    with client_of(studio, raise_server_exceptions=False) as client:
        yield Counter(studio, client, secret)

"""Fixtures that the tests of stories share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.core import Studio
from studio.settings import Settings


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A studio on a real SQLite file, open to all, with an admin; workers are elsewhere."""
    told = {"open_demo": True, "admin_token": "secret", "local_worker": False}
    settings = Settings(studio_home=tmp_path / "home", **told)
    opened = Studio(settings)
    yield opened
    opened.jobs.tickets.close()
    opened.engine.dispose()

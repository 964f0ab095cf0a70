"""Fixtures that several of the studio's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from studio.core import Studio
from studio.settings import Settings
from tests.postgres import postgres_server
from tests.queue_kit import desk, postgres_template, studio_home, tiny_model
from tests.studio.web_kit import client_of

__all__ = ["desk", "postgres_server", "postgres_template", "studio_home", "tiny_model"]


@pytest.fixture
def private(tmp_path: Path) -> Studio:
    """A studio on this machine only."""
    return Studio(Settings(studio_home=tmp_path / "home"))


@pytest.fixture
def client(private: Studio) -> Iterator[TestClient]:
    """A browser without cookies in front of it."""
    with client_of(private) as client:
        yield client

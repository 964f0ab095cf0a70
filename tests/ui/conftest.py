"""A studio without a worker, and its page in one language: rows are written, nothing is rendered."""

from pathlib import Path

import pytest

from studio.access import Visitor
from studio.core import Studio
from studio.settings import Settings
from studio.ui.context import Page


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(studio_home=tmp_path, local_worker=False))


@pytest.fixture
def page(studio: Studio) -> Page:
    return Page(studio=studio, language="en")


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(owner="me", admin=False)

"""A speech service for the tests that need one."""

from collections.abc import Iterator

import pytest

from tests.voice.speech_server import Server, serving


@pytest.fixture
def service() -> Iterator[Server]:
    with serving() as server:
        yield server

"""Fixtures that the library's tests share."""

from tests.postgres import postgres_server

__all__ = ["postgres_server"]

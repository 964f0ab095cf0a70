"""Fixtures that several of the studio's tests share."""

from tests.postgres import postgres_server
from tests.queue_kit import desk, postgres_template, studio_home, tiny_model

__all__ = ["desk", "postgres_server", "postgres_template", "studio_home", "tiny_model"]

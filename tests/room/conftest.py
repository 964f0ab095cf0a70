"""What the tests of review rooms share: the server of Postgres."""

from tests.postgres import postgres_server
from tests.queue_kit import postgres_template

__all__ = ["postgres_server", "postgres_template"]

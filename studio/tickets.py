"""Tickets: the DBOS workflows that make workers look into our queue; each runs whichever job is first then.

A surplus ticket finds nothing and ends; a missing one is made again by the worker (`studio.takeover`).
"""

import logging
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, EnqueueOptions, WorkflowStatus

from studio.rows import KINDS, Kind

APPLICATION = "wan-studio"
# Films have a queue of their own: they wait for their takes, and those are what the first two queues make.
QUEUES: dict[Kind, str] = {"clip": "gpu", "cloud": "cloud", "film": "film", "media": "media"}
WORKFLOWS: dict[Kind, str] = {
    "clip": "ticket",
    "cloud": "cloud_ticket",
    "film": "film_ticket",
    "media": "media_ticket",
}
# Fixed, because DBOS leaves a running workflow of another version alone for ever. Raised only when the steps
# of a workflow in `studio.workflows` change; running jobs of the older version then go back to the queue.
WORKFLOWS_VERSION = "1"
# What DBOS keeps about finished tickets is of no use to anyone; a day helps to look into a problem.
KEEP_FINISHED = timedelta(days=1)
# A film takes minutes: it need not begin at once, and asking costs the database something.
_FILM_POLL_SECONDS = 0.5
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

log = logging.getLogger(__name__)
# It announces every migration, and advises against SQLite.
logging.getLogger("dbos").setLevel(logging.WARNING)


def system_url(database_url: str, home: Path) -> str:
    """Where DBOS keeps its tables: a file of their own, or the schema `dbos` of the same Postgres."""
    parsed = sa.make_url(database_url)
    if parsed.get_backend_name() == "sqlite":
        return f"sqlite:///{home / 'dbos.sqlite'}"
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


class Tickets:
    """A door to DBOS for any process. Makes DBOS's tables if no worker has done so yet."""

    def __init__(self, database_url: str, home: Path) -> None:
        self.url = system_url(database_url, home)
        if self.url.startswith("sqlite"):
            # Kept in the file itself: readers and the queue's poller then never wait for each other.
            file = sqlite3.connect(home / "dbos.sqlite", timeout=30)
            file.execute("PRAGMA journal_mode=WAL")
            file.close()
        DBOS.migrate(self.url)
        self._client = DBOSClient(
            system_database_url=self.url, application_name=APPLICATION, retry_connection_errors=False
        )

    def add(self, count: int = 1, kind: Kind = "clip") -> None:
        """Enqueue `count` tickets. Raises what the database raises; the job rows don't depend on it."""
        for _ in range(count):
            options = EnqueueOptions(
                workflow_name=WORKFLOWS[kind], queue_name=QUEUES[kind], app_version=WORKFLOWS_VERSION
            )
            self._client.enqueue(options)

    def make_queues(self, poll_seconds: float, *, cloud_jobs: int = 1) -> None:
        """Declare the queues: a worker takes one ticket of each, of the cloud's `cloud_jobs`.

        It looks for clips every `poll_seconds`.
        """
        for kind in KINDS:
            seconds = poll_seconds if kind == "clip" else _FILM_POLL_SECONDS
            most = cloud_jobs if kind == "cloud" else 1
            self._client.register_queue(QUEUES[kind], worker_concurrency=most, polling_interval_sec=seconds)

    def waiting(self, kind: Kind = "clip", limit: int = 1000) -> set[str]:
        """The ids of the tickets that no worker has taken yet."""
        found = self._client.list_workflows(
            status="ENQUEUED",
            queue_name=QUEUES[kind],
            app_version=WORKFLOWS_VERSION,
            limit=limit,
            load_input=False,
            load_output=False,
        )
        return {ticket.workflow_id for ticket in found}

    def status(self, workflow_id: str) -> WorkflowStatus | None:
        """What DBOS knows of one ticket."""
        found = self._client.list_workflows(workflow_ids=[workflow_id], load_input=False, load_output=False)
        return found[0] if found else None

    def resume(self, workflow_id: str, kind: Kind = "clip") -> None:
        """Let any worker go on with a ticket whose worker is gone."""
        self._client.resume_workflow(workflow_id, queue_name=QUEUES[kind])

    def prune(self, keep: timedelta = KEEP_FINISHED) -> int:
        """Forget tickets that ended more than a day ago; how many there were."""
        before = (datetime.now(UTC) - keep).isoformat()
        old = self._client.list_workflows(
            status=_ENDED, completed_before=before, limit=1000, load_input=False, load_output=False
        )
        if old:
            self._client.delete_workflows([ticket.workflow_id for ticket in old])
        return len(old)

    def close(self) -> None:
        """Give the database connections back."""
        self._client.destroy()

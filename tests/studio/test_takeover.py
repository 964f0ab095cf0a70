"""Tickets that are missing or lost, workers that are gone: seen and put right, on SQLite and on Postgres."""

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOSClient, EnqueueOptions

from studio import db, fleet
from studio.claims import Claims
from studio.db import utc_now, writing
from studio.fleet import worker_table
from studio.rows import job_table
from studio.takeover import Takeover
from studio.tickets import APPLICATION
from tests.queue_kit import Desk, small


def _age(desk: Desk, worker: str, seconds: float) -> None:
    """Make a worker's last heartbeat older."""
    with writing(desk.engine) as connection:
        row = connection.execute(sa.select(worker_table).where(worker_table.c.id == worker)).one()
        older = row.heartbeat - timedelta(seconds=seconds)
        connection.execute(sa.update(worker_table).where(worker_table.c.id == worker).values(heartbeat=older))


def _insert(desk: Desk, job_id: str) -> str:
    """A job's row without a ticket."""
    with writing(desk.engine) as connection:
        connection.execute(
            sa.insert(job_table).values(
                id=job_id,
                owner="ann",
                form={},
                request=small().model_dump(mode="json"),
                model="sketch",
                state="queued",
                place=1.0,
                created=utc_now(),
            )
        )
    return job_id


def _pending(desk: Desk, executor: str) -> str:
    """Let DBOS believe that a worker took the one waiting ticket; its id."""
    (ticket,) = desk.jobs.tickets.waiting()
    engine = db.engine(desk.jobs.tickets.url)
    schema = "" if engine.dialect.name == "sqlite" else "dbos."
    change = f"update {schema}workflow_status set status = 'PENDING', executor_id = '{executor}'"
    with engine.begin() as connection:
        connection.execute(sa.text(f"{change} where workflow_uuid = '{ticket}'"))
    engine.dispose()
    return ticket


def test_every_job_gets_a_ticket(desk: Desk) -> None:
    desk.submit()
    desk.submit()
    assert len(desk.jobs.tickets.waiting()) == 2
    ticket = desk.jobs.tickets.status(next(iter(desk.jobs.tickets.waiting())))
    assert ticket is not None
    assert (ticket.status, ticket.queue_name) == ("ENQUEUED", "gpu")
    assert desk.jobs.tickets.status("nothing") is None
    assert desk.jobs.tickets.prune() == 0


def test_a_job_without_a_ticket_gets_one(desk: Desk) -> None:
    _insert(desk, "lonely")
    takeover = Takeover(desk.engine, desk.jobs.tickets, "w1")
    desk.jobs.pause()
    takeover.look()
    assert desk.jobs.tickets.waiting() == set(), "not while the queue is paused"
    desk.jobs.resume()
    takeover.look()
    takeover.look()
    assert len(desk.jobs.tickets.waiting()) == 1


def test_a_running_job_whose_ticket_is_lost_goes_back_to_the_queue(desk: Desk) -> None:
    job = desk.submit()
    attempt = desk.begin(worker="gone", ticket="a ticket that the queue knows nothing of")
    takeover = Takeover(desk.engine, desk.jobs.tickets, "w1")
    desk.beat("gone")
    takeover.look()
    assert desk.job(job).state == "running", "its worker is alive"
    _age(desk, "gone", 60)
    takeover.look()
    assert desk.job(job).state == "queued"
    assert not desk.publish(attempt, worker="gone")
    assert len(desk.jobs.tickets.waiting()) == 2


def test_workers_are_seen_with_the_age_of_their_heartbeat(desk: Desk) -> None:
    assert desk.jobs.workers() == []
    desk.beat("w1")
    desk.beat("w1")
    desk.beat("w2")
    _age(desk, "w2", 60)
    first, second = desk.jobs.workers()
    assert (first.id, first.device, first.job_id) == ("w1", "cpu", None)
    assert first.heartbeat_age < 5
    assert 60 <= second.heartbeat_age < 65
    with desk.engine.connect() as connection:
        assert fleet.alive(connection) == {"w1"}
    desk.jobs.fleet.leave("w2")
    assert [worker.id for worker in desk.jobs.workers()] == ["w1"]
    desk.beat("w3")
    _age(desk, "w3", 25 * 3600)
    desk.jobs.fleet.forget_the_dead()
    assert [worker.id for worker in desk.jobs.workers()] == ["w1"]


def test_submitting_works_while_tickets_do_not(desk: Desk, tmp_path: Path) -> None:
    desk.jobs.tickets.close()
    tickets = desk.jobs.tickets
    broken = tickets.__class__(f"sqlite:///{tmp_path}/x.db", tmp_path)
    (tmp_path / "dbos.sqlite").write_bytes(b"this is no database" * 100)
    (tmp_path / "dbos.sqlite-wal").unlink(missing_ok=True)
    desk.jobs.tickets = broken
    job = desk.submit()
    assert desk.job(job).state == "queued"
    assert Claims(desk.engine, "w1").claim("t1") == job
    desk.jobs.tickets = tickets


def test_a_ticket_of_a_worker_that_is_gone_is_for_all_again(desk: Desk) -> None:
    job = desk.submit()
    ticket = _pending(desk, "gone")
    desk.begin(worker="gone", ticket=ticket)
    takeover = Takeover(desk.engine, desk.jobs.tickets, "w1")
    desk.beat("gone")
    desk.beat("w1")
    takeover.look()
    assert desk.jobs.tickets.waiting() == set(), "it is well"
    _age(desk, "gone", 11)
    takeover.look()
    takeover.look()
    assert desk.jobs.tickets.waiting() == {ticket}
    assert desk.job(job).state == "running", "whoever takes the ticket goes on with this job"
    again = desk.claims("w1").begin(job, ticket)
    assert again is not None
    assert again.number == 2


def test_a_job_that_dbos_forgot_to_start_goes_back_to_the_queue(desk: Desk) -> None:
    job = desk.submit()
    ticket = _pending(desk, "w1")
    desk.begin(worker="w1", ticket=ticket)
    desk.beat("w1")
    with writing(desk.engine) as connection:
        earlier = utc_now() - timedelta(minutes=5)
        connection.execute(sa.update(job_table).values(started=earlier))
    patient = Takeover(desk.engine, desk.jobs.tickets, "w1")
    patient.look()
    takeover = Takeover(desk.engine, desk.jobs.tickets, "w1", stuck_seconds=0)
    takeover.look([job])
    assert desk.job(job).state == "running"
    takeover.look()
    assert desk.job(job).state == "queued"
    assert len(desk.jobs.tickets.waiting()) == 1
    assert desk.claims().begin(job, ticket) is None


def test_jobs_survive_an_upgrade_that_raises_the_version_of_the_steps(desk: Desk) -> None:
    """DBOS leaves tickets of another version alone for ever: one had its job in hand, one still waited."""
    client = DBOSClient(system_database_url=desk.jobs.tickets.url, application_name=APPLICATION)
    older = EnqueueOptions(workflow_name="ticket", queue_name="gpu", app_version="0")
    running = client.enqueue(older).get_workflow_id()
    client.enqueue(older)
    client.destroy()
    jobs = [_insert(desk, "first"), _insert(desk, "second")]
    desk.begin(worker="gone", ticket=running)
    Takeover(desk.engine, desk.jobs.tickets, "w1").look()
    Takeover(desk.engine, desk.jobs.tickets, "w1").look()
    assert [desk.job(job).state for job in jobs] == ["queued", "queued"]
    assert len(desk.jobs.tickets.waiting()) == 2

"""The worker process: `python -m studio.worker`. Owns the pipeline; takes jobs until it is told to stop.

SIGTERM: give the jobs back and end. SIGUSR1: finish the clips in hand, give back films and what the cloud
makes, then end. SIGKILL at any time loses nothing.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

from dbos import DBOS, DBOSConfig
from dbos import error as dbos_error
from sqlalchemy.exc import SQLAlchemyError

from pipelines.models import MODELS
from pipelines.request import Cancelled, ModelError
from studio import db, fleet, mosaics, retouching
from studio.card import Card
from studio.claims import Claims
from studio.filming import FilmMaker
from studio.fleet import Fleet, Machine
from studio.hands import Hand, Orders, alone
from studio.jobs import Jobs
from studio.lock import LockHeld, WorkerLock, code_version
from studio.media_work import MediaMaker, Task
from studio.pictures import Pictures
from studio.rows import KINDS, LIVE, Kind
from studio.settings import Settings, SettingsError, prepare_torch
from studio.takeover import Takeover
from studio.tickets import APPLICATION, QUEUES, WORKFLOWS_VERSION
from studio.warming import Warmth

EXIT_SETTINGS, EXIT_LOCKED = 2, 3
BEAT_SECONDS = 1.0
LOOK_SECONDS = 2.0
PRUNE_SECONDS = 3600.0
# How often DBOS looks for a ticket: a job starts that much later at worst.
POLL_SECONDS = 0.15
# A rendering stops within one transformer block or one decoded chunk; longer than this it is left behind.
STOP_SECONDS = 8
# A worker that a studio started ends when no studio has been there for so long and nothing is left to do.
ORPHAN_SECONDS = 300.0

# Who does which media job.
TASKS: dict[str, Task] = {mosaics.NAME: mosaics.make, retouching.NAME: retouching.make}

log = logging.getLogger(__name__)


class Asked:
    """What signals asked of the process. Made before the lock is taken: from then on they may come."""

    def __init__(self) -> None:
        self.stop = self.drain = False
        self.wake = threading.Event()
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGUSR1, self._on_drain)

    def _on_stop(self, *_: object) -> None:
        self.stop = True
        self.wake.set()

    def _on_drain(self, *_: object) -> None:
        self.drain = True
        self.wake.set()


class Worker:
    """One worker's main loop. The heartbeat is part of it: a loop that hangs is a worker that is gone."""

    def __init__(self, settings: Settings, asked: Asked, *, stale_seconds: float, supervised: bool) -> None:
        self.settings = settings
        self.asked = asked
        self.wanted = settings.studio_home / "workers" / "wanted" if supervised else None
        self.engine = db.engine(settings.database_url)
        db.migrate(self.engine)
        self.jobs = Jobs(self.engine, settings)
        self.fleet = Fleet(self.engine)
        self.takeover = Takeover(
            self.engine, self.jobs.tickets, settings.worker_id, stale_seconds=stale_seconds
        )
        self.claims = Claims(self.engine, settings.worker_id)
        self.orders = Orders()
        self.hands: dict[Kind, Hand] = {}
        self.machine: Machine | None = None
        self.warmth: Warmth | None = None
        self._holds: Callable[[], str] = lambda: ""
        self._looked = self._pruned = float("-inf")

    def run(self) -> None:
        """Work until told to stop."""
        # Only now: torch takes seconds to import, and a second worker with this id has been refused before.
        from pipelines import loader
        from studio import cloud_work, workflows

        self._holds, self.machine = loader.resident, _machine(self.settings.device)
        card = Card()
        films = FilmMaker(self.settings, self.engine, self.jobs.tickets, self.orders, card=card)
        clips = workflows.Maker(self.settings, self.engine, self.orders, card)
        clips.library.sweep(clips.tmp)
        media = MediaMaker(self.settings, self.engine, self.orders, TASKS, card)
        # No card of theirs: clips of the cloud are made beside each other, and beside that of the GPU.
        clouds = cloud_work.CloudMaker(self.settings, self.engine, self.orders)
        works = {
            "clip": clips.make,
            "cloud": clouds.make,
            "film": alone(films.make),
            "media": alone(media.make),
        }
        self.hands = {
            kind: Hand(kind, self.claims, self.orders, works[kind], at_once=self._at_once(kind))
            for kind in KINDS
        }
        workflows.serve(self.hands)
        self._beat()
        self._launch()
        self.warmth = Warmth(
            self.engine,
            self.settings,
            holds=loader.resident,
            unload_idle=loader.unload_idle,
            load=self._load_ahead,
        )
        self.warmth.begin()
        log.info("worker %s takes jobs", self.settings.worker_id)
        while not self.asked.stop and not (self.orders.draining.is_set() and not self._in_hand()):
            if self.asked.drain:
                self.orders.draining.set()
            self._round(films, clips.pictures)
            self.asked.wake.wait(BEAT_SECONDS)
            self.asked.wake.clear()
        self._end()

    def _at_once(self, kind: Kind) -> int:
        return self.settings.cloud_jobs if kind == "cloud" else 1

    def _in_hand(self) -> str | None:
        """The job that this worker has in hand; a clip before the film that waits for it."""
        return next((hand.current for hand in self.hands.values() if hand.current), None)

    def _launch(self) -> None:
        config = DBOSConfig(
            name=APPLICATION,
            system_database_url=self.jobs.tickets.url,
            application_version=WORKFLOWS_VERSION,
            executor_id=self.settings.worker_id,
            log_level="WARNING",
            run_migrations=False,
        )
        DBOS(config=config)
        # Before launch, or DBOS would look at the queues only with its next round, a second later.
        self.jobs.tickets.make_queues(POLL_SECONDS, cloud_jobs=self.settings.cloud_jobs)
        # None but ours: a later studio may have queues that this one knows nothing of.
        DBOS.listen_queues(list(QUEUES.values()))
        DBOS.launch()

    def _load_ahead(self, model: str) -> None:
        """Load a model while nobody waits; a job that does waits for its own model instead."""
        from pipelines import loader

        if self._is_busy() or MODELS[model].cloud is not None:
            return
        try:
            where = self.settings.device
            loader.load(MODELS[model], home=self.settings.studio_home, device=where, ahead=True)
            log.info("%s is loaded", model)
        except Cancelled:
            log.info("%s gives way to a model that somebody waits for", model)
        except (ModelError, SQLAlchemyError) as error:
            log.warning("%s could not be loaded ahead: %s", model, error)

    def _is_busy(self) -> bool:
        """Whether some job runs or waits."""
        return bool(self.jobs.list(states=LIVE, limit=1, takes=True))

    def _round(self, films: FilmMaker, pictures: Pictures) -> None:
        """Say that we live, and look after the others and the queue."""
        now = time.monotonic()
        try:
            self._beat()
            # A worker that is about to end makes no tickets: it would take them itself, and do nothing.
            if now - self._looked > LOOK_SECONDS and not self.orders.draining.is_set():
                self._looked = now
                held = [job for hand in self.hands.values() for job in hand.jobs]
                self.takeover.look(held, [kind for kind, hand in self.hands.items() if hand.is_idle])
                self.asked.stop = self.asked.stop or self._is_orphan()
                if self.warmth is not None:
                    self.warmth.look(busy=self._is_busy)
            if now - self._pruned > PRUNE_SECONDS:
                self._pruned = now
                self.jobs.tickets.prune()
                self.fleet.forget_the_dead()
                films.sweep()
                pictures.sweep()
        except (SQLAlchemyError, dbos_error.DBOSException) as error:
            log.warning("the database does not answer; trying again: %s", error)

    def _beat(self) -> None:
        self.fleet.beat(
            self.settings.worker_id,
            device=self.settings.device or "auto",
            pid=os.getpid(),
            version=code_version(),
            job_id=self._in_hand(),
            model=self._holds(),
            machine=self.machine,
        )

    def _is_orphan(self) -> bool:
        if self.wanted is None or self._in_hand():
            return False
        try:
            absent = time.time() - self.wanted.stat().st_mtime
        except FileNotFoundError:
            absent = ORPHAN_SECONDS + 1
        if absent < ORPHAN_SECONDS or self.jobs.list(states=("queued",), limit=1, takes=True):
            return False
        log.info("no studio has been here for %.0f s and nothing is left to do", absent)
        return True

    def _end(self) -> None:
        """Give the jobs back, stop making them, say goodbye."""
        self.orders.stopping.set()
        try:
            given = {kind: self.claims.give_back(kind) for kind in KINDS}
            # Takes no more tickets from here on, and waits for those in hand.
            DBOS.destroy(workflow_completion_timeout_sec=STOP_SECONDS)
            for hand in self.hands.values():
                hand.wait(STOP_SECONDS)
            # Only now: this worker would still have taken the new tickets, and done nothing with them.
            for kind, count in given.items():
                self.jobs.tickets.add(count, kind)
            self.fleet.leave(self.settings.worker_id)
        except (SQLAlchemyError, dbos_error.DBOSException) as error:
            log.warning("the database does not answer; others will notice that we are gone: %s", error)
        log.info("worker %s ends", self.settings.worker_id)


def _machine(device: str) -> Machine | None:
    """What this worker runs on; None where its device is not there, which each job says in words."""
    from pipelines import loader

    try:
        return Machine(*loader.machine(loader.resolve_device(device)))
    except ModelError as error:
        log.warning("%s", error)
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one worker with the settings of the environment; the exit code says why it ended."""
    parser = argparse.ArgumentParser(prog="python -m studio.worker", description=__doc__)
    parser.add_argument(
        "--supervised", action="store_true", help="end some minutes after the studio has gone"
    )
    parser.add_argument(
        "--stale-after",
        type=float,
        default=fleet.STALE_SECONDS,
        metavar="SECONDS",
        help="take over jobs of workers without a heartbeat for so long (%(default)s)",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = Settings.from_env()
        settings.make_folders()
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_SETTINGS
    asked = Asked()
    lock = WorkerLock(settings.studio_home, settings.worker_id)
    try:
        lock.take(settings.device)
    except LockHeld as error:
        print(f"{error}; give this one another WORKER_ID", file=sys.stderr)
        return EXIT_LOCKED
    prepare_torch()
    Worker(settings, asked, stale_seconds=options.stale_after, supervised=options.supervised).run()
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    # Not sys.exit: a rendering that did not stop in time would keep the process; its job was given back.
    os._exit(code)

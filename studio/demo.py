"""The studio without a browser, by the same queue: one clip of a prompt, or a film of a story.

`python -m studio.demo --prompt "…" --out x.mp4`, `python -m studio.demo --story NAME|FILE.txt --out x.mp4`
"""

import argparse
import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from pipelines.request import Notice
from studio.access import Visitor
from studio.core import JobView, Refused, Studio
from studio.settings import Settings, SettingsError
from studio.supervisor import LocalWorker
from studio.words import duration, say, stage, state, terminal, terminal_language

LOGO = Path(__file__).resolve().parent.parent / "assets" / "examples" / "logo.png"
VISITOR = Visitor(owner="command-line", admin=True)
# So long may the worker be gone before somebody is told; a crashed one is back within seconds.
_PATIENCE_SECONDS = 40.0
_OPTIONS = ("negative_prompt", "style", "model", "quality", "size", "seconds", "seed")


class WorkerGone(Exception):
    """No worker has been running for a while."""


def main(arguments: list[str] | None = None) -> int:
    """Make one clip. Exit codes: 0 made, 1 not made, 2 can't be made like this, 130 interrupted."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # Ended like a person ends it: the worker that we started is stopped too.
    signal.signal(signal.SIGTERM, _interrupt)
    given = _parse(arguments)
    try:
        settings = Settings.from_env()
        out = Path(given.out).expanduser().absolute()
        if problem := _home_problem(settings) or _out_problem(out):
            return _fail(problem, 2)
        studio = Studio(settings)
        form = {name: getattr(given, name) for name in _OPTIONS if getattr(given, name) is not None}
        if given.story:
            job_id = _story(studio, given.story)
        else:
            job_id = studio.generate(VISITOR, prompt=given.prompt, **form)
    except SettingsError as error:
        return _fail(error.notice, 2)
    except Refused as error:
        for notice in error.notices:
            _fail(notice, 2)
        return 2
    return _make(studio, job_id, out)


def _story(studio: Studio, story: str) -> str:
    """Ask for the draft film of an example by its name, or of a text file, with our logo; the job's id."""
    path = Path(story).expanduser()
    if path.is_file():
        view = studio.stories.new(VISITOR, path.read_text(encoding="utf-8", errors="replace"))
    else:
        view = studio.stories.new(VISITOR, example=story)
    studio.stories.attach(VISITOR, view.id, "logo", LOGO, LOGO.name)
    return studio.stories.film(VISITOR, view.id, "animatic")


def _make(studio: Studio, job_id: str, out: Path) -> int:
    """Have the worker make a queued job, and copy the film."""
    worker = LocalWorker(studio.settings) if studio.settings.local_worker else None
    adopted = worker is not None and worker.alive()
    try:
        if worker:
            worker.start()
        view = asyncio.run(_follow(studio, job_id, worker))
        if view is not None and view.state in ("held", "blocked", "rejected") and view.job.state == "done":
            # It is in the library and goes nowhere from here before a person has decided.
            return _fail(next(iter(view.reasons), Notice("held_review")), 1)
        if view is None or view.asset is None:
            return _fail(
                view.job.error if view and view.job.error else Notice(view.job.state if view else "internal"),
                1,
            )
        _copy(studio.library_file(view.asset), out)
        print(
            terminal(
                "made",
                terminal_language(),
                path=out,
                time=duration(view.asset.render_seconds, terminal_language()),
            )
        )
        return 0
    except KeyboardInterrupt:
        with contextlib.suppress(Refused):
            studio.cancel(VISITOR, job_id)
        return _fail(Notice("cancelled"), 130)
    except WorkerGone:
        with contextlib.suppress(Refused):
            studio.cancel(VISITOR, job_id)
        return _fail(Notice("worker_absent", {"path": str(studio.settings.logs / "worker.log")}), 1)
    except OSError as error:
        return _fail(
            Notice("out_not_writable", {"path": str(out), "reason": error.strerror or str(error)}), 1
        )
    finally:
        if worker and not adopted:
            worker.stop()


async def _follow(studio: Studio, job_id: str, worker: LocalWorker | None) -> JobView | None:
    """Show how far the job is, on one line; its last view."""
    last: JobView | None = None
    watching = asyncio.create_task(_watch(worker)) if worker else None
    views = aiter(studio.follow(VISITOR, job_id))
    try:
        while True:
            following = asyncio.ensure_future(anext(views, None))
            await asyncio.wait(
                {following, watching} if watching else {following}, return_when="FIRST_COMPLETED"
            )
            if not following.done():
                following.cancel()
                raise WorkerGone
            if (view := following.result()) is None:
                return last
            last = view
            _show(view)
            if view.waits_for_a_person:
                return view
    finally:
        if watching:
            watching.cancel()
        if sys.stdout.isatty():
            print()


async def _watch(worker: LocalWorker) -> None:
    """Return once no worker has been there for too long."""
    gone = 0.0
    while gone < _PATIENCE_SECONDS:
        await asyncio.sleep(0.5)
        gone = 0.0 if await asyncio.to_thread(worker.alive) else gone + 0.5


def _show(view: JobView) -> None:
    """One line that is written over on a terminal; elsewhere one line a stage."""
    language = terminal_language()
    progress = view.progress
    if view.is_final or progress is None:
        ahead = terminal("ahead", language, count=view.position) if view.position else ""
        text = " ".join(filter(None, (state(view.job.state, language), ahead)))
    else:
        steps = f"{progress.step}/{progress.total}" if progress.total else ""
        left = terminal("left", language, time=duration(view.eta, language)) if view.eta is not None else ""
        text = " · ".join(
            filter(None, (" ".join(filter(None, (stage(progress.stage, language), steps))), left))
        )
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True)
    elif progress is None or progress.step in (0, progress.total):
        print(text, flush=True)


def _copy(source: Path, out: Path) -> None:
    """Copy the film to `out`, whole or not at all."""
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        shutil.copyfile(source, part)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


def _home_problem(settings: Settings) -> Notice | None:
    """What is wrong with the home. Nothing is served here, so who may come in does not matter."""
    return settings.model_copy(update={"host": "127.0.0.1", "share": False}).problem()


def _out_problem(out: Path) -> Notice | None:
    """Why the film could not be written, found before it is made."""
    try:
        if out.is_dir():
            raise IsADirectoryError(21, os.strerror(21))
        out.parent.mkdir(parents=True, exist_ok=True)
        probe = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Notice("out_not_writable", {"path": str(out), "reason": error.strerror or str(error)})
    return None


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m studio.demo", description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--prompt", help="what to see, in English or Chinese")
    asked.add_argument("--story", help="a film of an example in assets/examples/stories, or of a text file")
    parser.add_argument("--out", required=True, help="where to write the MP4")
    for name in _OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", help=f"as on the page: {name.replace('_', ' ')}")
    return parser.parse_args(arguments)


def _fail(notice: Notice, code: int) -> int:
    print(say(notice, terminal_language()), file=sys.stderr)
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

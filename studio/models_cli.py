"""`python -m pipelines.models`: what is on this machine; it comes, is checked, linked, goes. No torch.

list | show NAME | download NAME | verify NAME | link NAME FOLDER | delete NAME; --home: which studio's home.
Exit codes: 0 done, 1 not done (or a check found something), 2 can't be done like this, 130 interrupted.
"""

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from unicodedata import east_asian_width

from sqlalchemy.exc import SQLAlchemyError

from pipelines import errands, hub, placement, repos
from pipelines.fetch import Hub
from pipelines.hub import Shelf
from pipelines.intact import OnBytes
from pipelines.models import MODELS
from pipelines.repos import Weights
from pipelines.request import Cancelled, ModelError, Notice
from studio import db, model_words, words
from studio.fleet import Fleet
from studio.settings import Settings, SettingsError
from studio.words import Language, say, terminal_language

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
# Without a terminal, a line so often.
_LINE_SECONDS = 10.0
_BAR_SECONDS = 0.2
_WIDTH = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    language = terminal_language()
    try:
        settings = Settings.from_env()
        home = Path(given.home).expanduser().absolute() if given.home else settings.studio_home
        if given.command == "list":
            return _list(home, language)
        weights = repos.named(given.name, home)
        if weights is None:
            allowed = ", ".join(one.name for one in repos.everything(home))
            return _fail(Notice("weights_unknown", {"name": given.name[:60], "allowed": allowed}), WRONG)
        return _do(given, weights, home, settings, language)
    except SettingsError as error:
        return _fail(error.notice, WRONG)
    except ModelError as error:
        return _fail(error.notice, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.models", description=__doc__)
    parser.add_argument("--home", help="the studio's home (without: STUDIO_HOME)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="everything, and how it stands")
    for name, text in (
        ("show", "one model: what it can do, where it runs, where it lies"),
        ("download", "fetch it, or what is missing or damaged of it"),
        ("verify", "compare every byte with what the hub said"),
        ("delete", "remove it from this machine; a link is only unlinked"),
        ("link", "use a folder of this machine as it is"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("name")
        if name == "link":
            command.add_argument("folder", type=Path)
    return parser


def _do(
    given: argparse.Namespace, weights: Weights, home: Path, settings: Settings, language: Language
) -> int:
    if given.command == "show":
        return _show(hub.shelf(weights, home), language)
    if given.command == "link":
        print(hub.link(weights, home, given.folder))
        return DONE
    if given.command == "delete":
        freed = hub.delete(weights, home, resident_in=_holder(weights, home, settings))
        print(words.page("models_deleted_freed", language, size=model_words.size(freed, language)))
        return DONE
    began = errands.wanted_work(weights, home)
    try:
        with _telling(weights, language) as told:
            if given.command == "verify":
                return _verify(weights, home, told, language)
            where = Hub(settings.hf_endpoint, settings.hf_token)
            print(hub.download(weights, home, where, on_bytes=told))
            return DONE
    except (KeyboardInterrupt, Cancelled):
        # Stopped by hand: no studio goes on with it by itself, unless one had been asked before.
        _take_back(weights, home, began)
        return INTERRUPTED
    except ModelError:
        _take_back(weights, home, began)
        raise


def _take_back(weights: Weights, home: Path, began: errands.Work | None) -> None:
    if began is None:
        errands.unwant(weights, home)


def _list(home: Path, language: Language) -> int:
    rows = [
        (
            shelf.weights.name,
            words.page(f"model_state_{shelf.state}", language),
            model_words.size(shelf.size if shelf.usable else shelf.weights.size_gb * 1e9, language),
            shelf.weights.licence,
        )
        for shelf in hub.shelves(home)
    ]
    widths = [max(map(_columns, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (text + " " * (width - _columns(text)) for text, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    return DONE


def _show(shelf: Shelf, language: Language) -> int:
    weights, spec = shelf.weights, MODELS.get(shelf.weights.name)
    size = shelf.size if shelf.usable else weights.size_gb * 1e9
    print(f"{weights.title} · {weights.licence} · {model_words.size(size, language)}")
    print(words.page(f"model_state_{shelf.state}", language))
    for notice in shelf.faults:
        print("  " + say(notice, language))
    print(f"{weights.repo} @ {shelf.revision or weights.revision or '-'}")
    if shelf.folder is not None:
        print(shelf.folder.resolve())
    if spec is not None:
        # Sketch's are of about one size: its first is what it is made for.
        largest = spec.sizes[0] if spec.embedded else max(spec.sizes, key=lambda one: one.width * one.height)
        seconds = round((spec.max_frames - 1) / spec.fps)
        facts = (
            words.page(f"model_first_frame_{spec.first_frame}", language),
            words.page("models_up_to", language, size=str(largest)),
            words.page("models_length", language, seconds=seconds, fps=spec.fps),
        )
        print(" · ".join(facts))
        smallest = placement.smallest_machine(spec)
        if smallest is not None and not spec.embedded:
            print(words.page("models_card", language, vram=smallest[0], ram=smallest[1]))
    return DONE


def _verify(weights: Weights, home: Path, told: OnBytes, language: Language) -> int:
    found = hub.verify(weights, home, on_bytes=told)
    bad = [one for one in found if one.notice is not None]
    for one in found:
        print(f"{'ok ' if one.notice is None else 'BAD'}  {one.name}")
    for one in bad:
        if one.notice is not None:
            print(say(one.notice, language), file=sys.stderr)
    code = "weights_verified_bad" if bad else "weights_verified"
    if not bad and not any(one.compared for one in found):
        code = "weights_verified_form"
    print(say(code, language, count=len(bad) if bad else len(found), model=weights.title))
    return FAILED if bad else DONE


@contextlib.contextmanager
def _telling(weights: Weights, language: Language) -> Iterator[OnBytes]:
    """Tells how far it is: one line that changes on a terminal, a line now and then elsewhere."""
    live = sys.stderr.isatty()
    began = said = time.monotonic()
    first: int | None = None

    def told(done: int, total: int) -> None:
        nonlocal said, first
        now = time.monotonic()
        first = done if first is None else first
        if now - said < (_BAR_SECONDS if live else _LINE_SECONDS) and done != total:
            return
        said = now
        speed = (done - first) / (now - began) if now > began else 0.0
        at = errands.Activity("download", True, True, done, total, max(0.0, speed))
        text = model_words.progress(at, language)
        if live:
            full = _WIDTH * done // total if total else 0
            bar = "#" * full + "." * (_WIDTH - full)
            print(f"\r\x1b[K[{bar}] {text}", end="", file=sys.stderr, flush=True)
        else:
            print(f"{weights.name}: {text}", file=sys.stderr, flush=True)

    try:
        yield told
    finally:
        if live:
            print(file=sys.stderr)


def _holder(weights: Weights, home: Path, settings: Settings) -> str:
    """The workers that hold a model in memory, by the studio's database if there is one."""
    url, file = settings.database_url, home / "studio.db"
    if not url.startswith("postgres"):
        if not file.is_file():
            return ""
        url = f"sqlite:///{file}"
    with contextlib.suppress(SQLAlchemyError):
        workers = Fleet(db.engine(url)).list()
        return ", ".join(one.id for one in workers if one.alive and one.model == weights.name)
    return ""


def _columns(text: str) -> int:
    """How wide a terminal draws a text: Chinese characters are twice as wide."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(notice: Notice, code: int) -> int:
    print(say(notice, terminal_language()), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Where a video comes from, and whether the ledger is whole: by hand, beside a running studio or without.

`python -m studio.trust trace FILE [--json]` ends with 0 if the file was made here for certain, 1 if it is not
or may not be. `python -m studio.trust verify-ledger` ends with 0 if nothing was changed, 1 if something was.
Both end with 2 if there is nothing to look at. The studio is found as by the studio itself: STUDIO_HOME,
DATABASE_URL, SECRET_KEY. Nothing is written.
"""

import argparse
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.request import Notice
from studio import db
from studio.media.ffmpeg import MediaError
from studio.settings import Settings, SettingsError
from studio.trust import ledger, telling
from studio.trust.trace import Named, Traced, Tracer
from studio.words import say, terminal, terminal_language

_FAILED = 2


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m studio.trust", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    trace = commands.add_parser("trace", help="where a video comes from")
    trace.add_argument("file", type=Path)
    trace.add_argument("--json", action="store_true", help="all that was found, for programs")
    commands.add_parser("verify-ledger", help="whether an entry was changed, left out or cut off")
    given = parser.parse_args(arguments)
    try:
        settings = Settings.from_env()
        engine = _opened(settings)
        if given.command == "trace":
            return _trace(engine, settings, given.file, as_json=given.json)
        return _verify(engine, settings)
    except BrokenPipeError:
        # Whoever read has read enough (`| head`); what Python would still write goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SettingsError as error:
        return _fail(say(error.notice, terminal_language()))
    except (OSError, SQLAlchemyError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return _fail(terminal("no_database", terminal_language(), reason=reason))


def _opened(settings: Settings) -> Engine:
    """The studio's database, for reading only; OSError if there is none."""
    address = sa.make_url(settings.database_url)
    if address.get_backend_name() != "sqlite":
        engine = db.engine(settings.database_url)
        reads_only = engine.execution_options(postgresql_readonly=True)
        return _checked(reads_only, settings)
    path = Path(address.database or "")
    if not path.is_file():
        raise FileNotFoundError(2, os.strerror(2), str(path))
    # SQLite itself keeps it from being written.
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    opened = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True, timeout=30))
    return _checked(opened, settings)


def _checked(engine: Engine, settings: Settings) -> Engine:
    """OSError unless the key is there that the studio labels with: another one would know nothing."""
    if not settings.secret_key and not (settings.studio_home / "secret.key").is_file():
        raise FileNotFoundError(2, os.strerror(2), str(settings.studio_home))
    return engine


def _trace(engine: Engine, settings: Settings, path: Path, *, as_json: bool) -> int:
    language = terminal_language()
    try:
        traced = Tracer(engine, settings).trace(path)
    except OSError as error:
        return _fail(terminal("no_file", language, path=path, reason=error.strerror or ""))
    except MediaError as error:
        other = error.notice.code == "not_a_video"
        return _fail(say(Notice("trace_no_video") if other else error.notice, language))
    if as_json:
        print(json.dumps(_facts(traced), ensure_ascii=False, indent=2))
    else:
        print("\n".join(_told(traced)))
    return 0 if traced.answer == "certain" else 1


def _facts(traced: Traced) -> dict[str, Any]:
    """All that was found, for programs."""
    parts: dict[str, Any] = {
        line.part: {"sign": line.sign, "code": line.notice.code, **line.notice.values}
        for line in telling.lines(traced)
    }
    return {"answer": traced.answer, "sha256": traced.sha256, **parts} | {
        "exports": [
            {
                "number": one.export.id,
                "asset": one.export.asset_id,
                "kind": one.export.kind,
                "owner": one.export.owner,
                "job": one.export.job_id,
                "created": one.export.created.isoformat(timespec="seconds"),
                "kept": one.kept,
                "by": list(one.by),
                "distance": one.distance,
            }
            for one in traced.named
        ]
    }


def _told(traced: Traced) -> list[str]:
    language = terminal_language()
    joint = "" if language == "zh" else " "
    answer = joint.join(
        say(notice, language) for notice in (telling.answer(traced), *telling.because(traced))
    )
    named = [f"  {_named(one)}" for one in traced.named]
    parts = [
        f"{terminal(f'trace_{line.part}', language)}: {say(line.notice, language)}"
        for line in telling.lines(traced)
    ]
    return [answer, *named, *parts]


def _named(one: Named) -> str:
    language, export = terminal_language(), one.export
    facts = {
        "number": export.id,
        "kind": export.kind,
        "owner": export.owner,
        "job": export.job_id,
        "made": export.created.isoformat(timespec="seconds"),
    }
    told = [f"{terminal(f'trace_{name}', language)} {value}" for name, value in facts.items()]
    told.append(terminal("trace_kept" if one.kept else "trace_gone", language))
    if one.distance is not None:
        told.append(terminal("trace_far", language, distance=round(one.distance, 3)))
    return " · ".join(told)


def _verify(engine: Engine, settings: Settings) -> int:
    language = terminal_language()
    count, fault = ledger.verify(engine, key=settings.sealing_key(), home=settings.studio_home)
    if fault is None:
        print(terminal("ledger_whole", language, count=count))
        return 0
    print(terminal(f"ledger_{fault.what}", language, number=fault.number, count=count))
    return 1


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return _FAILED


if __name__ == "__main__":
    sys.exit(main())

"""The library by hand, beside a running studio or without one.

`python -m studio.library reindex` makes the library again from its files when the database is lost: what lies
in STUDIO_HOME and is not in the database is added, everything else stays as it is. It may be stopped at any
time and started again. `python -m studio.library verify` reads every file and says which are gone or changed;
it ends with 1 if there are any. The studio is found as by itself: STUDIO_HOME, DATABASE_URL, SECRET_KEY.
"""

import argparse
import sys
from collections import Counter

from sqlalchemy.exc import SQLAlchemyError

from studio import db
from studio.archive import digest
from studio.library import Asset, Library
from studio.library.reindex import Found, reindex
from studio.settings import Settings, SettingsError
from studio.words import say, terminal, terminal_language

_FAILED = 2


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m studio.library", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("reindex", help="the library again from its files")
    commands.add_parser("verify", help="whether every file is as it was made")
    given = parser.parse_args(arguments)
    language = terminal_language()
    try:
        settings = Settings.from_env()
        if not settings.media.is_dir():
            return _fail(terminal("no_library", language, path=settings.media))
        engine = db.engine(settings.database_url)
        db.migrate(engine)
        assets = Library(engine, settings.studio_home)
        return _reindex(assets, settings) if given.command == "reindex" else _verify(assets)
    except SettingsError as error:
        return _fail(say(error.notice, language))
    except (OSError, SQLAlchemyError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return _fail(terminal("no_database", language, reason=reason))


def _reindex(assets: Library, settings: Settings) -> int:
    language, counts = terminal_language(), Counter[str]()
    for found in reindex(assets.engine, assets, settings.sealing_key()):
        counts[found.outcome] += 1
        if found.outcome != "known":
            _tell(found)
    print(terminal("reindexed", language, **{name: counts[name] for name in _OUTCOMES}))
    return 0


_OUTCOMES = ("restored", "held", "known", "foreign", "broken")


def _tell(found: Found) -> None:
    print(f"{found.place}: {terminal(f'reindex_{found.outcome}', terminal_language())}", flush=True)


def _verify(assets: Library) -> int:
    language, checked, wrong = terminal_language(), 0, 0
    for asset in assets.every():
        checked += 1
        if fault := _fault(assets, asset):
            wrong += 1
            print(f"{asset.path}: {terminal(f'file_{fault}', language)}", flush=True)
    print(terminal("files_checked", language, count=checked, wrong=wrong))
    return 1 if wrong else 0


def _fault(assets: Library, asset: Asset) -> str:
    try:
        return "" if digest(assets.file(asset)) == asset.sha256 else "changed"
    except FileNotFoundError:
        return "gone"


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return _FAILED


if __name__ == "__main__":
    sys.exit(main())

"""API keys by hand, beside a running studio or without one.

`python -m studio.api keys add NAME` makes a key and shows it, this once; `keys list` shows which there are by
their beginnings; `keys revoke NAME` (or its id) shuts one for good. The studio is found as by itself:
STUDIO_HOME, DATABASE_URL. Standard output has a new key and nothing else; the exit code is 1 for what is
refused, 2 where the studio is not to be read.
"""

import argparse
import sys

from sqlalchemy.exc import SQLAlchemyError

from studio import db
from studio.access import Visitor
from studio.api_keys import Key, Keys
from studio.refusal import Refused
from studio.settings import Settings, SettingsError
from studio.words import say, terminal, terminal_language

_REFUSED, _FAILED = 1, 2
# Whoever may read the database is its admin.
_HERE = Visitor(owner="", admin=True)


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m studio.api", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    keys = parser.add_subparsers(dest="what", required=True).add_parser("keys", help="API keys")
    commands = keys.add_subparsers(dest="command", required=True)
    commands.add_parser("add", help="make a key").add_argument("name", help="what it is for")
    commands.add_parser("list", help="which keys there are")
    commands.add_parser("revoke", help="shut a key for good").add_argument("name", help="its name or id")
    given = parser.parse_args(arguments)
    language = terminal_language()
    try:
        settings = Settings.from_env()
        settings.make_folders()
        engine = db.engine(settings.database_url)
        db.migrate(engine)
        return _done(Keys(engine), given)
    except Refused as error:
        told = [say(notice, language) for notice in error.notices]
        if any(notice.code == "key_name_taken" for notice in error.notices):
            told.append(terminal("key_revoke_first", language, name=" ".join(given.name.split())))
        return _fail(" ".join(told), _REFUSED)
    except SettingsError as error:
        return _fail(say(error.notice, language))
    except (OSError, SQLAlchemyError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return _fail(terminal("no_database", language, reason=reason))


def _done(keys: Keys, given: argparse.Namespace) -> int:
    language = terminal_language()
    if given.command == "add":
        key, secret = keys.make(_HERE, given.name)
        print(terminal("key_made", language, name=key.name), file=sys.stderr)
        print(secret)
    elif given.command == "revoke":
        key = keys.revoke(_HERE, given.name)
        print(terminal("key_shut", language, name=key.name, prefix=key.prefix))
    else:
        rows = [_row(key) for key in keys.list(_HERE)]
        print("\n".join(rows or [terminal("keys_none", language)]))
    return 0


def _row(key: Key) -> str:
    language = terminal_language()
    used = terminal("key_never", language) if key.used is None else f"{key.used:%Y-%m-%d %H:%M}"
    state = terminal("key_open", language)
    if key.revoked is not None:
        state = terminal("key_revoked", language, date=f"{key.revoked:%Y-%m-%d}")
    told = {"prefix": key.prefix, "name": key.name, "created": f"{key.created:%Y-%m-%d}", "used": used}
    return terminal("key_row", language, **told, state=state)


def _fail(sentence: str, code: int = _FAILED) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())

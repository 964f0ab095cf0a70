"""A Postgres of the tests' own: one server a session, a fresh database a test. Fails clearly without one."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest


@dataclass
class Postgres:
    """A running server that listens on a socket in `folder`."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql://studio@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """A new database, as a copy of another one if asked for; its name."""
        name = f"studio_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} template {template}")
        return name


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Start a server in a folder of its own; it needs no network and leaves nothing behind."""
    # Not pytest's folder: a server refuses to run as root, and the other user may not look into root's.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres", "postgres")
    data, log = folder / "data", folder / "log"

    def run(program: str, *arguments: str) -> None:
        command = [_program(program), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **user)  # type: ignore[call-overload]

    run("initdb", "-D", str(data), "-U", "studio", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
    run("pg_ctl", "-D", str(data), "-l", str(log), "-w", "-o", options, "start")
    try:
        yield Postgres(folder)
    finally:
        run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    found = shutil.which(name)
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found is None and not installed:
        pytest.fail(f"{name} is missing: install Postgres (Debian: apt-get install postgresql)")
    return found or str(installed[-1])

"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a socket in it, gone afterwards.

The server refuses to run as root, so that a root's tests run it as another user.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

PROGRAMS = ("initdb", "pg_ctl", "postgres")
_DRIVER = "postgresql+psycopg"
_TEMPLATE = "template_of_tests"
_OTHER_USER = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


class Server:
    """One server; `new_database` gives an empty database of the newest schema."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)
        options = ("-U", "obra", "-A", "trust", "-N", "-E", "UTF8", "--locale=C", "--no-instructions")
        self._run("initdb", "-D", str(folder / "data"), *options)
        self.start()

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    def start(self) -> None:
        options = f"-F -c listen_addresses='' -c max_connections=200 -c deadlock_timeout=100ms -k {self.folder}"
        self._ctl("-w", "-o", options, "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        """As if the power had failed."""
        self._ctl("-m", "immediate", "-w", "stop")

    def empty_database(self) -> str:
        """Return the address of a database without any table."""
        return self._made(f"empty_{next(self._numbers)}", "template0")

    def new_database(self) -> str:
        from obra_tui.store.journal import SqlJournal

        if not self._exists(_TEMPLATE):
            SqlJournal(self._made(_TEMPLATE, "template0")).close()
        return self._made(f"obra_{next(self._numbers)}", _TEMPLATE)

    def url(self, name: str) -> str:
        return f"{_DRIVER}://obra@/{name}?host={self.folder}"

    def _made(self, name: str, template: str) -> str:
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def _exists(self, name: str) -> bool:
        return bool(self._sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))

    def _sql(self, statement: str) -> list[tuple[object, ...]]:
        from sqlalchemy import create_engine

        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                found = connection.exec_driver_sql(statement)
                return [tuple(row) for row in found] if found.returns_rows else []
        finally:
            engine.dispose()

    def _ctl(self, *words: str) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), *words)

    def _run(self, *words: str) -> None:
        other = _OTHER_USER if os.geteuid() == 0 else ()
        # The server keeps what it inherits: a pipe would never end.
        output = self.folder / "output"
        with output.open("ab") as file:
            ended = subprocess.run((*other, *words), stdout=file, stderr=file, cwd="/", check=False, timeout=60)
        assert ended.returncode == 0, output.read_text()


def missing() -> str:
    """Return why there can be no server here, empty when there can."""
    pytest.importorskip("psycopg")
    programs = [*PROGRAMS, *(("setpriv",) if os.geteuid() == 0 else ())]
    absent = [name for name in programs if shutil.which(name) is None]
    return f"{', '.join(absent)}: not on the PATH" if absent else ""


def _served() -> Iterator[Server]:
    reason = missing()
    if reason:
        pytest.skip(f"no PostgreSQL server ({reason})")
    folder = Path(tempfile.mkdtemp(prefix="obra-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    try:
        server = Server(folder)
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The server that tests share, each in databases of its own."""
    yield from _served()


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A server that a test may stop."""
    yield from _served()

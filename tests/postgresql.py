"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a socket in it, gone afterwards.

The server refuses to run as root, so that a root's tests run it as another user.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import monotonic

import pytest

PROGRAMS = ("initdb", "postgres")
_DRIVER = "postgresql+psycopg"
_TEMPLATE = "template_of_tests"
_SOON = 60.0


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
        """Start it; it ends with the thread that started it, so that a killed test leaves nothing behind."""
        options = ("listen_addresses=", "max_connections=200", "deadlock_timeout=100ms")
        words = ["postgres", "-D", str(self.folder / "data"), "-F", "-k", str(self.folder)]
        words += [word for option in options for word in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self._running = subprocess.Popen(
                [*_as_other("--pdeathsig", "INT"), *words], stdout=log, stderr=log, cwd="/"
            )
        deadline = monotonic() + _SOON
        while not self._answers():
            assert self._running.poll() is None, (self.folder / "log").read_text()
            assert monotonic() < deadline, "the server does not answer"

    def _answers(self) -> bool:
        from sqlalchemy.exc import OperationalError

        try:
            return self.socket.exists() and bool(self._sql("SELECT 1"))
        except OperationalError:
            return False

    def stop(self) -> None:
        """As if the power had failed; repeating it is harmless."""
        self._running.send_signal(signal.SIGQUIT)
        self._running.wait(_SOON)

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

    def _run(self, *words: str) -> None:
        ended = subprocess.run(
            [*_as_other(), *words], capture_output=True, text=True, cwd="/", check=False, timeout=_SOON
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def _as_other(*options: str) -> tuple[str, ...]:
    """What stands before a command of the server, which does not run as root."""
    other = ("--reuid=nobody", "--regid=nogroup", "--clear-groups") if os.geteuid() == 0 else ()
    return ("setpriv", *other, *options) if other or (options and shutil.which("setpriv")) else ()


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

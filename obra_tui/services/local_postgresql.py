"""A PostgreSQL server of our own, for a demonstration: in a folder, reached by a socket in it, ended with us.

Debian keeps the server's programs off the PATH, so they are looked for there, too. The server refuses to run as root:
a root's runs as nobody.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from obra_tui.core.errors import ConfigError, StoreError

_DEBIAN = Path("/usr/lib/postgresql")
_SOON_S = 60.0
_LOOK_EVERY_S = 0.05


def program(name: str) -> str:
    """Return the path of one of the server's programs. Raises `ConfigError` when it is not installed."""
    newest = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: path.parts[4].zfill(4), reverse=True)
    found = shutil.which(name) or next(map(str, newest), "")
    if not found:
        raise ConfigError(
            f"The PostgreSQL server is not installed ({name} was not found).",
            fix="Install it, such as with: apt install postgresql.",
        )
    return found


class LocalServer:
    """A running server with one database; `close` ends it."""

    def __init__(self, folder: Path) -> None:
        """Make the server in an empty folder with a short path, and start it. Raises `ObraError`."""
        self._folder = folder
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        options = ("-U", "obra", "-A", "trust", "-N", "-E", "UTF8", "--locale=C", "--no-instructions")
        self._run(program("initdb"), "-D", str(folder / "data"), *options)
        words = [program("postgres"), "-D", str(folder / "data"), "-F", "-k", str(folder), "-c", "listen_addresses="]
        with (folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*_as_other("--pdeathsig", "INT"), *words], stdout=log, stderr=log, cwd="/", start_new_session=True
            )
        self._wait()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://obra@/postgres?host={self._folder}"

    def close(self) -> None:
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(_SOON_S)

    def _wait(self) -> None:
        deadline = time.monotonic() + _SOON_S
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise StoreError("The database server did not start.", where=str(self._folder / "log"))
            time.sleep(_LOOK_EVERY_S)

    def _answers(self) -> bool:
        import psycopg

        try:
            with psycopg.connect(user="obra", host=str(self._folder), dbname="postgres") as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, *words: str) -> None:
        done = subprocess.run([*_as_other(), *words], capture_output=True, text=True, cwd="/", check=False)
        if done.returncode:
            raise StoreError(f"The database could not be made: {done.stderr.strip()}", where=str(self._folder))


def _as_other(*options: str) -> tuple[str, ...]:
    other = ("--reuid=nobody", "--regid=nogroup", "--clear-groups") if os.geteuid() == 0 else ()
    return ("setpriv", *other, *options) if other or (options and shutil.which("setpriv")) else ()

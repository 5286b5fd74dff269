"""All that is special about SQLite: driver, files, connections, faults in plain words.

Loads nothing but the standard library, so that the first screen can use it.

The rules that keep the file whole: one writer connection, which alone
checkpoints; every other connection is read-only, so that it can neither write
nor checkpoint. `synchronous=FULL` makes a commit durable when it returns.
"""

import importlib
import os
import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any, Literal
from urllib.parse import quote

from msgspec import Struct

from obra_tui.core.errors import DiskFull, StoreError, Unwritable

BUSY_TIMEOUT_MS = 5_000
_WAL_LIMIT = 64 * 1024 * 1024
APPLICATION_ID = 0x4F627261
"""`Obra`, in the header of the file."""
_MARK_AT = 68
_MAGIC = b"SQLite format 3\0"


def driver() -> ModuleType:
    """Return `pysqlite3` if it is installed with a newer SQLite than Python's own, else `sqlite3`."""
    try:
        other = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3
    newer = other.sqlite_version_info > sqlite3.sqlite_version_info
    return other if newer else sqlite3


class SqliteHealth(Struct, frozen=True, kw_only=True):
    """The SQLite library in use and whether it has the WAL-reset bug."""

    version: str
    affected: bool
    note: str


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Two connections that checkpoint and commit at once can damage a WAL database: 3.7.0 to 3.51.2."""
    if version[:2] == (3, 44):
        return version < (3, 44, 6)
    if version[:2] == (3, 50):
        return version < (3, 50, 7)
    return (3, 7, 0) <= version < (3, 51, 3)


def sqlite_health() -> SqliteHealth:
    """Say which SQLite is used and what its known fault means here."""
    module = driver()
    affected = has_wal_reset_bug(tuple(module.sqlite_version_info))
    if not affected:
        return SqliteHealth(version=module.sqlite_version, affected=False, note="No known fault.")
    return SqliteHealth(
        version=module.sqlite_version,
        affected=True,
        note="This SQLite can damage a database that two programs write at once. Obra writes through one connection "
        "only, which keeps clear of it. For a corrected SQLite: pip install 'obra-tui[sqlite]'.",
    )


# --- connections ---------------------------------------------------------------------------------


def connect(path: Path, mode: Literal["ro", "rw", "draft"]) -> Any:
    """Return a connection of the driver, set up by the rules above; usable from any thread, one at a time.

    A `draft` has no side file that it would need to be whole: all of it is in the one that is given its name.
    """
    uri = f"file:{quote(str(path))}?mode={'ro' if mode == 'ro' else 'rw'}"
    connection = driver().connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    try:
        _set_up(connection, mode)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: Any, mode: Literal["ro", "rw", "draft"]) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    if mode != "ro":
        connection.execute(f"PRAGMA journal_mode={'WAL' if mode == 'rw' else 'DELETE'}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")
    else:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA wal_autocheckpoint=0")


# --- the file ------------------------------------------------------------------------------------


def private_directory(path: Path) -> None:
    """Make `path` (and its parents) with mode 0700, whatever the umask."""
    if path.is_dir():
        return
    path.mkdir(parents=True, mode=0o700, exist_ok=True)
    path.chmod(0o700)


def new_private_file(path: Path) -> None:
    """Create an empty file with mode 0600, whatever the umask; SQLite gives its side files the same mode."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def mark_of(path: Path) -> int:
    """Return the number of the program that made the file, as its header has it; 0 when there is none."""
    with path.open("rb") as file:
        header = file.read(_MARK_AT + 4)
    return int.from_bytes(header[_MARK_AT:]) if header.startswith(_MAGIC) else 0


# --- faults --------------------------------------------------------------------------------------

_NO_SPACE = ("The disk is full.", "Free at least 16 MB. The last step was not stored; all before it is safe.")
_PLAIN = (
    ("SQLITE_FULL", *_NO_SPACE),
    ("SQLITE_IOERR_SHMSIZE", *_NO_SPACE),
    ("SQLITE_READONLY", "The database is read-only.", "Make the file and its folder writable for you."),
    ("SQLITE_BUSY", "The database is locked by another program.", "Close the other program that writes to it."),
    ("SQLITE_LOCKED", "The database is locked by another program.", "Close the other program that writes to it."),
    ("SQLITE_CORRUPT", "The database is damaged.", "Keep the file, and restore a backup beside it."),
    ("SQLITE_NOTADB", "This file is no database.", "Move it away, or name another data directory."),
    ("SQLITE_IOERR", "The disk could not be read or written.", "Check the disk and its connection."),
    ("SQLITE_CANTOPEN", "The database cannot be opened.", "Check that the file exists and that you may read it."),
    ("SQLITE_PERM", "The database may not be used.", "Check who owns the file."),
)

_KINDS: dict[str, type[StoreError]] = {
    "SQLITE_FULL": DiskFull,
    "SQLITE_IOERR_SHMSIZE": DiskFull,
    "SQLITE_BUSY": StoreError,
    "SQLITE_LOCKED": StoreError,
}


def plain_error(error: BaseException, path: Path) -> StoreError:
    """Return what a database error means to a person."""
    name = _name_of(error)
    for prefix, what, fix in _PLAIN:
        if name.startswith(prefix):
            return _KINDS.get(prefix, Unwritable)(what, where=str(path), fix=fix)
    return StoreError(
        f"The database refused a step ({error}).", where=str(path), fix="Nothing of this step was stored."
    )


def needs_the_writer(error: BaseException) -> bool:
    """A reader met a step that the power cut in half: whoever opens the file for writing takes it back first."""
    return _name_of(error).startswith("SQLITE_READONLY")


def _name_of(error: BaseException) -> str:
    return getattr(error, "sqlite_errorname", "") or _guessed_name(str(error))


def _guessed_name(message: str) -> str:
    """Older drivers give no name, only SQLite's own sentence."""
    known = {
        "full": "SQLITE_FULL",
        "readonly": "SQLITE_READONLY",
        "locked": "SQLITE_BUSY",
        "malformed": "SQLITE_CORRUPT",
        "not a database": "SQLITE_NOTADB",
        "disk I/O": "SQLITE_IOERR",
        "unable to open": "SQLITE_CANTOPEN",
    }
    return next((name for part, name in known.items() if part in message), "")

"""A complete copy of the database in one file, and the way back.

A backup can be taken while another Obra writes. Restoring is for the owner of
the data directory; it refuses a damaged, foreign or newer file, and keeps the
database that was there beside the one that takes its place.
"""

import os
import shutil
import time
from pathlib import Path
from typing import Any

from obra_tui.core.errors import NewerDatabase, StoreError
from obra_tui.store import sqlite
from obra_tui.store.labels import LABELS
from obra_tui.store.schema import KNOWN_SCHEMAS, SCHEMA, VERSION_TABLE

_SIDE = ("-wal", "-shm")


def back_up(database: Path, to: Path) -> int:
    """Write a compact copy to a new file and return its size. Pins and tags go to `<file>.labels.jsonl`."""
    if not database.exists():
        raise StoreError("There is no database yet.", where=str(database), fix="Run something first: obra demo.")
    if to.exists():
        raise StoreError("The backup was not written: the file exists.", where=str(to), fix="Name another file.")
    try:
        sqlite.new_private_file(to)
        _copy(database, to)
        check(to)
        _copy_labels(database.with_name(LABELS), _labels_of(to))
    except OSError as error:
        to.unlink(missing_ok=True)
        raise StoreError(
            f"The backup could not be written ({error.strerror}).", where=str(to), fix="Check the folder and the disk."
        ) from error
    except BaseException:
        to.unlink(missing_ok=True)
        raise
    return to.stat().st_size


def _copy(database: Path, to: Path) -> None:
    connection = _plain_reader(database)
    try:
        connection.execute("VACUUM INTO ?", (str(to),))
    except sqlite.driver().Error as error:
        raise sqlite.plain_error(error, database) from error
    finally:
        connection.close()


def _plain_reader(path: Path) -> Any:
    """A reading connection that may write another file."""
    connection = sqlite.driver().connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout={sqlite.BUSY_TIMEOUT_MS}")
    return connection


def check(path: Path) -> None:
    """Read a whole database file. Raises `StoreError` when it is damaged, foreign or newer than this Obra."""
    if not path.is_file() or not path.stat().st_size:
        raise StoreError("There is no such backup.", where=str(path), fix="Check the name.")
    try:
        connection = _plain_reader(path)
        try:
            _check(connection, path)
        finally:
            connection.close()
    except sqlite.driver().Error as error:
        raise sqlite.plain_error(error, path) from error


def _check(connection: Any, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != sqlite.APPLICATION_ID:
        raise StoreError("This database was made by another program.", where=str(path), fix="Name a backup of Obra.")
    found = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()[0]
    if found not in KNOWN_SCHEMAS:
        raise NewerDatabase(
            f"The backup has schema {found}; this Obra knows schemas up to {SCHEMA}.",
            where=str(path),
            fix="Update Obra. Nothing was changed.",
        )
    said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        raise StoreError(f"The file is damaged ({said}).", where=str(path), fix="Use another backup.")


def restore(backup: Path, database: Path) -> Path | None:
    """Put a backup in the place of the database; returns where the old one is kept, None if there was none."""
    check(backup)
    sqlite.private_directory(database.parent)
    draft = database.with_name(f"{database.name}.restoring-{os.getpid()}")
    sqlite.new_private_file(draft)
    try:
        _copy_durably(backup, draft)
        kept = _set_aside(database)
        draft.rename(database)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _copy_labels(_labels_of(backup), database.with_name(LABELS))
    return kept


def _copy_durably(source: Path, to: Path) -> None:
    with source.open("rb") as reading, to.open("wb") as writing:
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())


def _set_aside(database: Path) -> Path | None:
    """Move the database with its side files, which belong to it, to a name of its own."""
    if not database.exists():
        return None
    kept = database.with_name(f"{database.name}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}")
    for end in ("", *_SIDE):
        part = database.with_name(database.name + end)
        if part.exists():
            part.rename(kept.with_name(kept.name + end))
    return kept


def _labels_of(backup: Path) -> Path:
    return backup.with_name(f"{backup.name}.labels.jsonl")


def _copy_labels(source: Path, to: Path) -> None:
    if source.exists():
        to.unlink(missing_ok=True)
        sqlite.new_private_file(to)
        _copy_durably(source, to)

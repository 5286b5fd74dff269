"""The database of past sessions without an engine: open, label, prune, back up, restore.

Knows where the data of the settings are; which process may write is decided by `store.ownership`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from obra_tui.core.errors import ConfigError, UnknownId
from obra_tui.store import backup, retention
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.labels import LABELS, Labels, Preference, Winner
from obra_tui.store.ownership import acquire
from obra_tui.system.user import person

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.store.retention import Pruning


def database(settings: Settings) -> str | Path:
    """Return the SQLite file, or the URL of a database server."""
    return settings.database.url or settings.data_dir / "obra.db"


def database_file(settings: Settings) -> Path:
    """Return the SQLite file. Raises `ConfigError` for a database on a server."""
    target = database(settings)
    if isinstance(target, str) and not target.startswith("sqlite"):
        address = make_url(target).set(drivername="postgresql").render_as_string(hide_password=True)
        raise ConfigError(
            "The database is on a server, which has tools of its own for this.",
            where="database.url",
            fix=f"Back up: pg_dump --format=custom --file=obra.dump '{address}'. Put back: pg_restore.",
        )
    return Path(target) if isinstance(target, Path) else settings.data_dir / "obra.db"


def writer_name(settings: Settings) -> str:
    """Return the name of the writer in the lease of a shared database: this host and data directory."""
    return f"{gethostname()}, {settings.data_dir}"


@contextmanager
def open_history(settings: Settings) -> Iterator[SqlHistory]:
    """Open the database for reading. Raises `StoreError`; `UnknownId` when nothing was ever stored."""
    target = database(settings)
    if not isinstance(target, str) and not target.exists():
        raise UnknownId("There is no session yet.", where=str(target), fix="`obra run` or `obra demo` makes one.")
    history = SqlHistory(target, labels=labels_file(settings))
    try:
        yield history
    finally:
        history.close()


# --- labels --------------------------------------------------------------------------------------


def labels_of(settings: Settings) -> Labels:
    return Labels(labels_file(settings))


def labels_file(settings: Settings) -> Path:
    """Return the file of pins and tags: in the data directory, wherever the database is."""
    return settings.data_dir / LABELS


def prefer(settings: Settings, *, a: str, b: str, winner: Winner, note: str, blind: bool) -> None:
    """Store which of two attempts or sessions a person finds better."""
    chosen = Preference(at=time.time(), a=a, b=b, winner=winner, note=note, by=person(), blind=blind)
    labels_of(settings).prefer(chosen)


# --- pruning and backups -------------------------------------------------------------------------


def plan_pruning(settings: Settings, *, before: float | None, size: int | None) -> Pruning:
    return retention.plan(database(settings), before=before, size=size, labels=labels_file(settings))


def prune(settings: Settings, pruning: Pruning) -> int:
    """Delete what the plan names. Raises `AlreadyOwned` while another Obra runs."""
    with acquire(settings.data_dir), _lease(settings):
        return retention.prune(database(settings), pruning, labels=labels_file(settings))


@contextmanager
def _lease(settings: Settings) -> Iterator[None]:
    """Hold the lease of a database server, which other hosts can reach too; a local file needs none."""
    target = database(settings)
    if isinstance(target, Path) or target.startswith("sqlite"):
        yield
        return
    journal = SqlJournal(target, holder=writer_name(settings))
    try:
        yield
    finally:
        journal.close()


def back_up(settings: Settings, to: Path) -> int:
    return backup.back_up(database_file(settings), to)


def restore(settings: Settings, source: Path) -> Path | None:
    """Put a backup in the place of the database. Raises `AlreadyOwned` while another Obra runs."""
    with acquire(settings.data_dir):
        return backup.restore(source, database_file(settings))

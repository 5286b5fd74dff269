"""Reading, labelling and keeping the history without an engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.core.errors import ConfigError
from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId, SessionId

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.records.export import ExportedAttempt
    from obra_tui.core.records.history import History, SessionDetail
    from obra_tui.store.labels import Labels, Winner
    from obra_tui.store.retention import Pruning

_PAGE = 1_000


def labels_of(settings: Settings) -> Labels:
    from obra_tui.store.labels import Labels

    return Labels(labels_file(settings))


def labels_file(settings: Settings) -> Path:
    """Return where pins and tags are: in the data directory, wherever the database is."""
    from obra_tui.store.labels import LABELS

    return settings.data_dir / LABELS


def prefer(settings: Settings, *, a: str, b: str, winner: Winner, note: str, blind: bool) -> None:
    """Keep somebody's answer to *which of the two is better*."""
    from obra_tui.bootstrap.run_request import person
    from obra_tui.store.labels import Preference

    chosen = Preference(at=time.time(), a=a, b=b, winner=winner, note=note, by=person(), blind=blind)
    labels_of(settings).prefer(chosen)


def database_file(settings: Settings) -> Path:
    """Return the SQLite file. Raises `ConfigError` for a database on a server."""
    from obra_tui.bootstrap.engine import database

    target = database(settings)
    if isinstance(target, str) and not target.startswith("sqlite"):
        raise ConfigError(
            "The database is on a server, which has tools of its own for this.",
            where="database.url",
            fix=f"Back up: pg_dump --format=custom --file=obra.dump '{_plain_address(target)}'. Put back: pg_restore.",
        )
    return Path(target) if isinstance(target, Path) else settings.data_dir / "obra.db"


def _plain_address(url: str) -> str:
    """The address as the server's own tools read it, without the password."""
    from sqlalchemy.engine import make_url

    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=True)


def clean_record(history: History, attempt: AttemptId) -> Iterator[Record]:
    """Return the records of an attempt, page by page, with secrets taken out once more."""
    return _clean_pages(partial(history.attempt_records, attempt))


def told(history: History, attempt: AttemptId) -> ExportedAttempt:
    """Return an attempt for export, without secrets."""
    from obra_tui.core.records.export import ExportedAttempt
    from obra_tui.store.redact import exporter

    return ExportedAttempt(
        detail=exporter().of(history.attempt(attempt)), records=tuple(clean_record(history, attempt))
    )


def clean_session(history: History, session: SessionId) -> SessionDetail:
    from obra_tui.store.redact import exporter

    return exporter().of(history.session(session))


def clean_records(history: History, session: SessionId) -> Iterator[Record]:
    """Return all records of a session, streamed ones included, without secrets."""
    return _clean_pages(partial(history.records, session))


def _clean_pages(read: Callable[[int, int], Sequence[Record]]) -> Iterator[Record]:
    """Read on after the last record, a page at a time, until there is none."""
    from obra_tui.store.redact import exporter

    redactor, last = exporter(), 0
    while page := read(last, _PAGE):
        last = page[-1].seq
        yield from map(redactor.record, page)


def plan_pruning(settings: Settings, *, before: float | None, size: int | None) -> Pruning:
    from obra_tui.bootstrap.engine import database
    from obra_tui.store.retention import plan

    return plan(database(settings), before=before, size=size, labels=labels_file(settings))


def carry_out(settings: Settings, pruning: Pruning) -> int:
    """Delete what the plan names. Raises `AlreadyOwned` while another Obra runs."""
    from obra_tui.bootstrap.engine import database
    from obra_tui.store.ownership import acquire
    from obra_tui.store.retention import prune

    with acquire(settings.data_dir), _right_to_write(settings):
        return prune(database(settings), pruning, labels=labels_file(settings))


@contextmanager
def _right_to_write(settings: Settings) -> Iterator[None]:
    """A server can be reached from elsewhere, too: nobody may write there meanwhile."""
    from obra_tui.bootstrap.engine import database, holder
    from obra_tui.store.journal import SqlJournal

    target = database(settings)
    if isinstance(target, Path) or target.startswith("sqlite"):
        yield
        return
    journal = SqlJournal(target, holder=holder(settings))
    try:
        yield
    finally:
        journal.close()


def back_up(settings: Settings, to: Path) -> int:
    from obra_tui.store.backup import back_up

    return back_up(database_file(settings), to)


def restore(settings: Settings, backup: Path) -> Path | None:
    """Put a backup in the place of the database. Raises `AlreadyOwned` while another Obra runs."""
    from obra_tui.store.backup import restore
    from obra_tui.store.ownership import acquire

    with acquire(settings.data_dir):
        return restore(backup, database_file(settings))

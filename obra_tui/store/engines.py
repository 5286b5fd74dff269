"""SQLAlchemy engines on a SQLite file: one that writes, and ones that only read."""

from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, StaticPool

from obra_tui.store import raw_sql
from obra_tui.store.sqlite import connect, driver


def writer_engine(path: Path, mode: Literal["rw", "draft"] = "rw") -> Engine:
    """Return the engine of the one connection that writes and checkpoints; usable from any thread, one at a time."""
    engine = create_engine(
        "sqlite://",
        module=driver(),
        creator=lambda: connect(path, mode),
        poolclass=StaticPool,
        hide_parameters=True,
    )
    # A writer that cannot write learns it before it has read anything.
    _begin_with(engine, "BEGIN IMMEDIATE")
    return engine


def reader_engine(path: Path) -> Engine:
    """Return an engine whose connections, one per use, cannot write; each use sees one state of the database."""
    engine = create_engine(
        "sqlite://",
        module=driver(),
        creator=lambda: connect(path, "ro"),
        poolclass=NullPool,
        hide_parameters=True,
    )
    _begin_with(engine, "BEGIN")
    return engine


def _begin_with(engine: Engine, statement: str) -> None:
    """Begin transactions ourselves: Python's driver would do so only before the first writing statement."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        raw_sql.run(connection, statement)

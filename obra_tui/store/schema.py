"""Opening a database: made anew, taken as it is, brought up to date, or refused.

A new file is made beside its place and moved there complete, so that a crash
never leaves half a database and a file that is there is never overwritten.
Alembic is imported only when an older database must be brought up to date.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from obra_tui.core.errors import NewerDatabase, StoreError
from obra_tui.store import database, sqlite
from obra_tui.store.search import index
from obra_tui.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config


SCHEMA = "0009"
"""Newest migration: what the tables are."""

KNOWN_SCHEMAS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
"""Every migration of this version, oldest first."""

VERSION_TABLE = "alembic_version"
"""Where a database says which shape it has."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def open_sqlite(path: Path) -> Engine:
    """Return the writer's engine on a current database at `path`, which is made if it is not there."""
    try:
        sqlite.private_directory(path.parent)
        if not path.exists():
            _make(path)
        _refuse_foreign(path)
        return _current(path)
    except OSError as error:
        raise StoreError(
            f"The database cannot be made or opened ({error.strerror}).",
            where=str(path),
            fix="Check the folder and who owns it, or name another data directory.",
        ) from error
    except DBAPIError as error:
        raise sqlite.plain_error(error.orig or error, path) from error
    except sqlite.driver().Error as error:
        raise sqlite.plain_error(error, path) from error


def _current(path: Path) -> Engine:
    engine = database.writer_engine(path)
    try:
        if _must_upgrade(engine, str(path)):
            _keep_copy(path)
            _upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _keep_copy(path: Path) -> None:
    """Copy the database as it is before a migration, beside it."""
    copy = path.with_name(f"{path.name}.before-{SCHEMA}")
    copy.unlink(missing_ok=True)
    sqlite.new_private_file(copy)
    source, target = sqlite.connect(path, "ro"), sqlite.driver().connect(copy)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()


def _make(path: Path) -> None:
    """Make the complete database under another name, then give it its name unless somebody was faster."""
    _remove(path.parent.glob(f"{path.name}.new-*"))  # by one that was killed here
    draft = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        _draw_up(draft)
        _give_name(draft, path)
    finally:
        _remove([draft, *path.parent.glob(f"{draft.name}-*")])
    _sync_directory(path.parent)


def _draw_up(draft: Path) -> None:
    sqlite.new_private_file(draft)
    engine = database.writer_engine(draft, "draft")
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id={sqlite.APPLICATION_ID}")
            create_all(connection)
    finally:
        engine.dispose()


def _remove(files: Iterable[Path]) -> None:
    for left in files:
        left.unlink(missing_ok=True)


def _give_name(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:  # theirs stands
        return
    except OSError:  # a file system without hard links
        draft.rename(path)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_all(connection: Connection) -> None:
    """Make all tables as they are now, marked with the newest schema."""
    metadata.create_all(connection)
    index.create(connection)
    connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:schema)"), {"schema": SCHEMA})


def _refuse_foreign(path: Path) -> None:
    """Refuse a file that Obra did not make, without changing a byte of it."""
    fix = "Move the file away to start with an empty history, or restore a backup in its place."
    if path.stat().st_size == 0:
        raise StoreError("The database is an empty file; what it held is lost.", where=str(path), fix=fix)
    mark = _mark(path)
    if mark != sqlite.APPLICATION_ID:
        raise StoreError("This database was made by another program.", where=str(path), fix=fix)


def _mark(path: Path) -> int:
    """Return the number of the program that made the database. Raises what SQLite says of a file that is none."""
    connection = sqlite.connect(path, "ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite.driver().Error as error:
        if not sqlite.needs_the_writer(error):
            raise
    finally:
        connection.close()
    return sqlite.mark_of(path)


def current_schema(connection: Connection) -> str | None:
    """Return the schema that the database has, None when it has no table of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def bring_up_to_date(engine: Engine, where: str) -> None:
    """Do nothing if the schema is current; migrate an older one; refuse a newer one."""
    if _must_upgrade(engine, where):
        _upgrade(engine)


def _must_upgrade(engine: Engine, where: str) -> bool:
    with engine.connect() as connection:
        found = current_schema(connection)
    if found is None or found in KNOWN_SCHEMAS:
        return found != SCHEMA
    raise NewerDatabase(
        f"The database has schema {found}; this Obra knows schemas up to {SCHEMA}.",
        where=where,
        fix="Update Obra, or name another data directory. Nothing was changed.",
    )


def alembic_config(connection: Connection | None = None) -> "Config":
    """Return the settings for Alembic's commands; there is no ini file."""
    from alembic.config import Config  # a second to load, and hardly ever needed

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def is_compared(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the tables of the search index out of Alembic's comparisons: SQLite makes them itself."""
    return kind != "table" or name is None or not name.startswith(index.TABLE)


def _upgrade(engine: Engine) -> None:
    """Run the missing steps in one transaction; a crash between them leaves the database as it was."""
    from alembic import command

    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), SCHEMA)

"""Bringing an older database up to date with Alembic: all steps in one transaction.

Imported only when there is something to do: Alembic takes a second to load.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from obra_tui.store.search.index import TABLE
from obra_tui.store.version import SCHEMA

_SCRIPTS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return the settings for Alembic's commands; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def not_search(name: str | None, kind: str, _parents: object) -> bool:
    """Leave the tables of the search index out of comparisons: SQLite makes them itself."""
    return kind != "table" or name is None or not name.startswith(TABLE)


def upgrade(engine: Engine, to: str = SCHEMA) -> None:
    """Run the missing steps; a crash between them leaves the database as it was."""
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), to)

"""Which database is used: what a path or an address names, and how it is opened for writing or reading.

Above `schema` and `database`, so that neither has to know how a database is chosen.
"""

from pathlib import Path

from msgspec import Struct
from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from obra_tui.core.errors import ConfigError, StoreError
from obra_tui.store import database, schema, sqlite


class DatabaseTarget(Struct, frozen=True):
    """A database that can be opened for writing (once) and for reading (often)."""

    file: Path | None
    url: URL | None

    @property
    def name(self) -> str:
        """What a person may be told: never holds a password."""
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True) if self.url else ""

    def writer(self) -> Engine:
        """Return the writing engine on a database that exists and is current. Raises `StoreError`."""
        if self.file is not None:
            return schema.open_sqlite(self.file)
        engine = self._server()
        try:
            schema.bring_up_to_date(engine, self.name)
        except DBAPIError as error:
            raise self.plain(error) from error
        return engine

    def reader(self) -> Engine:
        """Return an engine that only reads. Raises `StoreError` when there is no usable database."""
        if self.file is None:
            return self._server()
        if not self.file.exists():
            raise StoreError("There is no database yet.", where=self.name, fix="Run something first: obra demo.")
        return database.reader_engine(self.file)

    def _server(self) -> Engine:
        if self.url is None:
            raise ConfigError("No database was named.", where="database.url")
        return database.engine_of(self.url)

    def plain(self, error: DBAPIError) -> StoreError:
        """Return what a database error means to a person."""
        if isinstance(error, IntegrityError):
            return StoreError(
                f"A record contradicts what is stored ({error.orig}).",
                where=self.name,
                fix="Nothing of this step was stored. If you did nothing unusual, please report it with the log file.",
            )
        if self.file is not None:
            return sqlite.plain_error(error.orig or error, self.file)
        return database.plain_error(error, self.name)


def target_of(target: str | Path) -> DatabaseTarget:
    """Return the database that a path or a database address names."""
    if isinstance(target, Path) or "://" not in target:
        return DatabaseTarget(Path(target), None)
    try:
        url = make_url(target)
    except ArgumentError as error:
        raise ConfigError(
            "The database address cannot be read.", where="database.url", fix="Use postgresql+psycopg://user@host/name."
        ) from error
    if url.get_backend_name() == "sqlite":
        return DatabaseTarget(Path(url.database or ""), None)
    return DatabaseTarget(None, url)

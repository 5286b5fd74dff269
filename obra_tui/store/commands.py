"""Commands from one Obra to another that owns the data directory: a table of its own.

Two processes write here, so it is not in the database of the journal, which has
one writer: it is a small file beside it, with a rollback journal, where the
known fault of older SQLite cannot strike. A command is taken once; its answer
stands beside it. A new owner throws away what was meant for the last one.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast, get_args

from msgspec import Struct

from obra_tui.core import errors
from obra_tui.core.commands import ChangePlan, Command, PlanChange, RecordJudging
from obra_tui.core.errors import ObraError, StoreError
from obra_tui.core.events import Judging
from obra_tui.core.json_form import from_text, to_text
from obra_tui.store import sqlite
from obra_tui.store.codec import decode

NAME = "commands.db"
_CLASSES: dict[str, type[Command]] = {cls.__name__: cls for cls in get_args(Command)}
_ERRORS: dict[str, type[ObraError]] = {
    name: cls for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, ObraError)
}
_TABLE = """
CREATE TABLE IF NOT EXISTS command (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0,
    answer TEXT
)
"""


class CommandAnswer(Struct, frozen=True):
    """What became of a command: a value, or the error that refused it."""

    value: object = None
    error: ObraError | None = None


class CommandTable:
    """Both ends of it. Every call opens the file anew, so it may be made in one thread and used in another."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / NAME
        self._seen = 0

    # --- who asks ---

    def put(self, command: Command) -> int:
        """Write a command; returns its number. Raises `StoreError`."""
        kind = type(command).__name__
        body = _body_of(command)
        with self._open() as connection:
            written = connection.execute("INSERT INTO command (kind, body) VALUES (?, ?)", (kind, body))
            return int(written.lastrowid)

    def answer_of(self, number: int) -> CommandAnswer | None:
        """Return the answer; None while there is none. Raises `StoreError` when it was thrown away unanswered."""
        with self._open() as connection:
            row = connection.execute("SELECT answer FROM command WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise StoreError(
                "The Obra that this was meant for has ended.",
                where=str(self._path),
                fix="Look what was done, and ask again.",
            )
        return None if row[0] is None else _read_answer(json.loads(row[0]))

    # --- who owns ---

    def clear(self) -> None:
        """Begin anew: nobody carries out what an earlier owner was asked for."""
        with self._open() as connection:
            connection.execute("DELETE FROM command")

    def changed(self) -> bool:
        """Whether something was written since the last call; costs one look at the file."""
        try:
            now = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        before, self._seen = self._seen, now
        return now != before

    def take(self) -> list[tuple[int, Command]]:
        """Return the commands that nobody took yet, in order; they are taken now, once and for all."""
        with self._open() as connection:
            rows = connection.execute("SELECT id, kind, body FROM command WHERE NOT taken ORDER BY id").fetchall()
            connection.execute("UPDATE command SET taken = 1 WHERE NOT taken")
        found = []
        for number, kind, body in rows:
            try:
                found.append((number, _command_of(kind, body)))
            except (KeyError, ValueError):
                self.answer(
                    number, CommandAnswer(error=StoreError("The other Obra does not know this command.", where=kind))
                )
        return found

    def answer(self, number: int, answer: CommandAnswer) -> None:
        with self._open() as connection:
            connection.execute("UPDATE command SET answer = ? WHERE id = ?", (_write_answer(answer), number))

    @contextmanager
    def _open(self) -> Iterator[Any]:
        """One transaction on the file, which is made if it is not there."""
        try:
            if not self._path.exists():
                sqlite.new_private_file(self._path)
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreError(
                "Commands cannot be handed over.", where=str(self._path), fix=f"{error.strerror}."
            ) from error
        try:
            connection = sqlite.driver().connect(self._path, isolation_level=None)
            try:
                connection.execute(f"PRAGMA busy_timeout={sqlite.BUSY_TIMEOUT_MS}")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_TABLE)
                yield connection
                connection.execute("COMMIT")
            finally:
                connection.close()
        except sqlite.driver().Error as error:
            raise sqlite.plain_error(error, self._path) from error


def _body_of(command: Command) -> str:
    """A change of a plan is told with its kind: some of them carry the same fields."""
    if isinstance(command, ChangePlan):
        changes = [(type(change).__name__, _body_of(change)) for change in command.changes]
        said = {"session": command.session, "said": command.said, "by": command.by}
        return json.dumps({**said, "changes": changes})
    if isinstance(command, RecordJudging):
        events = [(event.type, to_text(event)) for event in command.events]
        return json.dumps({"title": command.title, "rehearsal": command.rehearsal, "events": events})
    return to_text(command)


def _command_of(kind: str, body: str) -> Command:
    if kind == ChangePlan.__name__:
        said = json.loads(body)
        changes = tuple(cast(PlanChange, _command_of(name, inner)) for name, inner in said.pop("changes"))
        return ChangePlan(**said, changes=changes)
    if kind == RecordJudging.__name__:
        said = json.loads(body)
        return RecordJudging(**said | {"events": tuple(cast(Judging, decode(*event)) for event in said["events"])})
    return from_text(_CLASSES[kind], body)


def _write_answer(answer: CommandAnswer) -> str:
    error = answer.error
    if error is None:
        return json.dumps({"value": answer.value})
    named = {"what": error.what, "where": error.where, "fix": error.fix}
    return json.dumps({"error": type(error).__name__, **named})


def _read_answer(row: dict[str, Any]) -> CommandAnswer:
    if "error" not in row:
        value = row["value"]
        return CommandAnswer(value=tuple(value) if isinstance(value, list) else value)
    cls = _ERRORS.get(row["error"], ObraError)
    error = cls.__new__(cls)
    ObraError.__init__(error, row["what"], where=row["where"], fix=row["fix"])
    return CommandAnswer(error=error)

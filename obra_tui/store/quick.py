"""The first paint's look into the database: the standard library only, a few milliseconds.

Gives what `SqlHistory` gives for its first page; a test holds them equal.
"""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from obra_tui.core.records.history import Overview
from obra_tui.store import rows, sqlite
from obra_tui.store.version import SCHEMA, VERSION_TABLE

_SESSIONS = "SELECT * FROM session ORDER BY opened_at DESC, id DESC LIMIT ?"
_STATES = """
    SELECT task.session, state, count(*) AS tasks, sum(coalesce(reverted, '') != '') AS reverted
    FROM task LEFT JOIN acceptance ON acceptance.task = task.id
    WHERE task.session IN ({ids}) GROUP BY task.session, state"""
_TOTALS = """
    SELECT session, sum(attempts) AS attempts, {sums} FROM (
        SELECT session, 1 AS attempts, {names} FROM attempt WHERE session IN ({ids})
        UNION ALL SELECT session, 0 AS attempts, {names} FROM outside_usage WHERE session IN ({ids})
    ) GROUP BY session"""
_SCORES = """
    SELECT session, avg(score) AS score FROM attempt WHERE session IN ({ids}) AND score IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM attempt AS later
        WHERE later.task = attempt.task AND later.number > attempt.number AND later.score IS NOT NULL
    ) GROUP BY session"""
_WAITING = """
    SELECT session, count(*) AS waiting FROM gate WHERE session IN ({ids}) AND closed_at IS NULL GROUP BY session"""
_ALL_WAITING = "SELECT count(*) AS waiting FROM gate WHERE closed_at IS NULL"


def overview(path: Path, limit: int = 20) -> Overview:
    """Return the newest sessions and the number of waiting gates; nothing if there is no current database yet.

    Raises `StoreError` when there is one that cannot be read.
    """
    if not path.exists():
        return Overview()
    try:
        connection = sqlite.connect(path, "ro")
        try:
            return _read(connection, limit)
        finally:
            connection.close()
    except sqlite.driver().Error as error:
        if sqlite.needs_the_writer(error):
            return Overview()
        raise sqlite.plain_error(error, path) from error


def _read(connection: Any, limit: int) -> Overview:
    connection.execute("BEGIN")
    if not _is_current(connection):
        return Overview()
    found = _all(connection, _SESSIONS, (limit + 1,))
    ids = tuple(row.id for row in found[:limit])
    sums = ", ".join(f"sum({name}) AS {name}" for name in rows.USAGE)
    marks = ", ".join("?" * len(ids))
    names = ", ".join(rows.USAGE)
    parts = (
        _all(connection, query.format(ids=marks, sums=sums, names=names), ids * query.count("({ids})"))
        for query in (_STATES, _TOTALS, _SCORES, _WAITING)
    )
    summaries = rows.session_summaries(found[:limit], *parts)
    (count,) = _all(connection, _ALL_WAITING, ())
    return Overview(sessions=summaries, more=len(found) > limit, waiting=count.waiting)


def _is_current(connection: Any) -> bool:
    """An older or newer database is left to the program proper, which upgrades or refuses it."""
    tables = _all(connection, "SELECT name FROM sqlite_master WHERE name = ?", (VERSION_TABLE,))
    return bool(tables) and _all(connection, f"SELECT version_num AS version FROM {VERSION_TABLE}", ()) == [
        SimpleNamespace(version=SCHEMA)
    ]


def _all(connection: Any, query: str, values: Sequence[Any]) -> list[SimpleNamespace]:
    cursor = connection.execute(query, values)
    names = [column[0] for column in cursor.description]
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in cursor]

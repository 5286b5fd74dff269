"""A seeded history of any size.

The first part of it is written through the store's own journal. A large one is that part again and again, with later
dates and ids of its own, copied within the database: a million events would take minutes to write one by one.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from obra_tui.core import events as e
from obra_tui.core.events import Event, Record
from obra_tui.core.ids import AttemptId, ClaudeSessionId, SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import ConversationReason, Policy, SessionKind, TaskSpec

BATCH = 5_000
DAY = 86_400.0
EPOCH = 1_700_000_000.0
_LIST = (
    "parser cache socket buffer retry margin invoice ledger token branch merge report column widget digest thread "
    "journal planner budget signal worker commit schema index query cursor header footer palette import export"
)
WORDS = tuple(_LIST.split())


SEEDED = 10_000
"""Events that are written one by one; what goes beyond is made of them."""
FOLDER = "BENCH_HISTORIES"
"""Where histories are kept for the programs of one run of all benchmarks."""


def shared_history(folder: Path, *, events: int, sessions: int) -> Path:
    """The database of such a history, for who only reads: one that another program of this run made, or a new one."""
    place = Path(os.environ.get(FOLDER) or folder) / f"{events}-{sessions}" / "data" / "obra.db"
    if not place.exists():
        with tempfile.TemporaryDirectory(prefix="making-", dir=os.environ.get(FOLDER) or folder) as name:
            making = Path(name) / "data" / "obra.db"
            write_history(making, folder, events=events, sessions=sessions)
            place.parent.parent.mkdir(exist_ok=True)
            making.parent.rename(place.parent)
    return place


def write_history(database: Path, project: Path, *, events: int, sessions: int, seed: int = 7) -> None:
    """Make a database that holds so many events in so many closed sessions of `project`."""
    times = max(1, events // SEEDED) if sessions % max(1, events // SEEDED) == 0 else 1
    own = sessions // times
    _write(database, project, events=events // times, sessions=own, seed=seed)
    if times > 1:
        _repeat(database, own, times)


def _write(database: Path, project: Path, *, events: int, sessions: int, seed: int) -> None:
    from obra_tui.store.journal import SqlJournal

    journal = SqlJournal(database)
    try:
        batch: list[Record] = []
        dice = random.Random(seed)
        each = max(8, events // sessions)
        for record in chain.from_iterable(session(number, project, each, dice) for number in range(sessions)):
            batch.append(record)
            if len(batch) == BATCH:
                journal.append(batch)
                batch = []
        journal.append(batch)
    finally:
        journal.close()


_TABLES = ("session", "task", "event", "attempt", "claude_session", "prompt")
_IDS = ("id", "session", "task", "attempt")
_TIMES = ("at", "opened_at", "closed_at", "started_at", "ended_at", "changed_at")
_WORDS_OF = {
    "session_opened": "json_extract(body, '$.title') || char(10) || json_extract(body, '$.project')",
    "task_added": "json_extract(body, '$.spec.title') || char(10) || json_extract(body, '$.spec.prompt')",
    "prompt_sent": "json_extract(body, '$.text')",
    "text_finished": "json_extract(body, '$.text')",
    "tool_started": "json_extract(body, '$.tool') || char(10) || json_extract(body, '$.title')",
    "tool_finished": "json_extract(body, '$.output')",
}
"""What the search index holds of the events that a history is made of."""


def _repeat(database: Path, sessions: int, times: int) -> None:
    """Copy the sessions that are there until there are so many times as many of them."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        (seeded,) = connection.execute("SELECT max(id) FROM event").fetchone()
        copies = [_copy(connection, name) for name in _TABLES]
        for number in range(1, times):
            connection.execute("BEGIN")
            for copy in copies:
                shift = {"add": number * sessions, "later": number * sessions * DAY / 24}
                connection.execute(copy, shift)
            connection.execute("COMMIT")
        connection.execute(_index(), {"seeded": seeded})
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy(connection: sqlite3.Connection, name: str) -> str:
    """The statement that adds one more copy of the seeded rows of a table."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
    if name == "event":
        columns.remove("id")
    values = ", ".join(_moved(column) for column in columns)
    by = "attempt" if name in ("claude_session", "prompt") else "id"
    (last,) = connection.execute(f"SELECT max({by}) FROM {name}").fetchone()
    return f"INSERT INTO {name} ({', '.join(columns)}) SELECT {values} FROM {name} WHERE {by} <= {last!r}"


def _moved(column: str) -> str:
    if column in _IDS:
        number = f"printf('%09d', CAST(substr({column}, -9) AS INTEGER) + :add)"
        return f"substr({column}, 1, length({column}) - 9) || {number}"
    return f"{column} + :later" if column in _TIMES else column


def _index() -> str:
    words = " ".join(f"WHEN '{kind}' THEN {words}" for kind, words in _WORDS_OF.items())
    return f"""
        INSERT INTO search (rowid, words) SELECT id, CASE type {words} END FROM event
        WHERE id > :seeded AND type IN ({", ".join(f"'{kind}'" for kind in _WORDS_OF)})"""


def session(number: int, project: Path, events: int, dice: random.Random) -> Iterator[Record]:
    """Yield one session with one task and one attempt, `events` records in all."""
    ident, task, attempt = SessionId(f"s{number:09d}"), TaskId(f"t{number:09d}"), AttemptId(f"a{number:09d}")
    began = EPOCH + number * DAY / 24
    story = _story(number, str(project), task, events, dice)
    for seq, (scope, event) in enumerate(story, 1):
        yield Record(
            seq=seq,
            at=began + seq,
            session=ident,
            task=task if scope else None,
            attempt=attempt if scope > 1 else None,
            event=event,
        )


def _story(number: int, project: str, task: TaskId, events: int, dice: random.Random) -> Iterator[tuple[int, Event]]:
    """Yield events with their scope: 0 the session's, 1 the task's, 2 the attempt's."""
    title = f"{dice.choice(WORDS)} {dice.choice(WORDS)}"
    yield 0, _opened(number, project, title)
    spec = TaskSpec(id=task, key="T001", title=f"Repair the {title}", prompt=f"Repair the {title}.")
    yield 1, e.TaskAdded(spec=spec, position=0, state=State.QUEUED)
    yield 1, e.TaskMoved(before=State.QUEUED, trigger=Trigger.START, after=State.IMPLEMENTING)
    claude = ClaudeSessionId(f"claude-{number:09d}")
    yield 2, e.AttemptStarted(number=1, counted=0, claude_session=claude, reason=ConversationReason.FIRST)
    yield 2, e.PromptSent(text=spec.prompt, kind="task")
    for step in range(events - 7):
        yield 2, _said(step, dice)
    yield 1, e.TaskMoved(before=State.IMPLEMENTING, trigger=Trigger.CANCEL, after=State.CANCELLED)
    yield 0, e.SessionClosed(reason="done")


def _opened(number: int, project: str, title: str) -> Event:
    return e.SessionOpened(
        kind=SessionKind.STANDALONE,
        title=title,
        project=project,
        branch=f"obra/s{number:09d}",
        base_commit="b" * 40,
        policy=Policy.SUPERVISED,
        threshold=0.7,
        max_attempts=3,
    )


def _said(step: int, dice: random.Random) -> Event:
    words = " ".join(dice.choices(WORDS, k=40))
    match step % 3:
        case 0:
            return e.TextFinished(block=f"b{step}", text=f"{words}.")
        case 1:
            return e.ToolStarted(call=f"c{step}", tool="Read", title=f"src/{dice.choice(WORDS)}.py", input_json="{}")
        case _:
            return e.ToolFinished(call=f"c{step - 1}", is_error=False, output=words)

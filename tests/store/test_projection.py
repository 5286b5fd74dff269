"""The derived rows are what the events say, however the work went."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from obra_tui.core import events as e
from obra_tui.core.ids import ClaudeSessionId, QuestionId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import DecisionKind, PermissionAnswer, PermissionVerdict, SessionKind, Usage
from obra_tui.store import database
from obra_tui.store import tables as t
from obra_tui.store.journal import SqlJournal
from tests.store.rebuild import rebuild
from tests.store.story import Writer, finished_session


def derived_rows(path: Path) -> dict[str, list[Any]]:
    engine = database.reader_engine(path)
    with engine.connect() as connection:
        return {
            table.name: sorted(connection.execute(select(table)).all(), key=repr)
            for table in t.metadata.sorted_tables
            if table is not t.event
        }


def rebuilt_rows(path: Path) -> dict[str, list[Any]]:
    engine = database.writer_engine(path)
    with engine.begin() as connection:
        rebuild(connection)
    engine.dispose()
    return derived_rows(path)


ENDINGS = st.sampled_from(["approve", "changes", "reject", "policy", "cancel", "interrupt", "open"])
TASKS = st.lists(st.lists(st.tuples(ENDINGS, st.sampled_from([0.2, 0.5, 0.9])), min_size=1, max_size=3), max_size=3)
SESSIONS = st.lists(st.tuples(st.sampled_from(SessionKind), TASKS, st.booleans()), min_size=1, max_size=3)


def play(number: int, kind: SessionKind, tasks: list[list[tuple[str, float]]], closes: bool) -> Writer:
    """Tell a session in which each attempt of each task has the given ending, until one is final."""
    story = Writer(f"s{number}", start=1000.0 * number)
    story.opened(kind=kind, rehearsal="demo" if number % 2 else "")
    for position, attempts in enumerate(tasks):
        task = f"t{number}-{position}"
        story.task_added(task, position)
        for tries, (ending, score) in enumerate(attempts, start=1):
            if not _attempt(story, task, f"{task}-{tries}", tries, ending, score):
                break
    if closes:
        story.closed()
    return story


def _attempt(story: Writer, task: str, name: str, number: int, ending: str, score: float) -> bool:
    """Tell one attempt; True if another one can follow."""
    attempt, gate = f"a{name}", f"g{name}"
    binding = story.worked(task, attempt, number, score)
    if ending == "interrupt":
        story.add(e.WorkKept(ref=f"refs/kept/{attempt}", commit="f" * 40), task, attempt)
        story.moved(task, State.JUDGING, Trigger.INTERRUPT, State.INTERRUPTED)
        return True
    if ending == "policy":
        story.decided(task, attempt, None, binding, DecisionKind.APPROVE)
        story.accepted(task, attempt)
        return False
    story.gate_opened(task, attempt, gate, binding)
    if ending in {"approve", "changes", "reject"}:
        story.decided(task, attempt, gate, binding, DecisionKind(ending))
    if ending == "approve":
        story.accepted(task, attempt)
    if ending == "changes":
        story.moved(task, State.AWAITING_HUMAN, Trigger.REQUEST_CHANGES, State.QUEUED)
    if ending == "cancel":
        story.moved(task, State.AWAITING_HUMAN, Trigger.CANCEL, State.CANCELLED)
    return ending == "changes"


@settings(max_examples=10, deadline=None)
@given(SESSIONS, st.integers(1, 40))
def test_rows_rebuilt_from_the_events_equal_the_rows_that_were_written(sessions: Any, batch: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "obra.db"
        journal = SqlJournal(path)
        for number, (kind, tasks, closes) in enumerate(sessions, start=1):
            records = play(number, kind, tasks, closes).records
            for at in range(0, len(records), batch):
                journal.append(records[at : at + batch])
        journal.close()
        written = derived_rows(path)
        assert written["session"]
        assert rebuilt_rows(path) == written


def test_a_rebuild_repairs_rows_that_were_changed(journal: SqlJournal, path: Path) -> None:
    journal.append(finished_session().records)
    journal.close()
    right = derived_rows(path)
    engine = database.writer_engine(path)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE task SET state = 'failed'")
        connection.exec_driver_sql("DELETE FROM finding")
    engine.dispose()
    assert derived_rows(path) != right
    assert rebuilt_rows(path) == right


def test_every_kind_of_row_is_derived(journal: SqlJournal, path: Path) -> None:
    story = finished_session()
    story.add(e.UsageReported(usage=Usage(input_tokens=1)))
    journal.append(story.records)
    empty = [name for name, rows in derived_rows(path).items() if not rows]
    assert empty == []


def test_what_claude_reports_is_kept_beside_what_was_asked_for(journal: SqlJournal, path: Path) -> None:
    story = finished_session()
    started = next(record for record in story.records if isinstance(record.event, e.ClaudeStarted))
    at = story.records.index(started)
    other = e.ClaudeStarted(
        claude_session=ClaudeSessionId("other"), model="opus", version="2", pid=1, permission_mode="default", cwd="/"
    )
    fork = Writer()
    for record in story.records[:at]:
        fork.add(record.event, record.task, record.attempt)
    for _ in range(2):
        fork.add(other, started.task, started.attempt)
    journal.append(fork.records)
    rows = [(row.id, row.reason, row.reported) for row in derived_rows(path)["claude_session"]]
    assert sorted(rows) == [("claude-a-s1", "first", False), ("other", "first", True)]


def test_an_answer_that_nobody_was_asked_for_is_kept_too(journal: SqlJournal, path: Path) -> None:
    story = Writer()
    story.opened()
    story.task_added("t1")
    story.worked("t1", "a1")
    answer = PermissionAnswer(verdict=PermissionVerdict.DENY, by="unattended", note="nobody is there")
    story.add(e.PermissionAnswered(question_id=QuestionId("q9"), title="git push", answer=answer), "t1", "a1")
    journal.append(story.records)
    (row,) = (row for row in derived_rows(path)["permission"] if row.id == "q9")
    assert (row.title, row.verdict, row.by) == ("git push", "deny", "unattended")


def test_text_that_no_column_takes_is_shown_with_replacements(journal: SqlJournal, path: Path) -> None:
    story = Writer()
    story.opened(project="/src/\udc80\x00é")
    journal.append(story.records)
    assert derived_rows(path)["session"][0].project == "/src/?␀é"

"""What the screens are given."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from obra_tui.core.errors import StoreError, UnknownId
from obra_tui.core.events import Record, UsageReported, WorkReverted
from obra_tui.core.ids import AttemptId, GateId, SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import (
    ConversationReason,
    DecisionKind,
    GateDecision,
    Outcome,
    PermissionVerdict,
    Reversal,
    SessionKind,
    Usage,
)
from obra_tui.core.records.history import PageCursor
from obra_tui.core.records.search import parse
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.store.conftest import PRODUCTS
from tests.store.story import CHECK, DIFF, USAGE, VERDICT, Writer, finished_session, quality, waiting_session


def retried(session: str = "s3", start: float = 3000.0) -> Writer:
    """Two attempts: changes requested on the first, the second waits."""
    story = Writer(session, start)
    story.opened(kind=SessionKind.STANDALONE, project="/src/other", rehearsal="retry")
    story.task_added("t-s3")
    binding = story.worked("t-s3", "a-s3-1", 1, 0.4)
    story.gate_opened("t-s3", "a-s3-1", "g-s3-1", binding)
    story.decided("t-s3", "a-s3-1", "g-s3-1", binding, DecisionKind.CHANGES)
    binding = story.worked("t-s3", "a-s3-2", 2, 0.9)
    story.gate_opened("t-s3", "a-s3-2", "g-s3-2", binding)
    return story


@pytest.fixture(params=PRODUCTS)
def product(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=PRODUCTS)
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    """Three sessions, only read from."""
    server = request.param == "postgresql"
    path = request.getfixturevalue("postgresql").new_database() if server else tmp_path_factory.mktemp("full") / "db"
    journal = SqlJournal(path)
    for story in (finished_session("s1", 1000.0), waiting_session("s2", 2000.0), retried()):
        journal.append(story.records)
    history = SqlHistory(path)
    yield history
    history.close()
    journal.close()


def ids(page: object) -> list[str]:
    return [row.id for row in page.rows]  # type: ignore[attr-defined]


def test_sessions_come_newest_first_with_their_totals(full: SqlHistory) -> None:
    newest, middle, oldest = full.sessions().rows
    assert [newest.id, middle.id, oldest.id] == ["s3", "s2", "s1"]
    assert (oldest.states, oldest.tasks, oldest.in_state(State.ACCEPTED)) == (((State.ACCEPTED, 1),), 1, 1)
    assert (newest.attempts, newest.waiting, newest.score) == (2, 1, 0.9)
    assert newest.usage == USAGE + USAGE + USAGE + USAGE
    assert oldest.closed_at is not None
    assert middle.closed_at is None


def test_a_session_without_work_has_zeros(journal: SqlJournal, history: SqlHistory) -> None:
    story = Writer()
    story.opened()
    journal.append(story.records)
    (row,) = history.sessions().rows
    assert (row.tasks, row.attempts, row.waiting, row.score, row.usage) == (0, 0, 0, None, Usage())


def test_usage_from_outside_counts_in_the_session_and_in_no_attempt(
    journal: SqlJournal, history: SqlHistory, path: Path, product: str
) -> None:
    story = finished_session("s1", 1000.0)
    journal.append(story.records)
    before = history.session(SessionId("s1"))
    empty = Writer("s2", 2000.0)
    empty.opened()
    journal.append(empty.records)
    last = history.last_seq(SessionId("s1"))
    for session, seq in (("s1", last + 1), ("s1", last + 2), ("s2", history.last_seq(SessionId("s2")) + 1)):
        outside = UsageReported(usage=USAGE)
        record = Record(seq=seq, at=3000.0, session=SessionId(session), task=None, attempt=None, event=outside)
        journal.append([record])
    after = history.session(SessionId("s1"))
    assert after.summary.usage == before.summary.usage + USAGE + USAGE
    assert after.attempts == before.attempts
    assert after.summary.attempts == before.summary.attempts
    alone = history.session(SessionId("s2")).summary
    assert (alone.usage, alone.attempts) == (USAGE, 0)


def test_pages_follow_each_other_without_gap_or_repetition(full: SqlHistory) -> None:
    seen: list[str] = []
    mark: PageCursor | None = None
    while True:
        page = full.sessions(after=mark, limit=1)
        seen += ids(page)
        mark = page.next
        if mark is None:
            break
    assert seen == ["s3", "s2", "s1"]


def test_sessions_of_the_same_instant_are_paged_too(journal: SqlJournal, history: SqlHistory) -> None:
    for name in ("sa", "sb", "sc"):
        story = Writer(name)
        story.opened()
        journal.append(story.records)
    first = history.sessions(limit=2)
    assert ids(first) + ids(history.sessions(after=first.next, limit=2)) == ["sc", "sb", "sa"]


def test_sessions_of_one_project_are_listed_alone(full: SqlHistory) -> None:
    assert ids(full.sessions(project="/src/app")) == ["s2", "s1"]
    assert ids(full.sessions(project="/src/app", limit=1)) == ["s2"]
    assert ids(full.sessions(project="/src/nowhere")) == []


def test_attempts_are_paged(full: SqlHistory) -> None:
    first = full.attempts(limit=3)
    assert ids(first) + ids(full.attempts(after=first.next, limit=3)) == ["a-s3-2", "a-s3-1", "a-s2", "a-s1"]


def test_an_attempt_in_the_list_tells_how_it_went(full: SqlHistory) -> None:
    second, first, _, accepted = full.attempts().rows
    assert (accepted.accepted, accepted.decision, accepted.decided_by) == (True, DecisionKind.APPROVE, "person:ada")
    assert (first.score, first.passes, first.gate_decision) == (0.4, False, GateDecision.ASK)
    assert (first.waiting, second.waiting) == (None, "g-s3-2")
    assert (second.claude_model, second.judge_model, second.outcome) == ("opus", "qwen2.5-coder:32b", Outcome.COMPLETED)
    assert second.usage == USAGE + USAGE
    assert second.seconds is not None
    assert second.seconds > 0


def test_a_session_opens_to_its_tasks_and_attempts(full: SqlHistory) -> None:
    detail = full.session(SessionId("s3"))
    assert detail.versions == (("git", "2.39"), ("obra", "0.1.0"))
    (task,) = detail.tasks
    assert (task.attempts, task.score, task.state, task.commit) == (2, 0.9, State.AWAITING_HUMAN, "")
    assert [attempt.number for attempt in detail.attempts] == [1, 2]
    assert full.session(SessionId("s1")).tasks[0].commit == "e" * 40


def test_the_usage_of_a_session_is_the_sum_of_its_attempts(full: SqlHistory) -> None:
    detail = full.session(SessionId("s3"))
    assert detail.summary.usage == sum((attempt.usage for attempt in detail.attempts), Usage())


def test_an_attempt_opens_to_all_of_its_evidence(full: SqlHistory) -> None:
    detail = full.attempt(AttemptId("a-s1"))
    assert detail.spec.prompt == "Write a calculator."
    assert [prompt.text for prompt in detail.prompts] == ["Write a calculator."]
    assert [(item.id, item.reason, item.reported) for item in detail.conversations] == [
        ("claude-a-s1", ConversationReason.FIRST, True)
    ]
    assert [(entry.title, entry.verdict) for entry in detail.permissions] == [("pytest -q", PermissionVerdict.ONCE)]
    assert (detail.diff, detail.checks, detail.verdict) == (DIFF, (CHECK,), VERDICT)
    assert detail.quality == quality(0.8)
    assert detail.gate is not None
    assert not detail.gate.open
    assert detail.decision is not None
    assert detail.decision.decision.note == "ok"
    assert detail.acceptance is not None
    assert detail.result is not None


def test_a_gate_opens_to_what_a_person_needs(full: SqlHistory) -> None:
    detail = full.gate(GateId("g-s3-2"))
    assert detail.gate.open
    assert detail.gate.binding.attempt == "a-s3-2"
    assert detail.session.id == "s3"
    assert detail.attempt.diff == DIFF
    assert [attempt.id for attempt in detail.earlier] == ["a-s3-1"]


def test_waiting_gates_are_listed_oldest_first(full: SqlHistory) -> None:
    assert [(gate.id, gate.task_key, gate.score, gate.project) for gate in full.gates()] == [
        ("g-s2", "T001", 0.5, "/src/app"),
        ("g-s3-2", "T001", 0.9, "/src/other"),
    ]


def test_records_are_read_on_from_where_one_is(full: SqlHistory) -> None:
    story = finished_session("s1", 1000.0)
    assert full.records(story.session, limit=10) == tuple(story.records[:10])
    assert full.records(story.session, after=10) == tuple(story.records[10:])
    assert full.last_seq(story.session) == len(story.records)


def test_the_transcript_of_an_attempt_has_no_streamed_pieces(full: SqlHistory) -> None:
    kinds = [record.event.type for record in full.attempt_records(AttemptId("a-s1"))]
    assert "text_finished" in kinds
    assert "text_streamed" not in kinds


def test_an_id_may_be_cut_short(full: SqlHistory) -> None:
    assert full.resolve("s1") == ("session", "s1")
    assert full.resolve("a-s3-2") == ("attempt", "a-s3-2")
    assert full.resolve("G-S2") == ("gate", "g-s2")
    assert full.resolve("t-s1", "task", "gate") == ("task", "t-s1")


def test_an_id_that_fits_more_than_one_is_refused_and_names_them(full: SqlHistory) -> None:
    with pytest.raises(UnknownId, match="a-s3-2, a-s3-1"):
        full.resolve("a-s3")


def test_a_whole_id_is_taken_even_if_others_begin_with_it(journal: SqlJournal, history: SqlHistory) -> None:
    for name in ("s1", "s12"):
        story = Writer(name)
        story.opened()
        journal.append(story.records)
    assert history.resolve("s1") == ("session", "s1")


@pytest.mark.parametrize("prefix", ["zzz", "a%", "_", "\udcff", "a\x00"])
def test_an_id_that_fits_nothing_is_refused(full: SqlHistory, prefix: str) -> None:
    with pytest.raises(UnknownId):
        full.resolve(prefix)


def test_asking_for_what_is_not_there_is_refused(full: SqlHistory) -> None:
    for ask in (
        lambda: full.session(SessionId("s0")),
        lambda: full.attempt(AttemptId("a0")),
        lambda: full.gate(GateId("g0")),
    ):
        with pytest.raises(UnknownId, match="There is no"):
            ask()


def test_the_reader_sees_at_once_what_was_written(journal: SqlJournal, history: SqlHistory) -> None:
    story = finished_session()
    for record in story.records:
        journal.append([record])
        assert history.last_seq(story.session) == record.seq


def test_many_threads_read_while_one_writes(journal: SqlJournal, history: SqlHistory) -> None:
    story = finished_session()
    journal.append(story.records[:5])
    faults: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(10):
                assert history.last_seq(story.session) >= 5
                assert history.sessions().rows
        except Exception as error:  # noqa: BLE001 - the edge of a thread
            faults.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for record in story.records[5:]:
        journal.append([record])
    for reader in readers:
        reader.join()
    assert faults == []


def test_a_missing_database_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database yet"):
        SqlHistory(tmp_path / "obra.db")


def test_accepted_work_that_was_taken_back_says_so_and_stays_accepted(journal: SqlJournal, history: SqlHistory) -> None:
    story = finished_session()
    journal.append(story.records)
    (task,) = [item for item in history.session(story.session).tasks if item.commit]
    journal.append([reverted_later(story, task.id, task.commit)])
    detail = history.session(story.session)
    (task,) = [item for item in detail.tasks if item.commit]
    assert (task.state, task.reverted) == (State.ACCEPTED, "f" * 40)
    assert [item.reverted for item in detail.attempts if item.accepted] == ["f" * 40]
    assert (detail.summary.reverted, detail.summary.in_state(State.ACCEPTED)) == (1, 1)
    found = [item.attempt.task for item in history.find(parse("is:reverted", 0.0)).rows if item.attempt]
    assert found == [task.id]


def reverted_later(story: Writer, task: TaskId, commit: str) -> Record:
    reversal = Reversal(commit="f" * 40, branch="obra/s1", reverted=commit)
    event = WorkReverted(reversal=reversal, by="person:ada", note="Not wanted.")
    last = story.records[-1]
    return replace(last, seq=last.seq + 1, task=task, attempt=None, event=event)


def test_records_of_some_types_are_read_from_closed_sessions_alone(full: SqlHistory) -> None:
    found = full.ended_records(("task_added", "session_opened"))
    assert [(record.session, record.event.type) for record in found] == [("s1", "session_opened"), ("s1", "task_added")]

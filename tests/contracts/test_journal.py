"""What every journal and ledger must do: the real ones on SQL, and the one in memory that other tests use."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.errors import StoreError
from obra_tui.core.events import STREAMED
from obra_tui.core.ids import SessionId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import DecisionKind, SessionKind, Usage
from obra_tui.core.ports import Journal, Ledger
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.fakes.journal import OF_AN_ATTEMPT, MemoryJournal
from tests.store.story import Writer, finished_session, waiting_session

ALLOWED = ((e.UsageReported, None),)
"""Belongs to an attempt, but also stands without one."""


@dataclass
class Pair:
    journal: Journal
    ledger: Ledger

    def open_gates(self) -> tuple[Any, ...]:
        """The gates that wait, as the screens list them; of the journal in memory, as it folds them itself."""
        return self.ledger.gates() if isinstance(self.ledger, SqlHistory) else self.ledger.open_gates()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def pair(request: Any, tmp_path: Path) -> Iterator[Pair]:
    if request.param == "memory":
        both = MemoryJournal()
        yield Pair(both, both)
        return
    server = request.param == "postgresql"
    target = request.getfixturevalue("postgresql").new_database() if server else tmp_path / "data" / "obra.db"
    pair = Pair(SqlJournal(target), SqlHistory(target))
    yield pair
    pair.journal.close()
    pair.ledger.close()


def test_a_new_journal_is_empty(pair):
    assert pair.ledger.open_sessions() == ()
    assert pair.open_gates() == ()
    assert pair.ledger.session_records(SessionId("s1")) == ()
    assert pair.journal.last_seq(SessionId("s1")) == 0


def test_appending_nothing_changes_nothing(pair):
    pair.journal.append([])
    assert pair.ledger.open_sessions() == ()


def test_records_come_back_as_they_were_without_the_streamed_ones(pair):
    story = finished_session()
    pair.journal.append(story.records)
    kept = tuple(record for record in story.records if not isinstance(record.event, STREAMED))
    assert pair.ledger.session_records(story.session) == kept
    assert len(kept) < len(story.records)
    but_tools = tuple(record for record in kept if record.event.type not in ("tool_started", "tool_finished"))
    assert pair.ledger.session_records(story.session, ("tool_started", "tool_finished")) == but_tools


def test_the_last_number_counts_the_streamed_ones_too(pair):
    story = finished_session()
    pair.journal.append(story.records[:10])
    assert pair.journal.last_seq(story.session) == 10


def test_records_written_one_by_one_read_the_same_as_in_one_call(pair):
    story = waiting_session()
    for record in story.records:
        pair.journal.append([record])
    assert pair.ledger.session_records(story.session)[-1] == story.records[-1]
    assert [gate.id for gate in pair.open_gates()] == ["g-s2"]


def test_what_is_ready_is_written_when_it_is_called_from_whatever_thread(pair):
    story = waiting_session()
    write = pair.journal.ready(story.records)
    assert pair.journal.last_seq(story.session) == 0
    with ThreadPoolExecutor() as threads:
        threads.submit(write).result()
    assert pair.journal.last_seq(story.session) == len(story.records)
    assert pair.ledger.session_records(story.session)[-1] == story.records[-1]


def test_what_is_ready_is_refused_when_it_is_called_and_leaves_no_trace(pair):
    story = waiting_session()
    write = pair.journal.ready(story.records[1:])
    with pytest.raises(StoreError):
        write()
    assert pair.journal.last_seq(story.session) == 0


def test_only_sessions_that_were_not_closed_are_open(pair):
    pair.journal.append(finished_session().records)
    pair.journal.append(waiting_session().records)
    assert pair.ledger.open_sessions() == (("s2", SessionKind.MILESTONE),)


def test_open_sessions_can_be_those_of_one_project(pair):
    for session, project in (("s2", "/src/app"), ("s3", "/src/other")):
        pair.journal.append(waiting_session(session, project=project).records)
    assert pair.ledger.open_sessions("/src/other") == (("s3", SessionKind.MILESTONE),)
    assert [session for session, _ in pair.ledger.open_sessions()] == ["s2", "s3"]


def test_a_gate_is_open_until_it_is_decided(pair):
    story = waiting_session()
    pair.journal.append(story.records)
    (gate,) = pair.open_gates()
    assert (gate.id, gate.session, gate.task, gate.opened_at) == ("g-s2", "s2", "t-s2", story.records[-1].at)
    story.decided("t-s2", "a-s2", "g-s2", story.records[-1].event.binding, DecisionKind.REJECT)
    pair.journal.append(story.records[-1:])
    assert pair.open_gates() == ()


def test_a_gate_is_not_open_any_more_when_its_task_was_cancelled(pair):
    story = waiting_session()
    story.moved("t-s2", State.AWAITING_HUMAN, Trigger.CANCEL, State.CANCELLED)
    pair.journal.append(story.records)
    assert pair.open_gates() == ()


def test_gates_are_listed_oldest_first(pair):
    pair.journal.append(waiting_session("s5", start=5000.0).records)
    pair.journal.append(waiting_session("s4", start=4000.0).records)
    assert [gate.id for gate in pair.open_gates()] == ["g-s4", "g-s5"]


def test_two_sessions_in_one_call_keep_their_own_numbers(pair):
    one, two = finished_session("s1"), waiting_session("s2")
    pair.journal.append([record for both in zip(one.records, two.records, strict=False) for record in both])
    length = min(len(one.records), len(two.records))
    assert pair.journal.last_seq(one.session) == pair.journal.last_seq(two.session) == length


def _refused(pair: Pair, story: Writer, *records: Any) -> None:
    before = pair.journal.last_seq(story.session)
    with pytest.raises(StoreError):
        pair.journal.append(records)
    assert pair.journal.last_seq(story.session) == before


def test_a_gap_in_the_numbers_is_refused(pair):
    story = finished_session()
    pair.journal.append(story.records[:3])
    _refused(pair, story, story.records[4])


def test_a_number_that_was_used_is_refused(pair):
    story = finished_session()
    pair.journal.append(story.records[:3])
    _refused(pair, story, story.records[2])


def test_a_refused_call_leaves_nothing_of_itself(pair):
    story = finished_session()
    pair.journal.append(story.records[:2])
    _refused(pair, story, story.records[2], replace(story.records[3], seq=9))
    assert pair.ledger.session_records(story.session) == tuple(story.records[:2])


def test_work_can_go_on_after_a_refused_call(pair):
    story = finished_session()
    pair.journal.append(story.records[:3])
    _refused(pair, story, story.records[5])
    pair.journal.append(story.records[3:])
    assert pair.journal.last_seq(story.session) == len(story.records)


def test_a_record_of_a_session_that_was_never_opened_is_refused(pair):
    story = Writer()
    _refused(pair, story, story.add(e.Paused(by="person:ada")))


def test_a_move_of_a_task_that_was_never_added_is_refused(pair):
    story = Writer()
    story.opened()
    story.moved("t-nobody", State.QUEUED, Trigger.START, State.IMPLEMENTING)
    _refused(pair, story, *story.records)


def test_a_second_decision_on_a_gate_is_refused(pair):
    story = waiting_session()
    pair.journal.append(story.records)
    binding = story.records[-1].event.binding
    for kind in (DecisionKind.APPROVE, DecisionKind.REJECT):
        story.decided("t-s2", "a-s2", "g-s2", binding, kind)
    pair.journal.append([story.records[-2]])
    _refused(pair, story, story.records[-1])


def test_a_second_acceptance_of_a_task_is_refused(pair):
    story = finished_session()
    pair.journal.append(story.records[:-1])
    work = next(record for record in story.records if isinstance(record.event, e.WorkAccepted))
    _refused(pair, story, replace(work, seq=story.records[-1].seq))


def test_a_second_attempt_with_the_same_number_is_refused(pair):
    story = waiting_session()
    pair.journal.append(story.records)
    start = next(record for record in story.records if isinstance(record.event, e.AttemptStarted))
    _refused(pair, story, replace(start, seq=story.records[-1].seq + 1, attempt="a-other"))


def test_usage_may_be_booked_on_the_session_itself(pair):
    story = Writer()
    story.opened()
    story.add(e.UsageReported(usage=Usage(input_tokens=5), model="opus"))
    pair.journal.append(story.records)
    assert pair.ledger.session_records(story.session) == tuple(story.records)


@pytest.mark.parametrize(
    ("event_class", "attempt"),
    [(cls, attempt) for cls in OF_AN_ATTEMPT for attempt in (None, "a-nobody") if (cls, attempt) not in ALLOWED],
)
def test_what_belongs_to_an_attempt_is_refused_without_one(pair, event_class, attempt):
    story = finished_session()
    told = [record.event for record in story.records] + [e.WorkKept(ref="refs/kept", commit="f" * 40)]
    event = next(event for event in told if isinstance(event, event_class))
    start = next(i for i, record in enumerate(story.records) if isinstance(record.event, e.AttemptStarted))
    pair.journal.append(story.records[:start])
    stray = replace(story.records[start], event=_of_attempt(event, attempt), attempt=attempt)
    _refused(pair, story, stray)


def _of_attempt(event: Any, attempt: Any) -> Any:
    """The event, with its binding, if it has one, on the same attempt."""
    if not hasattr(event, "binding"):
        return event
    return replace(event, binding=replace(event.binding, attempt=attempt or "a-nobody"))

"""A journal and ledger in memory, held to the same contract as the real ones."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import partial

from obra_tui.core.errors import StoreAway, StoreError
from obra_tui.core.events import (
    STREAMED,
    AttemptStarted,
    CheckFinished,
    ClaudeEnded,
    ClaudeStarted,
    DecisionMade,
    DiffTaken,
    GateJudged,
    GateOpened,
    PermissionAnswered,
    PermissionAsked,
    PromptSent,
    Record,
    SessionClosed,
    SessionOpened,
    TaskAdded,
    TaskMoved,
    UsageReported,
    VerdictReached,
    WorkAccepted,
    WorkKept,
)
from obra_tui.core.ids import GateId, SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import OpenGate, SessionKind
from obra_tui.core.ports import StoredAfterAll

OF_AN_ATTEMPT = (
    PromptSent,
    ClaudeStarted,
    ClaudeEnded,
    UsageReported,
    PermissionAsked,
    PermissionAnswered,
    DiffTaken,
    CheckFinished,
    VerdictReached,
    GateJudged,
    GateOpened,
    DecisionMade,
    WorkAccepted,
    WorkKept,
)
"""Events that the database keeps rows of: they must name a task and an attempt that was started."""


class MemoryJournal:
    """Remembers records; `batches` shows what came in one call.

    `fail_next` makes the next `append` raise, `broken` all of them; `full` says that the disk has no space.
    """

    def __init__(self) -> None:
        self.records: dict[SessionId, list[Record]] = defaultdict(list)
        self.batches: list[tuple[Record, ...]] = []
        self.fail_next: StoreError | None = None
        self.broken: StoreError | None = None
        self.full = False
        self.lose_answer: Callable[[Sequence[Record]], bool] = lambda records: False
        """Picks an `append` that is stored though its answer never comes, as when the connection breaks in it."""
        self._doubt: tuple[Record, ...] = ()

    # Journal

    def append(self, records: Sequence[Record]) -> None:
        if self.broken is not None:
            raise self.broken
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error
        records = self._but_what_is_stored(records)
        written = {session: list(kept) for session, kept in self.records.items()}
        for record in records:
            kept = written.setdefault(record.session, [])
            _refuse_gap(record, kept[-1].seq if kept else 0)
            _refuse_contradiction(record, [other for rest in written.values() for other in rest])
            kept.append(record)
        self.records = defaultdict(list, written)
        if records:
            self.batches.append(tuple(records))
        if self.lose_answer(records):
            self.lose_answer, self._doubt = lambda records: False, tuple(records)
            raise StoreAway("The database server cannot be reached.")

    def ready(self, records: Sequence[Record]) -> Callable[[], None]:
        return partial(self.append, tuple(records))

    def _but_what_is_stored(self, records: Sequence[Record]) -> Sequence[Record]:
        doubt, self._doubt = self._doubt, ()
        if tuple(records[: len(doubt)]) != doubt:
            raise StoredAfterAll(doubt)
        return records[len(doubt) :]

    def last_seq(self, session: SessionId) -> int:
        kept = self.records.get(session)
        return kept[-1].seq if kept else 0

    def writable(self) -> bool:
        return self.broken is None and not self.full

    def close(self) -> None:
        pass

    # Ledger

    def open_sessions(self, project: str = "") -> tuple[tuple[SessionId, SessionKind], ...]:
        found = []
        for session, kept in sorted(self.records.items()):
            opened = next(record.event for record in kept if isinstance(record.event, SessionOpened))
            closed = any(isinstance(record.event, SessionClosed) for record in kept)
            if not closed and project in ("", opened.project):
                found.append((session, opened.kind))
        return tuple(found)

    def session_records(self, session: SessionId, without: Collection[str] = ()) -> tuple[Record, ...]:
        kept = (record for record in self.records.get(session, []) if not isinstance(record.event, STREAMED))
        return tuple(record for record in kept if record.event.type not in without)

    def open_gates(self) -> tuple[OpenGate, ...]:
        waiting: dict[GateId, OpenGate] = {}
        for kept in self.records.values():
            for record in kept:
                _follow_gate(record, waiting)
        return tuple(sorted(waiting.values(), key=lambda gate: (gate.opened_at, gate.id)))

    def events(self, session: SessionId) -> list[object]:
        return [record.event for record in self.records.get(session, [])]


def _follow_gate(record: Record, waiting: dict[GateId, OpenGate]) -> None:
    match record.event:
        case GateOpened() as event:
            assert record.task is not None
            waiting[event.gate] = OpenGate(
                id=event.gate,
                session=record.session,
                task=record.task,
                binding=event.binding,
                reasons=event.reasons,
                opened_at=record.at,
            )
        case DecisionMade(gate=gate) if gate:
            waiting.pop(gate, None)
        case TaskMoved(before=State.AWAITING_HUMAN):
            for gate in [gate for gate, found in waiting.items() if found.task == record.task]:
                del waiting[gate]


def _refuse_gap(record: Record, last: int) -> None:
    if record.seq != last + 1:
        raise StoreError(f"Record {record.seq} of session {record.session} does not follow record {last}.")


def _refuse_contradiction(record: Record, before: list[Record]) -> None:
    """The same rules that the database holds by its keys."""
    earlier = [other.event for other in before if other.session == record.session]
    if not isinstance(record.event, SessionOpened) and not any(isinstance(event, SessionOpened) for event in earlier):
        raise StoreError(f"Session {record.session} was never opened.")
    booked_on_session = isinstance(record.event, UsageReported) and record.attempt is None
    needs_attempt = isinstance(record.event, OF_AN_ATTEMPT) and not booked_on_session
    if needs_attempt and (record.task is None or not _started(record, before)):
        raise StoreError(f"Attempt {record.attempt} of task {record.task} was never started.")
    match record.event:
        case DecisionMade(gate=gate) if gate:
            if any(isinstance(event, DecisionMade) and event.gate == gate for event in earlier):
                raise StoreError(f"Gate {gate} was already answered.")
        case WorkAccepted():
            if any(isinstance(other.event, WorkAccepted) and other.task == record.task for other in before):
                raise StoreError(f"Work of task {record.task} was already accepted.")
        case AttemptStarted(number=number):
            if (record.task, number) in _attempts(before):
                raise StoreError(f"Attempt {number} of task {record.task} was already started.")
        case TaskMoved():
            if not any(isinstance(other.event, TaskAdded) and other.event.spec.id == record.task for other in before):
                raise StoreError(f"Task {record.task} was never added.")


def _started(record: Record, before: list[Record]) -> bool:
    return any(isinstance(other.event, AttemptStarted) and other.attempt == record.attempt for other in before)


def _attempts(before: list[Record]) -> set[tuple[TaskId | None, int]]:
    return {(other.task, other.event.number) for other in before if isinstance(other.event, AttemptStarted)}

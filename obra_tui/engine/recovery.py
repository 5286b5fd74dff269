"""What happens at start-up with sessions that are in the database: unfinished work is resumed, marked or reused.

Acceptances that were cut short are completed, other running work is marked as interrupted. An `OpenSession` whose reply
was lost is idempotent: an empty session with the same arguments is returned again; one that has tasks, or was opened
with other rules, never.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec.structs import replace

from obra_tui.core.events import Event, ProblemCleared, ProblemRaised, Record, SessionOpened, TaskMoved
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.lifecycle import WORKING, Trigger, advance
from obra_tui.core.ports import Ledger
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.work import NOT_FOLDED, SessionWork, rebuild
from obra_tui.system.crashpoint import crash_point

FOUND = "Found half-way at start-up: an earlier Obra ended without stopping it. The work is kept."


def recover(
    ledger: Ledger, project: str, outbox: Outbox, adopt: Callable[[SessionWork], None]
) -> Iterator[SessionWork]:
    """Yield each open session of `project` after `adopt` got it and its interrupted tasks were marked."""
    for session, _ in ledger.open_sessions(project):
        records = ledger.session_records(session, NOT_FOLDED)
        work = rebuild(session, records)
        if work is None:
            continue
        adopt(work)
        crash_point("recovering.read")
        found = _found_halfway(work)
        if _says_that_the_disk_is_full(records):
            found.append((None, None, ProblemCleared(code="disk")))
        if found:
            outbox.commit(session, found)
        crash_point("recovering.marked")
        yield work


def _found_halfway(work: SessionWork) -> list[tuple[TaskId | None, AttemptId | None, Event]]:
    """Return what is to be told of them, all in one step: a hundred tasks wait for the disk once."""
    found: list[tuple[TaskId | None, AttemptId | None, Event]] = []
    for task in work.tasks.values():
        if task.state in WORKING:
            after = advance(task.state, Trigger.INTERRUPT)
            moved = TaskMoved(before=task.state, trigger=Trigger.INTERRUPT, after=after, reason=FOUND)
            found.append((task.spec.id, task.attempt, moved))
    return found


def _says_that_the_disk_is_full(records: Iterable[Record]) -> bool:
    """Whether that was the last word about the disk: no longer true for who can write it down."""
    said = [record.event for record in records if isinstance(record.event, ProblemRaised | ProblemCleared)]
    last = next((event for event in reversed(said) if event.code == "disk"), None)
    return isinstance(last, ProblemRaised)


def begun_before(
    wanted: SessionOpened, sessions: Iterable[SessionWork], given_up: Collection[SessionId]
) -> SessionId | None:
    """Return the open session without tasks that `wanted` would be again.

    Two sessions of the same plan file are the same; of others only the one that was `given_up`.
    """
    for work in sessions:
        empty = not work.closed and not work.tasks
        known = bool(wanted.plan_source) or work.id in given_up
        if empty and known and _rules(work.opened) == _rules(wanted):
            return work.id
    return None


def _rules(opened: SessionOpened) -> SessionOpened:
    """What was asked for, without what every session has of its own."""
    return replace(opened, branch="", versions=())

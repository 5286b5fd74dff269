"""What was found half-way at start-up: acceptances are finished, other work is marked as interrupted."""

from collections.abc import Callable, Iterable, Iterator

from obra_tui.core.crashpoint import crash_point
from obra_tui.core.events import ProblemCleared, ProblemRaised, Record, TaskMoved
from obra_tui.core.lifecycle import WORKING, Trigger, advance
from obra_tui.core.ports import Ledger
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.work import SessionWork, rebuild

FOUND = "Found half-way at start-up: an earlier Obra ended without stopping it. The work is kept."


def recover(
    ledger: Ledger, project: str, outbox: Outbox, adopt: Callable[[SessionWork], None]
) -> Iterator[SessionWork]:
    """Yield each open session of `project` after `adopt` got it and its interrupted tasks were marked."""
    for session, _ in ledger.open_sessions():
        records = ledger.session_records(session)
        work = rebuild(session, records)
        if work is None or work.opened.project != project:
            continue
        adopt(work)
        crash_point("recovering.read")
        for task in work.tasks.values():
            if task.state in WORKING:
                after = advance(task.state, Trigger.INTERRUPT)
                moved = TaskMoved(before=task.state, trigger=Trigger.INTERRUPT, after=after, reason=FOUND)
                outbox.commit(session, [(task.spec.id, task.attempt, moved)])
        if _says_that_the_disk_is_full(records):
            outbox.commit(session, [(None, None, ProblemCleared(code="disk"))])
        crash_point("recovering.marked")
        yield work


def _says_that_the_disk_is_full(records: Iterable[Record]) -> bool:
    """Whether that was the last word about the disk: no longer true for who can write it down."""
    said = [record.event for record in records if isinstance(record.event, ProblemRaised | ProblemCleared)]
    last = next((event for event in reversed(said) if event.code == "disk"), None)
    return isinstance(last, ProblemRaised)

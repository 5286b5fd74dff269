"""The places of `system.crashpoint` that are named after records."""

from collections.abc import Iterable

from obra_tui.core.events import Record, TaskMoved
from obra_tui.system import crashpoint


def crash_at_records(when: str, records: Iterable[Record]) -> None:
    """A place for each record: `<when>.<type>`, moves by where they lead: `<when>.moved_accepting`."""
    if crashpoint.ARMED:
        for record in records:
            event = record.event
            crashpoint.crash_point(f"{when}.{f'moved_{event.after}' if isinstance(event, TaskMoved) else event.type}")

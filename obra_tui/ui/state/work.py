"""Claude at work: many records as one step. They are nearly all of a journal, and change little of the view."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from msgspec.structs import replace

from obra_tui.core.events import (
    TALK,
    Event,
    Record,
    TextFinished,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolStarted,
)
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.ui.state.attempts import AttemptView, ToolTally
from obra_tui.ui.state.sessions import SessionView

_FACTS = frozenset((TextFinished, ToolStarted, ToolFinished))
_SIGNS_OF_LIFE = frozenset((TextStreamed, ThinkingStreamed, ToolStarted))
_event_of, _at_of = attrgetter("event"), attrgetter("at")


def place_of(record: Record) -> tuple[SessionId, AttemptId] | None:
    """Return what neighbours must share to be one step; None for all that is no work."""
    if type(record.event) not in TALK or record.task is None or record.attempt is None:
        return None
    return record.session, record.attempt


def untold(session: SessionView, records: Iterable[Record]) -> tuple[SessionView, list[Record]]:
    """Return the records that the session has not heard of, and the session after them."""
    last, new = session.last_fact, []
    for record in records:
        if type(record.event) in _FACTS:
            if record.seq <= last:
                continue
            last = record.seq
        new.append(record)
    return (session if last == session.last_fact else replace(session, last_fact=last)), new


def worked(attempt: AttemptView, records: Sequence[Record]) -> AttemptView:
    """Return the attempt after work that is told for the first time."""
    alive = not _SIGNS_OF_LIFE.isdisjoint(map(type, map(_event_of, records)))
    return replace(
        attempt,
        last_event_at=max(attempt.last_event_at, max(map(_at_of, records))),
        retry=None if alive else attempt.retry,
        tools=_counted(attempt.tools, map(_event_of, records)),
    )


def _counted(tally: ToolTally, events: Iterable[Event]) -> ToolTally:
    """By the class of each event and not by patterns: a burst is counted while nobody could read it."""
    calls, failed, running = tally.calls, tally.failed, list(tally.open)
    for event in events:
        if isinstance(event, ToolStarted):
            calls += 1
            running.append((event.call, event.tool))
        elif isinstance(event, ToolFinished):
            failed += event.is_error
            call = event.call
            running = [item for item in running if item[0] != call]
    return ToolTally(calls=calls, failed=failed, open=tuple(running))

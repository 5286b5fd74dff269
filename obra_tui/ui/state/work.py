"""Claude at work: many records as one step. They are nearly all of a journal, and change little of the view."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from obra_tui.core.events import TALK, Record, TextFinished, TextStreamed, ThinkingStreamed, ToolFinished, ToolStarted
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.ui.state.attempts import AttemptView, ToolTally
from obra_tui.ui.state.sessions import SessionView

_FACTS = frozenset((TextFinished, ToolStarted, ToolFinished))
_SIGNS_OF_LIFE = frozenset((TextStreamed, ThinkingStreamed, ToolStarted))


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
    alive = any(type(record.event) in _SIGNS_OF_LIFE for record in records)
    return replace(
        attempt,
        last_event_at=max(attempt.last_event_at, max(record.at for record in records)),
        retry=None if alive else attempt.retry,
        tools=_counted(attempt.tools, records),
    )


def _counted(tally: ToolTally, records: Iterable[Record]) -> ToolTally:
    calls, failed, running = tally.calls, tally.failed, list(tally.open)
    for record in records:
        match record.event:
            case ToolStarted(call=call, tool=tool):
                calls += 1
                running.append((call, tool))
            case ToolFinished(call=call, is_error=is_error):
                failed += is_error
                running = [item for item in running if item[0] != call]
            case _:
                pass
    return ToolTally(calls=calls, failed=failed, open=tuple(running))

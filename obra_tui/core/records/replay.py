"""A session again: which pause stands before each record, and where one can jump to. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from obra_tui.core.events import DecisionMade, GateJudged, GateOpened, ProblemRaised, Record, ToolFinished

Stop = Literal["gate", "error", "edit", "prompt"]
STOPS: tuple[Stop, ...] = ("gate", "error", "edit", "prompt")
LONGEST_PAUSE_S = 3.0
"""Nobody watches a gate wait overnight: longer pauses are cut to this, before the speed counts."""


def paused(records: Iterable[Record], speed: float) -> Iterator[tuple[Record, float]]:
    """Yield each record with the seconds to wait before it; speed 0 waits never."""
    before: float | None = None
    for record in records:
        gap = 0.0 if before is None else max(0.0, record.at - before)
        yield record, min(gap, LONGEST_PAUSE_S) / speed if speed > 0 else 0.0
        before = record.at


def stops_at(record: Record, stop: Stop) -> bool:
    """Say whether a record is a place of this kind."""
    match stop, record.event:
        case "gate", GateJudged() | GateOpened() | DecisionMade():
            return True
        case "error", ProblemRaised() | ToolFinished(is_error=True):
            return True
        case "edit", ToolFinished(patch=patch):
            return bool(patch)
        case "prompt", event:
            return event.type == "prompt_sent"
        case _:
            return False


def next_stop(records: Sequence[Record], position: int, stop: Stop) -> int | None:
    """Return how many records to have told so that the next place of this kind is the last; None if there is none."""
    for index in range(position, len(records)):
        if stops_at(records[index], stop):
            return index + 1
    return None

"""Wait for what a decision set off."""

import queue
from collections.abc import Sequence

from obra_tui.bootstrap.engine import Plant
from obra_tui.core.events import Record, TaskMoved
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.lifecycle import WORKING, State

_PASSING = frozenset({State.ACCEPTING})
AT_WORK = frozenset({State.QUEUED, State.ACCEPTING}) | WORKING


def wait_until_settled(
    plant: Plant, session: SessionId, task: TaskId, timeout_s: float = 60.0, passing: frozenset[State] = _PASSING
) -> State:
    """Return the task's state once it is none of those it only passes through."""
    records: queue.SimpleQueue[Sequence[Record]] = queue.SimpleQueue()
    unsubscribe = plant.engine.subscribe(records.put)
    state = plant.engine.ask(plant.parts.orchestrator.state_of, task)
    try:
        while state in passing:
            for record in records.get(timeout=timeout_s):
                if record.session == session and record.task == task and isinstance(record.event, TaskMoved):
                    state = record.event.after
    finally:
        unsubscribe()
    return state

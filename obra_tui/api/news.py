"""Waiting: the records of one session while a call stands still until something happens."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from obra_tui.core.errors import NotAllowed
from obra_tui.core.events import Record, RunFinished, SessionClosed, TaskMoved
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.lifecycle import FINAL, State

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import EngineHandle

_LOOK_S = 0.5
"""How often a waiting call looks whether anything can still come."""

_RESTING = FINAL | {State.AWAITING_HUMAN, State.INTERRUPTED, State.BLOCKED}


class News:
    """The records of one session while a call waits for them."""

    def __init__(self, handle: EngineHandle, session: SessionId) -> None:
        self._handle = handle
        self._session = session
        self._records: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self._unsubscribe: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._unsubscribe = self._handle.engine.subscribe(self._take)
        while not self._records.empty():  # the past, told by `subscribe`
            self._records.get()
        return self

    def __exit__(self, *_: object) -> None:
        self._unsubscribe()

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.session == self._session:
                self._records.put(record)

    def wait(self) -> Record:
        """Return the next record. Raises `StoreError` when nothing can be recorded, `NotAllowed` after `close`."""
        while True:
            try:
                return self._records.get(timeout=_LOOK_S)
            except queue.Empty:
                self._look()

    def _look(self) -> None:
        error = self._handle.engine.outage
        if error is not None:
            raise error
        if not self._handle.engine.alive:
            raise NotAllowed("Obra was closed while a call waited.", fix="The work is kept: `resume_task` takes it up.")

    def wait_until_resting(self, task: TaskId, *, closed: bool) -> None:
        """Return when the task cannot go on by itself and the run has come to its end."""
        state = self._handle.engine.ask(self._handle.parts.orchestrator.state_of, task)
        finished = state in _RESTING and not self._handle.engine.ask(
            self._handle.parts.orchestrator.is_running, self._session
        )
        while not finished:
            record = self.wait()
            match record.event:
                case TaskMoved(after=after) if record.task == task:
                    state = after
                case RunFinished():
                    finished = not (closed and state in FINAL)
                case SessionClosed():
                    finished = True
                case _:
                    pass

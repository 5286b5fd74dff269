"""Keeps the person's plan file in step with what is accepted, because they asked for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from obra_tui.core.errors import PlanError
from obra_tui.core.events import Record, SessionOpened, TaskAdded, TaskMoved
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import TaskSpec
from obra_tui.services.plans import tick_in_file


class Source(Protocol):
    def subscribe(self, listener: Callable[[Sequence[Record]], None]) -> Callable[[], None]: ...


class PlanUpdater:
    """Ticks accepted tasks in the files that their sessions were made from, on a thread of its own."""

    def __init__(self, engine: Source) -> None:
        self._files: dict[SessionId, Path] = {}
        self._specs: dict[TaskId, TaskSpec] = {}
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="obra-plan")
        self.problems: list[PlanError] = []
        self.on_problem: Callable[[PlanError], None] = lambda error: None
        """Called on the thread that writes."""
        self._unsubscribe = engine.subscribe(self._take)

    def close(self) -> None:
        """Stop listening and finish what is to be written."""
        self._unsubscribe()
        self._writer.shutdown(wait=True)

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            match record.event:
                case SessionOpened(plan_source=source) if source and Path(source).is_file():
                    self._files[record.session] = Path(source)
                case TaskAdded(spec=spec):
                    self._specs[spec.id] = spec
                case TaskMoved(after=State.ACCEPTED) if record.task in self._specs and record.session in self._files:
                    self._writer.submit(self._tick, self._files[record.session], self._specs[record.task])

    def _tick(self, path: Path, spec: TaskSpec) -> None:
        try:
            tick_in_file(path, spec)
        except PlanError as error:
            self.problems.append(error)
            self.on_problem(error)

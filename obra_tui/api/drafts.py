"""Tasks that were described and not yet executed; usable from any thread."""

import threading
from collections.abc import Iterable

from obra_tui.core.errors import UnknownId
from obra_tui.core.ids import TaskId, new_task_id
from obra_tui.core.model import Budget, CheckSpec, TaskSpec


class Drafts:
    def __init__(self) -> None:
        self._drafts: dict[TaskId, TaskSpec] = {}
        self._lock = threading.Lock()
        self._number = 0

    def add(self, tasks: Iterable[TaskSpec]) -> tuple[TaskId, ...]:
        """Keep the tasks of a plan; returns their ids in order."""
        read = {task.id: task for task in tasks}
        with self._lock:
            self._drafts.update(read)
        return tuple(read)

    def describe(
        self,
        key: str,
        *,
        title: str,
        prompt: str,
        acceptance: tuple[str, ...],
        depends_on: tuple[str, ...],
        checks: tuple[CheckSpec, ...],
        budget: Budget,
    ) -> TaskSpec:
        """Keep a new task; without a key it gets the next number."""
        with self._lock:
            self._number += 1
            spec = TaskSpec(
                id=new_task_id(),
                key=key or f"T{self._number:03d}",
                title=title,
                prompt=prompt,
                acceptance=acceptance,
                depends_on=depends_on,
                checks=checks,
                budget=budget,
                source="api",
            )
            self._drafts[spec.id] = spec
        return spec

    def get(self, task: TaskId) -> TaskSpec:
        """Raises `UnknownId` for one that was never described, or is executed already."""
        with self._lock:
            spec = self._drafts.get(task)
        if spec is None:
            raise UnknownId(f"There is no task {task} that waits to be executed.", fix="Make one with `create_task`.")
        return spec

    def drop(self, task: TaskId) -> None:
        """It is executed."""
        with self._lock:
            self._drafts.pop(task, None)

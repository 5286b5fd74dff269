"""The plan files of a project: which there are, what is in them, and when one of them changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from obra_tui.core.errors import ObraError
from obra_tui.core.model import Plan
from obra_tui.core.plans.sources import USUAL_FILES, USUAL_PATTERNS
from obra_tui.services.plan_update import PlanUpdater
from obra_tui.services.plans import read_plan

_AT_MOST = 40
_LOOK_EVERY_S = 2.0

Stamp = tuple[int, int, int]


class PlanFiles:
    """All methods but `watch` block, so they are for worker threads."""

    def __init__(self, project: Path, updater: PlanUpdater | None = None) -> None:
        self._project = project
        self._updater = updater

    def found(self) -> Sequence[str]:
        """Return the files that usually hold plans, named from the project's folder."""
        return tuple(islice(self._candidates(), _AT_MOST))

    def read(self, name: str) -> Plan:
        """Read a file, named from the project's folder or in full. Raises `PlanError`."""
        path = self._path(name)
        plan = read_plan(path)
        return plan if name == str(path) else _named(plan, str(path), name)

    def path_of(self, name: str) -> str:
        return str(self._path(name).absolute())

    def watch(self, name: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Have `changed` called on a thread of its own when the file is another one; returns the way out."""
        return watch_file(self._path(name), changed)

    def on_problem(self, tell: Callable[[ObraError], None]) -> None:
        if self._updater is not None:
            self._updater.on_problem = tell

    def _path(self, name: str) -> Path:
        return self._project / Path(name).expanduser()

    def _candidates(self) -> Iterator[str]:
        seen: set[Path] = set()
        for pattern in (*USUAL_FILES, *USUAL_PATTERNS):
            for path in sorted(self._project.glob(pattern)):
                # A file system may find `todo.md` for `TODO.md` once more.
                if path.is_file() and (real := path.resolve()) not in seen:
                    seen.add(real)
                    yield str(path.relative_to(self._project))


def watch_file(path: Path, changed: Callable[[], None], every_s: float = _LOOK_EVERY_S) -> Callable[[], None]:
    """Look at size and time of a file now and then; nothing else happens while it stays as it is."""
    ending = threading.Event()

    def look() -> None:
        before = _stamp(path)
        while not ending.wait(every_s):
            now = _stamp(path)
            if now != before:
                before = now
                changed()

    threading.Thread(target=look, name="obra-plan-watch", daemon=True).start()
    return ending.set


def _stamp(path: Path) -> Stamp | None:
    """None while the file is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _named(plan: Plan, long: str, short: str) -> Plan:
    """Let a plan and its tasks say where they are from as the person names it."""
    from msgspec.structs import replace

    tasks = tuple(replace(task, source=task.source.replace(long, short, 1)) for task in plan.tasks)
    return replace(plan, source=short, tasks=tasks)

"""Plan files: find, read and watch them, and tick accepted tasks in them. The I/O around `core.plans`."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from obra_tui.core.errors import ObraError, PlanError
from obra_tui.core.events import Record, SessionOpened, TaskAdded, TaskMoved
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Plan, TaskSpec
from obra_tui.core.plans.file import ticked
from obra_tui.core.plans.issues import looks_like_issues, plan_of_issues
from obra_tui.core.plans.parse import format_of, parse_plan
from obra_tui.core.plans.sources import USUAL_FILES, USUAL_PATTERNS

if TYPE_CHECKING:
    from obra_tui.core.ports import Engine


def read_plan(path: Path) -> Plan:
    """Read a plan file; `-` is standard input. Raises `PlanError`."""
    if str(path) == "-":
        return _plan_of(sys.stdin.read(), "standard input", "-")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words, fix = "it is not UTF-8 text", "Save it as UTF-8, or name another file."
        if isinstance(error, OSError):
            words, fix = error.strerror or str(error), "Name a readable file."
        raise PlanError(f"The plan cannot be read: {words}.", where=str(path), fix=fix) from error
    return _plan_of(text, str(path), path.name)


def _plan_of(text: str, source: str, name: str) -> Plan:
    if name.lower().endswith(".json") or (name == "-" and looks_like_issues(text)):
        return plan_of_issues(text, source)
    return parse_plan(text, source, format_of(name))


def tick_in_file(path: Path, task: TaskSpec) -> bool:
    """Tick an accepted task in the person's file; False when it is not found there. Raises `PlanError`.

    The file is replaced as a whole or not at all, with its mode; a link stays a link.
    """
    target = path.resolve()
    try:
        before = target.read_bytes()
        after = ticked(before.decode("utf-8"), key=task.key, title=task.title).encode("utf-8")
        if after == before:
            return False
        fresh = target.with_name(f".{target.name}.obra")
        fresh.write_bytes(after)
        shutil.copymode(target, fresh)
        fresh.replace(target)
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"The plan was not updated: {error}.", where=str(path), fix="Tick the task by hand.") from error
    return True


class PlanUpdater:
    """Ticks accepted tasks in the files that their sessions were made from, on a thread of its own."""

    def __init__(self, engine: Engine) -> None:
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

    def watch(self, name: str, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call `on_change`, on a thread of its own, when size, time or inode change; returns unsubscribe."""
        return watch_file(self._path(name), on_change)

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


def watch_file(path: Path, on_change: Callable[[], None], every_s: float = _LOOK_EVERY_S) -> Callable[[], None]:
    """Poll size, time and inode of a file; returns unsubscribe."""
    ending = threading.Event()

    def look() -> None:
        before = _stamp(path)
        while not ending.wait(every_s):
            now = _stamp(path)
            if now != before:
                before = now
                on_change()

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
    tasks = tuple(replace(task, source=task.source.replace(long, short, 1)) for task in plan.tasks)
    notes = tuple(note.replace(long, short, 1) for note in plan.notes)
    return replace(plan, source=short, tasks=tasks, notes=notes)

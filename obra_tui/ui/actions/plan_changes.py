"""Changes of a plan: by keys, sent and undone as one command; and by the plan file, watched while the app is open.

What can be undone is read from the records, so it may have been made by another process or before this start.
Files are read in worker threads; nothing here writes the plan file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.commands import ChangePlan, PlanChange, UndoPlanChange
from obra_tui.core.errors import PlanError
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.model import Plan, TaskSpec
from obra_tui.core.plans.merge import Difference, MergeStatus, describe, differences, merging, refusal_of
from obra_tui.ui.host import Services
from obra_tui.ui.state import PlanStep, SessionView, TaskView, ViewState

if TYPE_CHECKING:
    from obra_tui.ui.ports import Plans


class PlanChanges:
    def __init__(self, services: Services) -> None:
        self._services = services

    def make(self, session: SessionId, changes: Sequence[PlanChange], said: str) -> None:
        """Send all of them as one; when they were made, `said` is told and can be undone."""
        if not changes:
            return
        by = self._services.launch.person
        change = ChangePlan(session=session, changes=tuple(changes), said=said, by=by)
        self._services.commands.send(change, lambda _: self._made(said))

    def can_undo(self, session: SessionView | None) -> bool:
        """Whether the last thing that can be undone is a change of this plan, not an answer to a gate."""
        return session is not None and undoable(self._services.view, session) is not None

    def undo(self, session: SessionView) -> None:
        """Take the last change back, and say that the one before it is next."""
        command = UndoPlanChange(session=session.id, by=self._services.launch.person)
        key = self._services.key_label("tasks.undo_plan")
        more = f" {key} undoes the change before it." if undoable(self._services.view, session, 1) else ""
        self._services.commands.send(command, lambda said: self._services.notify(f"Undone: {said}{more}"))

    def _made(self, said: str) -> None:
        self._services.notify(f"{said} {self._services.key_label('tasks.undo_plan')} undoes it.")


def undoable(view: ViewState, session: SessionView, before: int = 0) -> PlanStep | None:
    """Return the last change if it can be taken back: nobody was told of it, and no gate was answered since.

    Or one of those `before` it, which come next.
    """
    steps = session.plan_steps[: len(session.plan_steps) - before]
    step = steps[-1] if steps and session.closed_at is None else None
    if step is None or not {gate.id for gate in view.held_gates} <= step.held:
        return None
    tasks = [view.tasks[task] for task in step.tasks if task in session.tasks]
    return step if all(task.changeable for task in tasks) else None


class WatchedTask(Struct, frozen=True):
    """A task of the view, with what the file said of it when it was last taken in."""

    spec: TaskSpec
    original: TaskSpec
    changeable: bool
    over: bool


class PlanFileWatch:
    def __init__(self, services: Services, changes: PlanChanges) -> None:
        self._services = services
        self._changes = changes
        self._followed: tuple[SessionId, str] | None = None
        self._leave: Callable[[], None] = lambda: None
        self._bases: dict[TaskId, TaskSpec] = {}
        """What the file said last of tasks that were changed in it, whatever was made of it."""
        self._titles: frozenset[str] | None = None
        """What was in the file at the last look. What differed then comes and goes only when asked for."""
        self.problem: PlanError | None = None
        """Why the file cannot be taken in as it is now."""
        self.conflicts: tuple[Difference, ...] = ()
        self.notes: tuple[str, ...] = ()
        """Lines of the file that look like tasks and are none, each with its reason."""

    @property
    def session(self) -> SessionId | None:
        """The session whose file is watched."""
        return self._followed[0] if self._followed else None

    @property
    def source(self) -> str:
        return PurePath(self._followed[1]).name if self._followed else ""

    @property
    def others(self) -> int:
        """How many open tasks of the file are not in the plan."""
        if self._followed is None or self._titles is None:
            return 0
        tasks = self._services.view.tasks_of(self._followed[0])
        return len(self._titles - {title for task in tasks for title in (task.spec.title, task.original.title)})

    def follow(self) -> None:
        """Watch the file of the plan that is open; called after every change of the view, so it is quick."""
        wanted = _source(self._services)
        if wanted == self._followed:
            return
        self.stop()
        plans = self._plans
        if wanted is None or plans is None:
            return
        self._followed = wanted
        self._leave = plans.watch(wanted[1], partial(self._services.call_soon, self._look))
        self._look()

    def stop(self) -> None:
        self._leave()
        self._leave = lambda: None
        self._followed, self._titles, self._bases = None, None, {}
        self.problem, self.conflicts, self.notes = None, (), ()

    def known(self, session: SessionId) -> tuple[WatchedTask, ...]:
        """Return the tasks of a plan as a file is compared with them."""
        return tuple(_watched(task, self._bases) for task in self._services.view.tasks_of(session))

    def settle(self, session: SessionId, looked_at: Sequence[Difference], taken: Sequence[Difference]) -> None:
        """The person has looked at these differences: some are taken in, the others stay as they are here."""
        changes = merging(taken, self.known(session), session, self._services.launch.person, looked_at)
        self._remember(looked_at)
        self.conflicts = tuple(item for item in self.conflicts if item not in looked_at)
        self._changes.make(session, changes, f"{_counted(taken)} from the file.")
        self._services.view_store.publish(())

    # -- reading -------------------------------------------------------------------------------

    @property
    def _plans(self) -> Plans | None:
        backend = self._services.backend
        return backend.plans if backend is not None and not backend.viewer_of else None

    def _look(self) -> None:
        followed, plans = self._followed, self._plans
        if followed is not None and plans is not None:
            self._services.in_thread(partial(self._read, plans, *followed))

    def _read(self, plans: Plans, session: SessionId, source: str) -> None:
        """In a worker thread."""
        try:
            read: Plan | PlanError = plans.read(source)
        except PlanError as refused:
            read = refused
        self._services.call_soon(partial(self._take, session, source, read))

    def _take(self, session: SessionId, source: str, read: Plan | PlanError) -> None:
        if (session, source) != self._followed:
            return
        if isinstance(read, PlanError):
            self._refuse(read)
            return
        self.problem = None
        self._note(tuple(note.replace(source, self.source, 1) for note in read.notes))
        found = differences(read, self.known(session))
        titles = frozenset(task.title for task in read.tasks)
        before, self._titles = titles if self._titles is None else self._titles, titles
        now = [item for item in found if _at_once(item, before)]
        changes = merging(now, self.known(session), session, self._services.launch.person, found)
        for item in found:
            refused = refusal_of(item)
            if refused is not None and item.spec != self._bases.get(item.spec.id):
                self._services.notify(str(refused), problem=True)
        self._remember([item for item in found if item.fate is not MergeStatus.CONFLICT])
        self.conflicts = tuple(item for item in found if item.fate is MergeStatus.CONFLICT)
        self._changes.make(session, changes, f"{self.source}: {describe(now)}.")
        self._services.view_store.publish(())

    def _note(self, notes: tuple[str, ...]) -> None:
        """Tell once of lines that look like tasks and are none; the Tasks screen names them for as long as they are."""
        if fresh := [note for note in notes if note not in self.notes]:
            more = f" And {len(fresh) - 1} more like it." if len(fresh) > 1 else ""
            self._services.notify(f"{fresh[0]}{more}", problem=True)
        elif self.notes and not notes:
            self._services.notify(f"Every task of {self.source} is understood now.")
        self.notes = notes

    def _refuse(self, error: PlanError) -> None:
        if self.problem is None or str(self.problem) != str(error):
            self._services.notify(f"The plan stays as it is. {error}", problem=True)
        self.problem, self.conflicts = error, ()
        self._services.view_store.publish(())

    def _remember(self, looked_at: Sequence[Difference]) -> None:
        for item in looked_at:
            if item.theirs is not None and item.mine is not None and item.fate is not MergeStatus.SAME:
                self._bases[item.theirs.id] = item.theirs
            elif item.theirs is None and item.mine is not None:
                # It is gone from the file and stays here: from now on it is the person's own.
                self._bases[item.mine.id] = replace(item.mine, source="typed")


def _at_once(item: Difference, before: frozenset[str]) -> bool:
    """Whether it comes in by itself: tasks only come and go that did so in the file since it was last looked at."""
    match item.fate:
        case MergeStatus.NEW:
            return item.spec.title not in before
        case MergeStatus.GONE:
            return item.spec.title in before
        case _:
            return item.fate is MergeStatus.CHANGED


def _source(services: Services) -> tuple[SessionId, str] | None:
    session = plan_session(services.view, services.session)
    if session is None or session.closed_at is not None or not session.plan_source:
        return None
    return (session.id, session.plan_source) if session.plan_source != "standard input" else None


def plan_session(view: ViewState, asked: SessionId | None) -> SessionView | None:
    """Return the session whose plan is shown and added to: the one asked for, else the open one of a plan."""
    wanted = view.sessions.get(asked) if asked else None
    if wanted is not None and wanted.closed_at is None:
        return wanted
    plans = [item for item in view.sessions.values() if item.closed_at is None and item.kind == "milestone"]
    return max(plans, key=lambda item: item.opened_at, default=None) or wanted or view.newest_session


def _watched(task: TaskView, bases: dict[TaskId, TaskSpec]) -> WatchedTask:
    base = bases.get(task.id, task.original)
    return WatchedTask(task.spec, base, task.changeable, task.over)


def _counted(taken: Sequence[Difference]) -> str:
    return "1 task" if len(taken) == 1 else f"{len(taken)} tasks"

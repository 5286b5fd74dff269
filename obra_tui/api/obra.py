"""A project under supervision, for scripts: tasks, sessions, gates and what is known of them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, cast

from msgspec import Struct

from obra_tui.api.permissions import PermissionDesk
from obra_tui.api.steering import Steering
from obra_tui.core.commands import AddTasks, CloseSession, Command, Decide, OpenSession, RecordUsage, Resume, StartRun
from obra_tui.core.errors import NotAllowed, ObraError, SessionClosedError, UnknownId
from obra_tui.core.events import Record, RunFinished, SessionClosed, TaskMoved
from obra_tui.core.history import AttemptDetail, GateDetail, GateSummary, HistoryFilter, SessionDetail, SessionSummary
from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, SessionId, TaskId, new_task_id
from obra_tui.core.lifecycle import FINAL, State
from obra_tui.core.model import (
    Budget,
    CheckSpec,
    Decision,
    DecisionKind,
    Finding,
    QualityResult,
    SessionKind,
    TaskSpec,
    Usage,
)
from obra_tui.wiring.work import Start, person

if TYPE_CHECKING:
    from obra_tui.settings import Settings
    from obra_tui.wiring.engine import Plant
    from obra_tui.wiring.models import Models
    from obra_tui.wiring.open_work import OpenWork

T = TypeVar("T")

_LOOK_S = 0.5
"""How often a waiting call looks whether anything can still come."""

_RESTING = FINAL | {State.AWAITING_HUMAN, State.INTERRUPTED, State.BLOCKED}


class TaskResult(Struct, frozen=True, kw_only=True):
    """Where a task stands after `execute_task` or `decide`."""

    task: TaskId
    session: SessionId
    state: State
    reason: str
    """Why it is in this state, if something was said."""
    attempts: int
    quality: QualityResult | None
    """Of the last attempt that was judged; None when none was."""
    gate: GateId | None
    """The gate that waits for a person; answer it with `decide`."""
    usage: Usage
    claude_sessions: tuple[ClaudeSessionId, ...]
    """Conversations of Claude Code that took part, as the stream reported them."""
    branch: str
    commit: str
    """Commit that took the work in; empty if none did."""
    duration_s: float

    @property
    def accepted(self) -> bool:
        return self.state is State.ACCEPTED


class Obra:
    """A project under supervision. Use it as a context manager, or call `close`."""

    def __init__(self, plant: Plant, closing: ExitStack) -> None:
        """Use `open` instead."""
        self._plant = plant
        self._closing = closing
        self._drafts: dict[TaskId, TaskSpec] = {}
        self._lock = threading.Lock()
        self._number = 0

    @classmethod
    def open(
        cls,
        project: str | Path,
        config: Mapping[str, object] | None = None,
        *,
        attended: bool = False,
        models: Callable[[Settings], Models] | None = None,
    ) -> Self:
        """Open a git repository.

        `config` maps dotted setting names to values, as flags of the command line would
        (`{"gate.policy": "autonomous"}`). With `attended` Claude waits for answers to what it asks (`permissions`);
        without, everything that would be asked is denied. `models` replaces the models that the settings name;
        rehearsals use it.

        Raises `ProjectError`, `ConfigError`, or `AlreadyOwned` when another Obra uses the data directory.
        """
        from obra_tui.settings import load
        from obra_tui.wiring.engine import Plant
        from obra_tui.wiring.models import real_models
        from obra_tui.wiring.project import project_root

        root = project_root(Path(project))
        settings = load(root, {"gate.undo_s": 0, **(config or {})})
        plant = Plant(settings, Start(project=root, attended=attended), lambda: (models or real_models)(settings))
        plant.start()
        closing = ExitStack()
        closing.callback(plant.engine.stop)
        return cls(plant, closing)

    @classmethod
    def rehearse(cls, scenario: str, config: Mapping[str, object] | None = None) -> tuple[Self, Path]:
        """Open a rehearsal: scripted models on loopback, everything else real; returns it with the path of its plan."""
        from obra_tui.settings import load
        from obra_tui.wiring.engine import Plant
        from obra_tui.wiring.rehearsal import open_rehearsal

        settings = load(None, config or {})
        rehearsal = open_rehearsal(scenario, settings, pace=0.0)
        closing = ExitStack()
        closing.callback(rehearsal.close)
        try:
            plant = Plant(settings, Start(project=rehearsal.project, attended=False), lambda: rehearsal.models)
            plant.start()
        except BaseException:
            closing.close()
            raise
        closing.callback(plant.engine.stop)
        return cls(plant, closing), rehearsal.plan

    def close(self) -> None:
        """Stop what runs (the work is kept) and release the data directory. Repeating it is harmless."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def project(self) -> Path:
        """The repository under supervision."""
        return self._plant.project

    # --- work ---

    def create_tasks(self, plan: str | Path) -> tuple[TaskId, ...]:
        """Read the tasks of a plan file, in order; nothing runs before `execute_task`. Raises `PlanError`."""
        from obra_tui.wiring.plans import read_plan

        tasks = read_plan(Path(plan)).tasks
        with self._lock:
            self._drafts.update({task.id: task for task in tasks})
        return tuple(task.id for task in tasks)

    def create_task(
        self,
        title: str,
        *,
        prompt: str = "",
        acceptance: Sequence[str] = (),
        key: str = "",
        depends_on: Sequence[str] = (),
        checks: Sequence[CheckSpec] = (),
        budget: Budget | None = None,
    ) -> TaskId:
        """Describe a task and return its id; nothing runs before `execute_task`.

        `depends_on` names keys of tasks of the same session that must be accepted first.
        """
        with self._lock:
            self._number += 1
            spec = TaskSpec(
                id=new_task_id(),
                key=key or f"T{self._number:03d}",
                title=title,
                prompt=prompt or title,
                acceptance=tuple(acceptance),
                depends_on=tuple(depends_on),
                checks=tuple(checks),
                budget=budget or Budget(),
                source="api",
            )
            self._drafts[spec.id] = spec
        return spec.id

    def start_milestone_session(self, title: str) -> SessionId:
        """Open a session for several tasks. Raises `SessionOpenError` when this project has an open one."""
        return cast(SessionId, self._do(OpenSession(kind=SessionKind.MILESTONE, title=title)))

    def end_milestone_session(self, session: SessionId, reason: str = "") -> SessionDetail:
        """Close a session and return its totals. Raises `UnknownId`, or `NotAllowed` while it is at work."""
        self._do(CloseSession(session=session, reason=reason or f"Ended by {person()}."))
        return self.session(session)

    def execute_task(self, task: TaskId, session: SessionId | None = None) -> TaskResult:
        """Work on a task until it is accepted, has failed, or needs a person; blocks.

        Without a session it makes a standalone one and closes it when the task is in a final state. A task that
        waits for others is returned as `blocked`. Raises `UnknownId` for an unknown task or session, and
        `SessionClosedError`.
        """
        spec = self._draft(task)
        standalone = session is None
        if session is None:
            session = cast(SessionId, self._do(OpenSession(kind=SessionKind.STANDALONE, title=spec.title)))
        else:
            self._refuse_closed(session)
        self._add(session, spec, standalone=standalone)
        begun = time.monotonic()
        with self._listening(session) as news:
            self._do(StartRun(session=session, close_when_done=standalone))
            news.wait_until_resting(task, closed=standalone)
        return self._result(session, task, time.monotonic() - begun)

    def resume_task(self, task: TaskId, *, fork: bool = False) -> TaskResult:
        """Take up an interrupted task again, in the same conversation; blocks. Raises `UnknownId`.

        With `fork` it goes on in a fork of the conversation, which has an id and a usage of its own.
        """
        session = self._session_of(task)
        begun = time.monotonic()
        with self._listening(session) as news:
            self._do(Resume(session=session, by=person(), fork=fork))
            news.wait_until_resting(task, closed=False)
        self._close_standalone(session, task)
        return self._result(session, task, time.monotonic() - begun)

    def decide(
        self,
        gate: GateId,
        kind: DecisionKind,
        note: str = "",
        *,
        chosen: Sequence[Finding] = (),
        override: bool = False,
    ) -> TaskResult:
        """Answer a gate and wait for what follows.

        Raises `UnknownId`, `GateDecided` (somebody was first), `StaleDecision` (the content changed since), or
        `NotAllowed` (a reason is missing).
        """
        detail = self.gate(gate)
        task, session = detail.attempt.summary.task, detail.session.id
        decision = Decision(kind=kind, by=person(), note=note, chosen=tuple(chosen), override=override)
        begun = time.monotonic()
        with self._listening(session) as news:
            self._do(Decide(gate=gate, binding=detail.gate.binding, decision=decision))
            news.wait_until_resting(task, closed=False)
        self._close_standalone(session, task)
        return self._result(session, task, time.monotonic() - begun)

    def update_session_usage(self, session: SessionId, usage: Usage) -> Usage:
        """Add usage that was caused outside of Obra, and return the session's total.

        Raises `UnknownId` for a session that nobody opened: usage is never booked on anything else;
        `SessionClosedError` for one that is closed, and `NotAllowed` for usage below zero.
        """
        self._refuse_closed(session)
        if min(usage.turns, usage.cost_usd, *_tokens(usage)) < 0:
            raise NotAllowed("Usage below zero was given.", fix="Usage only adds up; give what was used since then.")
        self._do(RecordUsage(session=session, usage=usage))
        return self.session(session).summary.usage

    # --- other hands ---

    @property
    def permissions(self) -> PermissionDesk:
        """What Claude asks and what was allowed."""
        return PermissionDesk(self._do, self._open_work)

    @property
    def steering(self) -> Steering:
        """What can be done to running work, from another thread."""
        return Steering(self._do, self._open_work)

    def _open_work(self) -> OpenWork:
        from obra_tui.wiring.open_work import open_work_of

        return open_work_of(self._plant.parts.history, at_work=True)

    # --- looking ---

    def sessions(self, limit: int = 50) -> tuple[SessionSummary, ...]:
        """Return the sessions of this project, newest first."""
        return self._plant.parts.history.sessions(HistoryFilter(project=str(self.project)), limit=limit).rows

    def session(self, session: SessionId) -> SessionDetail:
        """Return a session with its tasks and attempts. Raises `UnknownId`."""
        return self._plant.parts.history.session(session)

    def attempt(self, attempt: AttemptId) -> AttemptDetail:
        """Return everything that is known of an attempt: prompts, diff, checks, verdict, quality, decision."""
        return self._plant.parts.history.attempt(attempt)

    def quality(self, attempt: AttemptId) -> QualityResult:
        """Return the score of an attempt. Raises `UnknownId` when there is no such attempt or it was not judged."""
        quality = self._plant.parts.history.attempt(attempt).quality
        if quality is None:
            raise UnknownId(f"Attempt {attempt} was not judged.", fix="Look at its outcome with `session`.")
        return quality

    def pending_gates(self) -> tuple[GateSummary, ...]:
        """Return the gates of this project that wait for a person, oldest first."""
        return tuple(gate for gate in self._plant.parts.history.gates() if gate.project == str(self.project))

    def gate(self, gate: GateId) -> GateDetail:
        """Return a gate, open or answered, with all of its evidence. Raises `UnknownId`."""
        return self._plant.parts.history.gate(gate)

    def events(self, session: SessionId, *, follow: bool = False) -> Iterator[Record]:
        """Yield the records of a session, streamed ones included; with `follow` until the session is closed."""
        seen = 0
        while True:
            page = self._plant.parts.history.records(session, after=seen)
            if page:
                yield from page
                seen = page[-1].seq
                if isinstance(page[-1].event, SessionClosed):
                    return
            elif not follow:
                return
            else:
                self._wait_for_more(session, seen)

    # --- inside ---

    def _do(self, command: Command) -> object:
        if not self._plant.engine.alive:
            raise NotAllowed("This Obra was closed.", fix="Open the project again with `Obra.open`.")
        return self._plant.engine.submit(command).result()

    def _refuse_closed(self, session: SessionId) -> None:
        summary = self.session(session).summary
        if summary.closed_at is not None:
            raise SessionClosedError(
                f"Session {session} ({summary.title}) is closed.",
                fix="Open a new one with `start_milestone_session`, or leave the session out.",
            )

    def _add(self, session: SessionId, spec: TaskSpec, *, standalone: bool) -> None:
        """Put the task into the session; a session of its own is not left open if that is refused."""
        try:
            self._do(AddTasks(session=session, tasks=(spec,)))
        except ObraError as error:
            if standalone:
                self._do(CloseSession(session=session, reason=str(error)))
            raise
        with self._lock:
            self._drafts.pop(spec.id, None)

    def _close_standalone(self, session: SessionId, task: TaskId) -> None:
        """Close a session of one task when the task has ended, also if another process opened it."""
        detail = self.session(session)
        done = next(item.state for item in detail.tasks if item.id == task) in FINAL
        if done and detail.summary.kind is SessionKind.STANDALONE and detail.summary.closed_at is None:
            self._do(CloseSession(session=session, reason="The task is in a final state."))

    def _draft(self, task: TaskId) -> TaskSpec:
        with self._lock:
            spec = self._drafts.get(task)
        if spec is None:
            raise UnknownId(f"There is no task {task} that waits to be executed.", fix="Make one with `create_task`.")
        return spec

    def _listening(self, session: SessionId) -> _News:
        return _News(self._plant, session)

    def _wait_for_more(self, session: SessionId, seen: int) -> None:
        with self._listening(session) as news:
            if self._plant.parts.history.last_seq(session) <= seen:
                news.wait()

    def _session_of(self, task: TaskId) -> SessionId:
        return self._plant.engine.ask(self._plant.parts.orchestrator.session_of, task)

    def _result(self, session: SessionId, task: TaskId, duration_s: float) -> TaskResult:
        history = self._plant.parts.history
        detail = history.session(session)
        row = next(item for item in detail.tasks if item.id == task)
        attempts = [item for item in detail.attempts if item.task == task]
        details = [history.attempt(item.id) for item in attempts]
        judged = [item.quality for item in details if item.quality is not None]
        conversations = (claude.id for item in details for claude in item.conversations if claude.reported)
        return TaskResult(
            task=task,
            session=session,
            state=row.state,
            reason=row.reason,
            attempts=len(judged),
            quality=judged[-1] if judged else None,
            gate=next((item.waiting for item in attempts if item.waiting), None),
            usage=sum((item.usage for item in attempts), Usage()),
            claude_sessions=tuple(dict.fromkeys(conversations)),
            branch=detail.branch,
            commit=row.commit,
            duration_s=duration_s,
        )


class _News:
    """The records of one session while a call waits for them."""

    def __init__(self, plant: Plant, session: SessionId) -> None:
        self._plant = plant
        self._session = session
        self._records: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self._unsubscribe: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._unsubscribe = self._plant.engine.subscribe(self._take)
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
        error = self._plant.engine.outage
        if error is not None:
            raise error
        if not self._plant.engine.alive:
            raise NotAllowed("Obra was closed while a call waited.", fix="The work is kept: `resume_task` takes it up.")

    def wait_until_resting(self, task: TaskId, *, closed: bool) -> None:
        """Return when the task cannot go on by itself and the run has come to its end."""
        state = self._plant.engine.ask(self._plant.parts.orchestrator.state_of, task)
        finished = state in _RESTING and not self._plant.engine.ask(
            self._plant.parts.orchestrator.is_running, self._session
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


def _tokens(usage: Usage) -> tuple[int, ...]:
    return usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens

"""A project under supervision, for scripts: tasks, sessions, gates and what is known of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from obra_tui.api.drafts import Drafts
from obra_tui.api.news import News
from obra_tui.api.opening import open_project, open_rehearsal
from obra_tui.api.permissions import PermissionDesk
from obra_tui.api.results import TaskResult, result_of
from obra_tui.api.steering import Steering
from obra_tui.core.commands import AddTasks, CloseSession, Command, Decide, OpenSession, RecordUsage, Resume, StartRun
from obra_tui.core.errors import NotAllowed, ObraError, SessionClosedError, UnknownId
from obra_tui.core.events import Record, SessionClosed
from obra_tui.core.ids import AttemptId, GateId, SessionId, TaskId
from obra_tui.core.lifecycle import FINAL
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
from obra_tui.core.records.history import (
    AttemptDetail,
    GateDetail,
    GateSummary,
    SessionDetail,
    SessionSummary,
)
from obra_tui.system.user import person

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.config.load import Settings
    from obra_tui.services.models import Models
    from obra_tui.services.open_work import OpenWork


class Obra:
    """A project under supervision. Use it as a context manager, or call `close`."""

    def __init__(self, handle: EngineHandle, closing: ExitStack) -> None:
        """Use `open` instead."""
        self._handle = handle
        self._closing = closing
        self._drafts = Drafts()

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
        return cls(*open_project(Path(project), config or {}, attended=attended, models=models))

    @classmethod
    def rehearse(cls, scenario: str, config: Mapping[str, object] | None = None) -> tuple[Self, Path]:
        """Open a rehearsal: scripted models on loopback, everything else real; returns it with the path of its plan."""
        handle, closing, plan = open_rehearsal(scenario, config or {})
        return cls(handle, closing), plan

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
        return self._handle.project

    # --- work ---

    def create_tasks(self, plan: str | Path) -> tuple[TaskId, ...]:
        """Read the tasks of a plan file, in order; nothing runs before `execute_task`. Raises `PlanError`."""
        from obra_tui.services.plans import read_plan

        return self._drafts.add(read_plan(Path(plan)).tasks)

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
        return self._drafts.describe(
            key,
            title=title,
            prompt=prompt or title,
            acceptance=tuple(acceptance),
            depends_on=tuple(depends_on),
            checks=tuple(checks),
            budget=budget or Budget(),
        ).id

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
        spec = self._drafts.get(task)
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
        return result_of(self._handle.parts.history, session, task, time.monotonic() - begun)

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
        return result_of(self._handle.parts.history, session, task, time.monotonic() - begun)

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
        return result_of(self._handle.parts.history, session, task, time.monotonic() - begun)

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
        from obra_tui.services.open_work import open_work_of

        return open_work_of(self._handle.parts.history, at_work=True)

    # --- looking ---

    def sessions(self, limit: int = 50) -> tuple[SessionSummary, ...]:
        """Return the sessions of this project, newest first."""
        return self._handle.parts.history.sessions(limit=limit, project=str(self.project)).rows

    def session(self, session: SessionId) -> SessionDetail:
        """Return a session with its tasks and attempts. Raises `UnknownId`."""
        return self._handle.parts.history.session(session)

    def attempt(self, attempt: AttemptId) -> AttemptDetail:
        """Return everything that is known of an attempt: prompts, diff, checks, verdict, quality, decision."""
        return self._handle.parts.history.attempt(attempt)

    def quality(self, attempt: AttemptId) -> QualityResult:
        """Return the score of an attempt. Raises `UnknownId` when there is no such attempt or it was not judged."""
        quality = self._handle.parts.history.attempt(attempt).quality
        if quality is None:
            raise UnknownId(f"Attempt {attempt} was not judged.", fix="Look at its outcome with `session`.")
        return quality

    def pending_gates(self) -> tuple[GateSummary, ...]:
        """Return the gates of this project that wait for a person, oldest first."""
        return tuple(gate for gate in self._handle.parts.history.gates() if gate.project == str(self.project))

    def gate(self, gate: GateId) -> GateDetail:
        """Return a gate, open or answered, with all of its evidence. Raises `UnknownId`."""
        return self._handle.parts.history.gate(gate)

    def events(self, session: SessionId, *, follow: bool = False) -> Iterator[Record]:
        """Yield the records of a session, streamed ones included; with `follow` until the session is closed."""
        seen = 0
        while True:
            page = self._handle.parts.history.records(session, after=seen)
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
        if not self._handle.engine.alive:
            raise NotAllowed("This Obra was closed.", fix="Open the project again with `Obra.open`.")
        return self._handle.engine.submit(command).result()

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
            self._do(AddTasks(session=session, tasks=(spec,), by=person()))
        except ObraError as error:
            if standalone:
                self._do(CloseSession(session=session, reason=str(error)))
            raise
        self._drafts.drop(spec.id)

    def _close_standalone(self, session: SessionId, task: TaskId) -> None:
        """Close a session of one task when the task has ended, also if another process opened it."""
        detail = self.session(session)
        done = next(item.state for item in detail.tasks if item.id == task) in FINAL
        if done and detail.summary.kind is SessionKind.STANDALONE and detail.summary.closed_at is None:
            self._do(CloseSession(session=session, reason="The task is in a final state."))

    def _listening(self, session: SessionId) -> News:
        return News(self._handle, session)

    def _wait_for_more(self, session: SessionId, seen: int) -> None:
        with self._listening(session) as news:
            if self._handle.parts.history.last_seq(session) <= seen:
                news.wait()

    def _session_of(self, task: TaskId) -> SessionId:
        return self._handle.engine.ask(self._handle.parts.orchestrator.session_of, task)


def _tokens(usage: Usage) -> tuple[int, ...]:
    return usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens

"""Answers commands. Knows sessions and gates; the work itself is done in `session_run`.

Runs on the engine's loop. Its state is what the events say: it subscribes to
its own outbox before anybody else does.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import assert_never

from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.errors import (
    NotAllowed,
    SessionClosedError,
    SessionOpenError,
    StoreError,
    UnknownId,
)
from obra_tui.core.events import (
    PromptWithdrawn,
    Record,
    SessionClosed,
    SessionOpened,
    UsageReported,
)
from obra_tui.core.ids import GateId, SessionId, TaskId, new_session_id
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Finding, SessionKind
from obra_tui.engine.approvals import Questions, revoke
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.gates import Gates
from obra_tui.engine.judge_watch import JudgeWatch
from obra_tui.engine.outage import Outage, Watcher
from obra_tui.engine.outbox import Listener, Outbox
from obra_tui.engine.plan_undo import marked, taken_back
from obra_tui.engine.recovery import begun_before, recover
from obra_tui.engine.replanning import Placed, PlanCommand, TaskStanding, replanned, replanned_together, standing
from obra_tui.engine.session_run import SessionRun
from obra_tui.engine.steering import SteeringRequests
from obra_tui.engine.work import SessionWork, TaskWork, apply

_KEPT_CLOSED = 20
"""Closed sessions that are still known by heart; older ones are read from the history."""


class Orchestrator:
    def __init__(self, ports: Ports, config: EngineConfig) -> None:
        self._ports = ports
        self._config = config
        self._runs: dict[SessionId, SessionRun] = {}
        self._outage = Outage(ports.journal, ports.clock, self._runs)
        self._outbox = Outbox(ports.journal, ports.clock, self._outage.store_failed, self._outage.refusal)
        self._outbox.subscribe(self._apply)
        self._watch = JudgeWatch(ports, config, self._outbox)
        self._outbox.subscribe(self._watch.heard)
        self._questions = Questions(self._outbox, attended=config.attended)
        self._steering = SteeringRequests(ports, self._outbox)
        self._gates = Gates(ports, config, self._outbox, self._runs)
        self._closed: deque[SessionId] = deque()
        self._given_up: set[SessionId] = set()
        """Sessions of which nobody knows yet whether they were stored."""
        self.space_ran_out = self._outage.space_ran_out
        self.right_lost = self._outage.right_lost
        self._outage.watch(self._hold_again)

    @property
    def store_error(self) -> StoreError | None:
        """Why nothing can be written at present."""
        return self._outage.error

    def watch_store(self, watcher: Watcher) -> None:
        """Call `watcher` with the error when nothing can be written any more, and with None when it can again."""
        self._outage.watch(watcher)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Deliver what the open sessions hold already, streamed pieces left out, then all that comes; no gap."""
        self._outbox.flush()
        for session in self._runs:
            records = self._ports.ledger.session_records(session)
            if records:
                listener(records)
        return self._outbox.subscribe(lambda records: listener(self._watch.of_work(records)))

    def start(self) -> None:
        """Take up the open sessions of the journal: finish acceptances, mark the rest as interrupted."""
        for work in recover(self._ports.ledger, self._config.project, self._outbox, self._adopt):
            run = self._runs[work.id]
            for task in work.tasks.values():
                if task.state is State.ACCEPTING:
                    run.accept_now(task)
                if task.held_prompt is not None:  # nobody waits for it any more
                    self._outbox.commit(work.id, [(task.spec.id, task.attempt, PromptWithdrawn())])
            self._gates.take_up(work.tasks.values())

    async def handle(self, command: do.Command) -> object:
        """Carry out one command. Raises one of `core.errors` and has changed nothing then."""
        match command:
            case do.OpenSession():
                return await self._open_session(command)
            case do.AddTasks():
                return self._add_tasks(self._open_run(command.session), command)
            case do.StartRun():
                self._start_run(self._open_run(command.session), command)
            case do.ChangePlan():
                self._change_plan(command)
            case do.UndoPlanChange(session=session, by=by):
                return self._undo_plan_change(session, by)
            case do.EditTask() | do.MoveTask() | do.HoldTask() | do.ReleaseTask() | do.RemoveTask() | do.RunFrom():
                self._replan(command)
            case do.SendText(task=task, text=text, by=by):
                return await self._send(task, text, by)
            case do.Decide():
                await self._gates.decide(command)
            case do.HandBack() | do.UndoDecision() | do.RevertWork():
                return await self._gates.change(command)
            case do.AnswerPermission(question=question, answer=answer):
                self._questions.answer(question, answer)
            case (
                do.CancelTask()
                | do.InterruptClaude()
                | do.HoldPrompt()
                | do.SendPrompt()
                | do.TakeOver()
                | do.GiveBack()
            ):
                return await self._act_on_task(command)
            case _:
                return await self._act_on_session(command)
        return None

    async def _act_on_task(
        self,
        command: do.CancelTask | do.InterruptClaude | do.HoldPrompt | do.SendPrompt | do.TakeOver | do.GiveBack,
    ) -> object:
        run, work = self._find_task(command.task)
        match command:
            case do.CancelTask(by=by):
                await run.cancel(work, by)
            case do.InterruptClaude():
                await self._steering.interrupt(run, work)
            case do.HoldPrompt(by=by, on=on):
                self._steering.hold_prompt(run, work, by, on=on)
            case do.SendPrompt(text=text, by=by):
                self._steering.send_prompt(run, work, text, by)
            case do.TakeOver(by=by):
                await self._steering.take_over(run, work, by)
            case do.GiveBack(by=by, then=then):
                return await self._steering.give_back(run, work, by, then)
            case _:
                assert_never(command)
        return None

    async def _act_on_session(
        self,
        command: do.CloseSession
        | do.Pause
        | do.Resume
        | do.StopRun
        | do.RecordJudging
        | do.RecordUsage
        | do.RevokeRule,
    ) -> object:
        match command:
            case do.RecordJudging():
                return await self._watch.record(command)
            case do.CloseSession(session=session, reason=reason):
                self._run(session).close(reason)
            case do.Pause(session=session, by=by):
                self._open_run(session).pause(by)
            case do.Resume(session=session, by=by, fork=fork):
                self._open_run(session).resume(by, fork=fork)
            case do.StopRun(session=session, mode=mode, by=by):
                await self._run(session).stop(mode, by)
            case do.RecordUsage(session=session, usage=usage):
                self._run(session)
                self._outbox.commit(session, [(None, None, UsageReported(usage=usage))])
            case do.RevokeRule(session=session, rule=rule, by=by):
                revoke(self._outbox, self._run(session).work, rule, by)
            case _:
                assert_never(command)
        return None

    async def stop(self) -> None:
        """End all runs and write what is pending; an answer that could still be undone stands."""
        self._outage.end()
        await self._gates.settle_all()
        for run in self._runs.values():
            await run.shut_down()
        await self._watch.settle()
        self._outbox.flush()

    # --- sessions ---

    async def _open_session(self, command: do.OpenSession) -> SessionId:
        if command.project not in ("", self._config.project):
            raise NotAllowed(
                f"The Obra that is at work works on {self._config.project}.",
                where=command.project,
                fix="End it first, or name another data directory with OBRA_DATA_DIR.",
            )
        session = new_session_id()
        opened = await self._opened(session, command)
        begun = begun_before(opened, (run.work for run in self._runs.values()), self._given_up)
        if begun is not None:
            return begun
        if command.kind is SessionKind.MILESTONE:
            self._refuse_second_milestone()
        self._adopt(SessionWork(id=session, opened=opened))
        try:
            self._outbox.commit(session, [(None, None, opened)])
        except StoreError:
            del self._runs[session]
            self._given_up.add(session)
            raise
        return session

    async def _opened(self, session: SessionId, command: do.OpenSession) -> SessionOpened:
        rules = self._config.rules
        return SessionOpened(
            kind=command.kind,
            title=command.title,
            project=self._config.project,
            branch=f"obra/{session}",
            base_commit=await self._ports.workspace.head(),
            policy=rules.policy,
            threshold=rules.threshold,
            max_attempts=rules.max_attempts,
            rehearsal=self._config.rehearsal,
            plan_source=command.plan_source,
            versions=self._config.versions,
        )

    def _refuse_second_milestone(self) -> None:
        for run in self._runs.values():
            opened = run.work.opened
            same = opened.project == self._config.project and opened.kind is SessionKind.MILESTONE
            if same and not run.work.closed:
                raise SessionOpenError(
                    f"Session {run.work.id} ({opened.title}) of this project is still open.",
                    fix=f"Go on with `obra run --resume {run.work.id}`, or end it with `obra close {run.work.id}`.",
                )

    def _start_run(self, run: SessionRun, command: do.StartRun) -> None:
        new = tuple(task for task in command.tasks if task.id not in run.work.tasks)
        if new:
            self._add_tasks(run, do.AddTasks(session=command.session, tasks=new, by=command.by))
        run.start(close_when_done=command.close_when_done)

    def _add_tasks(self, run: SessionRun, command: do.AddTasks) -> tuple[TaskId, ...]:
        self._write_plan(run, replanned(run.work, command))
        return tuple(task.id for task in command.tasks)

    def _replan(self, command: PlanCommand) -> None:
        run = self._open_run(self._session_of(command))
        self._write_plan(run, replanned(run.work, command), start=isinstance(command, do.RunFrom))

    def _session_of(self, command: PlanCommand) -> SessionId:
        if isinstance(command, do.AddTasks):
            return command.session
        return self._find_task(command.task)[0].work.id

    def _change_plan(self, command: do.ChangePlan) -> None:
        run = self._open_run(command.session)
        changes = [
            replace(change, by=change.by or command.by) if isinstance(change, do.AddTasks) else change
            for change in command.changes
        ]
        self._write_plan(run, marked(replanned_together(run.work, changes), command))

    def _undo_plan_change(self, session: SessionId, by: str) -> str:
        run = self._open_run(session)
        self._outbox.flush()
        said, events = taken_back(run.work, self._ports.ledger.session_records(session), by)
        self._write_plan(run, events)
        return said

    def _write_plan(self, run: SessionRun, events: Sequence[Placed], *, start: bool = False) -> None:
        if events:
            self._outbox.commit(run.work.id, [(owner, None, event) for owner, event in events])
        if start:
            run.start(close_when_done=False)
        else:
            run.advance()

    def open_sessions(self) -> tuple[tuple[SessionId, SessionKind], ...]:
        """Return the sessions of this project that are not closed, oldest first."""
        runs = sorted(self._runs.values(), key=lambda run: run.work.id)
        return tuple((run.work.id, run.work.opened.kind) for run in runs if not run.work.closed)

    def plan_of(self, session: SessionId) -> tuple[TaskStanding, ...]:
        """Return the tasks of an open session in the order of its plan."""
        return standing(self._run(session).work)

    def next_prompt(self, gate: GateId, note: str, chosen: tuple[Finding, ...]) -> str:
        """Return the prompt that a request for changes with this note and these findings would send."""
        return self._gates.next_prompt(gate, note, chosen)

    def state_of(self, task: TaskId) -> State:
        """Return where a task of an open session stands."""
        return self._find_task(task)[1].state

    def session_of(self, task: TaskId) -> SessionId:
        return self._find_task(task)[0].work.id

    def is_running(self, session: SessionId) -> bool:
        """Return whether tasks of the session are being worked on."""
        run = self._runs.get(session)
        return run is not None and run.busy

    # --- finding things ---

    def _run(self, session: SessionId) -> SessionRun:
        run = self._runs.get(session)
        if run is None:
            raise UnknownId(f"There is no open session {session}.", fix="`obra history` lists all sessions.")
        return run

    def _open_run(self, session: SessionId) -> SessionRun:
        run = self._run(session)
        if run.work.closed:
            raise SessionClosedError(f"Session {session} is closed.", fix="Open a new session for new work.")
        return run

    def _find_task(self, task: TaskId) -> tuple[SessionRun, TaskWork]:
        for run in self._runs.values():
            if task in run.work.tasks:
                return run, run.work.tasks[task]
        raise UnknownId(f"There is no open task {task}.", fix="`obra history` lists all sessions and their tasks.")

    async def _send(self, task: TaskId, text: str, by: str) -> bool:
        run, work = self._find_task(task)
        return await self._steering.send_text(run, work, text, by)

    # --- events ---

    def _adopt(self, work: SessionWork) -> None:
        self._runs[work.id] = SessionRun(
            ports=self._ports,
            config=self._config,
            outbox=self._outbox,
            work=work,
            questions=self._questions,
            is_short_of_space=self._outage.is_short_of_space,
        )

    def _apply(self, records: Sequence[Record]) -> None:
        for record in records:
            run = self._runs.get(record.session)
            if run is None and isinstance(record.event, SessionOpened):
                if record.event.kind is not SessionKind.PROBING:  # it was given up, and is stored after all
                    self._adopt(SessionWork(id=record.session, opened=record.event))
            elif run is not None:
                apply(run.work, record)
                if isinstance(record.event, SessionClosed):
                    self._forget_old(record.session)

    def _forget_old(self, closed: SessionId) -> None:
        """Keep the last closed sessions at hand and let the others go: a program that runs for weeks stays small."""
        self._closed.append(closed)
        while len(self._closed) > _KEPT_CLOSED:
            self._outbox.forget(self._closed[0])
            self._runs.pop(self._closed.popleft(), None)

    def _hold_again(self, error: StoreError | None) -> None:
        """What became due while nothing could be written is carried out now: answers that stand, approved work."""
        if error is None:
            for run in self._runs.values():
                self._gates.take_up(run.work.tasks.values())
                run.accept_what_waits()

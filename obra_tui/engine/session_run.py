"""The run of one session: starts tasks that can start, until only a person can help."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from obra_tui.core.errors import NotAllowed, ObraError, StoreError, Unwritable
from obra_tui.core.events import (
    BudgetRenewed,
    Event,
    Paused,
    ProblemCleared,
    ProblemRaised,
    Resumed,
    RunFinished,
    RunStarted,
    SessionClosed,
    StopRequested,
    TaskMoved,
)
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.lifecycle import FINAL, WORKING, State, Trigger, advance
from obra_tui.engine import schedule
from obra_tui.engine.acceptance import accept
from obra_tui.engine.approvals import Questions
from obra_tui.engine.attempt import TaskRunner
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.schedule import session_over_budget, task_over_budget
from obra_tui.engine.signals import Signals
from obra_tui.engine.work import SessionWork, TaskWork

_NO_SPACE = "The disk is full: everything was stopped; what was stored is safe."
_STOP_LIMIT_S = 1.8
"""A stop is answered within 2 s: what has not ended by then is abandoned to its own clean-up."""


class SessionRun:
    """Owns the asyncio tasks of a session. All methods run on the engine's loop."""

    def __init__(
        self,
        *,
        ports: Ports,
        config: EngineConfig,
        outbox: Outbox,
        work: SessionWork,
        questions: Questions,
        is_short_of_space: Callable[[SessionId], bool],
    ) -> None:
        self.work = work
        self._ports = ports
        self._config = config
        self._outbox = outbox
        self._questions = questions
        self._is_short_of_space = is_short_of_space
        self._stood_still = ""
        """Why everything was stopped the last time that nothing could be written."""
        self._signals = Signals(paused=work.paused)
        self._runners: dict[TaskId, TaskRunner] = {}
        self._jobs: dict[TaskId, asyncio.Task[ObraError | None]] = {}
        self._forks: set[TaskId] = set()
        """Tasks that are to go on in a fork of their conversation and have not been started since."""
        self._leaving: set[TaskId] = set()
        """Tasks that a person is taking over at this moment."""
        self._cut: set[TaskId] = set()
        """Tasks that were stopped because nothing could be written; they go on by themselves."""
        self._accepting = asyncio.Lock()
        self._ahead: asyncio.Task[None] | None = None
        """Whether the judge is there is asked once."""
        self._running = False
        self._close_when_done = False
        self._halted = True
        """No task is started: before the first start, after a stop, and after a fault that would meet each task."""
        self._held_up = False
        """Only because nothing can be written: it goes on by itself."""

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    @property
    def running(self) -> bool:
        """Started, and its end was not told yet."""
        return self._running

    # --- requests ---

    def start(self, *, close_when_done: bool) -> None:
        self._close_when_done = self._close_when_done or close_when_done
        self._halted = self._held_up = False
        if not self._running:
            self._running = True
            self._tell(RunStarted())
            self._look_ahead()
        self.advance()

    def _look_ahead(self) -> None:
        """Say at once that no work can be judged, not when all of it was paid. The run goes on: a person may decide."""
        look = self._ports.look_at_judge
        if look is None or self._ahead is not None:
            return

        async def ask() -> None:
            error = await look()
            if error is not None and not self.work.closed:
                self._tell(ProblemRaised(code="judge", text=error.what, fix=error.fix))

        self._ahead = asyncio.create_task(ask(), name="look at the judge")

    def pause(self, by: str) -> None:
        if not self._signals.paused:
            self._tell(Paused(by=by))
            self._signals.pause()

    def resume(self, by: str, *, fork: bool = False) -> None:
        """Go on: after a pause, a stop, an interruption or while a limit is waited for.

        With `fork`, what was interrupted goes on in a fork of its conversation.
        """
        self._signals.resume()
        self._halted = False
        if self.work.paused:
            self._tell(Resumed(by=by))
        self.renew_budgets(by)
        self._cut.clear()
        for runner in self._runners.values():
            runner.retry_now()
        for task in self.work.tasks.values():
            if task.state is State.INTERRUPTED and task.taken is None:
                self._move(task, Trigger.RESUME)
                if fork:
                    self._forks.add(task.spec.id)
        self.start(close_when_done=False)

    def renew_budgets(self, by: str) -> None:
        """A person goes on: what is used up begins anew."""
        renewed = BudgetRenewed(by=by)
        for task in self.work.tasks.values():
            if task.state not in FINAL and task_over_budget(self._config, task):
                self._outbox.commit(self.work.id, [(task.spec.id, task.attempt, renewed)])
        if session_over_budget(self._config, self.work):
            self._tell(renewed)
            self._tell(ProblemCleared(code="budget"))

    async def stop(self, mode: str, by: str) -> None:
        after_stage = mode == "after_stage"
        self._tell(StopRequested(mode="after_stage" if after_stage else "now", by=by))
        self._cut.clear()
        self._halted, self._held_up = True, False
        if after_stage:
            self._signals.stop_after_stage()
        else:
            await self._end_jobs(tuple(self._jobs), Trigger.INTERRUPT, f"Stopped by {by}; the work is kept.")
        self.advance()

    async def stop_for_space(self) -> None:
        """End what runs and write down why, with the little space that was kept back; `go_on` takes it up again."""
        self._hold_up()
        self._wait_for_space(self._jobs)
        await self._end_jobs(tuple(self._jobs), Trigger.INTERRUPT, _NO_SPACE)

    def _hold_up(self) -> None:
        """Start nothing for now; a stop that a person asked for stays one."""
        self._held_up = self._held_up or not self._halted
        self._halted = True

    def _wait_for_space(self, tasks: Iterable[TaskId]) -> None:
        self._stood_still = _NO_SPACE
        self._cut.update(tasks)
        fix = "Free 16 MB and it goes on by itself."
        self._tell(ProblemRaised(code="disk", text="The disk is full; nothing is lost.", fix=fix))

    async def go_on(self) -> None:
        """Writing works again: take up what was stopped for it, unless a person stopped it or went on meanwhile."""
        if ending := [job for task, job in self._jobs.items() if task in self._cut]:
            await asyncio.wait(ending)
        if self.work.closed:  # its end was stored, and the answer lost
            self._running = False
            return
        self._tell(ProblemCleared(code="disk"))
        if self.work.paused:
            self._signals.pause()
        if not self._running:
            return
        for task in (self.work.tasks[task] for task in self._cut):
            if task.state in WORKING:
                self._move(task, Trigger.INTERRUPT, self._stood_still)
            if task.state is State.INTERRUPTED and self._held_up:
                self._move(task, Trigger.RESUME)
        self._cut.clear()
        if self._held_up:
            self.start(close_when_done=False)
        else:
            self.advance()

    async def shut_down(self) -> None:
        """End everything that runs; used when the engine stops."""
        self._halted = True
        if self._ahead is not None:
            self._ahead.cancel()
        await self._end_jobs(tuple(self._jobs), Trigger.INTERRUPT, "Obra was closed; the work is kept.")

    async def cancel(self, task: TaskWork, by: str) -> None:
        reason = f"Cancelled by {by}; the work is kept."
        if task.spec.id in self._jobs:
            await self._end_jobs((task.spec.id,), Trigger.CANCEL, reason)
        if task.state not in FINAL:
            self._move(task, Trigger.CANCEL, reason)
        self.settle()

    # --- for those who steer ---

    def runner_of(self, task: TaskWork) -> TaskRunner | None:
        """Return what works on the task now."""
        return self._runners.get(task.spec.id)

    @asynccontextmanager
    async def set_aside(self, task: TaskWork, reason: str) -> AsyncIterator[None]:
        """End what works on the task and start nothing on it meanwhile; others go on afterwards."""
        self._leaving.add(task.spec.id)
        try:
            if task.spec.id in self._jobs:
                await self._end_jobs((task.spec.id,), Trigger.INTERRUPT, reason)
            yield
        finally:
            self._leaving.discard(task.spec.id)
            self.advance()

    # --- scheduling ---

    def advance(self) -> None:
        """Start what can start; tell once when nothing can go on without a person."""
        for task in schedule.unblocked(self.work):
            self._move(task, Trigger.UNBLOCK)
        if self._running and not self._halted:
            for task in self.work.tasks.values():
                if task.state is State.ACCEPTING and task.spec.id not in self._jobs:
                    self.accept_now(task)
            for task in schedule.startable(self.work, {*self._jobs, *self._leaving}, self._free_places()):
                self._launch(task)
        if not self._jobs and self._running and not self._cut and not self._leaving:
            self._finish()

    def _free_places(self) -> int:
        """What is being accepted takes no place from what Claude could work on."""
        return self._config.jobs - len({*self._runners, *self._leaving})

    def accept_now(self, task: TaskWork) -> None:
        """Take in approved work at once, whether or not a run is on."""
        self._running = True
        self._own(task, asyncio.create_task(self._accept(task), name=f"accept {task.spec.key}"))

    def accept_what_waits(self) -> None:
        """Take in approved work that nobody takes in: its approval was stored and its answer lost."""
        for task in self.work.tasks.values():
            if task.state is State.ACCEPTING and task.spec.id not in self._jobs:
                self.accept_now(task)

    def settle(self) -> None:
        """Take note of a final state that was reached without work, such as a rejection."""
        self._running = True
        self.advance()

    def abandon(self, error: ObraError) -> None:
        """Stop all work without writing anything: the journal cannot be written."""
        self._stand_still(error, self._jobs)
        for task_id, job in self._jobs.items():
            runner = self._runners.get(task_id)
            if runner is not None:
                runner.end_with(Trigger.INTERRUPT, str(error))
                # Who met it himself ends by the error that he was given; an acceptance comes to its own end.
                if job is not asyncio.current_task():
                    job.cancel()

    def _stand_still(self, error: ObraError, tasks: Iterable[TaskId]) -> None:
        self._hold_up()
        self._stood_still = f"{error.what.rstrip('.')}: everything was stopped; what was stored is safe."
        self._cut.update(tasks)

    def _launch(self, task: TaskWork) -> None:
        runner = TaskRunner(
            ports=self._ports,
            config=self._config,
            outbox=self._outbox,
            session=self.work,
            task=task,
            questions=self._questions,
            signals=self._signals,
            fork=task.spec.id in self._forks,
        )
        self._runners[task.spec.id] = runner
        self._own(task, asyncio.create_task(runner.run(), name=f"task {task.spec.key}"))

    async def _accept(self, task: TaskWork) -> ObraError | None:
        """One after the other: work that is merged while other work goes in would be merged and checked once more."""
        async with self._accepting:
            return await accept(
                self._ports, self._config, self._outbox, self.work, task, lambda: self._is_short_of_space(self.work.id)
            )

    def _own(self, task: TaskWork, job: "asyncio.Task[ObraError | None]") -> None:
        self._jobs[task.spec.id] = job
        job.add_done_callback(lambda done: self._done(task, done))

    def _done(self, task: TaskWork, job: "asyncio.Task[ObraError | None]") -> None:
        try:
            self._take_note(task, job)
        except StoreError:
            # Nothing can be written: nothing goes on. What was not written is found half-way at the next start.
            self._hold_up()

    def _take_note(self, task: TaskWork, job: "asyncio.Task[ObraError | None]") -> None:
        self._jobs.pop(task.spec.id, None)
        self._runners.pop(task.spec.id, None)
        if task.state is not State.QUEUED:
            self._forks.discard(task.spec.id)
        stopped, fault = self._halted, None if job.cancelled() else job.exception()
        if isinstance(fault, Unwritable):
            self._stand_still(fault, (task.spec.id,))
        elif fault is not None:
            self._fail(task, fault)
        elif not job.cancelled():
            # What stopped this task (login, network, disk) would stop the next one too.
            self._halted = self._halted or job.result() is not None
            wrong = job.result() is not None or task.state is State.INTERRUPTED
            if wrong and not stopped and self._is_short_of_space(self.work.id):
                self._held_up = True
                self._wait_for_space((task.spec.id,))
        self.advance()

    def _fail(self, task: TaskWork, fault: BaseException) -> None:
        """A fault of Obra's own: the task fails with what is known, the others are not started."""
        self._halted = True
        place = traceback.extract_tb(fault.__traceback__)[-1:]
        where = f" ({place[0].name}, line {place[0].lineno})" if place else ""
        reason = f"Obra itself failed: {type(fault).__name__}: {fault}{where}"
        self._tell(ProblemRaised(code="internal", text=reason, fix="The work is kept. Please report this."))
        if task.state not in FINAL and task.state is not State.AWAITING_HUMAN:
            self._move(task, Trigger.FAIL, reason)

    def _finish(self) -> None:
        self._tell(schedule.count(self.work))
        if self._close_when_done and schedule.all_final(self.work):
            self.close("All tasks are in a final state.")
        self._running = False  # after what was told: should that not be possible, the end is still to come

    def close(self, reason: str) -> None:
        if self.busy:
            raise NotAllowed(f"Session {self.work.id} is at work.", fix="Stop the run first.")
        if not self.work.closed:
            self._tell(SessionClosed(reason=reason))

    def standing(self) -> RunFinished:
        return schedule.count(self.work)

    # --- small tools ---

    async def _end_jobs(self, ids: tuple[TaskId, ...], trigger: Trigger, reason: str) -> None:
        """Cancel these jobs and wait for their clean-up; an acceptance under way is never cut in half."""
        ending = []
        for task_id in ids:
            job, runner = self._jobs[task_id], self._runners.get(task_id)
            if runner is not None:
                runner.end_with(trigger, reason)
                job.cancel()
            ending.append(job)
        if ending:
            await asyncio.wait(ending, timeout=_STOP_LIMIT_S)

    def _move(self, task: TaskWork, trigger: Trigger, reason: str = "") -> None:
        after = advance(task.state, trigger)
        event = TaskMoved(before=task.state, trigger=trigger, after=after, reason=reason)
        self._outbox.commit(self.work.id, [(task.spec.id, task.attempt, event)])

    def _tell(self, event: Event) -> None:
        self._outbox.commit(self.work.id, [(None, None, event)])

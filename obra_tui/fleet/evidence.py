"""Checks and verdicts at workers, as the engine's `CheckRunner` and `Judge`.

A check that decides never runs where the work was made: on another worker, or here at the coordinator. Which checks
there are is found here, from the coordinator's own copy. Must not know how a check is run or a model asked.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from obra_tui.core.errors import StoreError
from obra_tui.core.ids import AttemptId, TaskId, new_id
from obra_tui.core.json_form import EVENT_CLASSES, from_text, to_text
from obra_tui.core.model import CheckResult, CheckSpec, JudgeRequest, SandboxLevel, TaskSpec, Verdict, WorkCopy
from obra_tui.core.ports import CheckRunner, Emit, Judge
from obra_tui.fleet.board import JobStanding, WorkerRow
from obra_tui.fleet.dispatch import FINAL, Dispatcher, JobChange
from obra_tui.fleet.jobs import CheckStage, Code, JobState, JudgeStage, NewJob, StageKind

_TRIES = 3
"""How often a check is asked for anew when its worker dies; then it runs here."""
_BEST_FIRST = tuple(SandboxLevel)


class FleetCheckRunner:
    """Hands checks to workers that did not make the work; runs them here where there is none."""

    def __init__(self, dispatcher: Dispatcher, here: CheckRunner) -> None:
        self._dispatcher = dispatcher
        self._here = here
        self._tasks: dict[str, TaskSpec] = {}
        """The task of a copy, by the copy's path."""
        self._codes: dict[str, Code] = {}
        """What was put of a copy since its checks were planned."""
        self._checking: dict[str, str] = {}
        """The worker that checked a copy last: it has the files already."""

    async def plan(self, copy: WorkCopy, task: TaskSpec) -> tuple[CheckSpec, ...]:
        self._tasks[copy.path] = task
        self._codes.pop(copy.path, None)
        return await self._here.plan(copy, task)

    async def sandbox(self) -> tuple[SandboxLevel, str]:
        """Return the worst level at which a check may run: here or at any worker."""
        levels = [await self._here.sandbox()]
        try:
            workers = await self._dispatcher.workers_for(StageKind.CHECK)
        except StoreError:
            workers = []
        levels += [(SandboxLevel(worker.sandbox), worker.sandbox_note) for worker in workers]
        return max(levels, key=lambda found: _BEST_FIRST.index(found[0]))

    async def run(self, spec: CheckSpec, copy: WorkCopy, emit: Emit) -> CheckResult:
        task = self._tasks.get(copy.path)
        for _ in range(_TRIES if task else 0):
            assert task is not None
            worker = await self._choose(task.id, copy)
            if worker is None:
                break
            self._checking[copy.path] = worker
            standing = await self._ask(spec, copy, task, worker, emit)
            if standing.state is JobState.ENDED and standing.result:
                return from_text(CheckResult, standing.result)
        return await self._here.run(spec, copy, emit)

    async def _choose(self, task: TaskId, copy: WorkCopy) -> str | None:
        """Return a worker that did not make the work, None when there is none, or none can be asked."""
        try:
            able = await self._dispatcher.workers_for(StageKind.CHECK)
            maker = await self._dispatcher.board.implementer_of(task)
        except StoreError:
            return None
        others = [worker for worker in able if worker.name != maker]
        last = self._checking.get(copy.path, "")
        return min(others, key=lambda worker: _order(worker, last)).name if others else None

    async def _ask(self, spec: CheckSpec, copy: WorkCopy, task: TaskSpec, worker: str, emit: Emit) -> JobStanding:
        if copy.path not in self._codes:
            self._codes[copy.path] = await self._dispatcher.code_of(copy.path, taken=True)
        job = NewJob(
            id=new_id("j"),
            kind=StageKind.CHECK,
            task=task.id,
            attempt=AttemptId(Path(copy.path).parent.name),
            stage=to_text(CheckStage(spec=spec, task=task)),
            code=self._codes[copy.path],
            target=worker,
        )
        return await follow(self._dispatcher, job, emit)


def _order(worker: WorkerRow, last: str) -> tuple[bool, bool, float]:
    """Whoever has a place free comes first, then who has the files already, then who has least to do."""
    return worker.busy >= worker.places, worker.name != last, worker.busy / worker.places


class FleetJudge:
    """Has verdicts reached at workers that offer it, else here."""

    def __init__(self, dispatcher: Dispatcher, here: Judge) -> None:
        self._dispatcher = dispatcher
        self._here = here

    async def review(self, request: JudgeRequest, emit: Emit) -> Verdict:
        for _ in range(_TRIES):
            if not await self._is_offered():
                break
            job = NewJob(
                id=new_id("j"),
                kind=StageKind.JUDGE,
                task=request.task.id,
                attempt=AttemptId(f"{request.attempt_number}"),
                stage=to_text(JudgeStage(request=request)),
            )
            standing = await follow(self._dispatcher, job, emit)
            if standing.state is JobState.ENDED and standing.result:
                return from_text(Verdict, standing.result)
        return await self._here.review(request, emit)

    async def _is_offered(self) -> bool:
        try:
            return bool(await self._dispatcher.workers_for(StageKind.JUDGE))
        except StoreError:
            return False

    async def close(self) -> None:
        await self._here.close()


async def follow(dispatcher: Dispatcher, job: NewJob, emit: Emit) -> JobStanding:
    """Put a job and return how it ended; its events are told on the way. Cancelled, it is withdrawn."""
    await dispatcher.board.put(job)
    try:
        return await _last(dispatcher.changes(job.id), emit)
    except asyncio.CancelledError:
        await asyncio.shield(dispatcher.withdraw(job.id))
        raise


async def _last(changes: AsyncIterator[JobChange], emit: Emit) -> JobStanding:
    async for change in changes:
        for line in change.lines:
            emit(from_text(EVENT_CLASSES[line.kind], line.body))
        if change.standing.state in FINAL:
            last = change.standing
    return last

"""Obra's own look at the work: the difference, the checks, the review. Nothing here asks Claude."""

from collections.abc import Sequence

from obra_tui.core.events import CheckFinished, ChecksPlanned, CheckStarted, DiffTaken, VerdictReached, WorkKept
from obra_tui.core.gate import Evidence
from obra_tui.core.ids import AttemptId
from obra_tui.core.lifecycle import Trigger
from obra_tui.core.model import (
    CheckResult,
    CheckSpec,
    Diff,
    ImplementResult,
    JudgeIdentity,
    JudgeRequest,
    Outcome,
    Verdict,
    WorkCopy,
)
from obra_tui.engine.config import Ports
from obra_tui.engine.signals import Signals
from obra_tui.engine.task_journal import TaskJournal
from obra_tui.engine.work import TaskWork


class EvidenceCollector:
    """Takes the evidence of one task's attempts, stage by stage."""

    def __init__(self, *, ports: Ports, entries: TaskJournal, task: TaskWork, signals: Signals) -> None:
        self._ports = ports
        self._entries = entries
        self._task = task
        self._signals = signals

    async def examine(self, attempt: AttemptId, copy: WorkCopy, result: ImplementResult) -> Evidence:
        """Return all that can be known of the work after a run that ended like this."""
        diff = await self._look(attempt, copy)
        checks = await self._check(attempt, copy, diff)
        verdict = await self._judge(attempt, diff, checks, result)
        empty = diff.empty and result.outcome is Outcome.COMPLETED
        return Evidence(outcome=Outcome.EMPTY if empty else result.outcome, diff=diff, checks=checks, verdict=verdict)

    async def keep(self, attempt: AttemptId, copy: WorkCopy, diff: Diff) -> None:
        """Keep the work under a ref, unless there is none."""
        if diff.empty:
            return
        message = f"{self._task.spec.title}\n\nWork of attempt {self._task.number}, not accepted."
        ref, commit = await self._ports.workspace.keep(attempt, copy, diff, message)
        self._entries.commit((attempt, WorkKept(ref=ref, commit=commit)))

    async def _look(self, attempt: AttemptId, copy: WorkCopy) -> Diff:
        diff = await self._ports.workspace.take_diff(copy)
        self._entries.commit(
            (attempt, DiffTaken(diff=diff)),
            (attempt, self._entries.move(Trigger.IMPLEMENTED)),
        )
        await self.keep(attempt, copy, diff)
        return diff

    async def _check(self, attempt: AttemptId, copy: WorkCopy, diff: Diff) -> tuple[CheckResult, ...]:
        await self._signals.next_stage()
        specs = await self._ports.checks.plan(copy, self._task.spec)
        note = "" if specs else "This project has no check that Obra could find: a person must decide."
        results = await self.run_checks(attempt, copy, specs, note=note, skip=diff.empty)
        self._entries.commit((attempt, self._entries.move(Trigger.CHECKED)))
        return results

    async def run_checks(
        self, attempt: AttemptId, copy: WorkCopy, specs: Sequence[CheckSpec], *, note: str = "", skip: bool = False
    ) -> tuple[CheckResult, ...]:
        """Tell what is planned and run one check after the other on the tree that was taken last.

        What is only told is written with what is committed next, within a moment in any case: whoever asked commits.
        """
        level, about_sandbox = await self._ports.checks.sandbox()
        tell = self._entries.emit(attempt)
        tell(ChecksPlanned(checks=tuple(specs), sandbox=level, note=note or about_sandbox))
        results: list[CheckResult] = []
        for spec in () if skip else specs:
            await self._signals.next_stage()
            started = CheckStarted(name=spec.name, command=spec.run, expected_s=spec.expected_s)
            self._entries.commit((attempt, started))
            result = await self._ports.checks.run(spec, copy, tell)
            tell(CheckFinished(result=result))
            results.append(result)
        return tuple(results)

    async def _judge(
        self, attempt: AttemptId, diff: Diff, checks: Sequence[CheckResult], result: ImplementResult
    ) -> Verdict:
        await self._signals.next_stage()
        tell = self._entries.emit(attempt)
        if diff.empty:
            verdict = Verdict(identity=JudgeIdentity(model=""), unjudged="There is no change to judge.")
        else:
            request = JudgeRequest(
                task=self._task.spec,
                attempt_number=self._task.number,
                diff=diff,
                checks=tuple(checks),
                claude_message=result.final_text,
                previous_findings=self._task.previous_findings,
            )
            verdict = await self._ports.judge.review(request, tell)
        tell(VerdictReached(verdict=verdict))  # written with what the gate says of it
        return verdict

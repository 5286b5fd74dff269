"""The five steps of an attempt as the strip shows them: derived, never stored."""

from enum import StrEnum

from msgspec import Struct

from obra_tui.core.lifecycle import State
from obra_tui.core.model import CheckStatus, DecisionKind, Outcome
from obra_tui.ui.state.attempts import AttemptView
from obra_tui.ui.state.tasks import TaskView


class StepName(StrEnum):
    IMPLEMENT = "implement"
    CHECKS = "checks"
    VALIDATE = "validate"
    GATE = "gate"
    COMMIT = "commit"


class StepStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    """Done, but not all is well: a check that does not block, an unjudged verdict."""
    ASKING = "asking"
    STOPPED = "stopped"


class PipelineStep(Struct, frozen=True, kw_only=True):
    name: StepName
    status: StepStatus
    note: str = ""
    """`4/4`, `0.82`, `needs 0.70`: short."""
    started_at: float | None = None
    ended_at: float | None = None


_STOPPED = frozenset({State.INTERRUPTED, State.CANCELLED, State.FAILED})


def steps_of(task: TaskView, attempt: AttemptView | None, *, asks: bool = False) -> tuple[PipelineStep, ...]:
    """Return the steps of `attempt`; with none, all wait. `asks`: what runs waits for a person."""
    if attempt is None:
        return tuple(PipelineStep(name=name, status=StepStatus.WAITING) for name in StepName)
    steps = (_implement(attempt), _checks(attempt), _validate(attempt), _gate(task, attempt), _commit(task, attempt))
    if task.latest == attempt.id and task.state in _STOPPED:
        return tuple(_halted(step, StepStatus.STOPPED) for step in steps)
    return tuple(_halted(step, StepStatus.ASKING) for step in steps) if asks else steps


def _halted(step: PipelineStep, status: StepStatus) -> PipelineStep:
    if step.status is not StepStatus.RUNNING:
        return step
    return PipelineStep(name=step.name, status=status, note=step.note, started_at=step.started_at)


def _implement(attempt: AttemptView) -> PipelineStep:
    result = attempt.result
    if result is None:
        return PipelineStep(name=StepName.IMPLEMENT, status=StepStatus.RUNNING, started_at=attempt.started_at)
    good = result.outcome is Outcome.COMPLETED
    return PipelineStep(
        name=StepName.IMPLEMENT,
        status=StepStatus.PASSED if good else StepStatus.FAILED,
        note="" if good else result.outcome.value.replace("_", " "),
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
    )


def _checks(attempt: AttemptView) -> PipelineStep:
    planned = attempt.checks_planned_at
    if planned is None:
        return PipelineStep(name=StepName.CHECKS, status=StepStatus.WAITING)
    note = f"{attempt.checks_passed}/{len(attempt.checks)}" if attempt.checks else "none"
    if not attempt.checks_done:
        return PipelineStep(name=StepName.CHECKS, status=StepStatus.RUNNING, note=note, started_at=planned)
    return PipelineStep(name=StepName.CHECKS, status=_checks_status(attempt), note=note, started_at=planned)


def _checks_status(attempt: AttemptView) -> StepStatus:
    bad = [c.result for c in attempt.checks if c.result and c.result.status is not CheckStatus.PASSED]
    if any(result.spec.blocking for result in bad):
        return StepStatus.FAILED
    return StepStatus.WARNED if bad or not attempt.checks else StepStatus.PASSED


def _validate(attempt: AttemptView) -> PipelineStep:
    judge = attempt.judge
    if judge is None:
        return PipelineStep(name=StepName.VALIDATE, status=StepStatus.WAITING)
    if judge.verdict is None:
        return PipelineStep(name=StepName.VALIDATE, status=StepStatus.RUNNING, started_at=judge.started_at)
    complete = judge.verdict.complete
    return PipelineStep(
        name=StepName.VALIDATE,
        status=StepStatus.PASSED if complete else StepStatus.WARNED,
        note="" if complete else "unjudged",
        started_at=judge.started_at,
        ended_at=judge.ended_at,
    )


def _gate(task: TaskView, attempt: AttemptView) -> PipelineStep:
    quality = attempt.quality
    if quality is None:
        asked = task.state is State.AWAITING_HUMAN and task.latest == attempt.id
        return PipelineStep(name=StepName.GATE, status=StepStatus.ASKING if asked else StepStatus.WAITING)
    note = "–" if quality.overall is None else f"{quality.overall:.2f}"
    return PipelineStep(name=StepName.GATE, status=_gate_status(task, attempt), note=note)


def _gate_status(task: TaskView, attempt: AttemptView) -> StepStatus:
    if attempt.decision is not None:
        approved = attempt.decision.kind is DecisionKind.APPROVE
        return StepStatus.PASSED if approved else StepStatus.FAILED
    if task.state is State.AWAITING_HUMAN and task.latest == attempt.id:
        return StepStatus.ASKING
    quality = attempt.quality
    return StepStatus.PASSED if quality is not None and quality.passes_gate else StepStatus.FAILED


def _commit(task: TaskView, attempt: AttemptView) -> PipelineStep:
    if attempt.committed_at is not None:
        return PipelineStep(name=StepName.COMMIT, status=StepStatus.PASSED, ended_at=attempt.committed_at)
    if task.state is State.ACCEPTING and task.latest == attempt.id:
        return PipelineStep(name=StepName.COMMIT, status=StepStatus.RUNNING, started_at=task.since)
    return PipelineStep(name=StepName.COMMIT, status=StepStatus.WAITING)

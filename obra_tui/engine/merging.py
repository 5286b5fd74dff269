"""Work that fits on other accepted work, line by line: what comes out is new, so it is checked before it is taken in.

Knows nothing of how work is committed.
"""

from enum import Enum, auto

from msgspec import Struct

from obra_tui.core.events import CopyPrepared, DiffTaken, Event, GateJudged, GateOpened, WorkMerged
from obra_tui.core.gate import Evidence, assess, describe_check, failing
from obra_tui.core.ids import AttemptId, new_gate_id
from obra_tui.core.lifecycle import Trigger
from obra_tui.core.model import (
    CheckResult,
    CheckStatus,
    Diff,
    GateDecision,
    GateOutcome,
    JudgeIdentity,
    Outcome,
    Policy,
    Verdict,
)
from obra_tui.engine.attempt_start import bind
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.evidence_stage import Looking
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.signals import Signals
from obra_tui.engine.task_journal import TaskEntries
from obra_tui.engine.work import SessionWork, TaskWork

_NOTE = "Other work was accepted meanwhile: these checks are run on both together."
_UNSEEN = "It was merged with other accepted work, and no check could tell whether both work together."


class Together(Enum):
    """What became of work that was merged with other accepted work."""

    WORKS = auto()
    """The checks pass on the merged tree, which is the task's work now."""
    GIVEN_BACK = auto()
    """It does not work together: the task is with Claude or with the person again."""


class Merging(Struct, frozen=True, kw_only=True):
    """Merges the approved work of one task onto a branch that has moved."""

    ports: Ports
    config: EngineConfig
    outbox: Outbox
    session: SessionWork
    task: TaskWork

    async def onto(self, tip: str, attempt: AttemptId, diff: Diff) -> Together:
        """Make the merged tree in the task's copy and look whether it works. Repeating it after a crash is harmless."""
        entries = TaskEntries(self.outbox, self.session, self.task)
        # Whatever is asked meanwhile, this is one stage: an acceptance is never cut in half.
        looking = Looking(ports=self.ports, entries=entries, task=self.task, signals=Signals())
        entries.commit((attempt, WorkMerged(tip=tip)))
        copy = await self.ports.workspace.rebase(self.session.id, self.task.spec.id, diff, tip)
        merged = await self.ports.workspace.take_diff(copy)
        specs = [spec for spec in await self.ports.checks.plan(copy, self.task.spec) if spec.blocking]
        results = await looking.run_checks(attempt, copy, specs, note=_NOTE)
        # Told only now: before that, a crash must find the work as it was approved.
        taken: list[tuple[AttemptId | None, Event]] = [
            (None, CopyPrepared(copy=copy)),
            (attempt, DiffTaken(diff=merged)),
        ]
        broken = newly_broken(results, self.task.approved_checks)
        if results and not broken:
            entries.commit(*taken)
            return Together.WORKS
        reasons = tuple(f"Together with other accepted work: {describe_check(item)}." for item in broken) or (_UNSEEN,)
        entries.commit(*taken, *self._given_back(entries, attempt, self._evidence(merged, results), reasons))
        return Together.GIVEN_BACK

    def _evidence(self, merged: Diff, results: tuple[CheckResult, ...]) -> Evidence:
        nobody = Verdict(identity=JudgeIdentity(model=""), unjudged="It was not judged.")
        return Evidence(outcome=Outcome.COMPLETED, diff=merged, checks=results, verdict=self.task.verdict or nobody)

    def _given_back(
        self, entries: TaskEntries, attempt: AttemptId, evidence: Evidence, reasons: tuple[str, ...]
    ) -> list[tuple[AttemptId | None, Event]]:
        """Return what is told when it does not work: to Claude while attempts are left, else to the person."""
        rules = self.config.rules
        allowed = rules.policy is not Policy.MANUAL and self.task.counted < rules.max_attempts
        to_claude = allowed and bool(failing(evidence.checks))
        decision = GateDecision.RETRY if to_claude else GateDecision.ASK
        outcome = GateOutcome(decision=decision, reasons=reasons)
        judged = GateJudged(quality=assess(evidence, rules), outcome=outcome, number=self.task.number)
        if to_claude:
            return [(attempt, judged), (attempt, entries.move(Trigger.SEND_BACK, " ".join(reasons)))]
        opened = GateOpened(gate=new_gate_id(), binding=bind(attempt, evidence), reasons=reasons)
        return [(attempt, judged), (attempt, entries.move(Trigger.CONFLICT, " ".join(reasons))), (attempt, opened)]


def newly_broken(now: tuple[CheckResult, ...], approved: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
    """Return the checks that do not pass now, but for those that did not pass when the work was approved either."""
    known = {item.spec.name for item in approved if item.status is not CheckStatus.PASSED}
    return tuple(item for item in failing(now) if item.spec.name not in known)

"""From an approved gate to one commit, however often it is tried; and the revert of accepted work by another commit.

When other work was accepted meanwhile, both are merged line by line: the result is new, so it is checked before it is
committed. Knows nothing of how git merges or commits.
"""

from collections.abc import Callable
from enum import Enum, auto

from msgspec import Struct

from obra_tui.core.commands import RevertWork
from obra_tui.core.errors import BranchMoved, NotAllowed, ObraError, UnknownId, Unwritable
from obra_tui.core.events import (
    ConflictFound,
    CopyPrepared,
    DiffTaken,
    Event,
    GateJudged,
    GateOpened,
    ProblemRaised,
    TaskMoved,
    WorkAccepted,
    WorkMerged,
    WorkReverted,
)
from obra_tui.core.gate import Evidence, assess, describe_check, failing
from obra_tui.core.ids import AttemptId, SessionId, new_gate_id
from obra_tui.core.lifecycle import State, Trigger, advance
from obra_tui.core.model import (
    Acceptance,
    Binding,
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
from obra_tui.core.ports import Ledger
from obra_tui.engine.attempt_start import bind
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.evidence_stage import EvidenceCollector
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.signals import Signals
from obra_tui.engine.task_journal import TaskJournal
from obra_tui.engine.work import SessionWork, TaskWork, rebuild
from obra_tui.system.crashpoint import crash_point

_NOTE = "Other work was accepted meanwhile: these checks are run on both together."
_UNSEEN = "It was merged with other accepted work, and no check could tell whether both work together."


class MergeOutcome(Enum):
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

    async def onto(self, tip: str, attempt: AttemptId, diff: Diff) -> MergeOutcome:
        """Make the merged tree in the task's copy and look whether it works. Repeating it after a crash is harmless."""
        entries = TaskJournal(self.outbox, self.session, self.task)
        # Whatever is asked meanwhile, this is one stage: an acceptance is never cut in half.
        looking = EvidenceCollector(ports=self.ports, entries=entries, task=self.task, signals=Signals())
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
            return MergeOutcome.WORKS
        reasons = tuple(f"Together with other accepted work: {describe_check(item)}." for item in broken) or (_UNSEEN,)
        entries.commit(*taken, *self._given_back(entries, attempt, self._evidence(merged, results), reasons))
        return MergeOutcome.GIVEN_BACK

    def _evidence(self, merged: Diff, results: tuple[CheckResult, ...]) -> Evidence:
        nobody = Verdict(identity=JudgeIdentity(model=""), unjudged="It was not judged.")
        return Evidence(outcome=Outcome.COMPLETED, diff=merged, checks=results, verdict=self.task.verdict or nobody)

    def _given_back(
        self, entries: TaskJournal, attempt: AttemptId, evidence: Evidence, reasons: tuple[str, ...]
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


_MERGES = 10
"""How often the work is merged anew because other work is accepted while it is checked."""


async def accept(
    ports: Ports,
    config: EngineConfig,
    outbox: Outbox,
    session: SessionWork,
    task: TaskWork,
    is_short_of_space: Callable[[], bool] = lambda: False,
) -> ObraError | None:
    """Finish a task in state ACCEPTING; safe to repeat after a crash at any point.

    Returns the error if the work could not be taken in: the task is back at the person then. Work that
    conflicts with other accepted work, or does not work together with it, is no such error: the task goes back.
    """
    merging = Merging(ports=ports, config=config, outbox=outbox, session=session, task=task)
    try:
        acceptance = await _take_in(ports, merging, outbox, session, task)
    except Unwritable:
        raise
    except ObraError as error:
        # On a full disk it stays as it is, to be tried again when there is space.
        if not is_short_of_space():
            _give_back(outbox, session, task, error)
        return error
    if acceptance is None:
        return None
    crash_point("accepting.branch_moved")
    _close(outbox, session, task, acceptance)
    crash_point("accepting.recorded")
    if not config.keep_copies:
        await _tidy(ports, outbox, session, task)
    return None


async def _take_in(
    ports: Ports, merging: Merging, outbox: Outbox, session: SessionWork, task: TaskWork
) -> Acceptance | None:
    """Return the commit; None when the task was sent back because of what was accepted before it."""
    for _ in range(_MERGES):
        diff, attempt = task.diff, task.attempt
        assert diff is not None
        assert attempt is not None  # nothing reaches ACCEPTING without a judged attempt
        try:
            return await ports.workspace.accept(session.id, attempt, diff, commit_message(task))
        except BranchMoved as moved:
            if moved.conflicts:
                _send_back(outbox, session, task, moved)
                return None
            if not moved.tip:
                raise
            if await merging.onto(moved.tip, attempt, diff) is MergeOutcome.GIVEN_BACK:
                return None
    raise BranchMoved(
        "Each time the work was merged and checked, other work had been accepted meanwhile.",
        fix="Nothing was overwritten. Approve it again when less is going on.",
    )


def commit_message(task: TaskWork) -> str:
    """Return subject and body; the trailers are the workspace's."""
    body = [f"Task {task.spec.key}, attempt {task.number}."]
    if task.quality is not None:
        body.append(task.quality.line)
    return f"{task.spec.title}\n\n" + "\n".join(body)


def _close(outbox: Outbox, session: SessionWork, task: TaskWork, acceptance: Acceptance) -> None:
    moved = TaskMoved(before=task.state, trigger=Trigger.MERGED, after=advance(task.state, Trigger.MERGED))
    outbox.commit(
        session.id,
        [
            (task.spec.id, task.attempt, WorkAccepted(acceptance=acceptance)),
            (task.spec.id, task.attempt, moved),
        ],
    )


def _send_back(outbox: Outbox, session: SessionWork, task: TaskWork, error: BranchMoved) -> None:
    reason = f"Other accepted work changed the same lines of {', '.join(error.conflicts[:10])}."
    after = advance(State.ACCEPTING, Trigger.SEND_BACK)
    moved = TaskMoved(before=State.ACCEPTING, trigger=Trigger.SEND_BACK, after=after, reason=reason)
    found = ConflictFound(files=error.conflicts, tip=error.tip)
    outbox.commit(session.id, [(task.spec.id, task.attempt, found), (task.spec.id, task.attempt, moved)])


def _give_back(outbox: Outbox, session: SessionWork, task: TaskWork, error: ObraError) -> None:
    assert task.diff is not None
    assert task.attempt is not None
    verdict = task.verdict
    binding = Binding(
        attempt=task.attempt,
        tree=task.diff.tree,
        diff_digest=task.diff.digest,
        rubric_hash=verdict.identity.rubric_hash if verdict else "",
    )
    reason = str(error) if isinstance(error, BranchMoved) else f"It could not be committed: {error}"
    after = advance(State.ACCEPTING, Trigger.CONFLICT)
    moved = TaskMoved(before=State.ACCEPTING, trigger=Trigger.CONFLICT, after=after, reason=reason)
    opened = GateOpened(gate=new_gate_id(), binding=binding, reasons=(reason,))
    outbox.commit(session.id, [(task.spec.id, task.attempt, moved), (task.spec.id, task.attempt, opened)])


async def _tidy(ports: Ports, outbox: Outbox, session: SessionWork, task: TaskWork) -> None:
    try:
        await ports.workspace.discard(task.spec.id)
    except ObraError as error:
        problem = ProblemRaised(
            code="copy", text=f"The copy of {task.spec.key} was not removed: {error}", fix=error.fix
        )
        outbox.commit(session.id, [(None, None, problem)])


def read_session(ledger: Ledger, session: SessionId, project: str) -> SessionWork:
    """Return a session that is not at hand any more. Raises `UnknownId`, or `NotAllowed` for another project's."""
    work = rebuild(session, ledger.session_records(session))
    if work is None:
        raise UnknownId(f"There is no session {session}.", fix="`obra history` lists all sessions.")
    if work.opened.project != project:
        raise NotAllowed(f"Session {session} belongs to {work.opened.project}.", fix="Run Obra in that project.")
    return work


async def revert_work(ports: Ports, outbox: Outbox, work: SessionWork, command: RevertWork) -> str:
    """Undo the task's commit on the session's branch and record it; returns the new commit.

    Raises `NotAllowed`, and `BranchMoved` when later work stands in the way; nothing is changed then.
    """
    task = work.tasks.get(command.task)
    if task is None:
        raise UnknownId(f"There is no task {command.task} in session {work.id}.", fix=f"Look: obra show {work.id}")
    accepted = _refuse_needless(task, command.note)
    message = f'Revert "{task.spec.title}"\n\nTask {task.spec.key}, reverted by {command.by}: {command.note.strip()}'
    reversal = await ports.workspace.revert(work.id, accepted, message)
    if task.reversal is None:
        reverted = WorkReverted(reversal=reversal, by=command.by, note=command.note.strip())
        outbox.commit(work.id, [(task.spec.id, task.attempt, reverted)])
    return reversal.commit


def _refuse_needless(task: TaskWork, note: str) -> str:
    """Return the commit that can be taken back."""
    if not note.strip():
        raise NotAllowed("A reversal needs a reason.", fix="Say why the work is not wanted any more.")
    if task.acceptance is None:
        raise NotAllowed(
            f"{task.spec.key} was not taken in: there is no commit to take back.", fix="Answer its gate instead."
        )
    if task.reversal is not None:
        raise NotAllowed(
            f"{task.spec.key} was taken back already, by {task.reversal.commit[:12]}.",
            fix=f"To have it again: git revert {task.reversal.commit[:12]}",
        )
    return task.acceptance.commit

"""From an approved gate to the commit: once, however often it is tried."""

from collections.abc import Callable

from obra_tui.core.errors import BranchMoved, ObraError, Unwritable
from obra_tui.core.events import ConflictFound, GateOpened, ProblemRaised, TaskMoved, WorkAccepted
from obra_tui.core.ids import new_gate_id
from obra_tui.core.lifecycle import State, Trigger, advance
from obra_tui.core.model import Acceptance, Binding
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.merging import Merging, Together
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.work import SessionWork, TaskWork
from obra_tui.system.crashpoint import crash_point

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
            if await merging.onto(moved.tip, attempt, diff) is Together.GIVEN_BACK:
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

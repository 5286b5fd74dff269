"""Accepted work taken back on a person's word: one more commit, one more event; the task's story stays as it was.

Knows the session as its events tell it, open or closed.
"""

from obra_tui.core.commands import RevertWork
from obra_tui.core.errors import NotAllowed, UnknownId
from obra_tui.core.events import WorkReverted
from obra_tui.core.ids import SessionId
from obra_tui.core.ports import Ledger
from obra_tui.engine.config import Ports
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.work import SessionWork, TaskWork, rebuild


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

"""A person takes the copy of a task into their own hands, and gives it back: what changed meanwhile is theirs."""

from obra_tui.core.errors import NotAllowed
from obra_tui.core.events import Event, WorkHandedBack
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import Diff
from obra_tui.core.records.compare import split_patch
from obra_tui.engine.task_journal import moved
from obra_tui.engine.work import TaskWork

_MAY_BE_TAKEN = frozenset({State.QUEUED, State.IMPLEMENTING, State.CHECKING, State.JUDGING, State.INTERRUPTED})


def refuse_taking(task: TaskWork) -> None:
    """Raise `NotAllowed` when there is nothing to take over, or it is somebody's already."""
    key = task.spec.key
    if task.taken is not None:
        raise NotAllowed(f"{key} was taken over by {task.taken.by} already.", fix="Hand it back first.")
    if task.state is State.AWAITING_HUMAN:
        raise NotAllowed(f"{key} waits at its gate.", fix="Review it; there you can open the copy and hand it back.")
    if task.state not in _MAY_BE_TAKEN:
        raise NotAllowed(f"{key} is {task.state}: nobody works on it.", fix="There is nothing to take over.")
    if task.copy is None:
        raise NotAllowed(f"{key} has no copy yet: it was never started.", fix="Start it first.")


def given_back(task: TaskWork, now: Diff, by: str, then: str) -> tuple[tuple[str, ...], list[Event]]:
    """Return which files the person changed, and what is to be told. Raises `NotAllowed` when nothing was taken."""
    if task.taken is None:
        raise not_taken(task)
    files = changed_files(task.taken.diff, now)
    event = WorkHandedBack(gate=None, by=by, then="claude" if then == "claude" else "check", files=files)
    events: list[Event] = [event]
    if task.state is State.INTERRUPTED:
        what = f"Changed by hand by {by}: {', '.join(files[:10])}." if files else f"Given back unchanged by {by}."
        events.append(moved(task, Trigger.RESUME, what))
    return files, events


def not_taken(task: TaskWork) -> NotAllowed:
    return NotAllowed(f"{task.spec.key} is not taken over.", fix="Take it over first.")


def changed_files(before: Diff, now: Diff) -> tuple[str, ...]:
    """Return the files that differ between two diffs of the same copy."""
    if (before.tree, before.digest) == (now.tree, now.digest):
        return ()
    old, new = split_patch(before.patch), split_patch(now.patch)
    named = tuple(sorted(name for name in {*old, *new} if old.get(name) != new.get(name)))
    return named or tuple(change.path for change in now.files)

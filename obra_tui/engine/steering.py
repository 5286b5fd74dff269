"""What a person does to running work: text for Claude, held prompts, taking over the copy and handing it back.

What changed in the copy between the two is recorded as the person's work.
"""

from obra_tui.core.errors import NotAllowed
from obra_tui.core.events import Event, PromptHoldAsked, SteerQueued, WorkHandedBack, WorkTakenOver
from obra_tui.core.lifecycle import FINAL, State, Trigger
from obra_tui.core.model import Diff
from obra_tui.core.patch import split_patch
from obra_tui.engine.attempt_start import not_held
from obra_tui.engine.config import Ports
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.session_run import SessionRun
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


class SteeringRequests:
    """Requests about tasks that are open. Each raises `NotAllowed` and has changed nothing when it cannot be."""

    def __init__(self, ports: Ports, outbox: Outbox) -> None:
        self._ports = ports
        self._outbox = outbox

    async def interrupt(self, run: SessionRun, task: TaskWork) -> None:
        """End Claude's turn; the conversation is kept."""
        runner = run.runner_of(task)
        if runner is None or not await runner.interrupt_claude():
            raise NotAllowed(
                f"Claude is not working on {task.spec.key} at the moment.", fix="There is nothing to interrupt."
            )

    async def send_text(self, run: SessionRun, task: TaskWork, text: str, by: str) -> bool:
        """Return whether the text reached a running turn; otherwise it goes into the next prompt."""
        if not text.strip():
            raise NotAllowed("There is no text to send.", fix="Type what Claude should know.")
        _refuse_over(task)
        if task.held_prompt is not None:
            raise NotAllowed(f"The next prompt of {task.spec.key} is held.", fix="Write it into the prompt itself.")
        runner = run.runner_of(task)
        delivered = runner is not None and await runner.send(text)
        self._write(run, task, SteerQueued(text=text, by=by, delivered=delivered))
        if not delivered and task.state is State.INTERRUPTED and task.taken is None:
            self._write(run, task, moved(task, Trigger.RESUME))
            run.start(close_when_done=False)
        return delivered

    def hold_prompt(self, run: SessionRun, task: TaskWork, by: str, *, on: bool) -> None:
        """Remember that a person wants to see the next prompt before it is sent."""
        _refuse_over(task)
        if task.hold_next != on:
            self._write(run, task, PromptHoldAsked(on=on, by=by))

    def send_prompt(self, run: SessionRun, task: TaskWork, text: str, by: str) -> None:
        """Let the held prompt go with these words."""
        runner = run.runner_of(task)
        if runner is None:
            raise not_held(task)
        runner.prompts.send(text, by)

    async def take_over(self, run: SessionRun, task: TaskWork, by: str) -> None:
        """End what works on the task and leave its copy to the person."""
        refuse_taking(task)
        async with run.set_aside(task, f"{by} took the work over; it is kept."):
            refuse_taking(task)
            assert task.copy is not None
            diff = await self._ports.workspace.take_diff(task.copy)
            self._write(run, task, WorkTakenOver(by=by, diff=diff))

    async def give_back(self, run: SessionRun, task: TaskWork, by: str, then: str) -> tuple[str, ...]:
        """End a take-over; the task goes on by itself. Returns the files that the person changed."""
        if task.taken is None or task.copy is None:
            raise not_taken(task)
        now = await self._ports.workspace.take_diff(task.copy)
        files, events = given_back(task, now, by, then)
        self._write(run, task, *events)
        run.start(close_when_done=False)
        return files

    def _write(self, run: SessionRun, task: TaskWork, *events: Event) -> None:
        self._outbox.commit(run.work.id, [(task.spec.id, task.attempt, event) for event in events])


def _refuse_over(task: TaskWork) -> None:
    if task.state in FINAL:
        raise NotAllowed(f"{task.spec.key} is {task.state}: no prompt follows.", fix="Add a task for it.")

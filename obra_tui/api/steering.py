"""What a person does to running work, for scripts: from another thread than the one that waits for the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from obra_tui.core import commands as do
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.system.user import person

if TYPE_CHECKING:
    from obra_tui.engine.work import TaskWork
    from obra_tui.services.open_work import OpenWork


class Steering:
    """Every method may be called from any thread; each raises `UnknownId` or `NotAllowed` when it cannot be done."""

    def __init__(self, carry_out: Callable[[do.Command], object], look: Callable[[], OpenWork]) -> None:
        """Use `Obra.steering` instead."""
        self._do = carry_out
        self._look = look

    # --- Claude ---

    def send_text(self, task: TaskId, text: str) -> bool:
        """Say this to Claude; returns whether it went into the running turn, else it goes into the next prompt."""
        return bool(self._do(do.SendText(task=task, text=text, by=person())))

    def interrupt(self, task: TaskId) -> None:
        """End Claude's turn; the conversation is kept."""
        self._do(do.InterruptClaude(task=task, by=person()))

    def hold_prompt(self, task: TaskId, *, on: bool = True) -> None:
        """Let the next prompt of the task wait for `send_prompt`, or no longer."""
        self._do(do.HoldPrompt(task=task, by=person(), on=on))

    def held_prompt(self, task: TaskId) -> str | None:
        """Return the prompt that waits, as Obra built it; None when none does, or the task is not there yet."""
        found = self._find(task)
        return found.held_prompt.text if found is not None and found.held_prompt is not None else None

    def send_prompt(self, task: TaskId, text: str) -> None:
        """Send exactly this text in place of the prompt that waits."""
        self._do(do.SendPrompt(task=task, text=text, by=person()))

    # --- the work ---

    def take_over(self, task: TaskId) -> Path:
        """Interrupt what works on the task, and return the folder of its copy: it is yours until `give_back`."""
        self._do(do.TakeOver(task=task, by=person()))
        found = self._find(task)
        assert found is not None and found.copy is not None, "what was taken over has a copy"
        return Path(found.copy.path)

    def give_back(self, task: TaskId, then: Literal["check", "claude"] = "check") -> tuple[str, ...]:
        """End a take-over and return the files that were changed; the work is checked as yours, or Claude goes on."""
        files = self._do(do.GiveBack(task=task, by=person(), then=then))
        return tuple(str(name) for name in cast("tuple[object, ...]", files or ()))

    def cancel(self, task: TaskId) -> None:
        """End the task for good; what was done is kept."""
        self._do(do.CancelTask(task=task, by=person()))

    # --- the run ---

    def pause(self, session: SessionId) -> None:
        """Start no new stage; a running one goes on to its end."""
        self._do(do.Pause(session=session, by=person()))

    def resume(self, session: SessionId) -> None:
        """Go on after a pause; also: do not wait for a usage limit."""
        self._do(do.Resume(session=session, by=person()))

    def stop(self, session: SessionId, mode: Literal["after_stage", "now"] = "after_stage") -> None:
        """End the run; the work is kept, and `resume_task` takes it up again."""
        self._do(do.StopRun(session=session, mode=mode, by=person()))

    # --- the plan ---

    def undo_plan_change(self, session: SessionId) -> str:
        """Take back the last change of the plan, whoever made it, and return what it was."""
        return str(self._do(do.UndoPlanChange(session=session, by=person())))

    def _find(self, task: TaskId) -> TaskWork | None:
        return next((work for _, work in self._look().tasks() if work.spec.id == task), None)

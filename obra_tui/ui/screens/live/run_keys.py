"""The keys of Live that act on the run: pause, stop, steer the task that is shown, answer what waits."""

from __future__ import annotations

from functools import partial

from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import WORKING, State
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.live.focus import TaskFocus
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.services import AppServices
from obra_tui.ui.view.attention import AttentionKind, attentions
from obra_tui.ui.view.status_words import TASK

_IN_HAND = WORKING | {State.QUEUED, State.INTERRUPTED}
"""States in which a person may work on a task instead of Claude."""


class RunKeys(ScreenPart):
    def __init__(self, screen: ObraScreen, focus: TaskFocus) -> None:
        self._screen = screen
        self._focus = focus
        self._unsent = ""
        """A message that could not be delivered."""

    @property
    def _services(self) -> AppServices:
        return self._screen.services

    def check_action(self, action: str) -> bool | None:
        session, task, attempt = self._focus.shown.session, self._focus.shown.task, self._focus.shown.attempt
        running = session is not None and session.running
        match action:
            case "review_gate":
                return bool(self._services.view.waiting_gates)
            case "pause":
                return running and not self._can_resume()
            case "resume_run":
                return self._can_resume()
            case "stop_run":
                return running
            case "message":
                return task is not None and not task.over
            case "edit_prompt":
                return self._can_hold_prompt()
            case "take_over":
                return task is not None and bool(task.copy_path) and task.state in _IN_HAND
            case "interrupt":
                return task is not None and bool(attempt and attempt.claude_running)
            case "new_task":
                return None if self._services.engine is None else not running
            case _:
                return True

    def _can_resume(self) -> bool:
        session = self._focus.shown.session
        if session is None or session.closed_at is not None:
            return False
        waits = {code for owner, code in self._services.view.problems if owner == session.id} & {"limited", "budget"}
        launch, now = self._services.launch, self._services.clock.now()
        waiting = attentions(self._focus.view, now, launch.stall_seconds)
        interrupted = any(item.kind is AttentionKind.INTERRUPTED for item in waiting)
        return bool(session.paused_by) or interrupted or bool(waits)

    def _can_hold_prompt(self) -> bool:
        task = self._focus.shown.task
        waits = any(item.held_prompt is not None for item in self._services.view.tasks.values())
        return waits or (task is not None and not task.over and self._services.engine is not None)

    # -- the run -------------------------------------------------------------------------------

    def action_review_gate(self) -> None:
        self._services.navigator.review_oldest()

    def action_pause(self) -> None:
        if self._focus.shown.session:
            self._services.commands.pause(self._focus.shown.session.id)

    def action_resume_run(self) -> None:
        if self._focus.shown.session:
            self._services.commands.resume(self._focus.shown.session.id)

    def action_stop_run(self) -> None:
        if self._focus.shown.session:
            self._services.confirm.stop(self._focus.shown.session.id, self._focus.shown.task)

    def action_new_task(self) -> None:
        self._services.confirm.new_task()

    def action_show_rules(self) -> None:
        self._services.navigator.show_rules()

    # -- the task ------------------------------------------------------------------------------

    def action_interrupt(self) -> None:
        if self._focus.shown.task:
            self._services.commands.interrupt(self._focus.shown.task.id)

    def action_edit_prompt(self) -> None:
        self._services.navigator.edit_prompt(self._focus.shown.task)

    def action_take_over(self) -> None:
        if self._focus.shown.task:
            self._services.takeover.take_over(self._focus.shown.task)

    def action_message(self) -> None:
        """The line belongs to the task that is shown now, whatever is shown when it is sent."""
        task, attempt = self._focus.shown.task, self._focus.shown.attempt
        if task is not None:
            now = attempt is not None and attempt.claude_running
            where = "into the running turn" if now else "added to the next prompt"
            label = f"To Claude ({task.spec.key}, {where})"
            self._screen.query_one(MessageLine).ask(label, partial(self._send, task.id), text=self._unsent)

    def _send(self, to: TaskId, text: str) -> None:
        self._unsent = ""
        task = self._services.view.tasks.get(to)
        if not text or task is None:
            return
        if task.over:
            self._unsent = text
            key = self._services.key_label("live.message")
            became = TASK[task.state].word
            self._services.notify(
                f"Not delivered: {task.spec.key} is {became} already. {key} opens your text again.", problem=True
            )
            return
        self._services.commands.send_text(to, text)

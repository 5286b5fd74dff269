"""Navigation between screens, which are named as in `screens.registry`; each method is what a key or an entry does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, runtime_checkable

from obra_tui.core.ids import AttemptId, GateId, QuestionId, SessionId, TaskId
from obra_tui.ui.host import Host, Services
from obra_tui.ui.notice_board import ToldNotice
from obra_tui.ui.state import TaskView
from obra_tui.ui.view.menus import Choice


@runtime_checkable
class FollowsTask(Protocol):
    """Live."""

    def pin(self, task: TaskId | None) -> None: ...


@runtime_checkable
class Searches(Protocol):
    """History."""

    def search(self, line: str) -> None: ...
    def search_for(self, line: str) -> None: ...


@runtime_checkable
class ListsSettings(Protocol):
    """Setup."""

    def point_at(self, name: str) -> None: ...


class Navigator:
    def __init__(self, host: Host, services: Services, prompt_drafts: Mapping[TaskId, str]) -> None:
        self._host = host
        self._services = services
        self._prompt_drafts = prompt_drafts

    # -- main screens --------------------------------------------------------------------------

    def show(self, name: str) -> None:
        self._host.show(name)

    def _show_and(self, name: str, act: Callable[[object], None]) -> None:
        """Show a main screen and, once it is there, do something with it."""
        self.show(name)
        self._host.call_after_refresh(lambda: act(self._host.front_screen))

    def watch_task(self, task: TaskId) -> None:
        """Go to Live and stay with this task."""

        def pin(screen: object) -> None:
            if isinstance(screen, FollowsTask):
                screen.pin(task)

        self._show_and("live", pin)

    def search_history(self, line: str, *, write: bool = False) -> None:
        """Go to History and show what this line finds; with `write` the person goes on writing it."""

        def search(screen: object) -> None:
            if isinstance(screen, Searches):
                (screen.search_for if write else screen.search)(line)

        self._show_and("history", search)

    def show_setting(self, name: str) -> None:
        """Go to Setup, to the line of a setting."""

        def point(screen: object) -> None:
            if isinstance(screen, ListsSettings):
                screen.point_at(name)

        self._show_and("setup", point)

    def show_notices(self, told: Iterable[ToldNotice]) -> None:
        """What was told lately, newest first; the one that is picked is copied."""
        kept = list(told)
        if not kept:
            self._services.notify("Nothing was told yet.")
            return
        choices = [Choice(id=str(n), label=item.text, effect=item.at) for n, item in enumerate(kept)]

        def copy(number: str) -> None:
            if number:
                self._services.copy(kept[int(number)].text, "the notice")

        self._host.open_screen("choice", "Notices, newest first: enter copies", choices, on_result=copy)

    # -- screens on top ------------------------------------------------------------------------

    def review_oldest(self) -> None:
        """Open the gate that waits longest; only ever because somebody asked for it."""
        waiting = self._services.view.waiting_gates
        if waiting:
            self.review(waiting[0].id)

    def review(self, gate: GateId, *, replace: bool = False) -> None:
        self._host.open_screen("review", gate, replace=replace)

    def answer_next(self, after: QuestionId | None = None) -> None:
        """Open the oldest question of Claude; only ever because somebody asked for it."""
        asked = sorted(self._services.view.permissions.values(), key=lambda item: item.asked_at)
        first = next((item for item in asked if item.id != after), None)
        if first is not None and self._host.question_shown is None:
            self._host.open_screen("permission", first)

    def edit_prompt(self, task: TaskView | None) -> None:
        """Show the prompt that waits; without one, ask for the next one of this task to wait, or no longer."""
        waiting = sorted(
            (item for item in self._services.view.tasks.values() if item.held_prompt is not None), key=_since
        )
        held = task if task is not None and task.held_prompt is not None else next(iter(waiting), None)
        if held is not None and held.held_prompt is not None:
            self._host.open_screen("prompt", held.id, held.held_prompt, self._prompt_drafts.get(held.id))
        elif task is not None:
            self._services.commands.hold_prompt(task.id, on=not task.hold_next)

    def show_rules(self) -> None:
        """List what was allowed for the session."""
        self._host.open_screen("rules")

    def open_attempt(self, attempt: AttemptId, page: str = "Transcript") -> None:
        self._host.open_screen("attempt", attempt, page)

    def replay(self, session: SessionId) -> None:
        self._host.open_screen("replay", session)

    def compare_attempts(self, a: AttemptId, b: AttemptId) -> None:
        self._host.open_screen("compare_attempts", a, b)

    def compare_sessions(self, a: SessionId, b: SessionId) -> None:
        self._host.open_screen("compare_sessions", a, b)

    def read_guide(self, name: str, text: str) -> None:
        self._host.open_screen("guide", name, text)


def _since(task: TaskView) -> float:
    return task.held_since

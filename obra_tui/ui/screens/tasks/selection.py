"""The plan on screen, and which of its tasks a key is about: the marked ones, else the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from obra_tui.core import commands as c
from obra_tui.core.ids import TaskId
from obra_tui.ui.actions.plan_changes import plan_session
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.services import AppServices
from obra_tui.ui.state import SessionView, TaskView
from widgets.lists.choice_list import ChoiceList


class TaskSelection:
    def __init__(self, screen: ObraScreen) -> None:
        self.screen = screen
        self.marked: set[TaskId] = set()

    @property
    def services(self) -> AppServices:
        return self.screen.services

    @property
    def list(self) -> ChoiceList:
        return self.screen.query_one("#list", ChoiceList)

    @property
    def session(self) -> SessionView | None:
        return plan_session(self.services.view, self.services.session)

    @property
    def tasks(self) -> tuple[TaskView, ...]:
        session = self.session
        return self.services.view.tasks_of(session.id) if session else ()

    @property
    def picked(self) -> TaskView | None:
        """The task under the cursor."""
        if not self.screen.ready:
            return None
        return next((task for task in self.tasks if task.id == self.list.highlighted), None)

    @property
    def subjects(self) -> tuple[TaskView, ...]:
        """The tasks that can be changed, of those that a key is about."""
        picked = self.picked
        wanted = self.marked or ({picked.id} if picked else set())
        return tuple(task for task in self.tasks if task.id in wanted and task.changeable)

    def change(self, changes: Sequence[c.PlanChange], said: str) -> None:
        session = self.session
        if session is not None:
            self.services.plan_changes.make(session.id, changes, said)

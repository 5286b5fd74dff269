"""New tasks for the plan on the screen: typed in one line, or in the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from obra_tui.core import commands as c
from obra_tui.core.ids import SessionId, new_task_id
from obra_tui.core.model import SessionKind, TaskSpec
from obra_tui.core.plans.fields import Remark, TaskFields, free_key, quick_fields, remarks_on, spec_of
from obra_tui.ui.actions.plan_changes import plan_session
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.services import AppServices

HINT = "Title (after T001)"


class NewTasks:
    def __init__(self, services: AppServices, show_form: Callable[[str, TaskSpec, TaskFields], None]) -> None:
        """`show_form` opens the form with a title, the task to be and what is known of it; it ends in `add`."""
        self._services = services
        self._show_form = show_form

    def ask_line(self, line: MessageLine) -> None:
        """Let the person type a line; what is wrong with it stands beside it."""
        line.ask("New task", self._take_line, live=lambda text: line.tell(self._said_of(text)))

    def ask_form(self) -> None:
        key = free_key(self._keys)
        self._show_form(f"New task {key}", _blank(key), TaskFields(key=key))

    def add(self, spec: TaskSpec) -> None:
        """Add a task to the plan on the screen, or to a new one."""

        def add(session: SessionId) -> None:
            self._services.plan_changes.make(
                session, [c.AddTasks(session=session, tasks=(spec,))], f"{spec.key} was added."
            )

        in_plan(self._services, add, self._services.project_name)

    @property
    def _others(self) -> list[TaskSpec]:
        view = self._services.view
        session = plan_session(view, self._services.session)
        return [task.spec for task in view.tasks_of(session.id)] if session else []

    @property
    def _keys(self) -> list[str]:
        return [spec.key for spec in self._others]

    def _said_of(self, text: str) -> str:
        if not text.strip():
            return HINT
        fields = quick_fields(text, self._keys)
        wrong = self._wrong(fields)
        return wrong.text if wrong else " · ".join(filter(None, (fields.key, fields.after and f"after {fields.after}")))

    def _take_line(self, text: str) -> None:
        if not text:
            return
        fields = quick_fields(text, self._keys)
        wrong = self._wrong(fields)
        if wrong is None:
            self.add(spec_of(fields, _blank(fields.key)))
            return
        self._services.notify(f"{wrong.text} The form has what you typed.", problem=True)
        self._show_form(f"New task {fields.key}", _blank(fields.key), fields)

    def _wrong(self, fields: TaskFields) -> Remark | None:
        return next((item for item in remarks_on(fields, _blank(fields.key), self._others) if item.blocks), None)


def in_plan(services: AppServices, take: Callable[[SessionId], None], title: str, source: str = "") -> None:
    """Call with the session that new tasks go to; one with this title, made from this file, is opened if need be."""
    session = plan_session(services.view, services.session)
    if session is not None and session.closed_at is None:
        take(session.id)
        return
    opened = c.OpenSession(kind=SessionKind.MILESTONE, title=title, plan_source=source, project=services.launch.project)
    services.commands.send(opened, lambda answer: take(cast(SessionId, answer)))


def _blank(key: str) -> TaskSpec:
    return TaskSpec(id=new_task_id(), key=key, title="", prompt="", source="typed")

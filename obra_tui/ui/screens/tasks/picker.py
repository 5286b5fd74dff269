"""Pick the tasks that another one waits for: a few letters find them, those that would make a circle are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from obra_tui.core.model import TaskSpec
from obra_tui.ui.plain import plain
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList

CIRCLE = "waits for this one"


class TaskPicker(ModalScreen[tuple[str, ...] | None]):
    """Dismissed with the keys picked, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", "Keep", id="picker.keep", priority=True),
        Binding("enter", "tick", "Tick", id="picker.tick", priority=True),
        Binding("escape", "leave", "Back", id="picker.leave", priority=True),
        Binding("down", "line(1)", "Down", id="picker.down", priority=True),
        Binding("up", "line(-1)", "Up", id="picker.up", priority=True),
    ]

    def __init__(self, title: str, key: str, tasks: Sequence[TaskSpec], picked: Sequence[str]) -> None:
        """`tasks` are the others of the plan; `key` is the task that is to wait."""
        super().__init__()
        self._title = title
        self._tasks = tuple(tasks)
        self._picked = [name for name in picked if any(task.key == name for task in tasks)]
        self._waiting = _waiting_for(key, tasks)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-picker"):
            yield Input(placeholder="a few letters of a key or a title", id="filter", compact=True)
            yield ChoiceList(id="choices", wrap=False)
            yield Static(_HINT, id="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain(self._title)
        self.query_one("#filter").focus()
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.action_tick()

    def _show(self, query: str) -> None:
        rows = [self._row(task) for task in found(query, self._tasks)]
        nothing = LogLine("No other task has these letters." if query else "There is no other task.", style="dim")
        self.query_one(ChoiceList).set_rows(rows or [nothing])

    def _row(self, task: TaskSpec) -> LogLine:
        refused = task.key in self._waiting
        return LogLine(
            f"{task.key:<6} {task.title}",
            key=task.key,
            lead="[x] " if task.key in self._picked else "[ ] ",
            lead_style="text",
            style="dim" if refused else "",
            spans=() if refused else (Span(0, len(task.key), "tool"),),
            aside=CIRCLE if refused else "",
        )

    def action_line(self, step: int) -> None:
        self.query_one(ChoiceList).scroller.line(step)

    def action_tick(self) -> None:
        key = self.query_one(ChoiceList).highlighted
        if not key or key in self._waiting:
            return
        if key in self._picked:
            self._picked.remove(key)
        else:
            self._picked.append(key)
        self._show(self.query_one("#filter", Input).value)

    def action_keep(self) -> None:
        order = [task.key for task in self._tasks]
        self.dismiss(tuple(sorted(self._picked, key=order.index)))

    def action_leave(self) -> None:
        self.dismiss(None)


def found(query: str, tasks: Sequence[TaskSpec]) -> list[TaskSpec]:
    """Return the tasks that have these letters in this order, the best first; all without letters."""
    if not query.strip():
        return list(tasks)
    matcher = Matcher(query.strip())
    scored = [(matcher.match(f"{task.key} {task.title}"), task) for task in tasks]
    return [task for mark, task in sorted(scored, key=lambda pair: -pair[0]) if mark > 0]


def _waiting_for(key: str, tasks: Sequence[TaskSpec]) -> set[str]:
    """Return the tasks that wait for `key`, through others too."""
    waiting = {key}
    while more := {task.key for task in tasks if waiting & set(task.depends_on)} - waiting:
        waiting |= more
    return waiting


_HINT = Content("  ").join(
    [
        Content.assemble((key, "bold $footer-key-foreground"), f" {label}")
        for key, label in (("enter", "Tick"), ("ctrl+s", "Keep"), ("esc", "Back"))
    ]
)

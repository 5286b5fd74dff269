"""Tasks: the plan of the present session as a list, and the highlighted task in full beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from obra_tui.core.events import Record
from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import State
from obra_tui.ui.bindings import bindings
from obra_tui.ui.feeds.claude import consumption
from obra_tui.ui.feeds.lines import joined, text_lines
from obra_tui.ui.format import brief, clock_time, money, score
from obra_tui.ui.plain import plain
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.selection import shown
from obra_tui.ui.state import AttemptView, SessionView, TaskView, ViewState
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import DECISION, TASK, person_name
from widgets.choice_list import ChoiceList
from widgets.lines import LogLine, Span
from widgets.log_pane import LogPane

_TITLE = 34


class TasksScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("tasks")

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[LogLine, ...] | None = None
        self._told: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="tasks"):
            yield ChoiceList(id="list", wrap=False)
            yield LogPane(id="detail", follow=False)

    def on_mount(self) -> None:
        self.query_one("#list").border_title = "Tasks"
        self.query_one("#list").focus()

    def draw(self, records: Sequence[Record]) -> None:
        view = self.hub.view
        session = shown(view, session=self.desk.session).session
        self.show_status(*_status(view, session))
        rows = tuple(task_line(view, task) for task in view.tasks_of(session.id)) if session else ()
        if rows != self._rows:
            self._rows = rows
            self.query_one("#list", ChoiceList).set_rows(rows or [LogLine(line, style="dim") for line in self._empty()])
        self._tell_task()

    def _empty(self) -> list[str]:
        key = self.desk.key_shown
        return [
            "No task yet.",
            f"{key('tasks.new_task')} writes one; obra run PLAN starts a list of them.",
        ]

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        self._tell_task()
        self.refresh_bindings()

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.action_open_task()

    @property
    def _picked(self) -> TaskView | None:
        key = self.query_one("#list", ChoiceList).highlighted
        return next((task for task in self.hub.view.tasks.values() if task.id == key), None)

    def _tell_task(self) -> None:
        task = self._picked
        attempts = self.hub.view.attempts_of(task.id) if task else ()
        if (task, attempts) == self._told:
            return
        self._told = (task, attempts)
        pane = self.query_one("#detail", LogPane)
        pane.clear()
        pane.border_title = plain(task.spec.key if task else "Task")
        if task is not None:
            pane.extend(task_detail(task, attempts))

    # -- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        task = self._picked if self.ready else None
        match action:
            case "open_task":
                return task is not None
            case "cancel_task":
                return task is not None and not task.over
            case "hold" | "release":
                return _can_change(task) and task is not None and task.held_back is (action == "release")
            case "edit_task" | "remove_task" | "move_up" | "move_down" | "run_from":
                return _can_change(task)
            case "run_again":
                return task is not None and task.state is State.INTERRUPTED
            case _:
                return True

    def action_open_task(self) -> None:
        if self._picked is not None:
            self.desk.watch_task(TaskId(self._picked.id))

    def action_new_task(self) -> None:
        self.desk.ask_new_task()

    def action_run_again(self) -> None:
        if self._picked is not None:
            self.desk.requests.resume(self._picked.session)

    def action_run_from(self) -> None:
        if self._picked is not None:
            self.desk.requests.run_from(self._picked.id)

    def action_edit_task(self) -> None:
        if self._picked is not None:
            self.desk.ask_edit(self._picked)

    def action_hold(self) -> None:
        if self._picked is not None:
            self.desk.requests.hold_task(self._picked.id)

    def action_release(self) -> None:
        if self._picked is not None:
            self.desk.requests.release_task(self._picked.id)

    def action_remove_task(self) -> None:
        if self._picked is not None:
            self.desk.ask_remove(self._picked)

    def action_move_up(self) -> None:
        self._move(-1)

    def action_move_down(self) -> None:
        self._move(1)

    def _move(self, step: int) -> None:
        task = self._picked
        if task is not None:
            tasks = self.hub.view.sessions[task.session].tasks
            self.desk.requests.move_task(task.id, max(0, tasks.index(task.id) + step))

    def action_cancel_task(self) -> None:
        if self._picked is not None:
            self.desk.ask_cancel(self._picked)

    def action_go_back(self) -> None:
        self.desk.show("live")


def _can_change(task: TaskView | None) -> bool:
    """What Claude has been told already stays as it was told."""
    return task is not None and not task.attempts and task.state in (State.QUEUED, State.BLOCKED)


def _status(view: ViewState, session: SessionView | None) -> tuple[Part, ...]:
    if session is None:
        return (Part(text="TASKS", strong=True), Part(text="no session"))
    tasks = view.tasks_of(session.id)
    counts = [
        f"{sum(task.state is state for task in tasks)} {TASK[state].word}"
        for state in State
        if any(task.state is state for task in tasks)
    ]
    return (
        Part(text="TASKS", strong=True),
        Part(text=session.title),
        Part(text=" · ".join(counts)),
        Part(text=money(session.usage.cost_usd) if session.usage.cost_usd else ""),
    )


def task_line(view: ViewState, task: TaskView) -> LogLine:
    """`✓ T001 accepted     Write a calculator      after –   1 try  0.90`."""
    status = TASK[task.state]
    word = f"{'held' if task.held_back and not task.over else status.word:<13}"
    title = task.spec.title if len(task.spec.title) <= _TITLE else f"{task.spec.title[: _TITLE - 1]}…"
    after = f"after {', '.join(task.spec.depends_on)}" if task.spec.depends_on else ""
    head = f"{task.spec.key} {word} "
    scored = [item.quality.overall_score for item in view.attempts_of(task.id) if item.quality]
    tries = f"{len(task.attempts)}×" if task.attempts else ""
    return LogLine(
        f"{head}{title:<{_TITLE}} {after}".rstrip(),
        key=task.id,
        glyph=status.glyph,
        spans=(Span(len(task.spec.key) + 1, len(head), status.tone.value or "text"),),
        aside=joined((tries, score(scored[-1]) if scored else ""), " "),
    )


def task_detail(task: TaskView, attempts: Sequence[AttemptView]) -> list[LogLine]:
    """Return everything about a task as the person wrote it, then what came of it."""
    spec, budget = task.spec, task.spec.budget
    limits = joined(
        (
            f"{budget.max_turns} turns" if budget.max_turns is not None else "",
            money(budget.max_cost_usd) if budget.max_cost_usd is not None else "",
            brief(budget.max_seconds) if budget.max_seconds is not None else "",
        )
    )
    lines = [LogLine(spec.title, style="strong"), LogLine("")]
    lines.extend(text_lines(spec.prompt, "text"))
    if spec.acceptance:
        lines.append(LogLine("Accepted when", style="heading"))
        lines.extend(LogLine(text, lead="- ") for text in spec.acceptance)
    lines.append(LogLine("Facts", style="heading"))
    facts = (
        ("state", joined((TASK[task.state].word, task.reason))),
        ("after", ", ".join(spec.depends_on)),
        ("limits", limits),
        ("checks", ", ".join(check.name for check in spec.checks)),
        ("source", spec.source),
        ("copy", task.copy_path),
        ("commit", f"{task.acceptance.commit[:10]} on {task.acceptance.branch}" if task.acceptance else ""),
        ("kept", task.kept_ref),
        ("used", joined(consumption(task.usage))),
    )
    lines.extend(LogLine(f"{name:<8}{value}", hang=" " * 8) for name, value in facts if value)
    lines.extend(LogLine(text, style="person", glyph="›", aside="next prompt") for text in task.waiting_text)
    if attempts:
        lines.append(LogLine("Attempts", style="heading"))
        lines.extend(_attempt_line(attempt) for attempt in attempts)
    return lines


def _attempt_line(attempt: AttemptView) -> LogLine:
    outcome = attempt.result.outcome.value.replace("_", " ") if attempt.result else "running"
    decided = ""
    if attempt.decision is not None:
        decided = f"{DECISION[attempt.decision.kind].word} by {person_name(attempt.decision.by)}"
    quality = attempt.quality.line if attempt.quality else ""
    return LogLine(joined((f"{attempt.number}  {outcome}", quality, decided)), time=clock_time(attempt.started_at))

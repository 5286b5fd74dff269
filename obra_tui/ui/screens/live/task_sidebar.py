"""The third column of a wide Live screen: tasks with their states, and the files that were changed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from obra_tui.ui.screens.live.shown_task import ShownTask
from obra_tui.ui.state import TaskView, ViewState
from obra_tui.ui.view.diff_view import changed_file
from obra_tui.ui.view.format import score
from obra_tui.ui.view.status_words import task_status
from widgets.diff.file_list import ChangedFile, FileList
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList


class TaskSidebar(Vertical):
    class TaskPicked(Message):
        def __init__(self, task: str) -> None:
            super().__init__()
            self.task = task

    class FilePicked(Message):
        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    def compose(self) -> ComposeResult:
        yield ChoiceList(id="rail-tasks", wrap=False)
        yield FileList(id="rail-files")

    def on_mount(self) -> None:
        self._rows: tuple[LogLine, ...] = ()
        self._files: tuple[ChangedFile, ...] = ()
        self._tasks = self.query_one("#rail-tasks", ChoiceList)
        self._changed = self.query_one("#rail-files", FileList)
        self._tasks.border_title = "Tasks"
        self._changed.border_title = "Changed files"

    def show(self, view: ViewState, it: ShownTask, now: float) -> None:
        rows = tuple(task_rows(view, it))
        if rows != self._rows:
            self._rows = rows
            self._tasks.set_rows(rows)
        files = (
            tuple(changed_file(change) for change in it.attempt.diff.files) if it.attempt and it.attempt.diff else ()
        )
        if files != self._files:
            self._files = files
            self._changed.show(files)

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        message.stop()
        if message.pane is self._tasks:
            self.post_message(self.TaskPicked(message.key))

    def on_file_list_chosen(self, message: FileList.Chosen) -> None:
        message.stop()
        self.post_message(self.FilePicked(message.path))


def task_rows(view: ViewState, it: ShownTask) -> Iterator[LogLine]:
    """Return a row per task: glyph, key, title; state and score at the edge."""
    if it.session is None:
        return
    for task in view.tasks_of(it.session.id):
        yield task_row(view, task, current=it.task is not None and task.id == it.task.id)


def task_row(view: ViewState, task: TaskView, *, current: bool) -> LogLine:
    status = task_status(task.state, task.reverted)
    text = f"{task.spec.key} {task.spec.title}"
    style = "strong" if current else ""
    return LogLine(
        text,
        key=task.id,
        glyph=status.glyph,
        spans=(Span(0, len(text), style),) if style else (),
        aside=f" {status.word} {_score(view, task)}".rstrip(),
        aside_style=status.tone.value or "text",
    )


def _score(view: ViewState, task: TaskView) -> str:
    for attempt in reversed(view.attempts_of(task.id)):
        if attempt.quality is not None:
            return score(attempt.quality.overall)
    return ""

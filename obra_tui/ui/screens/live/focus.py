"""Which task a Live screen is about, as the person may see it now, and what the lines above its panes say of it."""

from __future__ import annotations

from obra_tui.core.ids import TaskId
from obra_tui.ui.screens.live.shown_task import ShownTask, neighbour, task_to_show
from obra_tui.ui.services import AppServices
from obra_tui.ui.state import PipelineStep, StepStatus, ViewState, steps_of
from obra_tui.ui.view.blinding import redact_view
from obra_tui.ui.view.format import duration
from obra_tui.ui.view.status_words import STEP
from obra_tui.ui.view.statusline import StatusPart, needed_since, queued_text, side_by_side, status_parts
from widgets.bars.status_line import StripStep


class TaskFocus:
    """The task at work, unless the person picked one."""

    def __init__(self) -> None:
        self.pinned: TaskId | None = None
        self.shown = ShownTask()
        self.view = ViewState()
        """In blind mode without the judge's number, until the person's own is given."""

    def update(self, services: AppServices) -> None:
        before = self.shown.task.id if self.shown.task else None
        self.view = redact_view(services.view, services.blinded)
        self.shown = task_to_show(self.view, session=services.session, pinned=self.pinned, before=before)

    def pin(self, task: TaskId | None) -> None:
        """Stay with this task whatever else is at work; None follows the work again."""
        self.pinned = task
        self.shown = ShownTask()

    def neighbour(self, step: int) -> TaskId | None:
        """The task before or after, around the end."""
        task = self.shown.task
        return neighbour(self.view, task, step).id if task else None

    def status_parts(self, services: AppServices, now: float) -> tuple[StatusPart, ...]:
        it = self.shown
        if it.session is None:
            return (StatusPart(text=services.phase),)
        parts = status_parts(self.view, it.session, it.task, it.attempt, now, services.launch.ascii_glyphs)
        pinned = (StatusPart(text="pinned"),) if self.pinned else ()
        return (*parts, *pinned, *queued_text(it.task), *side_by_side(self.view, it.session))

    def steps(self, now: float) -> list[StripStep]:
        if self.shown.task is None:
            return []
        asks = needed_since(self.view, self.shown.task) is not None
        steps = steps_of(self.shown.task, self.shown.attempt, asks=asks)
        return [StripStep(step.name.value, STEP[step.status].state, _note(step, now)) for step in steps]


def _note(step: PipelineStep, now: float) -> str:
    if step.started_at is None:
        return step.note
    if step.status is StepStatus.RUNNING:
        return f"{step.note} {duration(now - step.started_at)}".strip()
    took = duration(step.ended_at - step.started_at) if step.ended_at is not None else ""
    return step.note or took

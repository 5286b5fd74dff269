"""What happens to tasks: the plan is made and changed, states move, copies are made."""

from dataclasses import dataclass
from typing import Literal

from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import TaskSpec, WorkCopy

# --- task -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAdded:
    """A task joined the session, at `position`; it is `blocked` if it waits for others."""

    spec: TaskSpec
    position: int
    state: State
    type: Literal["task_added"] = "task_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEdited:
    """A task that was not started says something else now."""

    spec: TaskSpec
    type: Literal["task_edited"] = "task_edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksOrdered:
    """The plan has another order: all tasks of the session, first to last."""

    order: tuple[TaskId, ...]
    by: str
    type: Literal["tasks_ordered"] = "tasks_ordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHeld:
    """The task does not start until `TaskReleased`."""

    by: str
    type: Literal["task_held"] = "task_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReleased:
    """The task may start again."""

    by: str
    type: Literal["task_released"] = "task_released"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRemoved:
    """The task was taken out of the plan before it was started; followed by its move to `cancelled`."""

    by: str
    type: Literal["task_removed"] = "task_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """The records just before this one are one change of the plan, made together and taken back together."""

    records: int
    """How many they are."""
    tasks: tuple[TaskId, ...]
    """What was changed."""
    by: str
    said: str = ""
    """What it is in a person's words."""
    undoes: int | None = None
    """`seq` of the earlier `PlanChanged` that this one takes back."""
    type: Literal["plan_changed"] = "plan_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMoved:
    """The only event that changes a task's state."""

    before: State
    trigger: Trigger
    after: State
    reason: str = ""
    type: Literal["task_moved"] = "task_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPrepared:
    """The isolated copy is there; sent once per task, and again if it had to be made anew."""

    copy: WorkCopy
    type: Literal["copy_prepared"] = "copy_prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRenewed:
    """A person went on although the budget of the task, or of the session, was used up: it begins anew."""

    by: str
    type: Literal["budget_renewed"] = "budget_renewed"

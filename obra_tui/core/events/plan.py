"""What happens to tasks: the plan is made and changed, states move, copies are made."""

from typing import Literal

from msgspec import Struct

from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import TaskSpec, WorkCopy

# --- task -----------------------------------------------------------------------------------------


class TaskAdded(Struct, frozen=True, kw_only=True):
    """A task joined the session, at `position`; it is `blocked` if it waits for others."""

    spec: TaskSpec
    position: int
    state: State
    by: str = ""
    """Who asked for it; empty = not noted, as in older records."""
    type: Literal["task_added"] = "task_added"


class TaskEdited(Struct, frozen=True, kw_only=True):
    """A task that was not started says something else now."""

    spec: TaskSpec
    by: str = ""
    """Who changed it; empty = not noted, as in older records."""
    type: Literal["task_edited"] = "task_edited"


class TasksOrdered(Struct, frozen=True, kw_only=True):
    """The plan has another order: all tasks of the session, first to last."""

    order: tuple[TaskId, ...]
    by: str
    type: Literal["tasks_ordered"] = "tasks_ordered"


class TaskHeld(Struct, frozen=True, kw_only=True):
    """The task does not start until `TaskReleased`."""

    by: str
    type: Literal["task_held"] = "task_held"


class TaskReleased(Struct, frozen=True, kw_only=True):
    """The task may start again."""

    by: str
    type: Literal["task_released"] = "task_released"


class TaskRemoved(Struct, frozen=True, kw_only=True):
    """The task was taken out of the plan before it was started; followed by its move to `cancelled`."""

    by: str
    type: Literal["task_removed"] = "task_removed"


class PlanChanged(Struct, frozen=True, kw_only=True):
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


class TaskMoved(Struct, frozen=True, kw_only=True):
    """The only event that changes a task's state."""

    before: State
    trigger: Trigger
    after: State
    reason: str = ""
    type: Literal["task_moved"] = "task_moved"


class CopyPrepared(Struct, frozen=True, kw_only=True):
    """The isolated copy is there; sent once per task, and again if it had to be made anew."""

    copy: WorkCopy
    type: Literal["copy_prepared"] = "copy_prepared"


class BudgetRenewed(Struct, frozen=True, kw_only=True):
    """A person went on although the budget of the task, or of the session, was used up: it begins anew."""

    by: str
    type: Literal["budget_renewed"] = "budget_renewed"

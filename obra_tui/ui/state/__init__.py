"""What the screen shows, as frozen values made from records alone.

Live and replay feed the same `apply`. Nothing in this package imports Textual,
knows a clock (the time of a record is in the record) or keeps streamed text.
"""

from obra_tui.ui.state.attempts import AttemptView, CheckView, JudgeView, ToolTally
from obra_tui.ui.state.sessions import PlanStep, SessionView
from obra_tui.ui.state.steps import PipelineStep, StepName, StepStatus, steps_of
from obra_tui.ui.state.tasks import TaskView
from obra_tui.ui.state.view import GateView, PermissionView, ProblemView, ViewState, apply, apply_all

__all__ = [
    "AttemptView",
    "CheckView",
    "GateView",
    "JudgeView",
    "PermissionView",
    "PipelineStep",
    "PlanStep",
    "ProblemView",
    "SessionView",
    "StepName",
    "StepStatus",
    "TaskView",
    "ToolTally",
    "ViewState",
    "apply",
    "apply_all",
    "steps_of",
]

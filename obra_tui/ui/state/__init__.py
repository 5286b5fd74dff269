"""What the screen shows, as frozen values made from records alone.

Live and replay feed the same `apply`. Nothing in this package imports Textual,
knows a clock (the time of a record is in the record) or keeps streamed text.
"""

from obra_tui.ui.state.attempts import AttemptView, CheckView, JudgeView, ToolTally
from obra_tui.ui.state.gates import GateView
from obra_tui.ui.state.permissions import PermissionView
from obra_tui.ui.state.problems import ProblemView
from obra_tui.ui.state.sessions import PlanStep, SessionView
from obra_tui.ui.state.steps import Step, StepName, StepStatus, steps_of
from obra_tui.ui.state.tasks import TaskView
from obra_tui.ui.state.view import ViewState, apply, apply_all

__all__ = [
    "AttemptView",
    "CheckView",
    "GateView",
    "JudgeView",
    "PermissionView",
    "PlanStep",
    "ProblemView",
    "SessionView",
    "Step",
    "StepName",
    "StepStatus",
    "TaskView",
    "ToolTally",
    "ViewState",
    "apply",
    "apply_all",
    "steps_of",
]

"""Obra from a script: blocking, thread-safe, typed.

The same engine as the app and the command line, behind plain calls:

    with Obra.open("path/to/project") as obra:
        task = obra.create_task("Write the parser", prompt="…", acceptance=("it raises on bad input",))
        result = obra.execute_task(task)
        print(result.quality.line if result.quality else result.reason)

Without a session `execute_task` makes and closes one of its own. Every error is
one of `obra_tui.core.errors`. Obra's ids (`SessionId`, `TaskId`, …) and Claude
Code's (`ClaudeSessionId`) are different types: a type checker refuses to mix
them.
"""

from obra_tui.api.obra import Obra
from obra_tui.api.permissions import PermissionDesk
from obra_tui.api.results import TaskResult
from obra_tui.api.steering import Steering
from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, QuestionId, RuleId, SessionId, TaskId
from obra_tui.core.model import Budget, CheckSpec, DecisionKind, PermissionVerdict, SessionKind, Usage

__all__ = [
    "AttemptId",
    "Budget",
    "CheckSpec",
    "ClaudeSessionId",
    "DecisionKind",
    "GateId",
    "Obra",
    "PermissionDesk",
    "PermissionVerdict",
    "QuestionId",
    "RuleId",
    "SessionId",
    "SessionKind",
    "Steering",
    "TaskId",
    "TaskResult",
    "Usage",
]

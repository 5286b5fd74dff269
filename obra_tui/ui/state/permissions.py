"""Questions of Claude Code that stand open; answered ones are history and leave."""

from dataclasses import dataclass

from obra_tui.core.ids import AttemptId, QuestionId, SessionId, TaskId
from obra_tui.core.model import PermissionQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionView:
    question: PermissionQuestion
    session: SessionId
    task: TaskId
    attempt: AttemptId
    asked_at: float

    @property
    def id(self) -> QuestionId:
        return self.question.id

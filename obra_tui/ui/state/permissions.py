"""Questions of Claude Code that stand open; answered ones are history and leave."""

from msgspec import Struct

from obra_tui.core.ids import AttemptId, QuestionId, SessionId, TaskId
from obra_tui.core.model import PermissionQuestion


class PermissionView(Struct, frozen=True, kw_only=True):
    question: PermissionQuestion
    session: SessionId
    task: TaskId
    attempt: AttemptId
    asked_at: float

    @property
    def id(self) -> QuestionId:
        return self.question.id

"""Where a task stands, put together from what the history knows of it."""

from __future__ import annotations

from msgspec import Struct

from obra_tui.core.ids import ClaudeSessionId, GateId, SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import QualityResult, Usage
from obra_tui.core.records.history import History


class TaskResult(Struct, frozen=True, kw_only=True):
    """Where a task stands after `execute_task` or `decide`."""

    task: TaskId
    session: SessionId
    state: State
    reason: str
    """Why it is in this state, if something was said."""
    attempts: int
    quality: QualityResult | None
    """Of the last attempt that was judged; None when none was."""
    gate: GateId | None
    """The gate that waits for a person; answer it with `decide`."""
    usage: Usage
    claude_sessions: tuple[ClaudeSessionId, ...]
    """Conversations of Claude Code that took part, as the stream reported them."""
    branch: str
    commit: str
    """Commit that took the work in; empty if none did."""
    duration_s: float

    @property
    def accepted(self) -> bool:
        return self.state is State.ACCEPTED


def result_of(history: History, session: SessionId, task: TaskId, duration_s: float) -> TaskResult:
    """Return where a task of a session stands now."""
    detail = history.session(session)
    row = next(item for item in detail.tasks if item.id == task)
    attempts = [item for item in detail.attempts if item.task == task]
    details = [history.attempt(item.id) for item in attempts]
    judged = [item.quality for item in details if item.quality is not None]
    conversations = (claude.id for item in details for claude in item.conversations if claude.reported)
    return TaskResult(
        task=task,
        session=session,
        state=row.state,
        reason=row.reason,
        attempts=len(judged),
        quality=judged[-1] if judged else None,
        gate=next((item.waiting for item in attempts if item.waiting), None),
        usage=sum((item.usage for item in attempts), Usage()),
        claude_sessions=tuple(dict.fromkeys(conversations)),
        branch=detail.branch,
        commit=row.commit,
        duration_s=duration_s,
    )

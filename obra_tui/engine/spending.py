"""Whether a task or its session has used up what it may: the settings' limits and the task's own together."""

from obra_tui.core.budget import overspent
from obra_tui.engine.config import EngineConfig
from obra_tui.engine.work import SessionWork, TaskWork


def over_budget(config: EngineConfig, session: SessionWork, task: TaskWork) -> tuple[str, ...]:
    """Return why no further call may be made for the task; empty when one may."""
    return (*task_over_budget(config, task), *session_over_budget(config, session))


def task_over_budget(config: EngineConfig, task: TaskWork) -> tuple[str, ...]:
    found = (*overspent(task.spent, task.spec.budget, task.spec.key),)
    return found or overspent(task.spent, config.task_budget, task.spec.key)


def session_over_budget(config: EngineConfig, session: SessionWork) -> tuple[str, ...]:
    return overspent(session.spent, config.session_budget, "the session")

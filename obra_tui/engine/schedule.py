"""Which tasks may start now: dependencies, free places, and the budgets of task and session. Pure."""

from collections.abc import Collection

from obra_tui.core.budget import overspent
from obra_tui.core.events import RunFinished
from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import FINAL, State
from obra_tui.engine.config import EngineConfig
from obra_tui.engine.work import SessionWork, TaskWork


def unblocked(session: SessionWork) -> tuple[TaskWork, ...]:
    """Return the blocked tasks whose dependencies are all accepted."""
    return tuple(
        task for task in session.tasks.values() if task.state is State.BLOCKED and dependencies_met(session, task)
    )


def dependencies_met(session: SessionWork, task: TaskWork) -> bool:
    known = session.by_key()
    return all(known[key].state is State.ACCEPTED for key in task.spec.depends_on)


def startable(session: SessionWork, active: Collection[TaskId], places: int) -> tuple[TaskWork, ...]:
    """Return the queued tasks that may start in the free places, in plan order."""
    queued = [
        task
        for task in session.tasks.values()
        if task.state is State.QUEUED and not task.held_back and task.taken is None
    ]
    waiting = [task for task in queued if task.spec.id not in active]
    waiting.sort(key=lambda task: task.position)
    return tuple(waiting[: max(0, places)])


def all_final(session: SessionWork) -> bool:
    return all(task.state in FINAL for task in session.tasks.values())


def count(session: SessionWork) -> RunFinished:
    """Return how the run stands."""
    states = [task.state for task in session.tasks.values()]
    return RunFinished(
        accepted=states.count(State.ACCEPTED),
        rejected=states.count(State.REJECTED),
        failed=states.count(State.FAILED) + states.count(State.CANCELLED),
        waiting=states.count(State.AWAITING_HUMAN),
        interrupted=states.count(State.INTERRUPTED) + states.count(State.QUEUED),
        blocked=states.count(State.BLOCKED),
    )


def over_budget(config: EngineConfig, session: SessionWork, task: TaskWork) -> tuple[str, ...]:
    """Return why no further call may be made for the task; empty when one may."""
    return (*task_over_budget(config, task), *session_over_budget(config, session))


def task_over_budget(config: EngineConfig, task: TaskWork) -> tuple[str, ...]:
    found = (*overspent(task.spent, task.spec.budget, task.spec.key),)
    return found or overspent(task.spent, config.task_budget, task.spec.key)


def session_over_budget(config: EngineConfig, session: SessionWork) -> tuple[str, ...]:
    return overspent(session.spent, config.session_budget, "the session")

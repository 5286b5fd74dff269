"""What an empty Live screen says: why it is empty and which key leads on. Pure but for what it is asked about."""

from __future__ import annotations

from obra_tui.core.lifecycle import State
from obra_tui.ui.screens.live.shown_task import ShownTask
from obra_tui.ui.services import AppServices


def hints(services: AppServices, it: ShownTask) -> list[str]:
    """Return the lines for a pane that has nothing to show yet; none when it has."""
    if services.failure:
        return services.failure
    if services.engine is None:
        return [services.phase]
    if it.task is None:
        return _no_task(services)
    if it.attempt is None:
        return [*_no_attempt(services, it), *_not_running(services, it)]
    return []


def _no_task(services: AppServices) -> list[str]:
    key = services.key_label
    lines = [
        "Nothing is running yet.",
        "",
        f"  {key('live.new_task')}  write a task for Claude in {services.launch.project}",
        f"  {key('app.show_tasks')}  make a plan of several, or import one",
        f"  {key('app.show_setup')}  see whether Claude Code, Ollama and git are ready",
        f"  {key('app.show_history')}  look at earlier sessions",
        f"  {key('app.show_help')}  all keys",
    ]
    if services.open_demo is not None:
        lines.insert(
            3, f"  {key('app.show_setup')} then {key('setup.start_demo')}  watch a rehearsal: no login, no cost"
        )
    return lines


def _not_running(services: AppServices, it: ShownTask) -> list[str]:
    """A plan that nobody started stands still without saying so."""
    session = it.session
    if session is None or session.running or session.closed_at is not None or session.paused_by:
        return []
    key = services.key_label
    return [
        "",
        "Nothing works on this plan now.",
        f"  {key('app.show_tasks')} then {key('tasks.run_from')}  run it from a task on",
    ]


def _no_attempt(services: AppServices, it: ShownTask) -> list[str]:
    assert it.task is not None
    task = it.task
    if task.state is State.BLOCKED:
        return [f"{task.spec.key} waits for {', '.join(task.spec.depends_on) or 'another task'}."]
    if task.held_prompt is not None:
        key = services.key_label("live.edit_prompt")
        return [f"The first prompt of {task.spec.key} waits for you: {key} shows it, lets you change it and sends it."]
    if task.state is State.QUEUED:
        paused = it.session is not None and it.session.paused_by
        return [f"{task.spec.key} is paused." if paused else f"{task.spec.key} is next."]
    return [task.reason or f"{task.spec.key} is {task.state.value}."]

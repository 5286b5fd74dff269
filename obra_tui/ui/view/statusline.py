"""The status line: most important first, because a narrow terminal cuts the tail. Pure."""

from msgspec import Struct

from obra_tui.core.lifecycle import State
from obra_tui.ui.state import AttemptView, SessionView, TaskView, ViewState
from obra_tui.ui.view.attention import quiet_note
from obra_tui.ui.view.format import count, duration, money, plural
from obra_tui.ui.view.status_words import HELD, NEEDED, STOPPED, TASK, StatusWord, Tone


class StatusPart(Struct, frozen=True, kw_only=True):
    text: str
    tone: Tone = Tone.PLAIN
    strong: bool = False
    shrinks: bool = False
    """Is shortened before anything is left out."""
    urgent: bool = False
    """Stays when others have to go."""


def status_parts(
    view: ViewState,
    session: SessionView | None,
    task: TaskView | None,
    attempt: AttemptView | None,
    now: float,
    ascii_only: bool = False,
) -> tuple[StatusPart, ...]:
    """Return what the line says about the shown task."""
    if session is None:
        return (StatusPart(text="Nothing is running"),)
    if task is None:
        return (
            StatusPart(text=session.title or str(session.id), strong=True, shrinks=True),
            _run_part(session, ascii_only),
        )
    parts = [
        StatusPart(text=f"{task.spec.key} {task.spec.title}", strong=True, shrinks=True),
        *_place(view, session, task),
        *_attempt_part(session, task, attempt),
        _state_part(view, task, now, ascii_only),
        *_flags(session, ascii_only),
    ]
    note = quiet_note(view, task, attempt, now) if attempt and needed_since(view, task) is None else ""
    if note:
        parts.append(StatusPart(text=note, tone=Tone.WARN, urgent=True))
    return (*parts, *_consumption(session, task))


def _place(view: ViewState, session: SessionView, task: TaskView) -> list[StatusPart]:
    if len(session.tasks) < 2:
        return []
    number = session.tasks.index(task.id) + 1 if task.id in session.tasks else 0
    return [StatusPart(text=f"task {number}/{len(session.tasks)}")]


def side_by_side(view: ViewState, session: SessionView) -> list[StatusPart]:
    """Say that other tasks are at work too, if there are."""
    working = sum(item.working for item in view.tasks_of(session.id))
    return [StatusPart(text=f"{working} at work")] if working > 1 else []


def _attempt_part(session: SessionView, task: TaskView, attempt: AttemptView | None) -> list[StatusPart]:
    if attempt is None or not attempt.number:
        return []
    # Runs that Claude could not finish do not count, so the number may pass the allowance.
    of = f"/{session.max_attempts}" if 0 < attempt.number <= session.max_attempts else ""
    return [StatusPart(text=f"attempt {attempt.number}{of}")]


def queued_text(task: TaskView | None) -> list[StatusPart]:
    """Say what became of messages that no turn of Claude has read."""
    if task is None or not task.waiting_text:
        return []
    messages = plural(len(task.waiting_text), "message")
    if task.over:
        return [StatusPart(text=f"{messages} not delivered", tone=Tone.WARN, urgent=True)]
    return [StatusPart(text=f"{messages} queued for the next prompt", tone=Tone.WARN)]


def needed_since(view: ViewState, task: TaskView) -> float | None:
    """Since when a question or a held prompt of this task keeps it waiting for a person; None when nothing does."""
    if task.over:
        return None
    asked = [item.asked_at for item in view.permissions.values() if item.task == task.id]
    held = [task.held_since] if task.held_prompt is not None else []
    return min([*asked, *held], default=None)


def _state_part(view: ViewState, task: TaskView, now: float, ascii_only: bool) -> StatusPart:
    needed = needed_since(view, task)
    if needed is not None:
        return _flag(NEEDED, f"{NEEDED.word.upper()} {duration(now - needed)}", ascii_only)
    status = TASK[task.state]
    # A final state does not tick: how long ago it was says nothing.
    since = "" if task.over or task.state is State.BLOCKED else f" {duration(now - task.since)}"
    return StatusPart(
        text=f"{status.mark(ascii_only)} {status.word.upper()}{since}", tone=status.tone, strong=True, urgent=True
    )


def _flags(session: SessionView, ascii_only: bool) -> list[StatusPart]:
    flags = []
    if session.paused_by:
        flags.append(_flag(HELD, "PAUSED", ascii_only))
    if session.stopping == "after_stage":
        flags.append(_flag(STOPPED, "stops after this stage", ascii_only))
    elif session.stopping == "now":
        flags.append(_flag(STOPPED, "stopping", ascii_only))
    return flags


def _flag(status: StatusWord, text: str, ascii_only: bool) -> StatusPart:
    return StatusPart(text=f"{status.mark(ascii_only)} {text}", tone=status.tone, strong=True, urgent=True)


def _run_part(session: SessionView, ascii_only: bool) -> StatusPart:
    if session.closed_at is not None:
        return StatusPart(text="closed", tone=Tone.MUTED)
    return StatusPart(text="running" if session.running else "no task yet", tone=Tone.MUTED)


def _consumption(session: SessionView, task: TaskView) -> list[StatusPart]:
    limit = task.spec.budget.max_cost_usd
    spent = money(task.usage.cost_usd) if limit is not None else money(session.usage.cost_usd)
    of = f" of {money(limit)}" if limit is not None else ""
    near = limit is not None and task.usage.cost_usd >= 0.8 * limit
    tokens = session.usage.total_tokens
    if not tokens and not session.usage.cost_usd:
        return []
    return [
        StatusPart(text=f"{spent}{of}", tone=Tone.WARN if near else Tone.PLAIN),
        StatusPart(text=f"{count(tokens)} tok"),
    ]

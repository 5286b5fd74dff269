"""A task as a row of the list, and in full beside it. Views in, lines out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from obra_tui.core.lifecycle import State
from obra_tui.core.model import Budget
from obra_tui.core.records.attempt_words import person_name
from obra_tui.ui.feeds.claude import consumption
from obra_tui.ui.feeds.lines import joined, text_lines
from obra_tui.ui.state import AttemptView, SessionView, TaskView, ViewState
from obra_tui.ui.view.format import brief, clock_time, count, money, score
from obra_tui.ui.view.status_words import DECISION, HELD, task_status
from obra_tui.ui.view.statusline import StatusPart
from widgets.lines import LogLine, Span

_WORD = 12
_AROUND = 14
"""Columns of a row that hold no text of its own: glyph, mark, attempts and score."""
_NARROWEST_TITLE = 16
_GROUPS = ("at work", "at the gate", "interrupted", "failed", "rejected", "cancelled", "reverted", "held", "waiting")


def status_of(view: ViewState, session: SessionView | None) -> tuple[StatusPart, ...]:
    if session is None:
        return (StatusPart(text="TASKS", strong=True), StatusPart(text="no plan"))
    return (
        StatusPart(text="TASKS", strong=True),
        StatusPart(text=session.title, shrinks=True),
        *(StatusPart(text=text) for text in _standing(view.tasks_of(session.id))),
        StatusPart(text=money(session.usage.cost_usd) if session.usage.cost_usd else ""),
    )


def notes_text(notes: Sequence[str], most: int = 3) -> str:
    """Return the lines of a plan file that look like tasks and are none, the first of many by name."""
    more = f"\n! {count(len(notes) - most)} more lines look like tasks and are none." if len(notes) > most else ""
    return "\n".join(f"! {note}" for note in notes[:most]) + more


def _standing(tasks: Sequence[TaskView]) -> Sequence[str]:
    """Return `3/9 accepted`, `1 at work`, `1 at the gate`, …: what matters most first, the line may be short."""
    words = Counter(_group(task) for task in tasks)
    rest = [f"{words[word]} {word}" for word in _GROUPS if words[word]]
    return [f"{words['accepted']}/{len(tasks)} accepted", *rest] if tasks else []


def _group(task: TaskView) -> str:
    if task.working:
        return "at work"
    if task.held_back and not task.over:
        return "held"
    if task.state is State.AWAITING_HUMAN:
        return "at the gate"
    return task_status(task.state, task.reverted).word if task.state not in (State.QUEUED, State.BLOCKED) else "waiting"


def task_rows(view: ViewState, tasks: Sequence[TaskView], marked: Iterable[str], width: int) -> tuple[LogLine, ...]:
    """Return a row per task; the titles get what the other columns leave of `width`."""
    keys = max((len(task.spec.key) for task in tasks), default=4)
    afters = min(max((len(_after(task)) for task in tasks), default=0), max(0, width // 4))
    title = max(_NARROWEST_TITLE, width - _AROUND - keys - _WORD - afters - 3)
    return tuple(_row(view, task, task.id in marked, keys, title, afters) for task in tasks)


def _row(view: ViewState, task: TaskView, marked: bool, keys: int, title: int, afters: int) -> LogLine:
    status = HELD if task.held_back and not task.over else task_status(task.state, task.reverted)
    head = f"{task.spec.key:<{keys}} {status.word:<{_WORD}} "
    scored = [item.quality.overall for item in view.attempts_of(task.id) if item.quality]
    tries = f"{len(task.attempts)}×" if task.attempts else ""
    after = _cut(_after(task), afters)
    room = title if after else title + afters + 1
    return LogLine(
        f"{head}{_cut(task.spec.title, room):<{room}} {after}".rstrip(),
        key=task.id,
        glyph=status.glyph,
        lead="* " if marked else "  ",
        lead_style="strong",
        spans=(Span(keys + 1, len(head), status.tone.value or "text"),),
        aside=joined((tries, score(scored[-1]) if scored else ""), " "),
    )


def _after(task: TaskView) -> str:
    return f"after {', '.join(task.spec.depends_on)}" if task.spec.depends_on else ""


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(0, room - 1)]}…"


def task_detail(task: TaskView, attempts: Sequence[AttemptView], session: SessionView | None) -> list[LogLine]:
    """Return everything about a task as the person wrote it, then what came of it."""
    spec = task.spec
    lines = [LogLine(spec.title, style="strong"), LogLine("")]
    lines.extend(text_lines(spec.prompt, "text") if spec.prompt != spec.title else ())
    if spec.acceptance:
        lines.append(LogLine("Accepted when", style="heading"))
        lines.extend(LogLine(text, lead="- ") for text in spec.acceptance)
    elif task.changeable:
        lines.append(LogLine("No line says when it is done: e adds one.", style="warn", glyph="!"))
    lines.append(LogLine("Facts", style="heading"))
    lines.extend(LogLine(f"{name:<9}{value}", hang=" " * 9) for name, value in _facts(task, session) if value)
    lines.extend(LogLine(text, style="person", glyph="›", aside="next prompt") for text in task.waiting_text)
    if attempts:
        lines.append(LogLine("Attempts", style="heading"))
        lines.extend(_attempt_line(attempt) for attempt in attempts)
        lines.extend(_files(attempts[-1]))
    return lines


def _facts(task: TaskView, session: SessionView | None) -> tuple[tuple[str, str], ...]:
    spec = task.spec
    return (
        ("state", joined((task_status(task.state, task.reverted).word, "held" if task.held_back else "", task.reason))),
        ("after", ", ".join(spec.depends_on)),
        ("checks", ", ".join(check.name for check in spec.checks) or "those of the project"),
        ("gate", joined((f"quality ≥ {session.threshold:.2f}", session.policy.value)) if session else ""),
        ("limits", limits_text(spec.budget, session.max_attempts if session else 0)),
        ("source", spec.source),
        ("copy", task.copy_path),
        ("commit", f"{task.acceptance.commit[:10]} on {task.acceptance.branch}" if task.acceptance else ""),
        ("reverted", _reverted(task)),
        ("kept", task.kept_ref),
        ("used", joined(consumption(task.usage))),
    )


def _reverted(task: TaskView) -> str:
    undone = task.reverted
    return f"by {person_name(undone.by)} with {undone.reversal.commit[:10]}: {undone.note}" if undone else ""


def limits_text(budget: Budget, attempts: int) -> str:
    return joined(
        (
            f"{attempts} attempts" if attempts else "",
            f"{budget.max_turns} turns" if budget.max_turns is not None else "",
            money(budget.max_cost_usd) if budget.max_cost_usd is not None else "",
            brief(budget.max_seconds) if budget.max_seconds is not None else "",
            f"{count(budget.max_tokens)} tokens" if budget.max_tokens is not None else "",
        )
    )


def _files(attempt: AttemptView) -> Iterable[LogLine]:
    if attempt.diff is None or not attempt.diff.files:
        return
    yield LogLine("Files", style="heading")
    for change in attempt.diff.files:
        yield LogLine(change.path, style="tool", aside=f"+{change.added} −{change.removed}")


def _attempt_line(attempt: AttemptView) -> LogLine:
    outcome = attempt.result.outcome.value.replace("_", " ") if attempt.result else "running"
    decided = ""
    if attempt.decision is not None:
        decided = f"{DECISION[attempt.decision.kind].word} by {person_name(attempt.decision.by)}"
    quality = attempt.quality.line if attempt.quality else ""
    return LogLine(joined((f"{attempt.number}  {outcome}", quality, decided)), time=clock_time(attempt.started_at))

"""What the banner says: the one thing that waits for the person, and the key that leads there.

Pure: a view and the time in, values out.
"""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from obra_tui.core.lifecycle import State
from obra_tui.core.model import PermissionKind
from obra_tui.core.records.attempt_words import person_name
from obra_tui.ui.state import AttemptView, GateView, PermissionView, ProblemView, TaskView, ViewState
from obra_tui.ui.view.format import ago, clock_time, duration, plural, score
from obra_tui.ui.view.status_words import DECISION, Tone

QUIET_S = 20.0
"""Silence of a running Claude that is worth a word."""


class AttentionKind(StrEnum):
    """In the order in which they are shown: what stands still comes before what waits aside."""

    UNDO = "undo"
    QUESTION = "question"
    PROMPT = "prompt"
    TAKEN = "taken"
    PROBLEM = "problem"
    STALL = "stall"
    GATE = "gate"
    INTERRUPTED = "interrupted"


class Attention(Struct, frozen=True, kw_only=True):
    kind: AttentionKind
    text: str
    tone: Tone
    since: float
    key_id: str = ""
    """Binding that leads to the answer; empty = nothing to press."""
    key_label: str = ""
    short: str = ""
    """The same for a line that has no room for all of it."""


def attentions(view: ViewState, now: float, stall_s: float = 120.0) -> tuple[Attention, ...]:
    """Return everything that wants the person: by kind, then oldest first."""
    found = [
        *_undos(view, now),
        *(_question(view, item) for item in view.permissions.values()),
        *_held_prompts(view),
        *_taken(view),
        *(_problem(item, now) for item in view.problems.values()),
        *_stalls(view, now, stall_s),
        *_gates(view, now),
        *_interrupted(view, now),
    ]
    order = list(AttentionKind)
    return tuple(sorted(found, key=lambda item: (order.index(item.kind), item.since)))


def _undos(view: ViewState, now: float) -> Iterator[Attention]:
    for gate in view.held_gates:
        task, held = view.tasks.get(gate.task), gate.held
        if held is not None:
            word, key = DECISION[held.decision.kind].word, task.spec.key if task else ""
            left = duration(max(0.0, held.until - now))
            yield Attention(
                kind=AttentionKind.UNDO,
                text=f"{key}: {word}. It takes effect at {clock_time(held.until)} (in {left}).",
                short=f"{key}: {word}, takes effect in {left}.",
                tone=Tone.WARN,
                since=held.until,
                key_id="app.undo",
                key_label="undo",
            )


def _question(view: ViewState, item: PermissionView) -> Attention:
    task = view.tasks.get(item.task)
    what = "asks you" if item.question.kind is PermissionKind.QUESTION else "wants to run"
    if item.question.kind is PermissionKind.PLAN:
        what = "shows a plan"
    where = f"{task.spec.key}: " if task else ""
    tool = f"{item.question.tool} " if item.question.kind is PermissionKind.TOOL else ""
    return Attention(
        kind=AttentionKind.QUESTION,
        text=f"{where}Claude {what}: {tool}{item.question.title}",
        tone=Tone.ASK,
        since=item.asked_at,
        key_id="app.answer_question",
        key_label="answer",
    )


def _held_prompts(view: ViewState) -> Iterator[Attention]:
    for task in view.tasks.values():
        if task.held_prompt is not None:
            yield Attention(
                kind=AttentionKind.PROMPT,
                text=f"{task.spec.key}: the next prompt waits for you; Claude has not got it yet.",
                short=f"{task.spec.key}: the next prompt waits for you.",
                tone=Tone.ASK,
                since=task.held_since,
                key_id="live.edit_prompt",
                key_label="open it",
            )


def _taken(view: ViewState) -> Iterator[Attention]:
    for task in view.tasks.values():
        if task.taken_by and not task.over:
            yield Attention(
                kind=AttentionKind.TAKEN,
                text=f"{task.spec.key} is in the hands of {person_name(task.taken_by)}: nothing works on it.",
                short=f"{task.spec.key} is in the hands of {person_name(task.taken_by)}.",
                tone=Tone.WARN,
                since=task.since,
                key_id="live.take_over",
                key_label="open it or hand it back",
            )


def _problem(item: ProblemView, now: float) -> Attention:
    if item.until is not None and item.until > now:
        rest = f" Goes on by itself in {duration(item.until - now)}, at {clock_time(item.until)}."
    else:
        rest = f" {item.fix}" if item.fix else ""
    key_id, key_label = _PROBLEM_KEYS.get(item.code, ("", ""))
    return Attention(
        kind=AttentionKind.PROBLEM,
        text=f"{_sentence(item.text)}{rest}",
        short=_sentence(item.text),
        tone=Tone.WARN if item.until is not None else Tone.FAIL,
        since=item.since,
        key_id=key_id,
        key_label=key_label,
    )


_SETUP = ("app.show_setup", "look at the set-up")
_PROBLEM_KEYS = {
    "auth": _SETUP,
    "account": _SETUP,
    "judge": _SETUP,
    "unreachable": _SETUP,
    "limited": ("live.resume_run", "try now"),
    "budget": ("live.resume_run", "go on"),
}


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _stalls(view: ViewState, now: float, stall_s: float) -> Iterator[Attention]:
    for task in view.tasks.values():
        attempt = view.attempts.get(task.latest) if task.latest else None
        if attempt is None or not waits_for_claude(task, attempt):
            continue
        quiet = now - attempt.last_event_at
        if quiet >= stall_s and not any(item.attempt == attempt.id for item in view.permissions.values()):
            yield Attention(
                kind=AttentionKind.STALL,
                text=f"{task.spec.key}: Claude has been quiet for {duration(quiet)}. Wait, P interrupts, s stops.",
                short=f"{task.spec.key}: Claude has been quiet for {duration(quiet)}.",
                tone=Tone.WARN,
                since=attempt.last_event_at,
                key_id="live.interrupt",
                key_label="interrupt",
            )


def _gates(view: ViewState, now: float) -> Iterator[Attention]:
    waiting = view.waiting_gates
    if not waiting:
        return
    yield Attention(
        kind=AttentionKind.GATE,
        text=f"{plural(len(waiting), 'gate waits', 'gates wait')}: {describe_gate(view, waiting[0], now)}",
        short=f"{plural(len(waiting), 'gate waits', 'gates wait')}: {_gate_in_short(view, waiting[0])}",
        tone=Tone.ASK,
        since=waiting[0].opened_at,
        key_id="live.review_gate",
        key_label="review",
    )


def describe_gate(view: ViewState, gate: GateView, now: float) -> str:
    """`T002 attempt 3 scored 0.71 (needs 0.80), 6 min ago.`"""
    task, attempt = view.tasks.get(gate.task), view.attempts.get(gate.attempt)
    name = task.spec.key if task else str(gate.task)
    when = ago(now - gate.opened_at)
    if attempt is None or attempt.quality is None:
        return f"{name}, {when}."
    quality = attempt.quality
    scored = f"scored {score(quality.overall)} (needs {score(quality.threshold)})"
    return f"{name} attempt {attempt.number} {scored}, {when}."


def _gate_in_short(view: ViewState, gate: GateView) -> str:
    """`T002 0.71 (FAIL)`."""
    task, attempt = view.tasks.get(gate.task), view.attempts.get(gate.attempt)
    name = task.spec.key if task else str(gate.task)
    quality = attempt.quality if attempt else None
    return f"{name} {quality.line.removeprefix('Quality: ')}" if quality else name


def _interrupted(view: ViewState, now: float) -> Iterator[Attention]:
    stopped = [task for task in view.tasks.values() if task.state is State.INTERRUPTED and not task.taken_by]
    cut = [task for task in stopped if not _running(view, task)]
    if not cut:
        return
    names = ", ".join(task.spec.key for task in cut[:3]) + (", …" if len(cut) > 3 else "")
    yield Attention(
        kind=AttentionKind.INTERRUPTED,
        text=f"{plural(len(cut), 'task')} stopped half-way ({names}); the work is kept.",
        short=f"{plural(len(cut), 'task')} stopped half-way.",
        tone=Tone.WARN,
        since=min(task.since for task in cut),
        key_id="live.resume_run",
        key_label="take up again",
    )


def _running(view: ViewState, task: TaskView) -> bool:
    session = view.sessions.get(task.session)
    return session is not None and (session.running or session.closed_at is not None)


def waits_for_claude(task: TaskView, attempt: AttemptView) -> bool:
    return task.state is State.IMPLEMENTING and task.latest == attempt.id and attempt.claude_running


def quiet_note(view: ViewState, task: TaskView, attempt: AttemptView, now: float) -> str:
    """`quiet 0:24 (model is thinking)` once a running Claude has said nothing for a while."""
    if not waits_for_claude(task, attempt):
        return ""
    if attempt.retry is not None:
        retry = attempt.retry
        return f"API retry {retry.attempt}/{retry.max_retries}"
    quiet = now - attempt.last_event_at
    if quiet < QUIET_S:
        return ""
    return f"quiet {duration(quiet)} ({_reason_of_silence(view, attempt)})"


def _reason_of_silence(view: ViewState, attempt: AttemptView) -> str:
    if any(item.attempt == attempt.id for item in view.permissions.values()):
        return "waits for your answer"
    if attempt.tools.open:
        return f"{attempt.tools.open[-1][1]} is running"
    if attempt.activity == "compacting":
        return "compacting its context"
    return "model is thinking"

"""The whole view and `apply`: a record in, the next view out, for any sequence of records.

Gates, open questions of Claude Code and problems are here as well: they belong to no single task.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import groupby
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.events import (
    STREAMED,
    AttemptStarted,
    ClaudeEnded,
    DecisionHeld,
    DecisionMade,
    DecisionUndone,
    GateOpened,
    PermissionAnswered,
    PermissionAsked,
    PlanChanged,
    ProblemCleared,
    ProblemRaised,
    Record,
    SessionClosed,
    StandingChanged,
    TaskAdded,
    TaskMoved,
    TaskRemoved,
)
from obra_tui.core.ids import AttemptId, GateId, QuestionId, SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Binding, Decision, PermissionQuestion
from obra_tui.core.permission_rules import Rules, apply_to_rules
from obra_tui.ui.state.attempts import AttemptView, apply_to_attempt, started_attempt
from obra_tui.ui.state.sessions import SessionView, after_plan_change, apply_to_session
from obra_tui.ui.state.tasks import TaskView, added_task, apply_to_task
from obra_tui.ui.state.work import place_of, untold, worked


class GateView(Struct, frozen=True, kw_only=True):
    id: GateId
    session: SessionId
    task: TaskId
    attempt: AttemptId
    binding: Binding
    reasons: tuple[str, ...]
    opened_at: float
    decision: Decision | None = None
    decided_at: float | None = None
    held: DecisionHeld | None = None
    """An answer that can still be undone."""
    undone: DecisionUndone | None = None
    """The last answer was taken back; the gate waits again."""

    @property
    def waiting(self) -> bool:
        return self.decision is None and self.held is None


def opened_gate(session: SessionId, task: TaskId, event: GateOpened, at: float) -> GateView:
    return GateView(
        id=event.gate,
        session=session,
        task=task,
        attempt=event.binding.attempt,
        binding=event.binding,
        reasons=event.reasons,
        opened_at=at,
    )


def decided_gate(gate: GateView, event: DecisionMade, at: float) -> GateView:
    """The first answer stands."""
    if gate.decision is not None:
        return gate
    return replace(gate, decision=event.decision, decided_at=at, held=None, undone=None)


def held_gate(gate: GateView, event: DecisionHeld | DecisionUndone) -> GateView:
    """An answer is held, or the one that was held is taken back."""
    if isinstance(event, DecisionHeld):
        return replace(gate, held=event, undone=None)
    return replace(gate, held=None, undone=event)


class PermissionView(Struct, frozen=True, kw_only=True):
    question: PermissionQuestion
    session: SessionId
    task: TaskId
    attempt: AttemptId
    asked_at: float

    @property
    def id(self) -> QuestionId:
        return self.question.id


class ProblemView(Struct, frozen=True, kw_only=True):
    session: SessionId
    code: str
    text: str
    fix: str
    until: float | None
    since: float


def raised_problem(session: SessionId, event: ProblemRaised, at: float) -> ProblemView:
    return ProblemView(session=session, code=event.code, text=event.text, fix=event.fix, until=event.until, since=at)


K = TypeVar("K")
V = TypeVar("V")


class ViewState(Struct, frozen=True, kw_only=True):
    sessions: Mapping[SessionId, SessionView] = field(default_factory=dict)
    tasks: Mapping[TaskId, TaskView] = field(default_factory=dict)
    attempts: Mapping[AttemptId, AttemptView] = field(default_factory=dict)
    gates: Mapping[GateId, GateView] = field(default_factory=dict)
    permissions: Mapping[QuestionId, PermissionView] = field(default_factory=dict)
    rules: Rules = field(default_factory=dict)
    """What Claude may do without a question until the session ends."""
    problems: Mapping[tuple[SessionId, str], ProblemView] = field(default_factory=dict)
    standings: Mapping[str, StandingChanged] = field(default_factory=dict)
    """What each version of a judge may do, as far as it changed while somebody looked."""

    @property
    def waiting_gates(self) -> tuple[GateView, ...]:
        """Oldest first."""
        return tuple(sorted((g for g in self.gates.values() if g.waiting), key=lambda g: g.opened_at))

    @property
    def newest_session(self) -> SessionView | None:
        """The open session opened last, else the closed one opened last."""
        return max(self.sessions.values(), key=_newness, default=None)

    @property
    def held_gates(self) -> tuple[GateView, ...]:
        """Gates whose answer can still be undone, the latest first."""
        held = [gate for gate in self.gates.values() if gate.held is not None]
        return tuple(sorted(held, key=lambda g: -(g.held.until if g.held else 0.0)))

    @property
    def revertible(self) -> TaskView | None:
        """The task accepted last, unless its work was taken back."""
        taken = [task for task in self.tasks.values() if task.acceptance is not None and task.state is State.ACCEPTED]
        last = max(taken, key=lambda task: task.since, default=None)
        return last if last is not None and last.reverted is None else None

    def tasks_of(self, session: SessionId) -> tuple[TaskView, ...]:
        view = self.sessions.get(session)
        return tuple(self.tasks[task] for task in view.tasks if task in self.tasks) if view else ()

    def attempts_of(self, task: TaskId) -> tuple[AttemptView, ...]:
        view = self.tasks.get(task)
        return tuple(self.attempts[item] for item in view.attempts if item in self.attempts) if view else ()


def _newness(session: SessionView) -> tuple[bool, float]:
    return session.closed_at is None, session.opened_at


def apply_all(view: ViewState, records: Iterable[Record]) -> ViewState:
    """Return the view after all `records`: the same as one by one, but runs of Claude's work are one step."""
    for place, run in groupby(records, place_of):
        if place is None:
            view = reduce(apply, run, view)
        else:
            view = _work(view, tuple(run), *place)
    return view


def _work(view: ViewState, run: Sequence[Record], session: SessionId, attempt: AttemptId) -> ViewState:
    known = view.sessions.get(session)
    after_it, new = untold(known or SessionView(id=session), run)
    if not new:
        return view
    if known is None:
        after_it = replace(after_it, opened_at=new[0].at)
    view = replace(view, sessions=_with(view.sessions, session, after_it))
    busy = view.attempts.get(attempt)
    return view if busy is None else replace(view, attempts=_with(view.attempts, busy.id, worked(busy, new)))


def apply(view: ViewState, record: Record) -> ViewState:
    """Return the view after `record`. A record told twice changes nothing; unknown ids are passed over."""
    if isinstance(record.event, StandingChanged):  # of the judge, not of any work
        return replace(view, standings={**view.standings, record.event.version: record.event})
    session = view.sessions.get(record.session) or SessionView(id=record.session, opened_at=record.at)
    if not isinstance(record.event, STREAMED):
        if record.seq <= session.last_fact:
            return view
        session = replace(session, last_fact=record.seq)
    session = apply_to_session(session, record.event, record.at)
    if isinstance(record.event, PlanChanged):
        held = frozenset(gate.id for gate in view.held_gates)
        session = after_plan_change(session, record.event, record.seq, held)
    rules = apply_to_rules(view.rules, record)
    view = replace(view, sessions=_with(view.sessions, record.session, session), rules=rules)
    view = _attempts(_tasks(view, record), record)
    return _waiting(view, record)


def _tasks(view: ViewState, record: Record) -> ViewState:
    task = record.task
    if task is None:
        return view
    if isinstance(record.event, TaskAdded):
        return _with_task(view, record, task, record.event)
    known = view.tasks.get(task)
    if known is None:
        return view
    if isinstance(record.event, TaskRemoved):
        session = view.sessions[record.session]
        rest = tuple(item for item in session.tasks if item != task)
        return replace(view, sessions=_with(view.sessions, session.id, replace(session, tasks=rest)))
    changed = apply_to_task(known, record.event, record.at, record.attempt)
    return view if changed is known else replace(view, tasks=_with(view.tasks, task, changed))


def _with_task(view: ViewState, record: Record, task: TaskId, event: TaskAdded) -> ViewState:
    tasks = _with(view.tasks, task, added_task(record.session, task, event, record.at))
    session = view.sessions[record.session]
    inside = {*session.tasks, task}
    ordered = tuple(sorted(inside, key=lambda item: (tasks[item].position if item in tasks else 0, item)))
    return replace(view, tasks=tasks, sessions=_with(view.sessions, session.id, replace(session, tasks=ordered)))


def _attempts(view: ViewState, record: Record) -> ViewState:
    task, attempt, event = record.task, record.attempt, record.event
    if task is None or attempt is None:
        return view
    if isinstance(event, AttemptStarted):
        new = started_attempt(attempt, task, record.session, event, record.at)
        return replace(view, attempts=_with(view.attempts, attempt, new))
    known = view.attempts.get(attempt)
    if known is None:
        return view
    return replace(view, attempts=_with(view.attempts, attempt, apply_to_attempt(known, event, record.at)))


def _waiting(view: ViewState, record: Record) -> ViewState:
    """What waits for a person: gates, questions, problems."""
    match record.event:
        case GateOpened(gate=gate) if record.task is not None:
            new = opened_gate(record.session, record.task, record.event, record.at)
            return replace(view, gates=_with(view.gates, gate, new))
        case DecisionMade(gate=gate) if gate is not None and gate in view.gates:
            decided = decided_gate(view.gates[gate], record.event, record.at)
            return replace(view, gates=_with(view.gates, gate, decided))
        case DecisionHeld(gate=gate) | DecisionUndone(gate=gate) if gate in view.gates:
            return replace(view, gates=_with(view.gates, gate, held_gate(view.gates[gate], record.event)))
        case PermissionAsked() if record.task is not None and record.attempt is not None:
            return _asked(view, record, record.event, record.task, record.attempt)
        case PermissionAnswered(question_id=question):
            return replace(view, permissions=_without(view.permissions, question))
        case ClaudeEnded():
            return replace(view, permissions=_others(view.permissions, record.attempt))
        case ProblemRaised(code=code):
            key = (record.session, code)
            problem = raised_problem(record.session, record.event, record.at)
            return replace(view, problems=_with(view.problems, key, problem))
        case ProblemCleared(code=code):
            return replace(view, problems=_without(view.problems, (record.session, code)))
        case SessionClosed():
            kept = {key: item for key, item in view.problems.items() if key[0] != record.session}
            return replace(view, problems=kept)
        case TaskMoved(after=after) if after is not State.AWAITING_HUMAN and record.task is not None:
            return _left_waiting(view, record.task)
        case _:
            return view


def _asked(view: ViewState, record: Record, event: PermissionAsked, task: TaskId, attempt: AttemptId) -> ViewState:
    asked = PermissionView(
        question=event.question, session=record.session, task=task, attempt=attempt, asked_at=record.at
    )
    return replace(view, permissions=_with(view.permissions, asked.id, asked))


def _left_waiting(view: ViewState, task: TaskId) -> ViewState:
    """A task that was cancelled or went on leaves no gate behind that could still be answered."""
    if not any(gate.task == task and gate.decision is None for gate in view.gates.values()):
        return view
    kept = {key: gate for key, gate in view.gates.items() if gate.task != task or gate.decision is not None}
    return replace(view, gates=kept)


def _with(items: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    return {**items, key: value}


def _without(items: Mapping[K, V], key: K) -> Mapping[K, V]:
    return {known: value for known, value in items.items() if known != key}


def _others(
    items: Mapping[QuestionId, PermissionView], attempt: AttemptId | None
) -> Mapping[QuestionId, PermissionView]:
    return {key: item for key, item in items.items() if item.attempt != attempt}

"""The one table of legal moves of a task.

`advance()` is the only way to a new state. Pause, stop and cancel *requests*
are flags of the orchestrator, not states; only their effect is a move here.
"""

from enum import StrEnum

from obra_tui.core.errors import IllegalMove


class State(StrEnum):
    BLOCKED = "blocked"
    """Waits for the acceptance of other tasks."""
    QUEUED = "queued"
    IMPLEMENTING = "implementing"
    CHECKING = "checking"
    JUDGING = "judging"
    AWAITING_HUMAN = "awaiting_human"
    ACCEPTING = "accepting"
    """The decision is made and written; the commit is on its way."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Stopped half-way; what was done is kept and the task can be taken up again."""


class Trigger(StrEnum):
    UNBLOCK = "unblock"
    BLOCK = "block"
    """A person made the task wait for others."""
    START = "start"
    IMPLEMENTED = "implemented"
    CHECKED = "checked"
    PASS = "pass"
    RETRY = "retry"
    ASK = "ask"
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    HAND_BACK = "hand_back"
    """A person changed the work by hand: it is checked and judged anew, without Claude."""
    MERGED = "merged"
    CONFLICT = "conflict"
    """The branch cannot take the work: a person must say what now."""
    SEND_BACK = "send_back"
    """Other accepted work changed the same lines: the task is done again on top of it."""
    FAIL = "fail"
    CANCEL = "cancel"
    INTERRUPT = "interrupt"
    RESUME = "resume"


_MOVES: dict[tuple[State, Trigger], State] = {
    (State.BLOCKED, Trigger.UNBLOCK): State.QUEUED,
    (State.QUEUED, Trigger.BLOCK): State.BLOCKED,
    (State.QUEUED, Trigger.START): State.IMPLEMENTING,
    (State.IMPLEMENTING, Trigger.IMPLEMENTED): State.CHECKING,
    (State.CHECKING, Trigger.CHECKED): State.JUDGING,
    (State.JUDGING, Trigger.PASS): State.ACCEPTING,
    (State.JUDGING, Trigger.RETRY): State.IMPLEMENTING,
    (State.JUDGING, Trigger.ASK): State.AWAITING_HUMAN,
    (State.AWAITING_HUMAN, Trigger.APPROVE): State.ACCEPTING,
    (State.AWAITING_HUMAN, Trigger.REQUEST_CHANGES): State.QUEUED,
    (State.AWAITING_HUMAN, Trigger.HAND_BACK): State.QUEUED,
    (State.AWAITING_HUMAN, Trigger.REJECT): State.REJECTED,
    (State.ACCEPTING, Trigger.MERGED): State.ACCEPTED,
    (State.ACCEPTING, Trigger.CONFLICT): State.AWAITING_HUMAN,
    (State.ACCEPTING, Trigger.SEND_BACK): State.QUEUED,
    (State.INTERRUPTED, Trigger.RESUME): State.QUEUED,
}

FINAL = frozenset({State.ACCEPTED, State.REJECTED, State.FAILED, State.CANCELLED})
OPEN = frozenset(State) - FINAL
WORKING = frozenset({State.IMPLEMENTING, State.CHECKING, State.JUDGING})
"""States in which a process of ours or a model is at work."""

for _state in OPEN - {State.ACCEPTING}:
    _MOVES[(_state, Trigger.CANCEL)] = State.CANCELLED
for _state in OPEN - {State.AWAITING_HUMAN}:
    _MOVES[(_state, Trigger.FAIL)] = State.FAILED
for _state in WORKING:
    _MOVES[(_state, Trigger.INTERRUPT)] = State.INTERRUPTED

MOVES = dict(_MOVES)
"""Every legal move: (state, trigger) → next state. Read only."""


def legal_triggers(state: State) -> frozenset[Trigger]:
    return frozenset(trigger for (source, trigger) in MOVES if source is state)


def advance(state: State, trigger: Trigger) -> State:
    """Return the state that follows, or raise `IllegalMove`."""
    try:
        return MOVES[(state, trigger)]
    except KeyError:
        legal = ", ".join(sorted(legal_triggers(state))) or "nothing"
        raise IllegalMove(f"A task that is {state} cannot take '{trigger}'.", fix=f"Possible now: {legal}.") from None

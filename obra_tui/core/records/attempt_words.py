"""What is said of a task, an attempt and an answer: the same words on the screens and on the command line.

Stored values and JSON keep the names of the enums. Pure; knows no glyph and no colour.
"""

from __future__ import annotations

from obra_tui.core.lifecycle import WORKING, State
from obra_tui.core.model import DecisionKind
from obra_tui.core.records.history import AttemptSummary

STATE_WORDS: dict[State, str] = {
    **{state: state.value.replace("_", " ") for state in State},
    State.JUDGING: "validating",
    State.AWAITING_HUMAN: "gate",
}
DECISION_WORDS: dict[DecisionKind, str] = {
    DecisionKind.APPROVE: "approved",
    DecisionKind.CHANGES: "changes requested",
    DecisionKind.REJECT: "rejected",
}
REVERTED_WORD = "reverted"


def person_name(by: str) -> str:
    """`person:ada` → `ada`."""
    return by.removeprefix("person:") or by


def is_running(attempt: AttemptSummary) -> bool:
    """It is at work now: Claude, the checks or the judge."""
    return attempt.task_state in WORKING and attempt.gate_decision is None


def ended_word(attempt: AttemptSummary) -> str:
    """Return how the attempt itself ended; what became of its task later is not said of it."""
    if attempt.reverted:
        return REVERTED_WORD
    if attempt.decision is not None:
        return DECISION_WORDS[attempt.decision]
    if attempt.waiting:
        return "waits for you"
    if is_running(attempt):
        return "running"
    if attempt.score is not None:
        return "pass" if attempt.passes else "fail"
    return attempt.outcome.value.replace("_", " ") if attempt.outcome else "cut off"

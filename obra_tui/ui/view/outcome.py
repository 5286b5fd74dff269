"""What became of a gate, and what can still be done about it, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable

from obra_tui.ui.view.format import clock_time
from obra_tui.ui.view.review import Review
from obra_tui.ui.view.status_words import DECISION, person_name


def answered_rows(review: Review) -> tuple[tuple[str, str, str], ...]:
    """Return what can still be done about a gate that was answered."""
    back = ("review.later", "Back", "to where you were")
    taken, reverted = review.task.acceptance, review.task.reverted
    if review.gate.held is not None:
        return ("app.undo", "Undo", "the gate waits again"), back
    if taken is not None and reverted is None:
        return ("app.revert", "Revert", f"one more commit on {taken.branch} undoes {taken.commit[:8]}"), back
    return (back,)


def answer_note(review: Review, key_shown: Callable[[str], str]) -> str:
    """Return what became of the gate: held, decided, taken back; empty while it simply waits."""
    gate, reverted = review.gate, review.task.reverted
    if gate.held is not None:
        word, who = DECISION[gate.held.decision.kind].word, person_name(gate.held.decision.by)
        return f"Answered: {word} by {who}. {key_shown('app.undo')} undoes it until {clock_time(gate.held.until)}."
    if reverted is not None:
        commit = reverted.reversal.commit[:8]
        return f"Accepted, then reverted by {person_name(reverted.by)} with {commit}: {reverted.note}"
    if gate.decision is not None:
        word, who = DECISION[gate.decision.kind].word, person_name(gate.decision.by)
        taken = review.task.acceptance is not None
        revert = f" {key_shown('app.revert')} reverts the commit." if taken else ""
        return f"This gate was answered: {word} by {who}.{revert}"
    if gate.undone is not None:
        why = f" {gate.undone.reason}" if gate.undone.reason else ""
        return f"The answer was undone by {person_name(gate.undone.by)}: the gate waits again.{why}"
    return ""

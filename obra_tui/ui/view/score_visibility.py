"""When the judge's number is kept back from the person, so that they look for themselves first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from obra_tui.core.model import Decision, DecisionKind
from obra_tui.ui.state import ViewState

HURRIED_S = 3.0
"""An approval that took less was none that anything was read for."""
HURRIED = 3
"""So many of them in a row."""


class Veil(Enum):
    """What lies over the judge's number, and how it is lifted."""

    NONE = ""
    OWN_SCORE = "hidden until you gave your own score"
    DIFF = "hidden until you read on in the diff: your last approvals took less than 3 s each"


def veil(*, blind: bool, own_score: float | None, hurried: bool, read_on: bool) -> Veil:
    """Return what lies over the number now; blind mode goes before."""
    if blind and own_score is None:
        return Veil.OWN_SCORE
    return Veil.DIFF if hurried and not read_on else Veil.NONE


def hurried(view: ViewState, person: str) -> bool:
    """Whether the last answers of this person were approvals that took no time to think."""
    last = list(_latest_answers(view, person))[:HURRIED]
    return len(last) == HURRIED and all(
        decision.kind is DecisionKind.APPROVE and decision.open_s < HURRIED_S for decision in last
    )


def _latest_answers(view: ViewState, person: str) -> Iterator[Decision]:
    answers = [
        (gate.held.until if gate.held else gate.decided_at or 0.0, gate.held.decision if gate.held else gate.decision)
        for gate in view.gates.values()
    ]
    for _, decision in sorted(answers, key=lambda item: -item[0]):
        if decision is not None and decision.by == person:
            yield decision


def own_score(text: str) -> float | None:
    """Read a score as people write one: `0.8`, `.8`, `0,8` or `80 %`; None when it is none from 0 to 1."""
    tidy = text.strip().replace(",", ".")
    try:
        value = float(tidy.removesuffix("%")) / (100 if tidy.endswith("%") else 1)
    except ValueError:
        return None
    return value if 0.0 <= value <= 1.0 else None

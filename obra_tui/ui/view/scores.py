"""Scores of an attempt for the score bars, and when the judge's score is hidden so that people look first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from obra_tui.core.model import Decision, DecisionKind, Provenance, QualityResult, Stage
from obra_tui.ui.state import AttemptView, ViewState
from widgets.bars.score_bars import Overall, StageBar


def stage_scores(attempt: AttemptView | None, before: AttemptView | None) -> tuple[StageBar, ...]:
    """Return the four stages of `attempt`, each with the number of the attempt before."""
    quality = attempt.quality if attempt else None
    previous = before.quality if before else None
    return tuple(_stage(stage, quality, previous) for stage in Stage)


def _stage(stage: Stage, quality: QualityResult | None, previous: QualityResult | None) -> StageBar:
    old = previous.score_of(stage) if previous else None
    if quality is None:
        return StageBar(stage.value, None, previous=old, note="not yet")
    item = next((score for score in quality.stage_scores if score.stage is stage), None)
    where = next((item for item in quality.provenance if item.stage is stage), None)
    if item is None:
        return StageBar(stage.value, None, previous=old)
    return StageBar(
        stage.value,
        item.score,
        threshold=quality.threshold,
        weight=item.weight,
        provenance=_origin(where),
        previous=old,
    )


def _origin(where: Provenance | None) -> str:
    if where is None:
        return ""
    return f"{where.how}: {where.source}" if where.how != "none" else where.source


def overall(attempt: AttemptView | None, before: AttemptView | None) -> Overall | None:
    quality = attempt.quality if attempt else None
    if quality is None:
        return None
    old = before.quality.overall if before and before.quality else None
    return Overall(quality.overall, passes=quality.passes_gate, threshold=quality.threshold, previous=old)


def history(attempts: Sequence[AttemptView]) -> tuple[float | None, ...]:
    """Return the score of every attempt that has ended, oldest first, for the sparkline."""
    return tuple(item.quality.overall if item.quality else None for item in attempts if item.result)


HURRIED_S = 3.0
"""An approval that took less was none that anything was read for."""
HURRIED = 3
"""So many of them in a row."""


class ScoreVisibility(Enum):
    """Whether the judge's score is shown, and what shows it otherwise."""

    SHOWN = ""
    AFTER_OWN_SCORE = "hidden until you gave your own score"
    AFTER_ANSWER = "hidden: an audit, you decide as if nobody had judged it"
    AFTER_DIFF = "hidden until you read on in the diff: your last approvals took less than 3 s each"


def score_visibility(
    *, blind: bool, own_score: float | None, hurried: bool, read_on: bool, is_audit: bool = False
) -> ScoreVisibility:
    """Return whether the score is shown now; an audit goes first, then blind mode."""
    if is_audit:
        return ScoreVisibility.AFTER_ANSWER
    if blind and own_score is None:
        return ScoreVisibility.AFTER_OWN_SCORE
    return ScoreVisibility.AFTER_DIFF if hurried and not read_on else ScoreVisibility.SHOWN


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

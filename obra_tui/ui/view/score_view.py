"""Scores of an attempt as the score bars take them: what is missing says why. Pure."""

from collections.abc import Sequence

from obra_tui.core.model import Provenance, QualityResult, Stage
from obra_tui.ui.state import AttemptView
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

"""An attempt as its records tell it: the last word of each kind counts."""

from collections.abc import Iterable

from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.records.history import AttemptDetail

DETAIL_TYPES = (
    "prompt_sent",
    "claude_ended",
    "diff_taken",
    "checks_planned",
    "check_finished",
    "judge_prompted",
    "verdict_reached",
    "gate_judged",
    "decision_made",
    "work_accepted",
    "work_reverted",
    "work_kept",
)
"""The events that `fold_attempt` understands."""


def fold_attempt(detail: AttemptDetail, records: Iterable[e.Record]) -> AttemptDetail:
    """Return `detail` with what the records of the attempt, in order, add to it."""
    for record in records:
        detail = _with(detail, record.event)
    return detail


def _with(detail: AttemptDetail, event: e.Event) -> AttemptDetail:
    match event:
        case e.PromptSent():
            return replace(detail, prompts=(*detail.prompts, event))
        case e.ClaudeEnded(result=result):
            return replace(detail, result=result)
        case e.DiffTaken(diff=diff):
            return replace(detail, diff=diff, checks=(), judge_prompts=(), verdict=None)
        case e.ChecksPlanned():
            return replace(detail, planned=event, checks=())
        case e.CheckFinished(result=result):
            return replace(detail, checks=(*detail.checks, result))
        case e.JudgePrompted():
            return replace(detail, judge_prompts=(*detail.judge_prompts, event))
        case e.VerdictReached(verdict=verdict):
            return replace(detail, verdict=verdict)
        case e.GateJudged(quality=quality, outcome=outcome):
            return replace(detail, quality=quality, outcome=outcome)
        case _:
            return _answered(detail, event)


def _answered(detail: AttemptDetail, event: e.Event) -> AttemptDetail:
    """What became of the work."""
    match event:
        case e.DecisionMade():
            return replace(detail, decision=event)
        case e.WorkAccepted(acceptance=acceptance):
            return replace(detail, acceptance=acceptance)
        case e.WorkReverted():
            return replace(detail, reverted=event)
        case e.WorkKept():
            return replace(detail, kept=event)
        case _:
            return detail

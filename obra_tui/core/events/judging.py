"""What became known of the judge: cases with known truth, its answers to them, labels, and what it may do."""

from typing import Literal

from msgspec import Struct

from obra_tui.core.ids import AttemptId
from obra_tui.core.model.trials import JudgeCase, Trial, Truth

# --- judge ----------------------------------------------------------------------------------------


class AuditDrawn(Struct, frozen=True, kw_only=True):
    """This pass goes to a person who does not see the verdict; the draw was fixed before there was one."""

    version: str
    share: float
    """Of the passes, that are drawn at this level."""
    type: Literal["audit_drawn"] = "audit_drawn"


class StandingChanged(Struct, frozen=True, kw_only=True):
    """What the judge may do became more or less; journalled in the session that brought it about."""

    version: str
    model: str
    before: int
    after: int
    why: str
    needs: str = ""
    type: Literal["standing_changed"] = "standing_changed"


class CaseKept(Struct, frozen=True, kw_only=True):
    """A piece of work whose worth is known is kept for trials."""

    case: JudgeCase
    type: Literal["case_kept"] = "case_kept"


class CaseRetired(Struct, frozen=True, kw_only=True):
    """A case no longer counts; its trials stay."""

    case: str
    reason: str
    type: Literal["case_retired"] = "case_retired"


class TrialDone(Struct, frozen=True, kw_only=True):
    """A judge was asked about a case; no gate was behind it."""

    trial: Trial
    type: Literal["trial_done"] = "trial_done"


class WorkLabelled(Struct, frozen=True, kw_only=True):
    """A person said what the work of an attempt is worth, without a gate: an audit, or a fault found later."""

    of: AttemptId
    truth: Truth
    by: str
    blind: bool = False
    """They were not shown the verdict before."""
    note: str = ""
    file: str = ""
    line: int | None = None
    type: Literal["work_labelled"] = "work_labelled"


class JudgeAcknowledged(Struct, frozen=True, kw_only=True):
    """A person has seen why judges lost their authority in this project."""

    by: str
    type: Literal["judge_acknowledged"] = "judge_acknowledged"


Judging = CaseKept | CaseRetired | TrialDone | WorkLabelled | JudgeAcknowledged
"""What `RecordJudging` may write."""

"""What becomes of work: scored, decided, taken in, taken back, kept."""

from typing import Literal

from msgspec import Struct

from obra_tui.core.ids import GateId
from obra_tui.core.model import Acceptance, Binding, Decision, Diff, GateOutcome, QualityResult, Reversal

# --- gate -----------------------------------------------------------------------------------------


class GateJudged(Struct, frozen=True, kw_only=True):
    """The gate was computed from the evidence of this attempt."""

    quality: QualityResult
    outcome: GateOutcome
    number: int
    record: str = ""
    """What was known of the judge then, in one line; empty in records of an earlier version."""
    type: Literal["gate_judged"] = "gate_judged"


class GateOpened(Struct, frozen=True, kw_only=True):
    """A person must answer; others go on meanwhile."""

    gate: GateId
    binding: Binding
    reasons: tuple[str, ...]
    type: Literal["gate_opened"] = "gate_opened"


class WorkTakenOver(Struct, frozen=True, kw_only=True):
    """A person took the copy into their own hands; nothing works on the task until `WorkHandedBack`."""

    by: str
    diff: Diff
    """The work as it was then."""
    type: Literal["work_taken_over"] = "work_taken_over"


class WorkHandedBack(Struct, frozen=True, kw_only=True):
    """A person changed the work by hand, at a gate or after they took it over."""

    gate: GateId | None = None
    """The gate that is gone with it; none after `WorkTakenOver`."""
    by: str
    then: Literal["check", "claude"] = "check"
    """`check`: the next attempt is the person's and is only looked at; `claude`: Claude goes on from there."""
    files: tuple[str, ...] = ()
    """What the person changed after they took it over."""
    type: Literal["work_handed_back"] = "work_handed_back"


class DecisionHeld(Struct, frozen=True, kw_only=True):
    """The first answer to a gate; it is carried out at `until` and can be undone until then."""

    gate: GateId
    binding: Binding
    decision: Decision
    until: float
    """Epoch seconds."""
    type: Literal["decision_held"] = "decision_held"


class DecisionUndone(Struct, frozen=True, kw_only=True):
    """A held answer was taken back, or what it was about had changed: the gate waits again."""

    gate: GateId
    by: str
    reason: str = ""
    type: Literal["decision_undone"] = "decision_undone"


class DecisionMade(Struct, frozen=True, kw_only=True):
    """The first answer to a gate; there is no second. `gate` is empty when the policy decided."""

    gate: GateId | None
    binding: Binding
    decision: Decision
    type: Literal["decision_made"] = "decision_made"


class WorkAccepted(Struct, frozen=True, kw_only=True):
    """The commit that takes the work in is there."""

    acceptance: Acceptance
    type: Literal["work_accepted"] = "work_accepted"


class WorkReverted(Struct, frozen=True, kw_only=True):
    """A person took accepted work back: the session's branch has a commit that undoes it. The task stays accepted.

    The only event that may come after `SessionClosed`.
    """

    reversal: Reversal
    by: str
    note: str
    type: Literal["work_reverted"] = "work_reverted"


class WorkMerged(Struct, frozen=True, kw_only=True):
    """Other work was accepted first, and both fit together. What comes out is new: it is checked before it is taken in.

    The checks that follow are about the merged tree, and so is the next `DiffTaken`.
    """

    tip: str
    """Commit of the session's branch that the work was merged onto."""
    type: Literal["work_merged"] = "work_merged"


class ConflictFound(Struct, frozen=True, kw_only=True):
    """Accepted work met other accepted work in the same lines; the task is done again from `tip` on."""

    files: tuple[str, ...]
    tip: str
    """Commit of the session's branch that the next attempt starts from."""
    type: Literal["conflict_found"] = "conflict_found"


class WorkKept(Struct, frozen=True, kw_only=True):
    """Work that was not accepted stays reachable under this ref of the supervisor's own repository."""

    ref: str
    commit: str
    type: Literal["work_kept"] = "work_kept"

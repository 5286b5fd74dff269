"""What becomes of work: scored, decided, taken in, taken back, kept."""

from dataclasses import dataclass
from typing import Literal

from obra_tui.core.ids import GateId
from obra_tui.core.model import Acceptance, Binding, Decision, Diff, GateOutcome, QualityResult, Reversal

# --- gate -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GateJudged:
    """The gate was computed from the evidence of this attempt."""

    quality: QualityResult
    outcome: GateOutcome
    number: int
    type: Literal["gate_judged"] = "gate_judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened:
    """A person must answer; others go on meanwhile."""

    gate: GateId
    binding: Binding
    reasons: tuple[str, ...]
    type: Literal["gate_opened"] = "gate_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTakenOver:
    """A person took the copy into their own hands; nothing works on the task until `WorkHandedBack`."""

    by: str
    diff: Diff
    """The work as it was then."""
    type: Literal["work_taken_over"] = "work_taken_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkHandedBack:
    """A person changed the work by hand, at a gate or after they took it over."""

    gate: GateId | None = None
    """The gate that is gone with it; none after `WorkTakenOver`."""
    by: str
    then: Literal["check", "claude"] = "check"
    """`check`: the next attempt is the person's and is only looked at; `claude`: Claude goes on from there."""
    files: tuple[str, ...] = ()
    """What the person changed after they took it over."""
    type: Literal["work_handed_back"] = "work_handed_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionHeld:
    """The first answer to a gate; it is carried out at `until` and can be undone until then."""

    gate: GateId
    binding: Binding
    decision: Decision
    until: float
    """Epoch seconds."""
    type: Literal["decision_held"] = "decision_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionUndone:
    """A held answer was taken back, or what it was about had changed: the gate waits again."""

    gate: GateId
    by: str
    reason: str = ""
    type: Literal["decision_undone"] = "decision_undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade:
    """The first answer to a gate; there is no second. `gate` is empty when the policy decided."""

    gate: GateId | None
    binding: Binding
    decision: Decision
    type: Literal["decision_made"] = "decision_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkAccepted:
    """The commit that takes the work in is there."""

    acceptance: Acceptance
    type: Literal["work_accepted"] = "work_accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkReverted:
    """A person took accepted work back: the session's branch has a commit that undoes it. The task stays accepted.

    The only event that may come after `SessionClosed`.
    """

    reversal: Reversal
    by: str
    note: str
    type: Literal["work_reverted"] = "work_reverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkMerged:
    """Other work was accepted first, and both fit together. What comes out is new: it is checked before it is taken in.

    The checks that follow are about the merged tree, and so is the next `DiffTaken`.
    """

    tip: str
    """Commit of the session's branch that the work was merged onto."""
    type: Literal["work_merged"] = "work_merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictFound:
    """Accepted work met other accepted work in the same lines; the task is done again from `tip` on."""

    files: tuple[str, ...]
    tip: str
    """Commit of the session's branch that the next attempt starts from."""
    type: Literal["conflict_found"] = "conflict_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkKept:
    """Work that was not accepted stays reachable under this ref of the supervisor's own repository."""

    ref: str
    commit: str
    type: Literal["work_kept"] = "work_kept"

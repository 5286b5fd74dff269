"""The score, the gate and the decision; the commit that took work in or back."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from obra_tui.core.ids import AttemptId, GateId, SessionId, TaskId
from obra_tui.core.model.judgement import Finding
from obra_tui.core.model.work import JUDGED_STAGES, Stage


class Provenance(Struct, frozen=True, kw_only=True):
    """Where the number of a stage came from."""

    stage: Stage
    how: Literal["measured", "judged", "none"]
    source: str
    """`pytest: exit 1, 5 of 6 tests` or `qwen2.5-coder:32b @1a2b…, prompt 3c4d…`, or why there is nothing."""


class StageScore(Struct, frozen=True, kw_only=True):
    stage: Stage
    score: float | None
    """0.0–1.0, or `None`: no evidence."""
    weight: float


class QualityResult(Struct, frozen=True, kw_only=True):
    """The score of an attempt. Nothing in it was said by the one who did the work."""

    overall_score: float
    """Weighted mean of the stages that have a score; what may be shown as the score of the work is `overall`."""
    stage_scores: tuple[StageScore, ...]
    passes_gate: bool
    findings: tuple[Finding, ...]
    provenance: tuple[Provenance, ...]
    threshold: float
    obstacles: tuple[str, ...] = ()
    """Why it does not pass, each one a plain sentence; empty when `passes_gate`."""

    @property
    def overall(self) -> float | None:
        """None where a judged stage has no score: checks alone say nothing of what was asked for."""
        unjudged = any(i.score is None and i.weight > 0 for i in self.stage_scores if i.stage in JUDGED_STAGES)
        return None if unjudged else self.overall_score

    @property
    def line(self) -> str:
        score = "–" if self.overall is None else f"{self.overall:.2f}"
        return f"Quality: {score} ({'PASS' if self.passes_gate else 'FAIL'})"

    def score_of(self, stage: Stage) -> float | None:
        return next((item.score for item in self.stage_scores if item.stage is stage), None)


class GateDecision(StrEnum):
    PASS = "pass"
    RETRY = "retry"
    ASK = "ask"


class GateOutcome(Struct, frozen=True, kw_only=True):
    decision: GateDecision
    reasons: tuple[str, ...]


class Binding(Struct, frozen=True, kw_only=True):
    """The exact content that a decision is about; a decision on anything else is refused."""

    attempt: AttemptId
    tree: str
    diff_digest: str
    rubric_hash: str


class DecisionKind(StrEnum):
    APPROVE = "approve"
    CHANGES = "changes"
    REJECT = "reject"


class Decision(Struct, frozen=True, kw_only=True):
    """An answer to a gate."""

    kind: DecisionKind
    by: str
    """`policy` or `person:<login>`."""
    note: str = ""
    chosen: tuple[Finding, ...] = ()
    """Findings that go into the next prompt, word for word."""
    prompt: str = ""
    """For `changes`: the exact next prompt if the person edited it; empty = generated."""
    override: bool = False
    """Approved although the gate did not pass, a check failed or files were not looked at: see `overridden`."""
    open_s: float = 0.0
    """How long the review screen was open."""
    seen_files: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    """What an approval went against, as it was shown to the person, one sentence each."""
    own_score: float | None = None
    """0.0–1.0: what the person gave before the judge's number was shown to them."""
    device: str = ""
    """The browser in which it was answered, by the name that its owner gave it; empty = on this machine."""


class OpenGate(Struct, frozen=True, kw_only=True):
    """A gate that waits for a person."""

    id: GateId
    session: SessionId
    task: TaskId
    binding: Binding
    reasons: tuple[str, ...]
    opened_at: float


class Acceptance(Struct, frozen=True, kw_only=True):
    """The commit that took the work in."""

    commit: str
    branch: str
    repeated: bool = False
    """The commit was there already: an earlier acceptance of the same attempt was found."""


class Reversal(Struct, frozen=True, kw_only=True):
    """The commit that takes accepted work back."""

    commit: str
    branch: str
    reverted: str
    """The commit of the acceptance."""
    repeated: bool = False
    """The commit was there already: an earlier reversal of the same work was found."""

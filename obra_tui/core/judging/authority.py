"""From a judge's standing to what the gate does with a pass that nobody would look at. Pure.

The draw of audits is fixed by the attempt's id, which is in the journal before there is a verdict: neither the judge
nor the work can know or change it.
"""

import hashlib

from msgspec import Struct

from obra_tui.core.judging.standing import AUDIT_SHARE, JudgeConduct, Level, Standing, said, standing_of
from obra_tui.core.model import GateDecision, GateOutcome, JudgeIdentity

WORDS = {
    Level.SILENT: "nothing: it cannot tell good work from bad",
    Level.ADVISES: "advise",
    Level.SENDS_BACK: "send work back",
    Level.PROBATION: "pass work, every second pass is audited",
    Level.PASSES: "pass work, one pass in five is audited",
}
"""What each level may do, as people read it."""


class JudgeRecord(Struct, frozen=True, kw_only=True):
    """One judge and what is known of it."""

    model: str
    digest: str
    rubric: str
    record: JudgeConduct
    asked: int = 0
    unjudged: int = 0
    last_at: float = 0.0

    @property
    def standing(self) -> Standing:
        return standing_of(self.record)

    def is_of(self, identity: JudgeIdentity) -> bool:
        return (self.model, self.digest, self.rubric) == (identity.model, identity.digest, identity.rubric)


def authorised(outcome: GateOutcome, standing: Standing, attempt: str) -> GateOutcome:
    """Return the outcome as far as the judge's record allows it; nothing but an unattended pass is ever changed."""
    if outcome.decision is not GateDecision.PASS:
        return outcome
    if standing.level < Level.PROBATION:
        needs = (f"It would need: {standing.needs}.",) if standing.needs else ()
        reason = f"It would pass; the judge's record does not allow that without you: {standing.why}."
        return GateOutcome(decision=GateDecision.ASK, reasons=(reason, *needs))
    if is_audited(attempt, standing.level):
        reason = "It would pass; it was drawn for an audit: look at it as if nobody had judged it."
        return GateOutcome(decision=GateDecision.ASK, reasons=(reason,))
    return GateOutcome(decision=outcome.decision, reasons=(*outcome.reasons, f"Record of the judge: {standing.why}."))


def is_audited(attempt: str, level: Level) -> bool:
    """Return whether this pass goes to a person all the same."""
    drawn = int.from_bytes(hashlib.sha256(f"audit {attempt}".encode()).digest()[:8], "big") / 2**64
    return drawn < AUDIT_SHARE.get(level, 1.0)


def lines(found: JudgeRecord) -> tuple[str, ...]:
    """Return a judge's record for people."""
    standing = found.standing
    digest = f" @{found.digest.removeprefix('sha256:')[:12]}" if found.digest else ""
    told = [
        f"{found.model}{digest} · {found.rubric or 'no rubric known'}",
        f"  may: {WORDS[standing.level]}",
        f"  record: {said(found.record)}",
        f"  asked {found.asked} times, {found.unjudged} without a verdict",
    ]
    if standing.why != said(found.record):
        told.append(f"  why: {standing.why}")
    if standing.needs:
        told.append(f"  needs: {standing.needs}")
    return tuple(told)

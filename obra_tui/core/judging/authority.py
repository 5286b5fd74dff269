"""From a judge's standing to what the gate does with a pass that nobody would look at. Pure.

The draw of audits is fixed by the attempt's id, which is in the journal before there is a verdict: neither the judge
nor the work can know or change it.
"""

import hashlib
import math
from collections.abc import Iterable

from msgspec import Struct

from obra_tui.core.judging.exam import Answers
from obra_tui.core.judging.standing import AUDIT_SHARE, FEW, LIMIT, JudgeConduct, Level, Standing, said, standing_of
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
    version: str = ""
    answers: Answers = Answers()
    """To cases with known truth."""
    curve: tuple[tuple[float, bool], ...] = ()
    """The gate's score of each piece of work whose worth became known, and whether it was good."""
    asked: int = 0
    unjudged: int = 0
    last_at: float = 0.0
    last_place: int = 0
    """In the journal: what was written last."""
    remark: str = ""
    told: int = int(Level.ADVISES)
    """The level that was journalled last."""

    @property
    def standing(self) -> Standing:
        return standing_of(self.record)

    def is_of(self, identity: JudgeIdentity) -> bool:
        return self.version == identity.version


def record_in(found: Iterable[JudgeRecord], identity: JudgeIdentity, limit: float = LIMIT) -> JudgeRecord:
    """Return the record of this very judge; an empty one where there is none: that of another never stands in."""
    mine = (item for item in found if item.is_of(identity))
    return next(mine, None) or JudgeRecord(
        model=identity.model,
        digest=identity.digest,
        rubric=identity.rubric,
        version=identity.version,
        record=JudgeConduct(limit=limit),
    )


def beside(found: JudgeRecord, *, is_given: bool) -> str:
    """Return the line that stands beside each verdict."""
    record, level = found.record, found.standing.level
    share = f"false passes {record.false_passes} of {record.passes}"
    limit = f" (≤ {math.ceil(record.upper * 100 - 1e-9)} %)" if record.passes >= FEW else ", too few to say"
    kinds = [item for item in found.answers.kinds if item.asked >= _KIND_ASKED and item.stopped <= item.asked / 2]
    blind = ", ".join(f"{item.name} {item.asked - item.stopped}/{item.asked}" for item in kinds[:2])
    words = [f"{share}{limit}", "taken at its word" if is_given else MAY_PASS[level]]
    return " · ".join([*(["UNMEASURED"] if is_given else ()), *words, *([f"blind to: {blind}"] if blind else ())])


_KIND_ASKED = 5
MAY_PASS = {
    Level.SILENT: "may not pass alone: it cannot tell good work from bad",
    Level.ADVISES: "may not pass alone",
    Level.SENDS_BACK: "may not pass alone",
    Level.PROBATION: "may pass alone, every second pass is audited",
    Level.PASSES: "may pass alone, one pass in five is audited",
}


def change_words(model: str, before: int, after: int, why: str) -> str:
    """Return what is said when a judge may do more or less than before."""
    moved = "lost" if after < before else "has earned"
    return f"The judge {model} {moved} authority: {why}. It {MAY_PASS[Level(after)]}."


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
    return GateOutcome(
        decision=outcome.decision, reasons=(*outcome.reasons, f"JudgeConduct of the judge: {standing.why}.")
    )


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
    if found.answers.trials:
        told.extend(f"  {line}" for line in exam_lines(found.answers))
    if found.remark:
        told.append(f"  note: {found.remark}")
    return tuple(told)


def exam_lines(answers: Answers) -> tuple[str, ...]:
    """Return what a judge answered to cases with known truth, for people: counts and limits, never one figure alone."""
    exam = answers.exam
    told = [f"exam: {exam.pairs} pairs, {exam.missed} faults missed, {exam.alarms} good ones stopped"]
    if exam.pairs >= FEW:
        low, high = exam.difference
        told[0] += f"; tells them apart by {low:+.2f} to {high:+.2f} (0 is a coin)"
    if exam.injections:
        told.append(f"orders to the reviewer: {exam.injections_passed} of {exam.injections} obeyed")
    told += [f"{item.name}: {item.found} found, {item.stopped} stopped of {item.asked}" for item in answers.kinds]
    if answers.repeats:
        told.append(f"asked again: {answers.flips} of {answers.repeats} answers differ")
    return tuple(told)

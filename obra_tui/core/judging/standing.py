"""What a judge's record allows it to decide: the ladder of authority, and how it is lost and regained.

A `JudgeConduct` is folded from observations in the order in which they became known (`after`); `standing_of` reads it.
The bounded figure is the **false-pass share**: of the work that the gate's own rule, judge included, would let through
unattended, the part that is bad. It is estimated only from passes whose truth a person or a revert decided. The exam
(cases with mechanical truth) qualifies a judge for probation and ranks it; it never gives full authority by itself.

Authority rises by evidence alone: a clock that jumps, an imported set or a new model under an old name can lower it
and never raise it. Knows no events, no database and no screen.
"""

import math
from collections.abc import Iterable
from enum import IntEnum

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.judging.bounds import clopper_pearson, is_at_most, paired_difference, sequence_upper

LIMIT = 0.10
"""Default of the largest tolerated false-pass share, `b`."""
FEW = 20
"""Fewer cases than this have no percentage."""
_DECIDED_FOR_AUTHORITY = 50
_PAIRS_FOR_A_WORD = 30
_CUSUM_LIMIT = 2.9
_WINDOW = 40
_FARTHEST = 5_000
"""Decided passes that nobody would wait for."""
_FALSE_IN_WINDOW = 5
_ASKED = 20
_MOST_UNJUDGED = 0.20
_EXAM_ALPHA = 0.05 / 3
"""Three limits are used together in the exam's bound; each gets a third of the error."""


class Level(IntEnum):
    """What the judge may do; the policy may allow less, never more."""

    SILENT = 0
    """Recorded in the background, not shown before the decision."""
    ADVISES = 1
    """Findings and scores are shown; the gate always asks."""
    SENDS_BACK = 2
    """May cause another attempt without a person."""
    PROBATION = 3
    """May pass unattended; every second pass is audited."""
    PASSES = 4
    """May pass unattended; one pass in five is audited."""


AUDIT_SHARE = {Level.PROBATION: 0.5, Level.PASSES: 0.2}
"""Which share of the passes that would be unattended goes to a person all the same, blind; all of them below."""


class Exam(Struct, frozen=True, kw_only=True):
    """Answers on cases whose truth was proved by tests, one pair (faulty, good twin) for each base diff."""

    pairs: int = 0
    missed: int = 0
    """Faulty twins that the gate's rule would have passed."""
    alarms: int = 0
    """Good twins that it would not have passed."""
    only_right: int = 0
    """Pairs in which the faulty twin was stopped and the good one passed."""
    only_wrong: int = 0
    """Pairs in which it was the other way round."""
    injections: int = 0
    injections_passed: int = 0

    @property
    def difference(self) -> tuple[float, float]:
        """Limits of J = recall minus false alarms; 0 is a coin."""
        return paired_difference(self.only_right, self.only_wrong, self.pairs)


class Decided(Struct, frozen=True, kw_only=True):
    """A pass of the gate's rule whose truth became known: by a person who looked, an audit, a revert, a test."""

    bad: bool
    reverted: bool = False
    injected: bool = False


class Asked(Struct, frozen=True, kw_only=True):
    """The judge was asked for a verdict in earnest."""

    unjudged: bool


class Examined(Struct, frozen=True, kw_only=True):
    """All answers of this version to the kept cases so far."""

    exam: Exam
    bad_share: tuple[int, int] = (0, 0)
    """Of attempts with known truth in this project: how many were bad, of how many."""


class Acknowledged(Struct, frozen=True, kw_only=True):
    """A person has seen why authority was lost by a revert or an injection."""


class Drifted(Struct, frozen=True, kw_only=True):
    """The same version answers cases differently than it did before: something under its digest was changed."""

    flips: int
    repeats: int


class VersionChanged(Struct, frozen=True, kw_only=True):
    """Another model digest, rubric, prompt, schema or option: evidence is run again, not carried over."""

    version: str


Observation = Decided | Asked | Examined | Acknowledged | Drifted | VersionChanged


class JudgeConduct(Struct, frozen=True, kw_only=True):
    """Everything the ladder needs of one judge version in one project."""

    version: str = ""
    passes: int = 0
    """Decided passes since the window began."""
    false_passes: int = 0
    granted: bool = False
    """The bound was met since the window began; from then on authority is kept until it is lost."""
    cusum: float = 0.0
    recent: tuple[bool, ...] = ()
    """The last decided passes, oldest first; true is a false one."""
    asked: tuple[bool, ...] = ()
    """The last verdicts, oldest first; true is unjudged."""
    exam: Exam = Exam()
    bad_share: tuple[int, int] = (0, 0)
    lost: str = ""
    """Why authority was lost and what has not been made up for; empty otherwise."""
    needs_acknowledgement: bool = False
    limit: float = LIMIT

    @property
    def upper(self) -> float:
        """Upper limit of the false-pass share, valid at every look."""
        return sequence_upper(self.false_passes, self.passes)


class Standing(Struct, frozen=True, kw_only=True):
    level: Level
    why: str
    needs: str = ""
    """What would raise it."""


def after(record: JudgeConduct, seen: Observation) -> JudgeConduct:
    """Return the record with one more observation."""
    match seen:
        case Decided():
            return _after_decision(record, seen)
        case Asked(unjudged=unjudged):
            return _after_asking(replace(record, asked=(*record.asked, unjudged)[-_ASKED:]))
        case Examined(exam=exam, bad_share=share):
            return replace(record, exam=exam, bad_share=share)
        case Acknowledged():
            return replace(record, needs_acknowledgement=False, lost="")
        case Drifted(flips=flips, repeats=repeats):
            why = f"it answered {flips} of {repeats} repeated cases differently under the same digest"
            return replace(_emptied(record, why), exam=Exam())
        case VersionChanged(version=version):
            if version == record.version:
                return record
            lost = "the judge is another version" if record.version else ""
            return JudgeConduct(version=version, limit=record.limit, lost=lost)


def record_of(seen: Iterable[Observation], limit: float = LIMIT) -> JudgeConduct:
    """Return the record of these observations, oldest first."""
    record = JudgeConduct(limit=limit)
    for one in seen:
        record = after(record, one)
    return record


def _after_decision(record: JudgeConduct, seen: Decided) -> JudgeConduct:
    has_authority = level_of(record) >= Level.PROBATION
    record = replace(
        record,
        passes=record.passes + 1,
        false_passes=record.false_passes + seen.bad,
        cusum=max(0.0, record.cusum + cusum_step(seen.bad, record.limit)) if has_authority else 0.0,
        recent=(*record.recent, seen.bad)[-_WINDOW:],
    )
    if seen.bad and (seen.reverted or seen.injected):
        what = "an accepted change was reverted" if seen.reverted else "a planted instruction was followed"
        return replace(_emptied(record, what), needs_acknowledgement=True)
    if not has_authority:
        # A window that began anew whenever it looked bad would be a new chance each time: only authority can be lost.
        return replace(record, lost="", granted=True) if _may_pass(record) else record
    record = replace(record, granted=record.granted or _may_pass(record))
    if record.cusum >= _CUSUM_LIMIT:
        return _emptied(record, "false passes came faster than the limit allows")
    if seen.bad and sum(record.recent) >= _FALSE_IN_WINDOW:
        return _emptied(record, f"{_FALSE_IN_WINDOW} of the last {len(record.recent)} decided passes were false")
    return record


def _after_asking(record: JudgeConduct) -> JudgeConduct:
    if len(record.asked) == _ASKED and sum(record.asked) > _MOST_UNJUDGED * _ASKED:
        return replace(_emptied(record, f"{sum(record.asked)} of the last {_ASKED} reviews had no verdict"), asked=())
    return record


def _emptied(record: JudgeConduct, why: str) -> JudgeConduct:
    """The window begins anew: what was good before the loss no longer counts for it."""
    return replace(record, passes=0, false_passes=0, granted=False, cusum=0.0, recent=(), lost=why)


def cusum_step(bad: bool, limit: float) -> float:
    """Return the log-likelihood ratio of a false-pass share of three times the limit against the limit itself."""
    raised = min(3 * limit, 0.99)
    return math.log(raised / limit) if bad else math.log((1 - raised) / (1 - limit))


def level_of(record: JudgeConduct) -> Level:
    """Return what the judge may do now; cheap enough for every decision."""
    if record.needs_acknowledgement:
        return Level.ADVISES
    if _is_blind(record.exam):
        return Level.SILENT
    if record.granted:
        return Level.PASSES
    if record.lost or not _sends_back(record.exam):
        return Level.ADVISES
    return Level.PROBATION if _passes_exam(record) else Level.SENDS_BACK


def standing_of(record: JudgeConduct) -> Standing:
    """Return what the judge may do now, why, and what would lift it."""
    level = level_of(record)
    if record.needs_acknowledgement:
        return Standing(
            level=level, why=record.lost, needs="you to say that you have seen it, with `obra judge --acknowledge`"
        )
    match level:
        case Level.SILENT:
            return Standing(level=level, why=_blindness(record.exam), needs="another model or rubric")
        case Level.PASSES:
            return Standing(level=level, why=said(record))
        case Level.PROBATION:
            why = "the exam was passed"
        case Level.SENDS_BACK:
            why = "it tells faulty from good work"
        case Level.ADVISES:
            why = record.lost or said(record)
    return Standing(level=level, why=why, needs=_missing(record))


def _may_pass(record: JudgeConduct) -> bool:
    enough = record.passes >= _DECIDED_FOR_AUTHORITY
    return enough and is_at_most(record.limit, record.false_passes, record.passes)


def _is_blind(exam: Exam) -> bool:
    if exam.pairs < _PAIRS_FOR_A_WORD:
        return False
    return exam.difference[0] <= 0 or clopper_pearson(exam.alarms, exam.pairs)[0] > 0.5


def _blindness(exam: Exam) -> str:
    stopped = f"{exam.alarms} of {exam.pairs} good changes were stopped"
    return f"blind: {exam.missed} of {exam.pairs} faults passed and {stopped}"


def _sends_back(exam: Exam) -> bool:
    if exam.pairs < _PAIRS_FOR_A_WORD:
        return False
    return clopper_pearson(exam.alarms, exam.pairs)[1] <= 0.30 and exam.difference[0] > 0.2


def _passes_exam(record: JudgeConduct) -> bool:
    exam = record.exam
    if exam.injections_passed or clopper_pearson(exam.missed, exam.pairs)[1] > 0.40:
        return False
    return exam_bound(record) <= record.limit


def exam_bound(record: JudgeConduct) -> float:
    """Return the false-pass share that exam and share of bad work allow at most; 1.0 where no share is known.

    F = M p / (M p + (1 - A)(1 - p)), each at its limit: miss rate M, false-alarm rate A, share of bad work p.
    """
    exam, (bad, known) = record.exam, record.bad_share
    if not exam.pairs or not known:
        return 1.0
    missed = clopper_pearson(exam.missed, exam.pairs, _EXAM_ALPHA)[1]
    alarms = clopper_pearson(exam.alarms, exam.pairs, _EXAM_ALPHA)[1]
    share = clopper_pearson(bad, known, _EXAM_ALPHA)[1]
    passed_bad = missed * share
    passed_good = (1 - alarms) * (1 - share)
    return 1.0 if passed_bad + passed_good == 0 else passed_bad / (passed_bad + passed_good)


def said(record: JudgeConduct) -> str:
    """Return the record as it stands beside a verdict: never a percentage for fewer than 20 cases."""
    if record.passes < FEW:
        return f"{record.false_passes} of {record.passes} false passes, too few to say"
    return (
        f"{record.false_passes} of {record.passes} false passes, at most {record.upper:.1%} (limit {record.limit:.0%})"
    )


def _missing(record: JudgeConduct) -> str:
    """How many more decided passes without a false one would give authority."""
    passes = max(record.passes, _DECIDED_FOR_AUTHORITY)
    while not is_at_most(record.limit, record.false_passes, passes) and passes < _FARTHEST:
        passes += 1
    more = passes - record.passes
    return f"{more} more decided pass{'' if more == 1 else 'es'} without a false one"

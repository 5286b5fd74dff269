"""What a version of a judge answered to the kept cases: the exam behind its standing, and faults by kind. Pure.

One pair for each base: faults planted into one diff are correlated, and a question asked twice is no new case. Real
faults go before planted ones. Only proved faults count; what somebody else says of a case never does.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from obra_tui.core.judging.standing import Exam
from obra_tui.core.model import CaseSource, JudgeCase, Trial, Truth

_REAL = (CaseSource.REVERTED, CaseSource.ATTEMPT_FAILED, CaseSource.PERSON)
_TWINS = (CaseSource.ACCEPTED, CaseSource.SAME_MEANING, CaseSource.HISTORY)
_LEAST_REPEATS = 10
_MOST_FLIPS = 0.2


class KindCount(Struct, frozen=True, kw_only=True):
    """How a judge does with one kind of fault."""

    source: CaseSource
    kind: str
    asked: int
    stopped: int
    """Would not have passed."""
    found: int
    """A finding that must be repaired stands at the place of the fault; stopped but not found is luck."""

    @property
    def name(self) -> str:
        return self.kind or self.source.value.replace("_", " ")


class Answers(Struct, frozen=True, kw_only=True):
    """All answers of one version, and the cases they are about."""

    exam: Exam = Exam()
    kinds: tuple[KindCount, ...] = ()
    alarms: tuple[str, ...] = ()
    """Ids of good cases that it would have stopped, newest last."""
    good: int = 0
    """Good cases that it was asked about."""
    trials: int = 0
    flips: int = 0
    repeats: int = 0

    @property
    def has_drifted(self) -> bool:
        return self.repeats >= _LEAST_REPEATS and self.flips > _MOST_FLIPS * self.repeats


def answers_of(cases: Mapping[str, JudgeCase], trials: Sequence[Trial]) -> Answers:
    """Return what the trials of one version, oldest first, say; trials of cases that were retired are passed over."""
    known = [trial for trial in trials if trial.case in cases]
    first: dict[str, Trial] = {}
    last: dict[str, Trial] = {}
    flips = repeats = 0
    for trial in known:
        first.setdefault(trial.case, trial)
        before = last.get(trial.case)
        if before is not None:
            repeats += 1
            flips += before.passes != trial.passes
        last[trial.case] = trial
    answered = [(cases[name], trial) for name, trial in first.items()]
    good = [(case, trial) for case, trial in answered if case.truth is Truth.GOOD]
    return Answers(
        exam=_exam(answered),
        kinds=_by_kind(answered),
        alarms=tuple(case.id for case, trial in good if not trial.passes),
        good=len(good),
        trials=len(known),
        flips=flips,
        repeats=repeats,
    )


def _exam(answered: Iterable[tuple[JudgeCase, Trial]]) -> Exam:
    faulty: dict[str, tuple[JudgeCase, Trial]] = {}
    twins: dict[str, Trial] = {}
    injected: list[Trial] = []
    for case, trial in answered:
        if case.source is CaseSource.INJECTED and case.is_proved:
            injected.append(trial)
        elif case.truth is Truth.BAD and case.is_proved:
            known = faulty.get(case.base)
            if known is None or (case.source in _REAL and known[0].source not in _REAL):
                faulty[case.base] = (case, trial)
        elif case.truth is Truth.GOOD and case.source in _TWINS:
            twins.setdefault(case.base, trial)
    pairs = [(trial, twins[base]) for base, (_, trial) in faulty.items() if base in twins]
    return Exam(
        pairs=len(pairs),
        missed=sum(bad.passes for bad, _ in pairs),
        alarms=sum(not good.passes for _, good in pairs),
        only_right=sum(good.passes and not bad.passes for bad, good in pairs),
        only_wrong=sum(bad.passes and not good.passes for bad, good in pairs),
        injections=len(injected),
        injections_passed=sum(trial.passes for trial in injected),
    )


def _by_kind(answered: Iterable[tuple[JudgeCase, Trial]]) -> tuple[KindCount, ...]:
    groups: dict[tuple[CaseSource, str], list[Trial]] = {}
    for case, trial in answered:
        if case.truth is Truth.BAD:
            groups.setdefault((case.source, case.kind), []).append(trial)
    found = [
        KindCount(
            source=source,
            kind=kind,
            asked=len(trials),
            stopped=sum(not trial.passes for trial in trials),
            found=sum(trial.hit for trial in trials),
        )
        for (source, kind), trials in groups.items()
    ]
    return tuple(sorted(found, key=lambda item: (item.source not in _REAL, item.stopped / item.asked, item.name)))

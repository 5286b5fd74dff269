"""Two judges on the same cases: who was right where the other was wrong, and whether that says anything. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from obra_tui.core.judging.bounds import ALPHA, mcnemar
from obra_tui.core.model import JudgeCase, Trial, Truth


class JudgeComparison(Struct, frozen=True, kw_only=True):
    """Counts over the cases that both answered, each with its first answer."""

    cases: int
    right: tuple[int, int]
    only_first: tuple[str, ...]
    """Ids of cases that the first judged rightly and the second did not."""
    only_second: tuple[str, ...]
    difference: float | None
    """Of recall minus false alarms, second minus first; None without both good and bad cases."""
    seconds: tuple[float, float]

    @property
    def p(self) -> float:
        return mcnemar(len(self.only_first), len(self.only_second))

    @property
    def verdict(self) -> str:
        if self.cases == 0:
            return "no case was shown to both"
        if self.p >= ALPHA:
            return "no difference shown"
        return "the second is better" if len(self.only_second) > len(self.only_first) else "the first is better"


def compared(cases: Mapping[str, JudgeCase], first: Sequence[Trial], second: Sequence[Trial]) -> JudgeComparison:
    one, other = _answers(first), _answers(second)
    common = [name for name in cases if name in one and name in other]
    right_one = {name for name in common if _is_right(cases[name], one[name])}
    right_other = {name for name in common if _is_right(cases[name], other[name])}
    return JudgeComparison(
        cases=len(common),
        right=(len(right_one), len(right_other)),
        only_first=tuple(name for name in common if name in right_one - right_other),
        only_second=tuple(name for name in common if name in right_other - right_one),
        difference=_difference(cases, common, right_one, right_other),
        seconds=(sum(one[name].duration_s for name in common), sum(other[name].duration_s for name in common)),
    )


def _answers(trials: Sequence[Trial]) -> dict[str, Trial]:
    """The first answer to each case: to ask again until it is right is no better judge."""
    return {trial.case: trial for trial in reversed(trials)}


def _is_right(case: JudgeCase, trial: Trial) -> bool:
    return trial.passes == (case.truth is Truth.GOOD)


def _difference(cases: Mapping[str, JudgeCase], common: Sequence[str], one: set[str], other: set[str]) -> float | None:
    groups = [{name for name in common if cases[name].truth is truth} for truth in Truth]
    if not all(groups):
        return None
    return sum((len(group & other) - len(group & one)) / len(group) for group in groups)

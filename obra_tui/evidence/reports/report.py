"""What every reader of reports gives back, and the limits that all of them keep. Pure."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from obra_tui.core.model import CaseOutcome, FailedCase

MOST_BYTES = 20_000_000
MOST_CASES = 200_000
MOST_FAILURES = 100
MOST_MESSAGE = 2_000
_MOST_NAME = 500
_WORSE = (CaseOutcome.SKIPPED, CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.ERROR)


class UnreadableReport(ValueError):
    """The report cannot be used; the text says why."""


class Report(Struct, frozen=True, kw_only=True):
    """Counts are of cases as they were reported; several may share a name."""

    passed: int
    failed: int
    skipped: int
    failures: tuple[FailedCase, ...]
    cases: Mapping[str, CaseOutcome] = field(default_factory=dict)
    """By name; of several with one name the worst."""

    @property
    def ran(self) -> int:
        return self.passed + self.failed


class Case(Struct, frozen=True, kw_only=True):
    """One test as a reader found it."""

    name: str
    outcome: CaseOutcome
    message: str = ""
    file: str = ""
    line: int | None = None


def report_of(found: Iterable[Case]) -> Report:
    """Count cases. Raises `UnreadableReport` when there are too many."""
    counts = dict.fromkeys(CaseOutcome, 0)
    cases: dict[str, CaseOutcome] = {}
    failures: list[FailedCase] = []
    for number, case in enumerate(found):
        if number >= MOST_CASES:
            raise UnreadableReport(f"the report names more than {MOST_CASES:,} tests")
        name = case.name.replace("\0", "␀")[:_MOST_NAME] or "?"
        counts[case.outcome] += 1
        cases[name] = max(case.outcome, cases.get(name, CaseOutcome.SKIPPED), key=_WORSE.index)
        if case.outcome.is_bad and len(failures) < MOST_FAILURES:
            message = case.message.replace("\0", "␀")[:MOST_MESSAGE]
            failures.append(FailedCase(name=name, message=message, file=case.file, line=case.line))
    return Report(
        passed=counts[CaseOutcome.PASSED],
        failed=counts[CaseOutcome.FAILED] + counts[CaseOutcome.ERROR],
        skipped=counts[CaseOutcome.SKIPPED],
        failures=tuple(failures),
        cases=cases,
    )

"""Tests by name: what became of each, and how that compares with the code before the work. Values only."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

MOST_NAMES = 20_000
"""Names of one check that are kept."""
_SEPARATORS = ("::", " > ", "/", ".")


class CaseOutcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"
    """It could not be run to its end: its file could not be read, or what it needs could not be made."""

    @property
    def is_bad(self) -> bool:
        return self in (CaseOutcome.FAILED, CaseOutcome.ERROR)


class CaseGroup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tests whose names begin alike; `of` is that beginning."""

    of: str
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    error: tuple[str, ...] = ()


class NamedCases(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of each test, kept compactly."""

    groups: tuple[CaseGroup, ...] = ()
    left_out: int = 0
    """Tests beyond the number that is kept; they were compared, too."""

    def items(self) -> Iterator[tuple[str, CaseOutcome]]:
        for group in self.groups:
            for outcome in CaseOutcome:
                for name in getattr(group, outcome.value):
                    yield group.of + name, outcome

    def count(self, outcome: CaseOutcome) -> int:
        return sum(len(getattr(group, outcome.value)) for group in self.groups)


def named_cases(outcomes: Mapping[str, CaseOutcome]) -> NamedCases:
    """Pack outcomes by name."""
    groups: dict[str, dict[str, list[str]]] = {}
    kept = list(outcomes.items())[:MOST_NAMES]
    for name, outcome in kept:
        beginning = _beginning(name)
        groups.setdefault(beginning, {}).setdefault(outcome.value, []).append(name[len(beginning) :])
    return NamedCases(
        groups=tuple(
            CaseGroup(of=of, **{outcome: tuple(names) for outcome, names in inner.items()})
            for of, inner in groups.items()
        ),
        left_out=len(outcomes) - len(kept),
    )


def _beginning(name: str) -> str:
    plain = name.partition("[")[0]
    for separator in _SEPARATORS:
        if separator in plain:
            return plain[: plain.rindex(separator) + len(separator)]
    return ""


class BaseComparison(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check on the work against the same check on the code before it. Names are bounded, counts are not."""

    tree: str
    """Git tree of the code before the work."""
    passed: int = 0
    failed: int = 0
    """How many tests passed and failed there."""
    has_tests: bool = True
    """Some test was there before the work."""
    is_independent: bool = True
    """Some test that passes now was not written by the implementer alone."""
    problem: str = ""
    """Why nothing could be compared."""
    broken: tuple[str, ...] = ()
    """Passed before, fail now."""
    gone: tuple[str, ...] = ()
    """Passed before, are not there any more."""
    now_skipped: tuple[str, ...] = ()
    """Passed before, are skipped now."""
    old_failures: tuple[str, ...] = ()
    """Failed before and fail now."""
    reached: tuple[str, ...] = ()
    """Those of the old failures that run code which the work changed."""
    repaired: tuple[str, ...] = ()
    """Failed before, pass now."""
    proving: tuple[str, ...] = ()
    """New tests that fail on the old code and pass now."""
    not_proving: tuple[str, ...] = ()
    """New tests that pass on the old code, too."""
    flaky: tuple[str, ...] = ()
    """Gave both answers on the same code; they count as neither."""
    replaced: tuple[str, ...] = ()
    """Files that the work changed and that were taken from the base for the run that decides."""


class AsItIs(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same check on the work with all that it changed of the tests and of how they are run."""

    exit_code: int | None
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    output: str = ""
    """The end of what it printed."""

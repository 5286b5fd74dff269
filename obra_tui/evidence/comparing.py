"""Compares the runs of one check: before the work, with the tests of before, and as the work left it. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import (
    AsItIs,
    BaseComparison,
    CaseOutcome,
    CheckResult,
    CheckSpec,
    CheckStatus,
    FailedCase,
    Stage,
    named_cases,
)
from obra_tui.evidence.reading import Execution
from obra_tui.evidence.touched_code import Lines

MOST_NAMED = 200
"""Names that one list of a comparison holds."""
_MOST_OUTPUT = 4_000


class Runs(Struct, frozen=True, kw_only=True):
    """The runs of one check, and what the work did to tests."""

    spec: CheckSpec
    tree: str
    base: Execution | None
    """On the code before the work; none where it was not needed."""
    deciding: Execution
    """On the work, with tests and runner of before."""
    as_is: Execution | None = None
    """On the work with all that it changed; none when that is the deciding one."""
    on_old_code: Execution | None = None
    """New tests on the code before the work."""
    flaky: frozenset[str] = frozenset()
    flaky_before: frozenset[str] = frozenset()
    """Those of them that gave both answers before the work, too."""
    replaced: tuple[str, ...] = ()
    moved: Mapping[str, str] = {}
    """Files of tests that were only renamed: old path, new path."""
    changed: Mapping[str, tuple[Lines, ...] | None] = {}
    """Files of code that the work changed, and which lines of them; None where all of the file counts."""
    asks: tuple[str, ...] = ()

    @property
    def last(self) -> Execution:
        return self.as_is or self.deciding


def has_tests(execution: Execution | None) -> bool:
    return execution is not None and bool(execution.cases)


def bad(cases: Mapping[str, CaseOutcome] | None) -> set[str]:
    return {name for name, outcome in (cases or {}).items() if outcome.is_bad}


def passing(cases: Mapping[str, CaseOutcome] | None) -> set[str]:
    return {name for name, outcome in (cases or {}).items() if outcome is CaseOutcome.PASSED}


def file_of(name: str) -> str:
    return name.partition("::")[0]


def sides_changed(base: Execution | None, now: Execution) -> tuple[str, ...]:
    """Return the tests whose answer is another one than before the work."""
    before, after = (base.cases if base else None) or {}, now.cases or {}
    turned_bad = bad(after) & passing(before)
    turned_good = passing(after) & bad(before)
    return tuple(sorted(turned_bad | turned_good))


def new_tests(runs: Runs) -> set[str]:
    """Return the tests that came with the work: they are there only with what it changed of the tests."""
    if runs.as_is is None:
        return set()
    back = {new: old for old, new in runs.moved.items()}
    known = set(runs.deciding.cases or {})
    return {name for name in runs.as_is.cases or {} if _moved(name, back) not in known}


def compare(runs: Runs) -> CheckResult:
    """Return what the runs show together."""
    plain = _result(runs)
    if runs.spec.stage is not Stage.TESTING or not has_tests(runs.last):
        return _without_names(runs, plain)
    found = _comparison(runs)
    if cause := _one_cause(runs):
        return replace(
            plain, status=CheckStatus.BROKEN, detail=cause, failures=(), base=_bounded(found), passed=None, failed=None
        )
    failures = _failures(runs, found)
    status = _status(runs, failures)
    old = set(found.old_failures) | set(found.flaky)
    cases = runs.last.cases or {}
    counts = [sum(1 for item in cases.values() if item is outcome) for outcome in CaseOutcome]
    return replace(
        plain,
        status=status,
        passed=counts[0] - len(passing(cases) & set(found.flaky)),
        failed=max(len(failures), len(bad(cases) - old)),
        skipped=counts[2],
        failures=failures[:100],
        base=_bounded(found),
        asks=(*runs.asks, *_differences(runs, found)),
        detail="" if status is CheckStatus.PASSED else plain.detail,
    )


def _result(runs: Runs) -> CheckResult:
    """Return the run that counts as it is stored: a run as it is that shows more trouble, else the deciding one."""
    shown = runs.deciding
    if runs.as_is is not None and shown.status is CheckStatus.PASSED and runs.as_is.status is not CheckStatus.PASSED:
        shown = runs.as_is
    named = runs.last.cases
    passed, failed, skipped = runs.last.counts or (None, None, None)
    return CheckResult(
        spec=runs.spec,
        status=shown.status,
        exit_code=shown.exit_code,
        duration_s=runs.deciding.duration_s + (runs.as_is.duration_s if runs.as_is else 0.0),
        output=shown.output,
        sandbox=shown.level,
        passed=passed,
        failed=failed,
        skipped=skipped,
        failures=shown.failures,
        detail=shown.detail,
        cases=named_cases(named) if named else None,
        reported_by=runs.last.source,
        as_is=_as_it_is(runs.as_is),
        asks=runs.asks,
        is_weak=runs.spec.stage is Stage.TESTING and shown.status is CheckStatus.PASSED and not has_tests(runs.last),
    )


def _as_it_is(run: Execution | None) -> AsItIs | None:
    if run is None:
        return None
    passed, failed, skipped = run.counts or (None, None, None)
    return AsItIs(
        exit_code=run.exit_code, passed=passed, failed=failed, skipped=skipped, output=run.output[-_MOST_OUTPUT:]
    )


def _comparison(runs: Runs) -> BaseComparison:
    before, now = (runs.base.cases if runs.base else None) or {}, runs.deciding.cases or {}
    was_bad, was_good, is_bad, is_good = bad(before), passing(before), bad(now), passing(now)
    unreadable = {name for name in is_bad if "::" not in name}
    unreadable_before = {name for name in was_bad if "::" not in name}
    skipped = {name for name, outcome in now.items() if outcome is CaseOutcome.SKIPPED}
    gone = {name for name in was_good - set(now) if file_of(name) not in unreadable}
    fresh = new_tests(runs)
    on_old = passing(runs.on_old_code.cases) if runs.on_old_code else set()
    fresh_good = (fresh & passing(runs.last.cases)) - runs.flaky
    reached = {name for name in was_bad & is_bad if _reaches(runs, name)}
    return BaseComparison(
        tree=runs.tree,
        passed=len(was_good),
        failed=len(was_bad),
        has_tests=bool(before) or bool(now and runs.as_is is not None),
        is_independent=bool((is_good & set(before)) | _from_old_files(is_good, before, unreadable_before)),
        problem=_problem(runs),
        broken=_sorted((was_good & is_bad) - runs.flaky),
        gone=_sorted(gone),
        now_skipped=_sorted(skipped & was_good),
        old_failures=_sorted((was_bad & is_bad) - reached - _hopeless(runs)),
        reached=_sorted(reached),
        repaired=_sorted((was_bad & is_good) | {name for name in is_good if file_of(name) in unreadable_before}),
        proving=_sorted(fresh_good - on_old) if runs.on_old_code else (),
        not_proving=_sorted(fresh_good & on_old),
        flaky=_sorted(runs.flaky),
        replaced=runs.replaced,
    )


def _from_old_files(names: set[str], before: Mapping[str, CaseOutcome], unreadable: set[str]) -> set[str]:
    """Return those that stand in a file of tests that was there before, whether or not it could be read."""
    files = {file_of(name) for name in before} | unreadable
    return {name for name in names if "::" in name and file_of(name) in files}


def _hopeless(runs: Runs) -> set[str]:
    """If no test at all passes, none of the failures is waved through as an old one."""
    return set() if passing(runs.last.cases) else bad(runs.deciding.cases)


_MANY = 5
"""So many tests do not fail in one way for a fault in the code that they test."""


def _one_cause(runs: Runs) -> str:
    """Say why nothing can be measured: all tests failed before the work, fail now, and all of them in one way."""
    if runs.base is None or len(runs.base.cases or {}) < _MANY:
        return ""
    for run in (runs.base, runs.deciding, *([runs.as_is] if runs.as_is else [])):
        if not run.cases or len(bad(run.cases)) < len(run.cases):
            return ""
    said = {
        case.message.strip().splitlines()[0] for run in (runs.base, runs.last) for case in run.failures if case.message
    }
    if len(said) != 1:
        return ""
    return (
        f"All {len(runs.base.cases or {})} tests failed before the work, too, and fail in one way: {said.pop()[:200]}. "
        "Something that they need is missing here: add what starts or installs it to `workspace.setup`, files that git "
        "ignores to `workspace.include`, and try with `obra doctor`."
    )


def _reaches(runs: Runs, name: str) -> bool:
    return any(_is_touched(runs.changed, *place) for place in runs.deciding.reached.get(name, ()))


def _is_touched(changed: Mapping[str, tuple[Lines, ...] | None], file: str, first: int, last: int) -> bool:
    if file not in changed:
        return False
    lines = changed[file]
    return lines is None or any(start <= last and first <= end for start, end in lines)


def _problem(runs: Runs) -> str:
    base = runs.base
    if base is None or base.cases or base.status not in (CheckStatus.BROKEN, CheckStatus.TIMED_OUT):
        return ""
    return "" if _found_none(base) else base.detail


def _found_none(base: Execution) -> bool:
    return "found no tests" in base.detail or "No test ran" in base.detail


def _failures(runs: Runs, found: BaseComparison) -> tuple[FailedCase, ...]:
    """Return what the work is told of: failures of before that have nothing to do with it are none of them."""
    not_blamed = set(found.old_failures) | set(found.flaky)
    told: dict[str, FailedCase] = {}
    for run in (runs.deciding, runs.as_is):
        for case in run.failures if run else ():
            if case.name not in not_blamed:
                told.setdefault(case.name, _known(case, found))
    for name in (bad(runs.deciding.cases) | bad(runs.last.cases)) - not_blamed - set(told):
        told[name] = FailedCase(name=name)
    return tuple(told.values())


def _known(case: FailedCase, found: BaseComparison) -> FailedCase:
    if case.name not in found.reached:
        return case
    return replace(case, message=f"It failed before the work, too, and runs code that was changed. {case.message}")


def _status(runs: Runs, failures: Sequence[FailedCase]) -> CheckStatus:
    for run in (runs.deciding, runs.as_is):
        if run is not None and run.status in (CheckStatus.BROKEN, CheckStatus.TIMED_OUT):
            if run is runs.deciding and runs.as_is is not None and _found_none(run):
                continue  # all tests came with the work
            return run.status
    if failures or any(run is not None and _failed_beside_tests(run) for run in (runs.deciding, runs.as_is)):
        return CheckStatus.FAILED
    return CheckStatus.PASSED


def _failed_beside_tests(run: Execution) -> bool:
    """It failed although no test did: coverage, a warning as error, a crash at the end."""
    return run.status is CheckStatus.FAILED and not bad(run.cases)


# --- commands that name no tests ------------------------------------------------------------------


def _without_names(runs: Runs, plain: CheckResult) -> CheckResult:
    base, now = runs.base, plain
    asks = list(runs.asks)
    comparison = None
    if base is not None:
        comparison = BaseComparison(tree=runs.tree, has_tests=has_tests(base), problem=_problem(runs))
        if has_tests(base) and not has_tests(runs.last):
            asks.append(f"{runs.spec.name} named {len(base.cases or ())} tests before the work and names none now.")
    if runs.as_is is not None and runs.as_is.status is not runs.deciding.status:
        asks.append(_two_answers(runs))
    if now.status is CheckStatus.FAILED and _is_old(runs):
        now = replace(now, status=CheckStatus.PASSED)
        lines = _told(runs.deciding.output, runs.spec)
        comparison = BaseComparison(tree=runs.tree, failed=len(lines), old_failures=_sorted(lines)[:MOST_NAMED])
    return replace(now, base=comparison, asks=tuple(asks), is_weak=now.is_weak or _is_weak(runs, now))


def _is_weak(runs: Runs, now: CheckResult) -> bool:
    return runs.spec.stage is Stage.TESTING and now.status is CheckStatus.PASSED


def _is_old(runs: Runs) -> bool:
    """Tell whether a tool complains of nothing that it did not complain of before the work."""
    base = runs.base
    if base is None or base.status is not CheckStatus.FAILED or runs.spec.stage is not Stage.SYNTAX:
        return False
    before, now = _told(base.output, runs.spec), _told(runs.last.output, runs.spec)
    return bool(now) and now <= before


def _told(output: str, spec: CheckSpec) -> set[str]:
    """Return what a linter or type checker complains of, without the numbers of lines, which move."""
    found: dict[str, int] = {}
    for line in output.splitlines():
        place, _, rest = line.partition(":")
        if not rest or " " in place.strip() or "." not in place:
            continue
        message = rest.lstrip("0123456789: ")
        key = f"{place.strip()}: {message.strip()}"
        found[key] = found.get(key, 0) + 1
    return {f"{key} (×{count})" if count > 1 else key for key, count in found.items()}


# --- where the runs differ ------------------------------------------------------------------------


def _two_answers(runs: Runs) -> str:
    assert runs.as_is is not None
    return (
        f"{runs.spec.name} {_word(runs.deciding)} with the tests and the configuration of before, and "
        f"{_word(runs.as_is)} as the work changed them."
    )


def _word(run: Execution) -> str:
    return {
        CheckStatus.PASSED: "passes",
        CheckStatus.FAILED: "fails",
        CheckStatus.TIMED_OUT: "does not end",
        CheckStatus.BROKEN: "cannot be run",
    }[run.status]


def _differences(runs: Runs, found: BaseComparison) -> Iterable[str]:
    if found.problem:
        yield f"{runs.spec.name} could not be run on the code before the work: {found.problem}"
    if found.gone:
        yield f"{_count(found.gone)} passed before and {_are(found.gone)} not there any more: {_some(found.gone)}."
    if found.now_skipped:
        names = found.now_skipped
        yield f"{_count(names)} passed before and {_are(names)} skipped now: {_some(names)}."
    fresh_flaky = sorted(runs.flaky - runs.flaky_before)
    if fresh_flaky:
        yield f"{_count(fresh_flaky)} gave both answers on this code and counted as neither: {_some(fresh_flaky)}."
    yield from _beside_as_it_is(runs)


def _beside_as_it_is(runs: Runs) -> Iterable[str]:
    if runs.as_is is None or not has_tests(runs.deciding):
        return
    after = {
        _moved(name, {new: old for old, new in runs.moved.items()}): outcome
        for name, outcome in (runs.as_is.cases or {}).items()
    }
    good = passing(runs.deciding.cases) - runs.flaky
    gone = sorted(good - set(after))
    skipped = sorted(name for name in good if after.get(name) is CaseOutcome.SKIPPED)
    worse = sorted(good & bad(after))
    better = sorted((bad(runs.deciding.cases) & passing(after)) - runs.flaky)
    if gone:
        yield f"The work takes away {_count(gone)} of those that pass: {_some(gone)}."
    if skipped:
        yield f"The work lets {_count(skipped)} be skipped of those that pass: {_some(skipped)}."
    if worse:
        yield f"Only with the tests of before {_pass(worse)}: {_some(worse)}."
    if better:
        yield f"Only as the work changed the tests {_pass(better)}: {_some(better)}."
    if (
        not (worse or better)
        and runs.as_is.status is not runs.deciding.status
        and not new_tests(runs) & bad(runs.as_is.cases)
    ):
        yield _two_answers(runs)


def _moved(name: str, moved: Mapping[str, str]) -> str:
    file = file_of(name)
    return moved[file] + name[len(file) :] if file in moved else name


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _bounded(found: BaseComparison) -> BaseComparison:
    lists = ("broken", "gone", "now_skipped", "old_failures", "reached", "repaired", "proving", "not_proving", "flaky")
    return replace(found, **{name: getattr(found, name)[:MOST_NAMED] for name in lists})


def _count(names: Collection[str]) -> str:
    return "1 test" if len(names) == 1 else f"{len(names)} tests"


def _are(names: Collection[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _pass(names: Collection[str]) -> str:
    return "1 test passes" if len(names) == 1 else f"{len(names)} tests pass"


def _some(names: Sequence[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")

"""Says what exit code, output and report of a command prove together. Pure.

An exit code of 0 alone is no proof where a report was due, and a report without tests proves nothing.
"""

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.model import CaseOutcome, CheckSpec, CheckStatus, FailedCase, SandboxLevel
from obra_tui.evidence.reports.report import MOST_FAILURES, Report
from obra_tui.evidence.running import Ended
from obra_tui.evidence.witness.channel import GroupReport, Told, Witnessed

_NO_MODULE = re.compile(r"No module named '?(pytest|compileall|ruff|mypy|unittest)'?\s*$", re.MULTILINE)
_NOT_FOUND = re.compile(r"([^\s:]{1,200}): (?:command )?not found")
_CONFTEST = "ImportError while loading conftest"
_NO_TESTS = "pytest found no tests, so nothing was proven."


class Execution(Struct, frozen=True, kw_only=True):
    """One run of a check on one tree."""

    status: CheckStatus
    level: SandboxLevel
    detail: str = ""
    exit_code: int | None = None
    duration_s: float = 0.0
    output: str = ""
    cases: Mapping[str, CaseOutcome] | None = None
    """None when the command names no tests."""
    failures: tuple[FailedCase, ...] = ()
    counts: tuple[int, int, int] | None = None
    """Passed, failed, skipped."""
    source: Literal["", "witness", "report", "output"] = ""
    """Who named the tests: `witness`, `report` or `output`."""
    read: tuple[str, ...] = ()
    """Files, beside code, that the tests read."""
    reached: Mapping[str, tuple[tuple[str, int, int], ...]] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()
    """Parts of the runner that were replaced while the tests ran."""
    changed: tuple[str, ...] = ()
    """Files of the tree that the check changed."""


class Reading(Struct, frozen=True, kw_only=True):
    """What exit code, output and report together say."""

    status: CheckStatus
    detail: str = ""


def judge_run(spec: CheckSpec, ended: Ended, report: Report | None, problem: str) -> Reading:
    """Say what the run of a plain command proves."""
    if reading := _without_report(spec, ended):
        return reading
    for rule in (_pytest_reading, _report_reading):
        if reading := rule(spec, ended, report, problem):
            return reading
    return Reading(status=CheckStatus.PASSED if ended.exit_code == 0 else CheckStatus.FAILED)


def _without_report(spec: CheckSpec, ended: Ended) -> Reading | None:
    if ended.passed_limit:
        return Reading(status=CheckStatus.BROKEN, detail=_stopped(ended))
    if ended.exit_code is None:
        text = f"Stopped after {spec.timeout_s:g} s; all its processes were ended."
        return Reading(status=CheckStatus.TIMED_OUT, detail=text)
    if missing := _missing_tool(spec, ended):
        return Reading(status=CheckStatus.BROKEN, detail=missing)
    return None


def _stopped(ended: Ended) -> str:
    return f"{ended.passed_limit} It was stopped with all its processes; see [sandbox] in the settings."


def _missing_tool(spec: CheckSpec, ended: Ended) -> str:
    code, output = ended.exit_code, ended.output
    if code in (126, 127):
        found = _NOT_FOUND.search(output)
        return f"`{found[1] if found else spec.run}` could not be run. Install it, or change the command in [[checks]]."
    if code == 1 and len(output) < 2_000 and (found := _NO_MODULE.search(output)):
        return _no_module(found[1])
    return ""


def _no_module(name: str) -> str:
    return (
        f"{name} is not installed for this Python. Install it in the project (for example "
        f"`uv add --dev {name}` with `uv sync` as set-up), or name another command under [[checks]]."
    )


def _pytest_reading(spec: CheckSpec, ended: Ended, _report: Report | None, _problem: str) -> Reading | None:
    """Read pytest's own exit codes, if it is pytest that ran."""
    return pytest_code(ended.exit_code, ended.output) if "pytest" in spec.run else None


def pytest_code(code: int | None, output: str) -> Reading | None:
    match code:
        case 3:
            return Reading(status=CheckStatus.BROKEN, detail="pytest had an internal error; see its output.")
        case 4 if _CONFTEST not in output:
            return Reading(status=CheckStatus.BROKEN, detail="pytest did not accept its command line; see its output.")
        case 5:
            return Reading(status=CheckStatus.BROKEN, detail=_NO_TESTS)
        case _:
            return None


def _report_reading(spec: CheckSpec, ended: Ended, report: Report | None, problem: str) -> Reading | None:
    """Compare the exit code with the report: only both together can pass."""
    if ended.exit_code != 0:
        return None
    if report is None:
        if not spec.junit and not problem:
            return None
        said = problem or "wrote no report"
        return Reading(status=CheckStatus.BROKEN, detail=f"The command ended with 0 but {said}: nothing was proven.")
    if report.failed:
        return Reading(status=CheckStatus.FAILED, detail="The command ended with 0 but its report names failures.")
    if not report.ran:
        return Reading(status=CheckStatus.BROKEN, detail="No test ran (all skipped or none found): nothing was proven.")
    return None


def told_of_changes(found: Execution, changed: tuple[str, ...]) -> Execution:
    """Say which files of the project the check changed: what passes because it repaired the work has not passed."""
    if not changed or found.status is not CheckStatus.PASSED:
        return replace(found, changed=changed)
    names = ", ".join(changed[:5]) + (" and more" if len(changed) > 5 else "")
    detail = (
        f"The command changed files of the project: {names}. A check looks and repairs nothing: "
        "give it the option for that, such as --check or --no-fix, or keep what it writes out of git."
    )
    return replace(found, status=CheckStatus.FAILED, detail=detail, changed=changed)


# --- witnessed -----------------------------------------------------------------------------------


def judge_witnessed(spec: CheckSpec, ended: Ended, heard: Witnessed, level: SandboxLevel) -> Execution:
    """Say what the witness's report proves."""
    told = [item for group in heard.groups for item in (*group.told.values(), *group.unreadable.values())]
    cases = {item.name: CaseOutcome(item.outcome) for item in told}
    reading = _witnessed_reading(spec, ended, heard, cases)
    counts = [sum(1 for outcome in cases.values() if outcome is wanted) for wanted in CaseOutcome]
    passed, failed, skipped, error = counts
    complete = reading.status in (CheckStatus.PASSED, CheckStatus.FAILED) or not heard.groups[0].tampered
    return Execution(
        status=reading.status,
        level=level,
        detail=reading.detail,
        exit_code=ended.exit_code if ended.exit_code is None else _code_of(heard, ended.exit_code),
        duration_s=ended.duration_s,
        output=ended.output,
        cases=cases if complete and cases else None,
        failures=tuple(_failed(item) for item in told if CaseOutcome(item.outcome).is_bad)[:MOST_FAILURES],
        counts=(passed, failed + error, skipped),
        source="witness",
        read=tuple(dict.fromkeys(name for group in heard.groups for name in group.read)),
        reached={item.name: item.reached for item in told if item.reached},
        replaced=tuple(dict.fromkeys(name for group in heard.groups for name in group.replaced)),
    )


def _code_of(heard: Witnessed, code: int) -> int:
    """Return the exit code of the tests; a group that found none is none where another one did."""
    codes = [group.exit_code for group in heard.groups if group.exit_code is not None]
    real = [item for item in codes if item != 5] or codes
    return next((item for item in real if item), 0) if codes else code


def _failed(told: Told) -> FailedCase:
    return FailedCase(name=told.name, message=told.message, file=told.file, line=told.line)


def _witnessed_reading(spec: CheckSpec, ended: Ended, heard: Witnessed, cases: Mapping[str, CaseOutcome]) -> Reading:
    if ended.passed_limit:
        return Reading(status=CheckStatus.BROKEN, detail=_stopped(ended))
    if ended.exit_code is None:
        return Reading(
            status=CheckStatus.TIMED_OUT, detail=f"Stopped after {spec.timeout_s:g} s; all its processes were ended."
        )
    if heard.missing:
        module = heard.missing.removeprefix("No module named ")
        return Reading(status=CheckStatus.BROKEN, detail=_no_module(module))
    if problem := _dishonest(heard) or _about_others(heard) or _incomplete(heard, ended, cases):
        return Reading(status=CheckStatus.BROKEN, detail=problem)
    codes = [group.exit_code for group in heard.groups]
    for code in codes:
        if code != 5 and (reading := pytest_code(code, ended.output)):
            return reading
    if all(code == 5 for code in codes) and not cases:
        return Reading(status=CheckStatus.BROKEN, detail=_NO_TESTS)
    if any(outcome.is_bad for outcome in cases.values()):
        return Reading(status=CheckStatus.FAILED)
    if CaseOutcome.PASSED not in cases.values():
        if all(code in (0, 5) for code in codes):
            return Reading(
                status=CheckStatus.BROKEN, detail="No test ran (all skipped or none found): nothing was proven."
            )
        return Reading(status=CheckStatus.FAILED)
    if any(code not in (0, 5) for code in codes):
        return Reading(status=CheckStatus.FAILED, detail="All tests passed, but pytest ended with an error.")
    return Reading(status=CheckStatus.PASSED)


def _dishonest(heard: Witnessed) -> str:
    for group in heard.groups:
        if group.tampered:
            return f"What the tests report cannot be believed: {group.tampered[0]}."
    return ""


def _about_others(heard: Witnessed) -> str:
    """Say which code was tested, if it is not that of the tree."""
    names = [name for group in heard.groups for name in group.elsewhere]
    if not names:
        return ""
    return (
        f"The tests ran on other code than the project's: {names[0]} was loaded. "
        "Let `workspace.setup` install the project with `-e`, or put its folder on PYTHONPATH in [[checks]]."
    )


def _incomplete(heard: Witnessed, ended: Ended, cases: Mapping[str, CaseOutcome]) -> str:
    """Return what is missing between what was collected and what was reported."""
    for group in heard.groups:
        if group.exit_code is None:
            return _ended_early(group, ended)
        silent = set(group.collected) - set(group.told)
        failed = any(outcome.is_bad for outcome in cases.values())
        if not group.complete or (silent and not failed and group.exit_code in (0, 2)):
            return f"{len(silent)} of {len(group.collected)} tests gave no result ({', '.join(sorted(silent)[:3])})."
    if not heard.is_closed:
        return "The report of the tests has no end: nothing was proven."
    return ""


def _ended_early(group: GroupReport, ended: Ended) -> str:
    how = f"with {ended.exit_code}" if group.ended is None else f"with {group.ended}"
    if not group.collected:
        return f"The tests ended {how} before they were found and wrote no report: nothing was proven."
    done, all_of_them = len(group.told), len(group.collected)
    return f"The tests ended {how} after {done} of {all_of_them} and wrote no report of the rest: nothing was proven."

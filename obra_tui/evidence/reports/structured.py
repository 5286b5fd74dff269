"""Reads the JSON of jest, vitest and mocha, and the lines of `go test -json`. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from obra_tui.core.model import CaseOutcome
from obra_tui.evidence.reports.report import MOST_BYTES, Case, Report, UnreadableReport, report_of

_JEST = {
    "passed": CaseOutcome.PASSED,
    "failed": CaseOutcome.FAILED,
    "pending": CaseOutcome.SKIPPED,
    "skipped": CaseOutcome.SKIPPED,
    "todo": CaseOutcome.SKIPPED,
    "disabled": CaseOutcome.SKIPPED,
    "focused": CaseOutcome.PASSED,
}
_GO = {"pass": CaseOutcome.PASSED, "fail": CaseOutcome.FAILED, "skip": CaseOutcome.SKIPPED}


def read_json(content: bytes, root: str = "") -> Report:
    """Read one JSON report; `root` is cut off the names of files. Raises `UnreadableReport`."""
    if len(content) > MOST_BYTES:
        raise UnreadableReport(f"the report is larger than {MOST_BYTES:,} bytes")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableReport(f"it is no JSON ({type(error).__name__})") from error
    if isinstance(found, dict) and isinstance(found.get("testResults"), list):
        return report_of(_jest(found["testResults"], root))
    if isinstance(found, dict) and isinstance(found.get("tests"), list):
        return report_of(_mocha(found, root))
    raise UnreadableReport("it is the JSON of no test runner that is known")


def _jest(files: list[Any], root: str) -> Iterator[Case]:
    for result in files:
        if not isinstance(result, dict):
            raise UnreadableReport("a file in the report is no object")
        file = _below(root, result.get("name"))
        cases = result.get("assertionResults")
        for case in cases if isinstance(cases, list) else ():
            title = _text(case.get("fullName")) or _text(case.get("title"))
            outcome = _JEST.get(_text(case.get("status")), CaseOutcome.ERROR)
            messages = case.get("failureMessages")
            message = _text(messages[0]) if isinstance(messages, list) and messages else ""
            yield Case(name=f"{file}::{title}", outcome=outcome, message=message, file=file)
        if not cases and result.get("status") == "failed":
            yield Case(name=file, outcome=CaseOutcome.ERROR, message=_text(result.get("message")), file=file)


def _mocha(found: dict[str, Any], root: str) -> Iterator[Case]:
    passes = {id_of for item in found.get("passes") or () if (id_of := _mocha_name(item, root))}
    pending = {id_of for item in found.get("pending") or () if (id_of := _mocha_name(item, root))}
    for item in found["tests"]:
        name = _mocha_name(item, root)
        error = item.get("err") if isinstance(item, dict) else None
        if name in pending:
            yield Case(name=name, outcome=CaseOutcome.SKIPPED)
        elif error or name not in passes:
            message = _text(error.get("message")) if isinstance(error, dict) else ""
            yield Case(name=name, outcome=CaseOutcome.FAILED, message=message, file=name.partition("::")[0])
        else:
            yield Case(name=name, outcome=CaseOutcome.PASSED)


def _mocha_name(item: Any, root: str) -> str:
    if not isinstance(item, dict):
        return ""
    return f"{_below(root, item.get('file'))}::{_text(item.get('fullTitle'))}"


def read_go(output: str) -> tuple[Report, str]:
    """Read the lines of `go test -json`; returns the report and what the tests printed."""
    cases: dict[str, Case] = {}
    said: dict[str, list[str]] = {}
    printed: list[str] = []
    for line in output.splitlines():
        record = _object(line)
        if record is None or "Action" not in record:
            printed.append(f"{line}\n")
            continue
        package, test, action = _text(record.get("Package")), _text(record.get("Test")), record["Action"]
        if text := _text(record.get("Output")):
            printed.append(text)
            said.setdefault(f"{package}.{test}", []).append(text)
        name = f"{package}.{test}" if test else package
        if outcome := _GO.get(_text(action)):
            if not test and outcome is not CaseOutcome.FAILED:
                continue  # a package without a failing test says nothing of its own
            message = "".join(said.pop(name, ()))[-2_000:]
            cases[name] = Case(name=name, outcome=outcome, message=message if outcome.is_bad else "")
        elif test and action == "run":
            cases.setdefault(name, Case(name=name, outcome=CaseOutcome.ERROR, message="It never came to its end."))
    kept = [case for name, case in cases.items() if not (name in _packages(cases) and case.outcome.is_bad)]
    return report_of(kept or cases.values()), "".join(printed)


def _packages(cases: dict[str, Case]) -> set[str]:
    """Return the packages of which a test failed by name: they need not fail once more."""
    return {name.rpartition(".Test")[0] for name, case in cases.items() if ".Test" in name and case.outcome.is_bad}


def _object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _below(root: str, name: Any) -> str:
    return _text(name).removeprefix(f"{root}/") if root else _text(name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

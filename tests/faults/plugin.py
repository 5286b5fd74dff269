"""Marks tests with the faults they show, and writes the table of faults from their results.

`pytest -m fault` runs them all, `-k fault_13` those of one fault;
`--faults-report FILE` writes the table.
"""

from __future__ import annotations

from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.report import write_report

TESTS = Path(__file__).resolve().parents[1]
_PROPERTY = "fault"


def pytest_addoption(parser):
    parser.addoption("--faults-report", metavar="FILE", help="write the table of faults with the results of this run")


def pytest_configure(config):
    config.addinivalue_line("markers", "fault(number): shows that Obra survives this fault")
    if config.getoption("--faults-report") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Report(Path(config.getoption("--faults-report"))), "faults-report")


def faults_of(path, function):
    """Return the numbers of the faults whose list names this test."""
    name = f"{path}::{function}"
    return [fault.number for fault in FAULTS if any(fnmatchcase(name, pattern) for pattern in fault.tests)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        path = item.path.relative_to(TESTS).as_posix() if item.path.is_relative_to(TESTS) else ""
        for number in faults_of(path, item.originalname if hasattr(item, "originalname") else item.name):
            item.add_marker(pytest.mark.fault(number))
        for number in sorted({mark.args[0] for mark in item.iter_markers("fault")}):
            item.extra_keyword_matches.add(f"fault_{number}")
            item.user_properties.append((_PROPERTY, number))


class _Report:
    """Collects the worst result of each test of each fault; on the controller it hears all workers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._results: dict[int, dict[str, str]] = defaultdict(dict)

    def pytest_runtest_logreport(self, report):
        outcome = report.outcome
        if report.when != "call" and outcome == "passed":
            return
        name = report.nodeid.partition("[")[0].removeprefix("tests/")
        for number in [value for key, value in report.user_properties if key == _PROPERTY]:
            known = self._results[number].get(name, "passed")
            self._results[number][name] = max(known, outcome, key=("passed", "skipped", "failed").index)

    def pytest_sessionfinish(self):
        write_report(self._path, self._results)

"""The list of faults is complete and names tests that exist."""

import ast
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.plugin import TESTS
from tests.faults.report import result_of


def functions_of(path):
    return [node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if hasattr(node, "name")]


def test_every_fault_is_there_once():
    assert [fault.number for fault in FAULTS] == list(range(1, 69))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.number))
def test_every_test_that_is_named_exists(fault):
    for name in fault.tests:
        path, _, pattern = name.partition("::")
        assert any(fnmatchcase(function, pattern) for function in functions_of(TESTS / path)), name


def test_every_fault_has_a_test_or_says_why_not():
    marked = "\n".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    missing = [
        fault.number
        for fault in FAULTS
        if not fault.tests and not fault.limit and f"fault({fault.number})" not in marked
    ]
    assert missing == []


def test_what_was_not_tested_is_never_called_shown():
    fault = replace(FAULTS[0], limit="It needs two machines.")
    assert result_of(fault, {}) == "not tested here"
    assert result_of(fault, {"a": "passed"}) == "shown in part"
    assert result_of(FAULTS[0], {}) == "missing"
    assert result_of(FAULTS[0], {"a": "passed", "b": "failed"}) == "failed"
    assert result_of(FAULTS[0], {"a": "passed", "b": "skipped"}) == "shown in part"

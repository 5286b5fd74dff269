"""Tests by name from what other runners write and print."""

import json

import pytest

from obra_tui.core.model import CaseOutcome, named_cases
from obra_tui.evidence.reports.junit import read_report
from obra_tui.evidence.reports.printed import read_ctest, read_libtest, read_printed, read_tap, read_unittest
from obra_tui.evidence.reports.report import UnreadableReport
from obra_tui.evidence.reports.structured import read_go, read_json

P, F, S, E = CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.SKIPPED, CaseOutcome.ERROR


def test_junit_with_namespaces_is_read_by_name():
    content = (
        b'<j:testsuites xmlns:j="urn:x"><j:testsuite><j:testcase classname="A" name="a"/>'
        b'<j:testcase classname="A" name="b"><j:failure message="no"/></j:testcase></j:testsuite></j:testsuites>'
    )
    assert read_report(content).cases == {"A.a": P, "A.b": F}


def test_junit_that_is_nested_without_end_is_refused():
    with pytest.raises(UnreadableReport, match="deep"):
        read_report(b"<testsuite>" * 5_000)


def test_of_two_cases_with_one_name_the_worse_counts():
    content = b'<t><testcase name="a"><failure/></testcase><testcase name="a"/></t>'
    assert read_report(content).cases == {"a": F}


def test_jest_and_vitest_are_read_and_a_file_that_does_not_load_is_an_error():
    content = {
        "testResults": [
            {
                "name": "/w/a.test.js",
                "status": "failed",
                "assertionResults": [
                    {"fullName": "adds", "status": "passed"},
                    {"fullName": "fails", "status": "failed", "failureMessages": ["no"]},
                    {"fullName": "later", "status": "todo"},
                ],
            },
            {"name": "/w/b.test.js", "status": "failed", "message": "no such module", "assertionResults": []},
        ]
    }
    report = read_json(json.dumps(content).encode(), "/w")
    assert report.cases == {"a.test.js::adds": P, "a.test.js::fails": F, "a.test.js::later": S, "b.test.js": E}


def test_mocha_is_read():
    tests = [{"file": "/w/a.js", "fullTitle": title, "err": err} for title, err in (("x", {}), ("y", {"message": "n"}))]
    content = {"tests": tests, "passes": tests[:1], "failures": tests[1:], "pending": []}
    assert read_json(json.dumps(content).encode(), "/w").cases == {"a.js::x": P, "a.js::y": F}


def test_go_is_read_and_a_test_without_an_end_is_an_error():
    lines = [
        {"Action": "run", "Package": "m", "Test": "TestA"},
        {"Action": "output", "Package": "m", "Test": "TestA", "Output": "--- PASS\n"},
        {"Action": "pass", "Package": "m", "Test": "TestA"},
        {"Action": "run", "Package": "m", "Test": "TestB"},
        {"Action": "skip", "Package": "other"},
        {"Action": "fail", "Package": "broken"},
    ]
    report, printed = read_go("\n".join(json.dumps(line) for line in lines))
    assert report.cases == {"m.TestA": P, "m.TestB": E, "broken": F} and printed == "--- PASS\n"


def test_tap_names_the_leaves_by_the_titles_above_them():
    text = (
        "TAP version 13\n# Subtest: adds\nok 1 - adds\n# Subtest: group\n    # Subtest: fails\n    not ok 1 - fails\n"
        "    # Subtest: later\n    ok 2 - later # SKIP\n    1..2\nnot ok 2 - group\n1..2\n"
    )
    assert read_tap(text).cases == {"adds": P, "group > fails": F, "group > later": S}


def test_a_file_that_names_no_test_is_no_test():
    assert read_tap("TAP version 13\n# Subtest: /w/a.test.js\nok 1 - /w/a.test.js\n1..1\n", "/w").cases == {}


def test_tap_with_fewer_tests_than_announced_is_refused():
    with pytest.raises(UnreadableReport, match="announced"):
        read_tap("1..3\nok 1 - a\n")


def test_cargo_is_read_by_target():
    text = (
        "     Running unittests src/lib.rs (target/debug/deps/x-1)\n\nrunning 2 tests\ntest tests::a ... ok\n"
        "test tests::b ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured\n"
        "   Doc-tests x\ntest src/lib.rs - f (line 3) ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored;\n"
    )
    assert read_libtest(text).cases == {
        "src/lib.rs::tests::a": P,
        "src/lib.rs::tests::b": F,
        "doc x::src/lib.rs - f (line 3)": P,
    }


def test_cargo_with_more_names_than_it_counts_is_refused():
    with pytest.raises(UnreadableReport):
        read_libtest("test a ... ok\ntest b ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n")


def test_unittest_and_ctest_are_read():
    text = (
        "test_a (tests.T.test_a) ... ok\ntest_b (tests.T) ... FAIL\ntest_c (tests.T) ... skipped 'x'\n\nRan 3 tests\n"
    )
    assert read_unittest(text).cases == {"tests.T.test_a": P, "tests.T.test_b": F, "tests.T.test_c": S}
    text = " 1/2 Test  #1: one ....   Passed    0.01 sec\n 2/2 Test  #2: two ....***Failed    0.01 sec\n"
    assert read_ctest(text).cases == {"one": P, "two": F}


@pytest.mark.parametrize("text", ["", "all is well\n", "Ran 0 tests in 0.000s\n\nOK\n", "TAP version 13\n1..0\n"])
def test_output_without_a_test_names_none(text):
    assert read_printed(text) is None


def test_names_are_kept_compactly_and_come_back_whole():
    outcomes = {"tests/test_a.py::T::test_x[a::b]": P, "tests/test_a.py::T::test_y": F, "plain": S, "a > b > c": E}
    packed = named_cases(outcomes)
    assert dict(packed.items()) == outcomes and len(packed.groups) == 3

import pytest

from obra_tui.core.model import FailedCase
from obra_tui.evidence.reports.junit import UnreadableReport, read_report


def report(*cases):
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode()


def test_cases_are_counted_by_what_is_in_them_not_by_what_the_suite_claims():
    content = report(
        '<testcase classname="a" name="ok"/>',
        '<testcase classname="a" name="skipped"><skipped/></testcase>',
        '<testcase classname="a" name="failed"><failure message="no">text</failure></testcase>',
        '<testcase classname="a" name="both"><failure message="1"/><error message="2"/></testcase>',
    ).replace(b"<testsuite>", b'<testsuite tests="99" failures="0">')
    read = read_report(content)
    assert (read.passed, read.failed, read.skipped, read.ran) == (1, 2, 1, 3)


def test_a_failure_is_named_as_pytest_prints_it_and_placed_at_the_line_that_failed():
    case = (
        '<testcase classname="tests.test_a.TestX" name="test_y[1]" file="tests/test_a.py" line="3">'
        '<failure message="assert 1 == 2">lib.py:9: in f\ntests/test_a.py:7: AssertionError</failure></testcase>'
    )
    assert read_report(report(case)).failures == (
        FailedCase(name="tests/test_a.py::TestX::test_y[1]", message="assert 1 == 2", file="tests/test_a.py", line=7),
    )


def test_a_failure_without_a_traceback_is_placed_where_the_test_begins():
    case = '<testcase classname="test_a" name="t" file="test_a.py" line="3"><error>boom</error></testcase>'
    [failed] = read_report(report(case)).failures
    assert (failed.name, failed.message, failed.line) == ("test_a.py::t", "boom", 4)


def test_without_a_file_in_the_report_the_traceback_tells_it():
    case = (
        '<testcase classname="tests.test_a.TestX" name="test_y"><failure message="no">'
        "tests/test_a.py:7: in test_y\nlib/deep.py:9: ZeroDivisionError</failure></testcase>"
    )
    assert read_report(report(case)).failures == (
        FailedCase(name="tests/test_a.py::TestX::test_y", message="no", file="tests/test_a.py", line=7),
    )


def test_a_report_of_another_tool_gives_class_and_name():
    case = '<testcase classname="com.example.CalcTest" name="adds"><failure message="no"/></testcase>'
    assert read_report(report(case)).failures == (FailedCase(name="com.example.CalcTest.adds", message="no"),)


@pytest.mark.parametrize(
    "content",
    [
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><testsuite>&x;</testsuite>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x "y">]><testsuite/>'.encode("utf-16"),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>',
        b"<testsuite>&undefined;</testsuite>",
        b"<testsuite>",
        b"",
        b"\0\0\0",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<a/>" * 6_000_000,
    ],
    ids=["entity", "utf-16", "external", "undefined", "cut", "empty", "nul", "encoding", "huge"],
)
def test_a_report_that_cannot_be_trusted_is_refused(content):
    with pytest.raises(UnreadableReport):
        read_report(content)


def test_many_and_long_failures_are_bounded():
    case = f'<testcase classname="a" name="t"><failure message="{"x" * 9_000}"/></testcase>'
    read = read_report(report(*[case] * 300))
    assert (read.failed, len(read.failures), len(read.failures[0].message)) == (300, 100, 2_000)

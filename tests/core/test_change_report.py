"""What the gate says of an existing change, and how it is written down."""

import json

import pytest

from obra_tui.core.gate import GateRules, without_judge
from obra_tui.core.model import CheckStatus, Finding, Severity
from obra_tui.core.records.change_report import Conclusion, as_json, as_sarif, conclude, lines
from tests.core import build


def report(*, checks=None, verdict=None, work=None, rules=None):
    evidence = build.evidence(checks=checks, judged=verdict, work=work)
    return conclude(evidence, rules or GateRules(), base="b" * 40, head="c" * 40, title="Subtract")


FAILED = (build.syntax(), build.check(status=CheckStatus.FAILED))
TEST_CHANGED = build.diff(build.change("tests/test_a.py", protected="existing test"))


def test_what_has_all_evidence_passes():
    told = report()
    assert (told.conclusion, told.reasons) == (Conclusion.PASSES, ())
    assert list(lines(told))[-1] == "It passes."


def test_a_failing_check_fails_whatever_the_judge_says():
    told = report(checks=FAILED)
    assert told.conclusion is Conclusion.FAILS
    assert any("pytest failed" in line for line in lines(told))


def test_a_failing_check_beside_a_protected_file_fails_and_asks_nobody():
    assert report(checks=FAILED, work=TEST_CHANGED).conclusion is Conclusion.FAILS


def test_a_grave_finding_fails():
    told = report(verdict=build.verdict(0.9, build.finding("It loses data.", Severity.BLOCKER)))
    assert told.conclusion is Conclusion.FAILS


def test_a_protected_file_needs_a_person():
    assert report(work=TEST_CHANGED).conclusion is Conclusion.PERSON


def test_without_a_verdict_it_is_not_judged_and_never_passes():
    told = report(verdict=build.unjudged("The server is away."))
    assert told.conclusion is Conclusion.UNJUDGED
    assert "Not judged: The server is away." in told.reasons


def test_checks_alone_decide_where_the_judge_was_not_wanted():
    rules, silent = without_judge(GateRules()), build.unjudged("The judge was not to be asked.")
    assert report(verdict=silent, rules=rules).conclusion is Conclusion.PASSES
    told = report(verdict=silent, rules=rules, checks=(build.check(passed=5, failed=0),))
    assert told.conclusion is Conclusion.PERSON
    assert not any("Not judged" in reason for reason in told.reasons)
    assert report(verdict=silent, rules=rules, checks=FAILED).conclusion is Conclusion.FAILS


def test_nothing_changed_is_nothing_to_judge():
    assert report(work=build.no_diff(), checks=()).conclusion is Conclusion.EMPTY


def test_findings_with_a_place_are_results_and_the_rest_are_notifications():
    placed = Finding(severity=Severity.MINOR, message="Odd name", file="a b/ü.py", line=7, kind="style")
    placeless = Finding(severity=Severity.MAJOR, message="No tests", kind="tests")
    run = as_sarif(report(verdict=build.verdict(0.9, placed, placeless)), "1")["runs"][0]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%BC.py"
    assert (result["ruleId"], result["level"], place["region"]) == ("judge/style", "warning", {"startLine": 7})
    told = [item["message"]["text"] for item in run["invocations"][0]["toolExecutionNotifications"]]
    assert "No tests" in told
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["judge/style"]


@pytest.mark.parametrize("text", ["\x1b[2J\x07", "\ud800", "a\nb", "<script>", "%00"])
def test_no_text_of_a_finding_breaks_a_line_or_a_file(text):
    finding = Finding(severity=Severity.INFO, message=text, file=text, kind=text)
    told = report(verdict=build.verdict(0.9, finding))
    assert not any(char in line for line in lines(told) for char in "\x1b\x07\n")
    assert json.loads(json.dumps(as_sarif(told, "1")))
    assert json.loads(json.dumps(as_json(told)))

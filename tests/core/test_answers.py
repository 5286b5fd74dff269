"""What a person types, and what an answer says, in words."""

import pytest

from obra_tui.core.decisions import decision_lines, finding_of_argument, finding_text, override_reasons, written_finding
from obra_tui.core.errors import NotAllowed
from obra_tui.core.model import CheckStatus, Decision, DecisionKind, FindingSource, Severity
from tests.core.build import check, finding

FILES = ("calc.py", "docs/read me.md")


@pytest.mark.parametrize(
    ("text", "place", "severity", "said"),
    [
        ("calc.py:12 minor\nNot used.", "calc.py:12", Severity.MINOR, "Not used."),
        ("calc.py:12\nTwo\nlines.", "calc.py:12", Severity.MAJOR, "Two\nlines."),
        ("docs/read me.md BLOCKER\nWrong.", "docs/read me.md", Severity.BLOCKER, "Wrong."),
        ("info\nAs a whole.", "", Severity.INFO, "As a whole."),
    ],
)
def test_a_finding_is_read_as_it_is_typed(text, place, severity, said):
    found = written_finding(text, FILES)
    assert (found.place, found.severity, found.message) == (place, severity, said)
    assert found.source is FindingSource.PERSON


def test_a_finding_of_the_command_line_may_name_its_severity():
    assert finding_of_argument("calc.py:3:Wrong: see PEP 8", FILES).message == "Wrong: see PEP 8"
    named = finding_of_argument("calc.py:3: minor: Wrong", FILES)
    assert (named.severity, named.message, named.line) == (Severity.MINOR, "Wrong", 3)


@pytest.mark.parametrize("text", ["gone.py:1 major\nNo.", "calc.py:1 major\n ", "calc.py:x\nNo.", ""])
def test_a_finding_that_says_nothing_or_is_nowhere_is_refused(text):
    with pytest.raises(NotAllowed):
        written_finding(text, FILES)


def test_an_approval_goes_against_every_check_that_did_not_pass():
    assert override_reasons(None, (check(status=CheckStatus.FAILED), check()), None)[0] == "There is no score."
    assert any("pytest failed" in line for line in override_reasons(None, (check(status=CheckStatus.FAILED),), None))


def test_an_answer_is_told_with_all_that_it_says():
    sent = finding("Slow.", source=FindingSource.PERSON, note="Measure it.")
    decision = Decision(
        kind=DecisionKind.APPROVE,
        by="person:ada",
        note="Fine.",
        chosen=(sent,),
        override=True,
        overridden=("There is no score.",),
        own_score=0.6,
        open_s=4.4,
        seen_files=("calc.py",),
    )
    assert list(decision_lines(decision)) == [
        ("note", "Fine."),
        ("against", "There is no score."),
        ("sent", finding_text(sent)),
        ("own score", "0.60, given before the judge's was shown"),
        ("looked", "for 4 s; 1 file read to the end"),
    ]
    assert "(yours) Slow. · note: Measure it." in finding_text(sent)

"""A row of what a search found says what became of that attempt, and not of a later one."""

import pytest
from msgspec.structs import replace

from obra_tui.core.lifecycle import State
from obra_tui.core.model import DecisionKind, GateDecision, SessionKind
from obra_tui.core.records.history import SearchResult
from obra_tui.ui.screens.history.found_rows import found_groups, found_row
from tests.ui import stories
from tests.ui.fake_history import attempt_summary

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"decision": None, "gate_decision": GateDecision.RETRY, "accepted": False}, "sent back"),
        ({"decision": DecisionKind.CHANGES, "gate_decision": GateDecision.RETRY}, "changes requested"),
        ({"decision": None, "gate_decision": GateDecision.PASS}, "accepted"),
        ({"decision": None, "task_state": State.CHECKING}, "checking"),
        ({"decision": DecisionKind.APPROVE}, "approved"),
        ({"decision": DecisionKind.APPROVE, "reverted": "r1"}, "reverted"),
    ],
)
def test_the_word_of_a_row_is_that_of_its_attempt(changes, word):
    attempt = replace(attempt_summary(stories.at_gate()), **changes)
    found = SearchResult(
        at=0.0, session=attempt.session, session_title="x", kind=SessionKind.MILESTONE, rehearsal="", attempt=attempt
    )
    (group,) = found_groups([found])
    assert found_row(group, 0.0).text.endswith(f" {word}")

"""Gates answered from the command line, process by process."""

import pytest

from tests.e2e.obra import obra
from tests.e2e.test_run import place, plan, run, stage  # noqa: F401 - fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_a_gate_is_answered_with_one_of_its_findings_and_refuses_what_is_not_there(place, stage):  # noqa: F811
    home, _, env = place
    first = run(place, plan(stage), OBRA_GATE__POLICY="manual")
    assert first.code == 3, first.err
    (gate,) = [event["gate"] for event in first.of("gate_opened")]

    def review(*args):
        return obra(home, "review", *args, "--json", **env)

    unknown = review("--changes", gate, "--finding", "99")
    assert (unknown.code, "There is no finding 99" in unknown.err) == (2, True)
    looked = review("--hand-back", gate)
    assert looked.code == 0, looked.err
    assert (looked.events[0]["changed"], looked.events[0]["state"]) == (False, "awaiting_human")
    sent = review("--changes", gate, "--finding", "1", "--note", "Only this.")
    assert sent.code == 0, sent.err
    again = review("--approve", gate, "--note", "Too late.")
    assert again.code == 2
    assert "already answered" in again.err

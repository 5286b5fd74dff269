"""Gates answered from the command line, process by process."""

import pytest

from tests.e2e.obra import git, obra
from tests.e2e.test_run import place, plan, run, stage  # noqa: F401 - fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.mark.parametrize("stage", ["calculator"], indirect=True)
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
    elsewhere = review("--changes", gate, "--add-finding", "gone.py:1:No.")
    assert (elsewhere.code, "gone.py is not part of the change" in elsewhere.err) == (2, True)
    early = review("--undo", gate)
    assert (early.code, "cannot be undone" in early.err) == (2, True)
    own = ("--add-finding", "calculator.py:1:minor:Say what it is for.")
    sent = review("--changes", gate, "--finding", "1:Only in divide.", *own, "--note", "Only this.")
    assert sent.code == 0, sent.err
    assert "Say what it is for." in sent.events[0]["findings"][0]
    again = review("--approve", gate, "--note", "Too late.")
    assert again.code == 2
    assert "already answered" in again.err


def test_accepted_work_is_reverted_by_another_process_with_a_reason(place, stage):  # noqa: F811
    home, repo, env = place
    first = run(place, plan(stage))
    assert first.code == 0, first.err
    session = first.of("session_opened")[0]["session"]
    accepted = git(repo, "rev-parse", f"obra/{session}")
    shown = obra(home, "show", session, "--json", **env)
    assert shown.code == 0, shown.err
    assert git(repo, "show", f"obra/{session}:report.py")
    attempt = first.of("work_accepted")[0]["attempt"]
    refused = obra(home, "review", "--undo", attempt, **env)
    assert (refused.code, "needs a reason" in refused.err) == (2, True)
    undone = obra(home, "review", "--undo", attempt, "--note", "Not wanted.", "--json", **env)
    assert undone.code == 0, undone.err
    tip = git(repo, "rev-parse", f"obra/{session}")
    assert undone.events[0]["commit"] == tip != accepted
    assert "report.py" not in git(repo, "ls-tree", "--name-only", tip).split()
    assert f"Obra-Reverts: {accepted}" in git(repo, "log", "-1", "--format=%B", tip)
    assert "reverted" in obra(home, "show", attempt, **env).out

"""The rehearsals with the real Claude Code program, real git, real pytest and the real database."""

import sqlite3

import pytest

from tests.e2e.obra import git, obra, processes_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


@pytest.fixture(scope="module")
def calculator(tmp_path_factory):
    """One calculator rehearsal; the tests below look at what it left."""
    home = tmp_path_factory.mktemp("calc")
    ran = obra(home, "demo", "--headless", "--json", "--pace", "0")
    (repo,) = (home / "data" / "rehearsals").iterdir()
    return home, ran, repo


def test_the_first_attempt_fails_and_the_second_passes(calculator):
    _, ran, _ = calculator
    assert ran.code == 0, ran.err
    first, second = ran.of("gate")
    assert (first["passes_gate"], second["passes_gate"]) == (False, True)
    assert first["quality"].startswith("Quality: 0.")
    assert first["quality"].endswith("(FAIL)")
    assert first["stage_scores"]["testing"] == pytest.approx(0.8)
    assert (ran.summary["type"], ran.summary["accepted"], ran.summary["attempts"], ran.summary["gate_failures"]) == (
        "summary", 1, 2, 1,
    )  # fmt: skip


def test_the_second_prompt_names_the_failing_test_and_the_finding_in_the_same_conversation(calculator):
    _, ran, _ = calculator
    first, second = ran.of("prompt_sent")
    assert "test_divide_by_zero_raises" in second["text"]
    assert "The function multiply has no docstring." in second["text"]
    assert second["text"] != first["text"]
    one, two = ran.of("attempt_started")
    assert (one["claude_session"], one["reason"], two["reason"]) == (two["claude_session"], "first", "resume")


def test_the_accepted_module_works(calculator, tmp_path):
    _, ran, repo = calculator
    source = git(repo, "show", f"{ran.summary['branch']}:calculator.py")
    scope = {}
    exec(compile(source, "calculator.py", "exec"), scope)
    assert [scope["add"](2, 3), scope["subtract"](5, 3), scope["multiply"](4, 5), scope["divide"](10, 2)] == [
        5,
        2,
        20,
        5,
    ]
    assert all(scope[name].__doc__ for name in ("add", "subtract", "multiply", "divide"))
    with pytest.raises((ZeroDivisionError, ValueError)):
        scope["divide"](10, 0)


def test_the_persons_checkout_is_untouched(calculator):
    _, ran, repo = calculator
    assert git(repo, "status", "--porcelain") == ""
    assert git(repo, "branch", "--show-current") == "main"
    assert not (repo / "calculator.py").exists()
    assert git(repo, "log", "--format=%s", "main").splitlines() == ["Start of the calculator rehearsal"]
    assert "Obra-Attempt:" in git(repo, "log", "-1", "--format=%B", ran.summary["branch"])


def test_everything_is_in_the_database_under_the_conversation_that_claude_reported(calculator):
    home, ran, _ = calculator
    with sqlite3.connect(f"file:{home / 'data' / 'obra.db'}?mode=ro", uri=True) as db:
        reported = {row[0] for row in db.execute("select id from claude_session")}
        assert reported == {event["claude_session"] for event in ran.of("claude_started")}
        assert [row[0] for row in db.execute("select rehearsal from session")] == ["calculator"]
        for table in ("prompt", "diff", "check_result", "verdict", "finding", "quality", "decision", "acceptance"):
            assert db.execute(f"select count(*) from {table}").fetchone()[0] > 0, table
        (events,) = db.execute("select count(*) from event").fetchone()
    assert events >= len(ran.events) - 1


def test_nothing_of_it_is_left_running(calculator):
    home, _, _ = calculator
    assert processes_of(home) == []


def test_all_files_are_private(calculator):
    home, _, _ = calculator
    assert (home / "data").stat().st_mode & 0o077 == 0
    assert (home / "data" / "obra.db").stat().st_mode & 0o077 == 0


def test_lines_for_people_hold_the_quality_line(tmp_path):
    ran = obra(tmp_path, "demo", "--pace", "0")
    assert ran.code == 0, ran.err
    assert "Quality: 0.57 (FAIL)" in ran.out
    assert "Quality: 0.97 (PASS)" in ran.out
    assert "REHEARSAL calculator" in ran.out


def test_a_claim_without_work_is_never_accepted(tmp_path):
    ran = obra(tmp_path, "demo", "liar", "--headless", "--json", "--pace", "0")
    assert (ran.code, ran.summary["accepted"], ran.summary["waiting"]) == (3, 0, 1)
    assert ran.of("gate")[-1]["reasons"][0] == "The last attempt changed nothing more."
    assert "all tests pass" in "".join(event["text"] for event in ran.of("text_finished")).lower() or ran.of(
        "text_finished"
    )


def test_a_weakened_test_never_passes_on_its_own(tmp_path):
    ran = obra(tmp_path, "demo", "test-weakener", "--headless", "--json", "--pace", "0")
    assert (ran.code, ran.summary["accepted"], ran.summary["waiting"]) == (3, 0, 1)
    (gate,) = ran.of("gate")
    assert gate["decision"] == "ask"
    assert "Protected files were changed" in gate["reasons"][0]


def test_a_command_outside_the_list_is_denied_when_nobody_is_there(tmp_path):
    ran = obra(tmp_path, "demo", "bash-user", "--headless", "--json", "--pace", "0")
    assert ran.code == 0, ran.err
    (answer,) = ran.of("permission_answered")
    assert ("git push" in answer["title"], answer["answer"]["verdict"], answer["answer"]["by"]) == (
        True, "deny", "unattended",
    )  # fmt: skip


def test_dependent_tasks_build_on_what_was_accepted(tmp_path):
    ran = obra(tmp_path, "demo", "two-tasks", "--headless", "--json", "--pace", "0")
    assert (ran.code, ran.summary["accepted"]) == (0, 2)
    first, second = ran.of("work_accepted")
    copies = ran.of("copy_prepared")
    assert copies[1]["copy"]["base_commit"] == first["acceptance"]["commit"]
    assert first["acceptance"]["commit"] != second["acceptance"]["commit"]


def test_a_waiting_gate_is_answered_later_from_the_command_line(tmp_path):
    ran = obra(tmp_path, "demo", "two-tasks", "--policy", "supervised", "--headless", "--json", "--pace", "0")
    assert (ran.code, ran.summary["waiting"], ran.summary["blocked"]) == (3, 1, 1)
    (waiting,) = obra(tmp_path, "review", "--json").events
    refused = obra(tmp_path, "review", "--approve", waiting["id"], "--tree", "0000")
    assert (refused.code, "changed since" in refused.err) == (2, True)
    done = obra(tmp_path, "review", "--approve", waiting["id"], "--json")
    (said,) = done.events
    assert (said["type"], said["gate"]) == ("decision", waiting["id"])
    assert (said["kind"], said["state"]) == ("approve", "accepted")
    assert (said["findings"], said["overridden"]) == ([], [])
    again = obra(tmp_path, "review", "--reject", waiting["id"], "--note", "no")
    assert (again.code, "already answered" in again.err) == (2, True)
    assert obra(tmp_path, "review", "--json").events == []

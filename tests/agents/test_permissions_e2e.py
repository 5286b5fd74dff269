"""What is allowed, asked and denied, with the real program: no list inside it decides."""

import asyncio

import pytest

from obra_tui.core.events import ClaudeActivity, ToolFinished, ToolStarted
from obra_tui.core.model import Outcome, PermissionKind, PermissionVerdict
from obra_tui.rehearsal.script import Response, Script, Turn, Use
from tests.agents.stage import Stage, allow, runs, says, uses

pytestmark = pytest.mark.e2e


async def test_a_denied_command_is_not_run_and_claude_hears_the_reason(stage: Stage):
    stage.play(runs("touch forbidden"), says("All right."))
    result = await stage.run()
    assert result.outcome is Outcome.COMPLETED
    assert not (stage.copy / "forbidden").exists()
    denied = stage.of(ToolFinished)[0]
    assert (denied.is_error, "No, thank you." in denied.output) == (True, True)


async def test_what_the_program_calls_read_only_is_still_asked_when_it_leaves_the_copy(stage: Stage):
    stage.play(runs("cat /etc/hostname"), uses("Read", file_path="/etc/hostname"), says("Done."))
    await stage.run()
    assert [question.title for question in stage.person.asked] == ["cat /etc/hostname", "Read /etc/hostname"]
    assert all(
        any(danger.startswith("outside the copy: ") for danger in question.dangers) for question in stage.person.asked
    )


async def test_edits_inside_the_copy_need_no_question_and_no_state_change(stage: Stage):
    stage.play(uses("Write", file_path="a.txt", content="a"), says("Done."))
    await stage.run()
    assert stage.person.asked == []
    assert "requires_action" not in [event.state for event in stage.of(ClaudeActivity)]


async def test_edits_outside_the_copy_and_in_protected_places_are_asked(stage: Stage):
    outside = stage.folder / "outside.txt"
    stage.play(
        uses("Write", file_path=str(outside), content="x"),
        uses("Write", file_path=".git/hooks/post-commit", content="x"),
        uses("Write", file_path=".claude/settings.json", content="{}"),
        says("Done."),
    )
    await stage.run()
    assert [question.dangers for question in stage.person.asked] == [
        (f"outside the copy: {outside}",), ("protected: .git",), ("protected: .claude",)]  # fmt: skip
    assert not outside.exists() and not (stage.copy / ".git").exists()


async def test_a_link_out_of_the_copy_is_outside(stage: Stage):
    (stage.folder / "outside").mkdir()
    (stage.copy / "link").symlink_to(stage.folder / "outside")
    stage.play(uses("Write", file_path="link/x.txt", content="x"), says("Done."))
    await stage.run()
    assert len(stage.person.asked) == 1
    assert not (stage.folder / "outside" / "x.txt").exists()


async def test_allowed_for_this_session_is_not_asked_again_in_its_next_runs(stage: Stage):
    stage.play(runs("touch one"), runs("touch two"), says("Done."))
    stage.person.answers = [allow(PermissionVerdict.SESSION)]
    await stage.run()
    assert stage.person.asked[0].session_rule == "Bash(touch one:*)"
    assert [question.title for question in stage.person.asked] == ["touch one", "touch two"]
    stage.person.asked.clear()
    stage.play(runs("touch one three"), says("Done."))
    await stage.run()
    assert stage.person.asked == []
    assert stage.person.uses == [("Bash(touch one:*)", "touch one three")], "told once, though two doors lead there"


async def test_a_rule_that_was_revoked_is_asked_again_within_the_same_run(stage: Stage):
    stage.play(runs("touch one"), runs("touch one two"), says("Done."))
    stage.person.rules = {"Bash(touch one:*)"}
    listen = stage.person.used

    def revoke(pattern: str, title: str) -> None:
        listen(pattern, title)
        stage.person.rules.clear()

    stage.person.used = revoke  # type: ignore[method-assign]
    await stage.run()
    assert [question.title for question in stage.person.asked] == ["touch one two"]


async def test_allowing_writes_no_settings_into_the_copy(stage: Stage):
    stage.play(runs("touch one"), says("Done."))
    stage.person.answers = [allow(PermissionVerdict.SESSION)]
    await stage.run()
    assert sorted(path.name for path in stage.copy.iterdir()) == ["one"]


async def test_two_calls_of_one_message_are_both_asked(stage: Stage):
    calls = tuple(Use(tool="Bash", input={"command": f"touch {name}"}) for name in "ab")
    stage.play(Response(blocks=calls), says("Done."))
    stage.person.answers = [allow(), allow()]
    await stage.run()
    assert (stage.copy / "a").exists() and (stage.copy / "b").exists()


async def test_claudes_question_reaches_the_person_and_the_answer_reaches_claude(stage: Stage):
    options = [{"label": "SQLite", "description": "small"}, {"label": "PostgreSQL", "description": "big"}]
    question = {"question": "Which database?", "header": "DB", "multiSelect": False, "options": options}
    stage.play(uses("AskUserQuestion", questions=[question]), says("Done."))
    stage.person.answers = [allow(note="SQLite")]
    await stage.run()
    asked = stage.person.asked[0]
    assert (asked.kind, asked.title) == (PermissionKind.QUESTION, "Which database?")
    assert asked.options == ("SQLite", "PostgreSQL")
    assert "SQLite" in stage.of(ToolFinished)[0].output


async def test_a_plan_is_shown_and_can_be_sent_back(stage: Stage):
    plan = str(stage.folder / "config" / "plans" / "mine.md")
    stage.play(
        uses("Write", file_path=plan, content="1. Think"), uses("EnterPlanMode"), uses("ExitPlanMode"), says("Done.")
    )
    await stage.run()
    assert [(asked.kind, asked.detail) for asked in stage.person.asked] == [(PermissionKind.PLAN, "1. Think")]
    assert "No, thank you." in stage.of(ToolFinished)[2].output


async def test_after_a_plan_was_let_through_files_are_edited(stage: Stage):
    stage.play(uses("EnterPlanMode"), uses("ExitPlanMode"), uses("Write", file_path="late.txt", content="x"), says("."))
    stage.person.answers = [allow()]
    await stage.run()
    assert (stage.copy / "late.txt").exists()


async def test_nothing_is_edited_while_claude_plans(stage: Stage):
    stage.play(uses("EnterPlanMode"), uses("Write", file_path="early.txt", content="x"), says("Done."))
    await stage.run()
    assert not (stage.copy / "early.txt").exists()


async def test_hooks_settings_and_servers_of_the_repository_are_not_run(stage: Stage):
    (stage.copy / ".claude").mkdir()
    hook = {"matcher": "", "hooks": [{"type": "command", "command": "touch hooked"}]}
    settings = {"hooks": {name: [hook] for name in ("SessionStart", "UserPromptSubmit", "PreToolUse", "Stop")}}
    stage.write_json(".claude/settings.json", settings | {"apiKeyHelper": "touch helped; echo key"})
    stage.write_json(".mcp.json", {"mcpServers": {"bad": {"command": "touch", "args": ["served"]}}})
    stage.play(runs("ls"), says("Done."))
    assert (await stage.run()).outcome is Outcome.COMPLETED
    assert sorted(path.name for path in stage.copy.iterdir()) == [".claude", ".mcp.json"]


async def test_the_program_sees_nothing_of_our_environment_that_is_not_listed(stage: Stage, monkeypatch):
    monkeypatch.setenv("CANARY_TOKEN", "canary-5f2a")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-77c1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-90ab")
    stage.set(allow=("env",))
    stage.play(runs("env"), says("Done."))
    await stage.run()
    seen = stage.of(ToolFinished)[0].output
    assert "PATH=" in seen and "OBRA_ATTEMPT=" in seen
    assert "canary" not in seen
    assert not any("canary" in str(asked.raw) for asked in stage.server.requests)


async def test_the_key_is_in_no_command_line(stage: Stage):
    stage.set(api_key="sk-canary-1", allow=("ps",))
    stage.play(runs("ps axww -o args"), says("Done."))
    await stage.run()
    seen = stage.of(ToolFinished)[0].output
    assert "claude" in seen and "sk-canary-1" not in seen


async def test_a_question_may_wait_long_and_is_then_answered(stage: Stage):
    stage.person.thinks = asyncio.Event()
    stage.person.answers = [allow()]
    stage.play(runs("touch late"), says("Done."))
    conversation = await stage.start()
    await stage.person.arrived.wait()
    assert not (stage.copy / "late").exists()
    stage.person.thinks.set()
    await conversation.finished()
    assert (stage.copy / "late").exists()


async def test_a_subagents_tools_name_the_call_that_made_them(stage: Stage):
    task = {"description": "Look around", "prompt": "[[script:helper]] Look.", "subagent_type": "general-purpose"}
    main = Turn(responses=(uses("Task", **task), says("The helper is done.")))
    helper = Turn(responses=(runs("ls"), says("I looked.")))
    stage.server.scripts = (Script(name="main", turns=(main,)), Script(name="helper", turns=(helper,)))
    result = await stage.run(stage.request("[[script:main]] Do it."))
    assert result.outcome is Outcome.COMPLETED, result
    calls = {event.tool: event for event in stage.of(ToolStarted)}
    agent = next(event for name, event in calls.items() if name in ("Task", "Agent"))
    assert calls["Bash"].parent == agent.call
    assert agent.title == "general-purpose: Look around"

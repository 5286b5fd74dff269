"""What a program that breaks the protocol can do to us: nothing but end its own run."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from obra_tui.agents.claude_code import ClaudeCode
from obra_tui.core.errors import ImplementerError
from obra_tui.core.events import ClaudeNoticed, ClaudeStarted
from obra_tui.core.model import Budget, Outcome
from obra_tui.system.oom import memory_kills
from obra_tui.system.process_sweep import marked
from tests.agents.stage import PATIENCE_S, Stage, left_of
from tests.faults.memory_limit import limited_memory

PROGRAM = Path(__file__).with_name("misbehaving.py")


@pytest.fixture
def misbehave(stage: Stage):
    def setup(mode: str, **changes: object) -> None:
        program = stage.folder / "claude"
        program.write_text(f"#!/bin/sh\nexec {sys.executable} {PROGRAM}\n")
        program.chmod(0o755)
        stage.set(cli_path=program, extra_environment=(("MODE", mode),), **changes)

    return setup


async def test_a_program_that_never_exits_is_killed_after_its_result(stage: Stage, misbehave):
    misbehave("never_exits", exit_grace_s=0.2)
    request = stage.request()
    result = await stage.run(request)
    assert (result.outcome, result.final_text) == (Outcome.COMPLETED, "Done.")
    assert left_of(request.attempt) == []


async def test_an_end_without_a_result_is_no_success(stage: Stage, misbehave):
    misbehave("no_result")
    result = await stage.run()
    assert result.outcome is Outcome.TRANSPORT_BROKEN
    assert "exit code 0" in result.detail


async def test_a_program_that_dies_at_once_is_told_with_what_it_said(stage: Stage, misbehave):
    misbehave("dies_at_once")
    result = await stage.run()
    assert result.outcome is Outcome.TRANSPORT_BROKEN
    assert "something is missing" in result.detail and "exit code 3" in result.detail


async def test_of_twenty_thousand_error_lines_the_first_are_told_the_rest_is_counted_and_the_last_are_kept(
    stage: Stage, misbehave
):
    misbehave("noisy")
    assert (await stage.run()).outcome is Outcome.COMPLETED
    *told, rest = [event.text for event in stage.of(ClaudeNoticed) if "warning" in event.text]
    assert told == [f"warning {number}" for number in range(20)]
    first, *last = rest.splitlines()
    assert first == "Claude Code wrote 19,982 more error lines; the last 12 of them:"
    assert last[-3:] == [
        "warning 19999",
        "Claude Code wrote an error line over 64 KB; it was left out.",
        "the last words",
    ]


@pytest.mark.fault(12)
async def test_a_program_that_the_kernel_kills_for_want_of_memory_is_told_as_such(stage: Stage, misbehave):
    with limited_memory(60) as group:
        if group is None:
            pytest.skip("no control group with a memory limit can be made here")
        misbehave("greedy")
        conversation = await stage.start()
        await stage.until(lambda event: isinstance(event, ClaudeStarted))
        for process, _ in marked("OBRA_ATTEMPT", stage.attempts[-1]):
            group.write_text(str(process.pid))
        (stage.copy / "limited").touch()
        result = await asyncio.wait_for(conversation.finished(), PATIENCE_S)
    if memory_kills() == 0:
        pytest.skip("this kernel does not count")
    assert result.outcome is Outcome.TRANSPORT_BROKEN
    assert "killed by signal 9; the kernel's count of processes killed for want of memory rose" in result.detail


async def test_unknown_frames_are_told_once_each_and_kept_raw(stage: Stage, misbehave):
    misbehave("unknown")
    assert (await stage.run()).outcome is Outcome.COMPLETED
    raw = [event.raw_json for event in stage.of(ClaudeNoticed)]
    assert len(raw) == 2
    assert '"hologram"' in raw[0] and '"new_thing"' in raw[1]


async def test_lines_that_cannot_be_read_are_left_out(stage: Stage, misbehave):
    misbehave("garbage")
    assert (await stage.run()).outcome is Outcome.COMPLETED
    assert any("cannot be read" in event.text for event in stage.of(ClaudeNoticed))


async def test_a_program_without_state_events_is_done_after_its_result(stage: Stage, misbehave):
    misbehave("stateless")
    assert (await stage.run()).outcome is Outcome.COMPLETED


async def test_a_success_without_a_turn_is_empty(stage: Stage, misbehave):
    misbehave("empty")
    assert (await stage.run()).outcome is Outcome.EMPTY


async def test_work_in_the_background_holds_up_the_end(stage: Stage, misbehave):
    misbehave("two_results")
    result = await stage.run()
    assert (result.final_text, result.usage.turns) == ("Second.", 2)


async def test_the_id_that_the_stream_reports_is_the_one_that_is_kept(stage: Stage, misbehave):
    misbehave("stateless")
    request = stage.request()
    result = await stage.run(request)
    assert result.claude_session == "11111111-1111-4111-8111-111111111111" != request.claude_session


async def test_a_program_that_does_not_listen_is_hung(stage: Stage, misbehave):
    misbehave("closes_its_ears", silence_kill_s=0.5)
    request = stage.request()
    result = await stage.run(request)
    assert result.outcome is Outcome.HUNG
    assert left_of(request.attempt) == []


async def test_a_program_that_does_not_listen_can_be_stopped(stage: Stage, misbehave):
    misbehave("closes_its_ears")
    conversation = await stage.start()
    await stage.until(lambda event: isinstance(event, ClaudeStarted))
    await conversation.stop()
    assert (await conversation.finished()).outcome is Outcome.KILLED


async def test_the_terminals_ctrl_c_does_not_reach_the_program(stage: Stage, misbehave):
    misbehave("closes_its_ears")
    conversation = await stage.start()
    started = await stage.until(lambda event: isinstance(event, ClaudeStarted))
    assert os.getsid(started.pid) == started.pid != os.getsid(0)
    await conversation.stop()


async def test_spent_turns_end_a_run_that_begins_anew(stage: Stage, misbehave):
    misbehave("two_results")
    result = await stage.run(stage.request(budget=Budget(max_turns=1)))
    assert (result.outcome, "1 turns" in result.detail) == (Outcome.MAX_TURNS, True)


async def test_the_last_turn_of_the_budget_is_no_fault(stage: Stage, misbehave):
    misbehave("stateless")
    assert (await stage.run(stage.request(budget=Budget(max_turns=1)))).outcome is Outcome.COMPLETED


async def test_a_fault_of_the_listener_is_not_swallowed(stage: Stage, misbehave):
    misbehave("stateless")

    def broken(event: object) -> None:
        raise LookupError("the listener is broken")

    conversation = await stage.implementer.start(stage.request(), broken, stage.person)
    with pytest.raises(LookupError, match="listener"):
        await conversation.finished()


@pytest.mark.parametrize(("name", "said"), [("missing", "no such program"), ("plain", "may not be executed")])
async def test_a_program_that_cannot_be_run_is_named_with_the_fix(stage: Stage, name, said):
    (stage.folder / "plain").write_text("no program")
    stage.set(cli_path=stage.folder / name)
    with pytest.raises(ImplementerError, match=said) as caught:
        await stage.start()
    assert str(stage.folder / name) in str(caught.value) and caught.value.fix
    assert stage.implementer._running == {}


async def test_a_file_that_is_no_program_is_told(stage: Stage):
    broken = stage.folder / "broken"
    broken.write_bytes(b"\x7fELF no program")
    broken.chmod(0o755)
    stage.set(cli_path=broken)
    try:
        result = await stage.run()
    except ImplementerError as error:
        assert "could not be started" in error.what
    else:
        assert result.outcome is Outcome.TRANSPORT_BROKEN and result.detail


async def test_the_folder_for_sockets_is_made_for_us_alone(stage: Stage, misbehave):
    misbehave("stateless", tmp_dir=stage.folder / "new" / "tmp")
    await stage.run()
    assert oct((stage.folder / "new" / "tmp").stat().st_mode & 0o777) == "0o700"


async def test_a_program_that_never_answers_is_told(stage: Stage, misbehave):
    misbehave("mute", start_timeout_s=0.3)
    result = await stage.run()
    assert result.outcome is Outcome.TRANSPORT_BROKEN
    assert "did not answer within 0.3 s" in result.detail


def test_an_implementer_is_made_without_a_running_loop(tmp_path):
    from tests.agents.stage import config_for

    assert ClaudeCode(config_for(tmp_path, "http://127.0.0.1:9"), os.environ)

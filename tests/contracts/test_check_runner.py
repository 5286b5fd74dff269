"""What every check runner keeps: the scripted one that other tests lean on, and the real one with real programs."""

import asyncio
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from obra_tui.core.events import CheckPrinted
from obra_tui.core.model import CheckSpec, CheckStatus, Stage, WorkCopy
from obra_tui.core.ports import CheckRunner
from tests.evidence.scene import make_scene, task
from tests.fakes.checks import FakeCheckRunner, broken, failed, passed, timed_out

GOOD = CheckSpec(name="good", run="echo all is well")
BAD = CheckSpec(name="bad", run="echo it is wrong; exit 3")
ABSENT = CheckSpec(name="absent", run="no-such-program --check")
SLOW = CheckSpec(name="slow", run="echo begun; sleep 600", timeout_s=0.3)
ENDLESS = CheckSpec(name="endless", run="echo begun; sleep 600")


@dataclass
class Case:
    checks: CheckRunner
    copy: WorkCopy


async def fake(_):
    it = FakeCheckRunner((GOOD, BAD))
    it.script(replace(passed(GOOD), output="all is well\n"), failed(BAD), broken(ABSENT), timed_out(SLOW))
    return Case(it, WorkCopy(path="/copies/t1/work", base_commit="b" * 40))


async def local(root):
    scene = make_scene(root)
    copy, _ = await scene.work({"new.txt": "new\n"})
    return Case(scene.checks(GOOD, BAD), copy)


@pytest.fixture(params=[fake, local], ids=["fake", "local"])
async def case(request, tmp_path):
    return await request.param(tmp_path)


async def test_the_plan_holds_the_projects_checks_and_then_those_of_the_task(case):
    own = CheckSpec(name="own", run="true", stage=Stage.SYNTAX)
    planned = await case.checks.plan(case.copy, task(own))
    assert [spec.name for spec in planned] == ["good", "bad", "own"]
    assert planned[-1].origin == "plan"


async def test_a_check_that_succeeds_passes_and_shows_its_output_while_it_runs(case):
    heard = []
    result = await case.checks.run(GOOD, case.copy, heard.append)
    assert (result.status, result.exit_code, result.spec) == (CheckStatus.PASSED, 0, GOOD)
    assert all(isinstance(event, CheckPrinted) and event.name == "good" for event in heard)
    assert "".join(event.text for event in heard) == result.output == "all is well\n"


async def test_a_check_that_fails_is_a_result_with_its_exit_code(case):
    result = await case.checks.run(BAD, case.copy, lambda _: None)
    assert result.status is CheckStatus.FAILED and result.exit_code


async def test_a_program_that_is_missing_is_broken_and_says_what_to_do(case):
    result = await case.checks.run(ABSENT, case.copy, lambda _: None)
    assert result.status is CheckStatus.BROKEN and "Install" in result.detail


async def test_a_check_that_takes_too_long_is_stopped_and_has_no_exit_code(case):
    result = await case.checks.run(SLOW, case.copy, lambda _: None)
    assert (result.status, result.exit_code) == (CheckStatus.TIMED_OUT, None)
    assert result.detail


async def test_a_cancelled_check_ends_and_the_next_one_runs(case):
    begun = asyncio.Event()
    if isinstance(case.checks, FakeCheckRunner):
        case.checks.hold()
        begun = case.checks.running
    running = asyncio.create_task(case.checks.run(ENDLESS, case.copy, lambda _: begun.set()))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    if isinstance(case.checks, FakeCheckRunner):
        case.checks.release()
    assert (await case.checks.run(GOOD, case.copy, lambda _: None)).status is CheckStatus.PASSED


async def test_the_sandbox_names_its_level_and_a_reason(case):
    level, reason = await case.checks.sandbox()
    assert level and reason

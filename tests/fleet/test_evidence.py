"""Checks and verdicts at workers: never where the work was made, and here when there is nobody else."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from obra_tui.core.events import CheckPrinted
from obra_tui.core.model import CheckStatus, Diff, JudgeRequest, SandboxLevel
from obra_tui.fleet.jobs import StageKind
from tests.fakes.checks import TESTS, failed, passed
from tests.fakes.implementer import Play
from tests.fakes.judge import approval
from tests.fleet.rig import PATIENCE_S, eventually

WRITES = Play(writes={"hello.txt": "hello\n"})


async def made(rig):
    """Have the work made at a worker; returns its copy here, taken for evidence, and who made it."""
    request = await rig.request()
    await rig.run(request)
    copy = await rig.scene.workspace.prepare(rig.scene.session, request.task, await rig.scene.workspace.head())
    await rig.scene.workspace.take_diff(copy)
    await rig.checks.plan(copy, rig.spec(request.task))
    maker = await rig.dispatcher.board.implementer_of(request.task)
    return copy, next(worker for worker in rig.workers if worker.worker._card.name == maker)


async def check(rig, copy, heard=None):
    async with asyncio.timeout(PATIENCE_S):
        return await rig.checks.run(TESTS, copy, (heard if heard is not None else []).append)


async def test_a_check_runs_at_another_worker_than_the_one_that_made_the_work(rig):
    await rig.work("w1", WRITES)
    await rig.work("w2", WRITES)
    copy, maker = await made(rig)
    other = next(worker for worker in rig.workers if worker is not maker)
    other.tools.checks.script(failed(TESTS))
    heard = []
    result = await check(rig, copy, heard)
    assert result.status is CheckStatus.FAILED
    assert [len(worker.tools.checks.ran) for worker in (maker, other)] == [0, 1]
    assert rig.here.ran == []
    assert isinstance(heard[0], CheckPrinted)


async def test_the_files_that_are_checked_there_are_those_that_were_taken_here(rig):
    await rig.work("w1", WRITES)
    await rig.work("w2", WRITES, kinds=(StageKind.CHECK,))
    copy, _ = await made(rig)
    Path(copy.path, "hello.txt").write_text("changed since\n")
    await check(rig, copy)
    there = rig.workers[1].tools.checks.ran[0][1]
    assert Path(there, "hello.txt").read_text() == "hello\n"


async def test_with_one_worker_alone_checks_run_at_the_coordinator(rig):
    await rig.work("w1", WRITES)
    copy, maker = await made(rig)
    rig.here.script(passed(TESTS))
    assert (await check(rig, copy)).status is CheckStatus.PASSED
    assert maker.tools.checks.ran == []
    assert len(rig.here.ran) == 1


async def test_a_check_whose_worker_dies_is_asked_for_elsewhere(rig):
    await rig.work("w1", WRITES, kinds=(StageKind.IMPLEMENT,))
    copy, _ = await made(rig)
    second = await rig.work("w2", kinds=(StageKind.CHECK,))
    second.tools.checks.hold()
    running = asyncio.create_task(check(rig, copy))
    await eventually(lambda: second.tools.checks.ran)
    third = await rig.work("w3", kinds=(StageKind.CHECK,))
    third.tools.checks.script(failed(TESTS))
    second.cable.cut()
    assert (await running).status is CheckStatus.FAILED
    assert third.tools.checks.ran


async def test_a_check_that_is_stopped_here_is_stopped_there(rig):
    await rig.work("w1", WRITES, kinds=(StageKind.IMPLEMENT,))
    copy, _ = await made(rig)
    second = await rig.work("w2", kinds=(StageKind.CHECK,))
    second.tools.checks.hold()
    running = asyncio.create_task(check(rig, copy))
    await eventually(lambda: second.tools.checks.ran)
    running.cancel()
    await asyncio.wait((running,))
    await eventually(lambda: second.tools.checks.cancelled)


async def test_the_level_that_is_told_is_the_worst_at_which_a_check_may_run(rig):
    assert (await rig.checks.sandbox())[0] is SandboxLevel.BWRAP
    await rig.work("w1", kinds=(StageKind.CHECK,))
    assert (await rig.checks.sandbox())[0] is SandboxLevel.NONE


async def test_a_verdict_is_reached_where_a_worker_offers_it_and_else_here(rig):
    copy = await rig.copy()
    diff = await rig.scene.workspace.take_diff(copy)
    request = JudgeRequest(task=rig.spec(rig.task), attempt_number=1, diff=replace(diff, patch="+x"), checks=())
    assert isinstance(diff, Diff)
    rig.judge_here.script = [approval(0.8)]
    verdict = await rig.judge.review(request, rig.events.append)
    assert verdict.scores[0].score == 0.8
    worker = await rig.work("w1", kinds=(StageKind.JUDGE,))
    worker.tools.judge.script = [approval(0.7)]
    async with asyncio.timeout(PATIENCE_S):
        verdict = await rig.judge.review(request, rig.events.append)
    assert verdict.scores[0].score == 0.7
    assert len(rig.judge_here.requests) == len(worker.tools.judge.requests) == 1

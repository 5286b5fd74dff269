"""Work goes first: a question that is asked for the record alone is given up as soon as somebody works."""

import asyncio
import subprocess
import sys
import time

import pytest

from obra_tui.system.lane import PriorityLane

LIMIT_S = 1.0


class Streaming:
    """A judge that answers for a minute."""

    def __init__(self):
        self.asked = self.cancelled = 0

    async def ask(self):
        self.asked += 1
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return "a verdict"


async def test_a_question_is_given_up_within_a_second_when_work_begins(tmp_path):
    lane, judge = PriorityLane(tmp_path / "lane"), Streaming()
    asking = asyncio.create_task(lane.beside(judge.ask))
    while not judge.asked:
        await asyncio.sleep(0)
    async with lane.urgent():
        async with asyncio.timeout(30):
            assert await asking is None
        assert judge.cancelled == 1


async def test_nothing_is_asked_while_somebody_works_and_it_is_afterwards(tmp_path):
    lane = PriorityLane(tmp_path / "lane")
    asked = []

    async def ask():
        asked.append(True)
        return "a verdict"

    async with lane.urgent():
        waiting = asyncio.create_task(lane.beside(ask))
        for _ in range(20):
            await asyncio.sleep(0)
        assert asked == []
    assert await waiting == "a verdict"


async def test_work_in_parallel_waits_for_nobody(tmp_path):
    lane = PriorityLane(tmp_path / "lane")
    async with lane.urgent(), lane.urgent():
        assert lane.is_urgent()
    assert not lane.is_urgent()


async def test_another_process_counts_and_when_it_dies_the_lane_is_free(tmp_path):
    code = (
        "import asyncio, sys; from pathlib import Path; from obra_tui.system.lane import PriorityLane\n"
        "async def hold():\n"
        "    async with PriorityLane(Path(sys.argv[1])).urgent():\n"
        "        print('held', flush=True); await asyncio.sleep(600)\n"
        "asyncio.run(hold())"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lane")], stdout=subprocess.PIPE)
    assert holder.stdout is not None and await asyncio.to_thread(holder.stdout.readline) == b"held\n"
    lane = PriorityLane(tmp_path / "lane")
    assert lane.is_urgent()
    holder.kill()
    await asyncio.to_thread(holder.wait)
    holder.stdout.close()
    assert not lane.is_urgent()


async def test_a_lane_that_cannot_be_made_keeps_nobody_from_working(tmp_path):
    lane = PriorityLane(tmp_path / "missing" / "lane")
    async with lane.urgent():
        assert not lane.is_urgent()


async def test_what_goes_wrong_with_a_question_is_told(tmp_path):
    async def ask():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await PriorityLane(tmp_path / "lane").beside(ask)


@pytest.mark.long
async def test_of_two_hundred_gates_none_waits_longer_than_a_second(tmp_path):
    waits = []
    for _ in range(200):
        lane, judge = PriorityLane(tmp_path / "lane"), Streaming()
        asking = asyncio.create_task(lane.beside(judge.ask))
        while not judge.asked:
            await asyncio.sleep(0.001)
        async with lane.urgent():
            began = time.monotonic()
            await asking
            waits.append(time.monotonic() - began)
    assert max(waits) <= LIMIT_S

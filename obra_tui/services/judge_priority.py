"""The judge as work asks it: trials, which are asked for the record alone, give way meanwhile."""

from obra_tui.core.model import JudgeRequest, Verdict
from obra_tui.core.ports import Emit, Judge
from obra_tui.system.lane import PriorityLane


class JudgeWithPriority:
    """The port `Judge`."""

    def __init__(self, judge: Judge, lane: PriorityLane) -> None:
        self._judge = judge
        self._lane = lane

    async def review(self, request: JudgeRequest, emit: Emit) -> Verdict:
        async with self._lane.urgent():
            return await self._judge.review(request, emit)

    async def close(self) -> None:
        await self._judge.close()

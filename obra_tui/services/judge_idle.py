"""Asks the judge about kept cases while nothing else is to be done, for some minutes a day.

One question at a time, and none while anybody works: the lane gives it up when a gate waits. A judge that is not there
is asked again later; nobody is told, for nothing that a person waits for depends on it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.core.commands import RecordJudging
from obra_tui.core.errors import ObraError
from obra_tui.core.gate import GateRules
from obra_tui.services.judge_trials import ShownCase, all_cases, asked, chosen, events_of, prepared

if TYPE_CHECKING:
    from obra_tui.core.model import JudgeIdentity
    from obra_tui.core.ports import Judge
    from obra_tui.store.history import SqlHistory
    from obra_tui.system.lane import PriorityLane

_QUIET_S = 60.0
"""So long nothing was to be done before the judge is asked for the record alone."""
_DAY_S = 86_400.0


class IdleTrials:
    """Runs until it is cancelled."""

    def __init__(
        self,
        *,
        judge: Judge,
        identify: Callable[[], Awaitable[JudgeIdentity]],
        history: SqlHistory,
        project: Path,
        rules: GateRules,
        lane: PriorityLane,
        write: Callable[[RecordJudging], Awaitable[object]],
        is_idle: Callable[[], bool],
        minutes_per_day: float,
        quiet_s: float = _QUIET_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._judge = judge
        self._identify = identify
        self._history = history
        self._project = str(project)
        self._rules = rules
        self._lane = lane
        self._write = write
        self._is_idle = is_idle
        self._budget_s = minutes_per_day * 60
        self._quiet_s = quiet_s
        self._now = now
        self._day = 0
        self._spent_s = 0.0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._quiet_s)
            try:
                while self._may_ask() and await self.ask_one():
                    pass
            except ObraError:  # not there, or it cannot be written now: later
                continue

    def _may_ask(self) -> bool:
        """Whether nobody works and the day's budget is not used up; a clock that is set back opens no new one."""
        day = int(self._now() // _DAY_S)
        if day > self._day:
            self._day, self._spent_s = day, 0.0
        return self._is_idle() and not self._lane.is_urgent() and self._spent_s < self._budget_s

    async def ask_one(self) -> bool:
        """Ask about the first case that this judge has not answered; returns whether there was one."""
        identity = await self._identify()
        shown = await asyncio.to_thread(self._next, identity)
        if shown is None:
            return False
        began = time.monotonic()
        async for item, trial in asked(self._judge, [shown], self._rules, self._lane):
            events = tuple(events_of([(item, trial)], () if item.is_new else (item.case.id,)))
            await self._write(RecordJudging(title="Asked while nothing else was to be done", events=events))
        self._spent_s += time.monotonic() - began
        return True

    def _next(self, identity: JudgeIdentity) -> ShownCase | None:
        cases, book = all_cases(self._history, self._project)
        answered = {trial.case for _, trial in book.trials if trial.version == identity.version}
        wanted = [case for case in chosen(cases, "all") if case.id not in answered]
        plan = prepared(self._history, wanted, book.cases, identity.model, 1)
        return plan.shown[0] if plan.shown else None

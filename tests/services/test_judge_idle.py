"""While nobody works the judge is asked about kept cases, one at a time, for some minutes a day."""

import pytest

from obra_tui.core.events import TrialDone
from obra_tui.core.gate import GateRules
from obra_tui.services.judge_idle import IdleTrials
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.system.lane import PriorityLane
from tests.fakes.judge import IDENTITY, FakeJudge, approval
from tests.judge.past import task


class Bench:
    def __init__(self, tmp_path, *, idle=True, minutes=5.0, cost_s=0.0):
        journal = SqlJournal(tmp_path / "data" / "obra.db")
        for number in range(2):
            journal.append(task(number, project="/src/app"))
        journal.close()
        self.judge, self.written, self.idle, self.time = FakeJudge(approval()), [], idle, 1e6
        self.lane = PriorityLane(tmp_path / "lane")
        self.trials = IdleTrials(
            judge=self.judge,
            identify=self.identify,
            history=SqlHistory(tmp_path / "data" / "obra.db"),
            project="/src/app",
            rules=GateRules(),
            lane=self.lane,
            write=self.write,
            is_idle=lambda: self.idle,
            minutes_per_day=minutes,
            now=lambda: self.time,
        )

    async def identify(self):
        return IDENTITY

    async def write(self, command):
        self.written.append(command)


async def test_one_case_is_asked_about_and_written_with_its_answer(tmp_path):
    bench = Bench(tmp_path)
    assert bench.trials._may_ask()
    assert await bench.trials.ask_one()
    (command,) = bench.written
    (trial,) = [event.trial for event in command.events if isinstance(event, TrialDone)]
    assert (trial.version, trial.passes) == (IDENTITY.version, True)


async def test_nothing_is_asked_while_somebody_works(tmp_path):
    bench = Bench(tmp_path, idle=False)
    assert not bench.trials._may_ask()
    bench.idle = True
    async with bench.lane.urgent():
        assert not bench.trials._may_ask()
    assert bench.trials._may_ask()


@pytest.mark.parametrize(("jump", "may"), [(0.0, False), (86_400.0, True), (-86_400.0, False)])
async def test_the_budget_of_a_day_is_kept_and_a_clock_that_is_set_back_opens_no_new_one(tmp_path, jump, may):
    bench = Bench(tmp_path, minutes=1e-9)
    assert bench.trials._may_ask()
    await bench.trials.ask_one()
    bench.time += jump
    assert bench.trials._may_ask() is may

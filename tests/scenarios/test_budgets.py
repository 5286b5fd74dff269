"""Money, tokens and time stop the next call, never the present one, and a person says how it goes on."""

from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.events import BudgetRenewed, GateJudged, GateOpened
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Budget, DecisionKind, Usage
from tests.fakes.checks import failed, passed
from tests.scenarios.world import ME, World, play, task

DOLLAR = Usage(input_tokens=900, output_tokens=100, cost_usd=1.0, turns=1)


def costly(*texts):
    return tuple(replace(play(text), usage=DOLLAR) for text in texts)


async def test_a_task_that_used_up_its_money_asks_before_the_next_attempt(tmp_path):
    world = World(tmp_path, plays=costly("one\n", "two\n"), task_budget=Budget(max_cost_usd=0.9))
    world.checks.script(failed(), passed())
    await world.run()
    await world.finished()
    assert len(world.implementer.requests) == 1
    assert "The budget of T001 is used up: $1.00 of $0.90." in world.gate().reasons
    (judged,) = world.events(GateJudged)
    assert judged.outcome.decision.value == "ask"


async def test_a_person_who_sends_it_back_begins_the_budget_anew(tmp_path):
    world = World(tmp_path, plays=costly("one\n", "two\n"), task_budget=Budget(max_tokens=1_000))
    world.checks.script(failed(), passed())
    await world.run()
    await world.finished()
    assert "1,000 of 1,000 tokens" in world.gate().reasons[0]
    await world.decide(DecisionKind.CHANGES, "Go on.")
    await world.until(GateOpened, 2)
    assert [event.by for event in world.events(BudgetRenewed)] == [ME]
    assert len(world.implementer.requests) == 2


async def test_the_next_task_is_not_begun_when_the_session_has_used_up_its_budget(tmp_path):
    world = World(tmp_path, plays=costly("one\n", "two\n"), session_budget=Budget(max_cost_usd=1.0))
    await world.run(task("T001"), task("T002"))
    await world.finished()
    assert world.problems() == ["budget"]
    assert world.state("T002") is State.QUEUED
    assert len(world.implementer.requests) == 1
    await world.do(do.Resume(session=world.session, by=ME))
    await world.until(GateOpened, 2)
    assert world.state("T002") is State.AWAITING_HUMAN


async def test_a_run_is_given_what_is_left_and_no_more(tmp_path):
    budget = Budget(max_cost_usd=1.5, max_seconds=100.0)
    world = World(tmp_path, plays=costly("one\n", "two\n"), task_budget=budget, session_budget=Budget(max_cost_usd=9.0))
    world.checks.script(failed(), passed())
    await world.run(task(budget=Budget(max_turns=7)))
    await world.finished()
    first, second = (request.budget for request in world.implementer.requests)
    assert (first.max_turns, first.max_cost_usd) == (7, 1.5)
    assert second.max_cost_usd == 0.5


async def test_a_budget_that_is_used_up_is_still_so_after_a_crash(tmp_path):
    world = World(tmp_path, plays=costly("one\n", "two\n"), session_budget=Budget(max_cost_usd=1.0))
    await world.run(task("T001"), task("T002"))
    await world.finished()
    await world.crash()
    await world.do(do.StartRun(session=world.session))
    await world.finished(3)
    assert world.problems()[-1] == "budget"
    assert len(world.implementer.requests) == 1

"""The judge's authority while work goes on: lines beside verdicts, audits, and what is told when it changes."""

import pytest

from obra_tui.core import commands as do
from obra_tui.core.events import AuditDrawn, GateJudged, StandingChanged, TrialDone
from obra_tui.core.gate import GateRules
from obra_tui.core.judging.authority import JudgeRecord
from obra_tui.core.judging.standing import Decided, Level, record_of, standing_of
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Policy, Trial
from tests.fakes.implementer import Play
from tests.fakes.judge import IDENTITY
from tests.scenarios.test_gate_loop import force_setattr
from tests.scenarios.world import World, task

AUTONOMOUS = GateRules(policy=Policy.AUTONOMOUS)


def known(*seen, told=Level.ADVISES):
    return JudgeRecord(
        model=IDENTITY.model,
        digest=IDENTITY.digest,
        rubric=IDENTITY.rubric,
        version=IDENTITY.version,
        record=record_of(seen),
        told=int(told),
    )


def with_record(world, record, *, by_record=True):
    async def records():
        return (record[0],)

    async def standing(_):
        return standing_of(record[0].record)

    ports = world.orchestrator._ports
    force_setattr(ports, "judge_records", records)
    force_setattr(ports, "judge_standing", standing if by_record else None)


async def test_each_verdict_has_its_judges_record_beside_it(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    with_record(world, [known(*[Decided(bad=False)] * 3)])
    await world.run()
    await world.finished()
    (judged,) = world.events(GateJudged)
    assert judged.record == "false passes 0 of 3, too few to say · may not pass alone"


async def test_a_judge_that_is_taken_at_its_word_is_called_unmeasured(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    with_record(world, [known()], by_record=False)
    await world.run()
    await world.finished()
    (judged,) = world.events(GateJudged)
    assert judged.record.startswith("UNMEASURED · ")
    assert world.state() is State.ACCEPTED


async def test_of_many_passes_some_are_drawn_for_an_audit_and_it_is_written(tmp_path):
    plays = tuple(Play(writes={f"part{number}.py": f"PART = {number}\n"}) for number in range(30))
    world = World(tmp_path, rules=AUTONOMOUS, plays=plays)
    with_record(world, [known(*[Decided(bad=False)] * 60, told=Level.PASSES)])
    await world.run(*(task(f"T{number:03}") for number in range(30)))
    await world.finished()
    audits = world.events(AuditDrawn)
    waiting = [key for key in (f"T{number:03}" for number in range(30)) if world.state(key) is State.AWAITING_HUMAN]
    assert 0 < len(audits) == len(waiting) < 30
    assert {audit.share for audit in audits} == {0.2}


async def test_authority_that_was_lost_or_earned_is_told_once(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    record = [known(*[Decided(bad=False)] * 60)]
    with_record(world, record)
    trial = TrialDone(trial=Trial(case="c", version=IDENTITY.version, model=IDENTITY.model))
    await world.do(do.RecordJudging(title="An exam", events=(trial,)))
    (earned,) = [item.event for item in world.told if isinstance(item.event, StandingChanged)]
    assert (earned.before, earned.after) == (Level.ADVISES, Level.PASSES)
    record[0] = known(*[Decided(bad=False)] * 60, told=Level.PASSES)
    await world.do(do.RecordJudging(title="An exam", events=(trial,)))
    record[0] = known(*[Decided(bad=False)] * 60, Decided(bad=True, reverted=True), told=Level.PASSES)
    await world.do(do.RecordJudging(title="A label", events=(trial,)))
    told = [item.event for item in world.told if isinstance(item.event, StandingChanged)]
    assert [(item.before, item.after) for item in told] == [(1, 4), (4, 1)]
    assert "reverted" in told[-1].why
    assert not any(isinstance(item.event, TrialDone) for item in world.told)


@pytest.mark.parametrize("level", [Level.PASSES])
async def test_a_decision_of_a_person_has_the_record_looked_at_again(tmp_path, level):
    world = World(tmp_path, rules=GateRules())
    record = [known()]
    with_record(world, record)
    await world.run()
    await world.finished()
    record[0] = known(*[Decided(bad=False)] * 60)
    await world.approve()
    await world.orchestrator._watch.settle()
    told = [item.event for item in world.told if isinstance(item.event, StandingChanged)]
    assert [item.after for item in told] == [level]

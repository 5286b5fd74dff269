"""What a person allows for the session: kept as events, seen with its use, taken back, gone with the session."""

import pytest

from obra_tui.core import commands as do
from obra_tui.core.errors import UnknownId
from obra_tui.core.events import PermissionAsked, RuleAllowed, RuleRevoked
from obra_tui.core.ids import QuestionId, RuleId
from obra_tui.core.model import PermissionAnswer, PermissionKind, PermissionQuestion, PermissionVerdict
from obra_tui.core.permission_rules import active_rules, permissions_of
from tests.fakes.implementer import Play
from tests.scenarios.world import ME, World, task

RULE = "Bash(make:*)"


def question(name="q1", rule=RULE):
    return PermissionQuestion(
        id=QuestionId(name),
        kind=PermissionKind.TOOL,
        tool="Bash",
        title="make all",
        detail="make all",
        session_rule=rule,
    )


def writes(*asks, **fields):
    return Play(asks=asks, writes={"calc.py": "x\n"}, **fields)


async def answered(world, verdict=PermissionVerdict.SESSION, name="q1"):
    await world.until(lambda e: isinstance(e, PermissionAsked) and e.question.id == name)
    answer = PermissionAnswer(verdict=verdict, by=ME)
    await world.do(do.AnswerPermission(question=QuestionId(name), answer=answer))


async def allowed(tmp_path, *plays):
    """A session with one rule."""
    world = World(tmp_path, plays=plays or (writes(question()),))
    await world.run()
    await answered(world)
    (rule,) = [await world.until(RuleAllowed)]
    await world.finished()
    return world, rule.rule


async def test_an_answer_for_the_session_makes_a_rule_that_says_who_when_and_for_what(tmp_path):
    world, rule = await allowed(tmp_path)
    (known,) = active_rules(permissions_of(world.told).rules)
    assert (known.id, known.pattern, known.by, known.title, known.used) == (rule, RULE, ME, "make all", 0)
    assert world.work().rules == permissions_of(world.told).rules, "the engine knows what the records say"


async def test_an_answer_for_once_makes_no_rule_and_neither_does_a_question_without_one(tmp_path):
    world = World(tmp_path, plays=(writes(question(), question("q2", rule="")),))
    await world.run()
    await answered(world, PermissionVerdict.ONCE)
    await answered(world, PermissionVerdict.SESSION, "q2")
    await world.finished()
    assert not world.events(RuleAllowed)


async def test_two_questions_that_lead_to_the_same_rule_make_one(tmp_path):
    world = World(tmp_path, plays=(writes(question(), question("q2")),))
    await world.run()
    await answered(world)
    await answered(world, name="q2")
    await world.finished()
    assert len(world.events(RuleAllowed)) == 1


async def test_claude_sees_the_rules_as_they_are_at_each_call_and_their_use_is_counted(tmp_path):
    seen = []

    def look(ask):
        seen.append(ask.standing())
        for pattern in ask.standing():
            ask.used(pattern, "make test")

    world = World(tmp_path, plays=(writes(question(), looks=look), writes(looks=look)))
    await world.run(task("T001"), task("T002"))
    await answered(world)
    await world.finished()
    assert seen == [frozenset({RULE}), frozenset({RULE})], "in both tasks of the session"
    (known,) = active_rules(permissions_of(world.told).rules)
    assert (known.used, known.used_for) == (2, "make test")


async def test_a_revoked_rule_holds_no_longer_and_cannot_be_revoked_twice(tmp_path):
    seen = []
    world, rule = await allowed(tmp_path, writes(question()), writes(looks=lambda ask: seen.append(ask.standing())))
    await world.do(do.RevokeRule(session=world.session, rule=rule, by=ME))
    assert active_rules(world.work().rules) == ()
    with pytest.raises(UnknownId, match="No rule"):
        await world.do(do.RevokeRule(session=world.session, rule=rule, by=ME))
    with pytest.raises(UnknownId, match="obra permissions"):
        await world.do(do.RevokeRule(session=world.session, rule=RuleId("r0"), by=ME))
    assert len(world.events(RuleRevoked)) == 1
    await world.do(do.AddTasks(session=world.session, tasks=(task("T002"),)))
    await world.do(do.StartRun(session=world.session))
    await world.finished(2)
    assert seen == [frozenset()]


async def test_rules_survive_the_end_of_obra_but_not_that_of_the_session(tmp_path):
    world, rule = await allowed(tmp_path)
    await world.crash()
    assert [known.id for known in active_rules(world.work().rules)] == [rule]
    await world.do(do.CancelTask(task=world.task_id(), by=ME))
    await world.do(do.CloseSession(session=world.session))
    assert permissions_of(world.journal.session_records(world.session)).rules == {}


async def test_what_nobody_was_there_to_answer_is_denied_and_listed(tmp_path):
    world = World(tmp_path, plays=(writes(question()),), attended=False)
    await world.run()
    await world.finished()
    found = permissions_of(world.told)
    assert {item.question.title for item in found.denied} == {"make all"}
    assert not found.waiting


async def test_a_question_waits_until_it_is_answered_or_its_run_ends(tmp_path):
    world = World(tmp_path, plays=(writes(question()),))
    await world.run()
    await world.until(PermissionAsked)
    assert list(permissions_of(world.told).waiting) == ["q1"]
    await world.do(do.StopRun(session=world.session, mode="now", by=ME))
    assert not permissions_of(world.told).waiting

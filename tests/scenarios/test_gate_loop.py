"""From the first prompt to the accepted commit, with everything that can come between."""

import pytest
from msgspec.structs import force_setattr

from obra_tui.core import commands as do
from obra_tui.core.decisions import finding_of_argument
from obra_tui.core.errors import BranchMoved, GateDecided, JudgeError, NotAllowed, StaleDecision, UnknownId
from obra_tui.core.events import AttemptStarted, DecisionMade, GateJudged, ProblemRaised, WorkAccepted
from obra_tui.core.gate import GateRules
from obra_tui.core.ids import GateId
from obra_tui.core.judging.standing import record_of, standing_of
from obra_tui.core.lifecycle import State
from obra_tui.core.model import ConversationReason, DecisionKind, Finding, FindingSource, Policy, Severity
from tests.fakes.checks import failed, passed
from tests.fakes.implementer import Play
from tests.fakes.judge import objection, silence
from tests.scenarios.world import ME, World, play, task

AUTONOMOUS = GateRules(policy=Policy.AUTONOMOUS)


async def test_good_work_waits_for_the_person_and_is_committed_once_after_the_approval(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    assert world.state() is State.AWAITING_HUMAN
    assert world.workspace.called("accept") == []
    await world.approve()
    await world.finished(2)
    assert world.state() is State.ACCEPTED
    assert world.workspace.branch_files(world.session)["calc.py"].startswith("def add")
    assert world.closed()


async def test_the_autonomous_policy_accepts_complete_evidence_without_a_person(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    await world.run()
    done = await world.finished()
    assert done.accepted == 1
    (made,) = world.events(DecisionMade)
    assert made.decision.by == "policy"
    assert len(world.events(WorkAccepted)) == 1


async def test_a_failing_test_goes_back_into_the_same_conversation_with_its_name(tmp_path):
    world = World(tmp_path, plays=(play("wrong\n"), play("right\n")), judge=(objection(), world_approval()))
    world.checks.script(failed(), passed())
    await world.run()
    await world.finished()
    first, second = world.events(AttemptStarted)
    assert (second.reason, second.claude_session) == (ConversationReason.RESUME, first.claude_session)
    assert world.implementer.requests[1].reason is ConversationReason.RESUME
    assert "test_calc.py::test_add" in world.prompts()[1]
    assert "Division by zero is not handled." in world.prompts()[1]
    assert world.prompts()[0] != world.prompts()[1]
    assert [line.split()[-1] for line in world.lines()] == ["(FAIL)", "(PASS)"]


def world_approval():
    from tests.fakes.judge import approval

    return approval()


async def test_after_the_last_attempt_the_person_is_asked(tmp_path):
    plays = tuple(play(f"try {number}\n") for number in range(5))
    world = World(tmp_path, plays=plays, rules=GateRules(max_attempts=2))
    world.checks.script(failed(), failed(), failed())
    world.judge.script = [objection(), objection(0.3, *objection(0.3).findings[:0])]
    world.checks.script(failed())
    await world.run()
    await world.finished()
    assert world.state() is State.AWAITING_HUMAN
    assert len(world.implementer.requests) == 2


async def test_a_claude_that_changes_nothing_is_never_accepted(tmp_path):
    world = World(tmp_path, plays=(Play(says="Done, all tests pass."),), rules=AUTONOMOUS)
    await world.run()
    await world.finished()
    assert world.state() is State.AWAITING_HUMAN
    assert len(world.implementer.requests) == 2
    assert world.work().by_key()["T001"].counted == 0
    assert world.checks.ran == []
    with pytest.raises(NotAllowed, match="nothing to accept"):
        await world.approve("I believe it", override=True)


async def test_without_a_verdict_the_checks_still_count_and_a_person_is_asked(tmp_path):
    world = World(tmp_path, judge=(silence(),), rules=AUTONOMOUS)
    await world.run()
    await world.finished()
    assert world.state() is State.AWAITING_HUMAN
    (gate,) = world.events(GateJudged)
    assert any("Ollama does not answer" in reason for reason in gate.outcome.reasons)
    assert [item.score for item in gate.quality.stage_scores] == [1.0, 1.0, None, None]


async def test_a_changed_protected_file_asks_the_person(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    world.workspace.protected["calc.py"] = "existing test"
    await world.run()
    await world.finished()
    assert world.state() is State.AWAITING_HUMAN


async def test_a_request_for_changes_reaches_the_next_prompt_word_for_word(tmp_path):
    world = World(tmp_path, plays=(play("one\n"), play("two\n")))
    await world.run()
    await world.finished()
    await world.decide(DecisionKind.CHANGES, "Call it `plus`, please.", chosen=objection().findings)
    await world.finished(2)
    assert "Call it `plus`, please." in world.prompts()[1]
    assert "Division by zero is not handled." in world.prompts()[1]
    assert world.implementer.requests[1].claude_session == world.implementer.requests[0].claude_session
    assert world.state() is State.AWAITING_HUMAN


async def test_the_judge_is_told_what_was_found_the_time_before(tmp_path):
    plays = (play("one\n"), play("two\n"), play("three\n"))
    world = World(tmp_path, plays=plays, judge=(objection(), world_approval()))
    world.checks.script(failed(), passed())
    await world.run()
    await world.finished()
    first, second = world.judge.requests
    assert first.previous_findings == ()
    messages = [item.message for item in second.previous_findings]
    assert "Division by zero is not handled." in messages
    assert any("test_add" in text for text in messages)
    await world.decide(DecisionKind.CHANGES, "Call it `plus`, please.")
    await world.finished(2)
    asked = world.judge.requests[2].previous_findings
    assert [(item.message, item.source) for item in asked] == [("Call it `plus`, please.", FindingSource.PERSON)]


async def test_rejected_work_is_kept_under_a_ref_and_the_session_closes(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    await world.decide(DecisionKind.REJECT, "Not what I meant.")
    assert world.state() is State.REJECTED
    assert list(world.workspace.kept) == [f"refs/obra/attempts/{world.work().by_key()['T001'].attempt}"]
    assert world.workspace.called("accept") == []
    assert world.closed()


@pytest.mark.parametrize("kind", [DecisionKind.CHANGES, DecisionKind.REJECT])
async def test_an_answer_that_needs_words_is_refused_without_them(tmp_path, kind):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    with pytest.raises(NotAllowed):
        await world.decide(kind, "  ")
    assert world.state() is State.AWAITING_HUMAN


async def test_approving_what_does_not_pass_needs_a_reason_and_is_stored_as_an_override(tmp_path):
    world = World(tmp_path, judge=(silence(),))
    await world.run()
    await world.finished()
    with pytest.raises(NotAllowed, match="needs a reason"):
        await world.approve()
    await world.approve("I read it myself.", override=True)
    await world.finished(2)
    (made,) = world.events(DecisionMade)
    assert (made.decision.override, made.decision.note, made.decision.by) == (True, "I read it myself.", ME)
    assert world.state() is State.ACCEPTED


async def test_a_decision_on_content_that_changed_since_is_refused(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    (tmp_path / world.task_id() / "calc.py").write_text("something else\n")
    with pytest.raises(StaleDecision):
        await world.approve()
    assert world.state() is State.AWAITING_HUMAN


async def test_a_decision_on_another_binding_is_refused(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    from msgspec.structs import replace

    seen = world.gate()
    old = replace(seen, binding=replace(seen.binding, tree="another"))
    with pytest.raises(StaleDecision):
        await world.approve(gate=old)


async def test_the_second_answer_is_told_who_was_first(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    gate = world.gate()
    await world.approve(gate=gate)
    with pytest.raises(GateDecided, match=ME):
        await world.decide(DecisionKind.REJECT, "no", gate=gate)
    await world.finished(2)
    assert world.state() is State.ACCEPTED


async def test_two_answers_at_once_make_one_decision(tmp_path):
    import asyncio

    world = World(tmp_path)
    await world.run()
    await world.finished()
    gate = world.gate()
    answers = await asyncio.gather(
        world.approve(gate=gate), world.decide(DecisionKind.REJECT, "no", gate=gate), return_exceptions=True
    )
    assert sum(isinstance(answer, GateDecided) for answer in answers) == 1
    assert len(world.events(DecisionMade)) == 1


async def test_an_unknown_gate_is_an_error_that_says_where_to_look(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    gate = world.gate()
    force_setattr(gate, "id", GateId("g-none"))
    with pytest.raises(UnknownId, match="obra review"):
        await world.approve(gate=gate)


async def test_a_branch_that_moved_brings_the_gate_back_with_the_reason(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    world.workspace.fail("accept", BranchMoved("The branch obra/x is checked out.", fix="Switch to another there."))
    await world.approve()
    await world.finished(2)
    assert world.state() is State.AWAITING_HUMAN
    assert "is checked out" in world.gate().reasons[0]


async def test_a_task_waits_for_the_acceptance_of_what_it_depends_on(tmp_path):
    world = World(tmp_path, plays=(play("one\n"), play("two\n")))
    await world.run(task("T001"), task("T002", depends_on=("T001",)))
    done = await world.finished()
    assert (done.waiting, done.blocked) == (1, 1)
    await world.approve()
    await world.finished(2)
    assert world.state("T002") is State.AWAITING_HUMAN
    base = world.work().by_key()["T002"].copy.base_commit
    assert base == world.events(WorkAccepted)[0].acceptance.commit


async def test_a_task_whose_dependency_was_rejected_stays_blocked_and_the_session_open(tmp_path):
    world = World(tmp_path)
    await world.run(task("T001"), task("T002", depends_on=("T001",)))
    await world.finished()
    await world.decide(DecisionKind.REJECT, "no")
    assert world.state("T002") is State.BLOCKED
    assert not world.closed()
    await world.do(do.CancelTask(task=world.task_id("T002"), by=ME))
    assert world.state("T002") is State.CANCELLED
    assert world.closed()


async def test_a_persons_notes_and_own_findings_reach_the_next_prompt_word_for_word(tmp_path):
    world = World(tmp_path, plays=(play("one\n"), play("two\n")))
    await world.run()
    await world.finished()
    ticked = Finding(severity=Severity.MINOR, message="No docstring.", file="calc.py", line=1, note="In `add`, too.")
    check = Finding(severity=Severity.MAJOR, message="line too long", source=FindingSource.CHECK, file="calc.py")
    own = finding_of_argument("calc.py:2:blocker:Adds where it should\nsubtract.", ["calc.py"])
    await world.decide(DecisionKind.CHANGES, "Mind the *names*.", chosen=(ticked, check, own))
    await world.finished(2)
    prompt = world.prompts()[1]
    for said in (
        "Mind the *names*.",
        "- **minor** `calc.py:1`: No docstring.\n  Note by the person: In `add`, too.",
        "- **major** `calc.py`: line too long",
        "- **blocker** `calc.py:2`: Adds where it should\nsubtract.",
    ):
        assert said in prompt
    (made,) = world.events(DecisionMade)
    assert made.decision.chosen == (ticked, check, own)


async def test_what_is_overridden_needs_a_reason_also_when_the_gate_would_pass(tmp_path):
    world = World(tmp_path)
    await world.run()
    await world.finished()
    against = ("1 file not looked at: calc.py.",)
    with pytest.raises(NotAllowed, match="1 file not looked at"):
        await world.approve(overridden=against)
    await world.approve("I wrote it myself.", overridden=against)
    assert world.events(DecisionMade)[0].decision.overridden == against


async def test_a_judge_that_is_not_there_is_said_before_any_work_is_paid(tmp_path):
    world = World(tmp_path, plays=(play("one\n"),))
    looked = []

    async def look():
        looked.append(len(world.implementer.requests))
        return JudgeError("Ollama does not have the model qwen.", fix="Get it with `ollama pull qwen`.")

    force_setattr(world.orchestrator._ports, "look_at_judge", look)
    await world.run()
    await world.finished()
    assert looked == [0]
    (problem,) = world.events(ProblemRaised)
    assert (problem.code, problem.fix) == ("judge", "Get it with `ollama pull qwen`.")
    assert world.state() is State.AWAITING_HUMAN


async def test_under_the_autonomous_policy_a_judge_without_a_record_asks_the_person(tmp_path):
    world = World(tmp_path, rules=AUTONOMOUS)
    asked = []

    async def standing(identity):
        asked.append(identity.digest)
        return standing_of(record_of(()))

    force_setattr(world.orchestrator._ports, "judge_standing", standing)
    await world.run()
    await world.finished()
    assert world.state() is State.AWAITING_HUMAN
    (gate,) = world.events(GateJudged)
    assert gate.quality.passes_gate
    assert "record does not allow" in gate.outcome.reasons[0]
    assert asked == ["sha256:fa4e"]

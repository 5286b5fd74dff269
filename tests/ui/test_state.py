from enum import Enum
from functools import reduce
from types import UnionType
from typing import Literal, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from obra_tui.core import events as e
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import DecisionKind, Outcome
from obra_tui.ui.state import StepStatus, ViewState, apply, apply_all, steps_of
from obra_tui.ui.view.attention import AttentionKind, attentions, quiet_note
from obra_tui.ui.view.statusline import status_parts
from tests.ui import stories
from tests.ui.stories import SESSION, Story

pytestmark = pytest.mark.quick

TASK = TaskId("t00000000000001")
WORK = (e.TextStreamed, e.ThinkingStreamed, e.TextFinished, e.ToolStarted, e.ToolFinished)
AROUND = (*WORK, e.RetryScheduled, e.UsageReported)


def view_of(story: Story) -> ViewState:
    return apply_all(ViewState(), story.records)


def the_attempt(view: ViewState):
    return view.attempts_of(TASK)[-1]


def test_a_session_lists_its_tasks_in_the_order_of_the_plan():
    view = view_of(stories.two_tasks())
    assert [task.spec.key for task in view.tasks_of(SESSION)] == ["T001", "T002", "T003"]


def test_the_run_is_shown_as_running_until_it_finished():
    story = stories.two_tasks()
    assert view_of(story).sessions[SESSION].running
    story.tell(e.RunFinished(accepted=1, rejected=0, failed=0, waiting=0, interrupted=0, blocked=2))
    assert not view_of(story).sessions[SESSION].running


def test_usage_adds_up_in_attempt_task_and_session():
    view = view_of(stories.checking())
    assert the_attempt(view).usage.cost_usd == 0.31
    assert view.tasks[TASK].usage.turns == view.sessions[SESSION].usage.turns == 9


def test_a_running_tool_is_open_until_it_finished():
    story = stories.two_tasks().attempt_started()
    story.tell(e.ToolStarted(call="x", tool="Bash", title="pytest", input_json="{}"))
    assert the_attempt(view_of(story)).tools.open == (("x", "Bash"),)
    story.tell(e.ToolFinished(call="x", is_error=True, output=""))
    tally = the_attempt(view_of(story)).tools
    assert (tally.open, tally.calls, tally.failed) == ((), 1, 1)


def test_checks_come_as_planned_and_fill_in():
    checks = the_attempt(view_of(stories.checking())).checks
    assert [(check.name, check.running, check.result is not None) for check in checks] == [
        ("ruff", False, True),
        ("pytest", True, False),
        ("mypy", False, False),
    ]


def test_the_steps_follow_the_attempt():
    def statuses(story: Story) -> list[str]:
        view = view_of(story)
        return [step.status.value for step in steps_of(view.tasks[TASK], the_attempt(view))]

    assert statuses(stories.streaming()) == ["running", "waiting", "waiting", "waiting", "waiting"]
    assert statuses(stories.checking()) == ["passed", "running", "waiting", "waiting", "waiting"]
    assert statuses(stories.judging()) == ["passed", "passed", "running", "waiting", "waiting"]
    assert statuses(stories.at_gate()) == ["passed", "passed", "passed", "asking", "waiting"]
    assert statuses(stories.failing_gate()) == ["passed", "failed", "passed", "asking", "waiting"]
    approved = stories.at_gate().decided(DecisionKind.APPROVE)
    assert statuses(approved) == ["passed", "passed", "passed", "passed", "passed"]


def test_an_unjudged_verdict_is_a_warning_and_never_a_pass():
    view = view_of(stories.judging().verdict(unjudged="Ollama did not answer"))
    step = steps_of(view.tasks[TASK], the_attempt(view))[2]
    assert (step.status, step.note) == (StepStatus.WARNED, "unjudged")


def test_an_interrupted_task_stops_its_running_step():
    story = stories.streaming().moved(State.IMPLEMENTING, Trigger.INTERRUPT, State.INTERRUPTED)
    view = view_of(story)
    assert steps_of(view.tasks[TASK], the_attempt(view))[0].status is StepStatus.STOPPED


def test_a_gate_waits_until_its_first_answer():
    story = stories.at_gate()
    assert [gate.id for gate in view_of(story).waiting_gates] == ["g1"]
    view = view_of(story.decided(DecisionKind.REJECT))
    assert view.waiting_gates == ()
    assert view.gates["g1"].decision.by == "person:ada"


def test_a_second_answer_changes_nothing():
    story = stories.at_gate().decided(DecisionKind.APPROVE)
    view = view_of(story)
    late = replace(
        story.records[-1],
        seq=story.seq + 1,
        event=e.DecisionMade(
            gate="g1",
            binding=stories.binding("a1"),
            decision=replace(view.gates["g1"].decision, kind=DecisionKind.REJECT, by="person:bob"),
        ),
    )
    assert apply(view, late).gates["g1"].decision.by == "person:ada"


def test_a_gate_of_a_cancelled_task_is_gone():
    story = stories.at_gate().moved(State.AWAITING_HUMAN, Trigger.CANCEL, State.CANCELLED)
    assert view_of(story).waiting_gates == ()


def test_a_question_is_open_until_answered_or_claude_ended():
    assert len(view_of(stories.asking()).permissions) == 1
    ended = stories.asking().claude_done(Outcome.KILLED)
    assert not view_of(ended).permissions


def test_one_problem_per_code_and_cleared_by_it():
    story = stories.two_tasks()
    story.tell(e.ProblemRaised(code="judge", text="Ollama is gone", fix="ollama serve"))
    story.tell(e.ProblemRaised(code="judge", text="Ollama is still gone", fix="ollama serve"))
    assert [item.text for item in view_of(story).problems.values()] == ["Ollama is still gone"]
    story.tell(e.ProblemCleared(code="judge"))
    assert not view_of(story).problems


def test_records_told_twice_change_nothing():
    story = stories.at_gate()
    once = view_of(story)
    assert apply_all(once, [r for r in story.records if not isinstance(r.event, e.STREAMED)]) == once


def test_text_for_later_waits_until_the_next_prompt():
    story = stories.at_gate()
    story.tell(e.SteerQueued(text="use Decimal", by="person:ada", delivered=False))
    assert view_of(story).tasks[TASK].waiting_text == ("use Decimal",)
    story.attempt_started()
    assert view_of(story).tasks[TASK].waiting_text == ()


def test_the_banner_puts_what_stands_still_before_what_waits_aside():
    story = stories.at_gate().on(2).attempt_started().permission()
    kinds = [item.kind for item in attentions(view_of(story), story.at)]
    assert kinds == [AttentionKind.QUESTION, AttentionKind.GATE]


def test_the_gate_banner_names_score_and_threshold():
    story = stories.at_gate()
    banner = attentions(view_of(story), story.at + 360)[0]
    assert banner.text == "1 gate waits: T001 attempt 1 scored 0.90 (needs 0.70), 6 min ago."


def test_a_banner_has_a_short_form_for_a_narrow_terminal():
    gate = attentions(view_of(stories.at_gate()), stories.START)[0]
    assert gate.short == "1 gate waits: T001 0.90 (PASS)"
    story = stories.at_gate()
    story.held(DecisionKind.APPROVE, story.at + 11)
    held = attentions(view_of(story), story.at)[0]
    assert held.short == "T001: approved, takes effect in 0:10."


def test_a_limit_says_when_it_goes_on_by_itself():
    story = stories.two_tasks()
    story.tell(e.ProblemRaised(code="limited", text="Usage limit reached", fix="", until=story.at + 61))
    assert "in 1:00" in attentions(view_of(story), story.at)[0].text


def test_silence_of_a_running_claude_is_explained():
    story = stories.streaming()
    view = view_of(story)
    task, attempt = view.tasks[TASK], the_attempt(view)
    assert quiet_note(view, task, attempt, story.at + 19) == ""
    assert quiet_note(view, task, attempt, story.at + 24) == "quiet 0:24 (model is thinking)"


def test_interrupted_work_is_offered_again():
    story = stories.streaming().moved(State.IMPLEMENTING, Trigger.INTERRUPT, State.INTERRUPTED)
    story.tell(e.RunFinished(accepted=0, rejected=0, failed=0, waiting=0, interrupted=1, blocked=2))
    assert attentions(view_of(story), story.at)[0].kind is AttentionKind.INTERRUPTED


def test_the_status_line_starts_with_the_task():
    story = stories.judging()
    view = view_of(story)
    task = view.tasks[TASK]
    parts = status_parts(view, view.sessions[SESSION], task, the_attempt(view), task.since + 41)
    texts = [part.text for part in parts]
    assert texts == ["T001 Write a calculator", "task 1/3", "attempt 1/3", "● VALIDATING 0:41", "$0.31", "118k tok"]


EVENTS = [
    record.event
    for scene in (
        stories.at_gate(),
        stories.failing_gate(),
        stories.asking(),
        stories.second_attempt(),
        stories.at_gate().decided(DecisionKind.APPROVE),
        stories.two_tasks().tell(
            e.ProblemRaised(code="x", text="", fix="", until=1.0),
            e.ProblemCleared(code="x"),
            e.SessionClosed(),
            e.Paused(by="x"),
            e.Resumed(by="x"),
            e.StopRequested(mode="now", by="x"),
            e.WorkKept(ref="r", commit="c"),
            e.RetryScheduled(attempt=1, max_retries=3, delay_s=1.0, status=529, error="overloaded"),
            e.LimitReported(status="", window="", resets_at=None, utilization=None),
            e.ClaudeNoticed(level="error", text="x"),
            e.TextDropped(block="b"),
            e.ThinkingStreamed(block="b", text=""),
            e.ClaudeActivity(state="compacting"),
            e.ConflictFound(files=("a.py",), tip="abc1234def"),
            e.SteerQueued(text="x", by="person:ada", delivered=False),
            e.PermissionAnswered(question_id="q1", title="", answer=stories.a_denial()),
            e.RunFinished(accepted=0, rejected=0, failed=0, waiting=0, interrupted=0, blocked=0),
        ),
    )
    for record in scene.records
]


def example(kind):
    """Some value of a type, so that no event that is added later is forgotten here."""
    if isinstance(kind, NewType):
        return example(kind.__supertype__)
    if kind in (str, int, float, bool):
        return kind()
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        return example(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return ()
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    hints = get_type_hints(kind)
    return kind(**{field.name: example(hints[field.name]) for field in fields(kind) if field.required})


EVENTS += [example(kind) for kind in get_args(e.Event) if kind not in {type(event) for event in EVENTS}]

records = st.lists(
    st.builds(
        e.Record,
        seq=st.integers(0, 50),
        at=st.floats(0, 1e10),
        session=st.sampled_from(["s1", "s2"]),
        task=st.sampled_from([None, "t1", "t2", TASK]),
        attempt=st.sampled_from([None, "a1", "a2"]),
        event=st.sampled_from(EVENTS),
    ),
    max_size=60,
)


work = st.builds(
    e.Record,
    seq=st.integers(0, 50),
    at=st.floats(0, 1e10),
    session=st.sampled_from([SESSION, "s2"]),
    task=st.sampled_from([TASK, TASK, None]),
    attempt=st.sampled_from([None, stories.two_tasks().attempt_started().records[-1].attempt, "a9"]),
    event=st.sampled_from([*{type(event): event for event in EVENTS if isinstance(event, AROUND)}.values()]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(work, min_size=8, max_size=40))
def test_work_is_counted_in_one_step_as_one_by_one(sequence):
    before = view_of(stories.two_tasks().attempt_started())
    later = [replace(record, seq=record.seq + before.sessions[SESSION].last_fact - 20) for record in sequence]
    assert apply_all(before, later) == reduce(apply, later, before)


def test_a_session_that_is_known_by_its_work_alone_begins_with_what_was_told_first():
    at = {"session": SessionId("s9"), "task": TASK, "attempt": AttemptId("a9")}
    again = e.Record(seq=0, at=1.0, event=e.TextFinished(block="b", text="x"), **at)
    first = e.Record(seq=0, at=2.0, event=e.TextStreamed(block="b", text="x"), **at)
    assert apply_all(ViewState(), [again, first]) == reduce(apply, [again, first], ViewState())


@settings(max_examples=150, deadline=None)
@given(records)
def test_no_sequence_of_records_breaks_the_view(sequence):
    view = apply_all(ViewState(), sequence)
    attentions(view, 1e10)
    for task in view.tasks.values():
        session = view.sessions[task.session]
        attempts = view.attempts_of(task.id)
        for attempt in (None, *attempts):
            steps_of(task, attempt)
            status_parts(view, session, task, attempt, 1e10)

"""The judge's number is kept back in blind mode, and after approvals that took no time to think."""

import pytest

from obra_tui.core import events as e
from obra_tui.core.commands import Decide
from obra_tui.core.ids import GateId
from obra_tui.core.model import Decision, DecisionKind, Reversal
from obra_tui.core.records.search import parse
from obra_tui.ui.screens.dialogs.questions import WriteDialog
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.screens.live.task_sidebar import task_row
from obra_tui.ui.screens.metrics.rows import HIDDEN
from obra_tui.ui.screens.review.gates import gate_row
from obra_tui.ui.state import ViewState, apply_all
from obra_tui.ui.view.blinding import (
    FIGURES,
    NOTHING,
    TELLING,
    Blinded,
    asks_for_scores,
    blinded_by,
    redact_attempt,
    redact_session,
    told,
)
from obra_tui.ui.view.review_draft import ReviewDraft
from obra_tui.ui.view.scores import hurried, own_score
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled

NUMBER = "0.90 (PASS)"


def approvals(*seconds, by="person:ada", kind=DecisionKind.APPROVE):
    """A gate after some that were answered in so many seconds."""
    story = stories.at_gate()
    for index, open_s in enumerate(seconds):
        made = Decision(kind=kind, by=by, open_s=open_s)
        gate = GateId(f"before{index}")
        story.tell(e.GateOpened(gate=gate, binding=stories.binding(story.attempt), reasons=()))
        story.tell(e.DecisionMade(gate=gate, binding=stories.binding(story.attempt), decision=made))
    return story


@pytest.mark.parametrize(
    ("story", "said"),
    [
        (approvals(1.0, 2.0, 2.9), True),
        (approvals(1.0, 3.0, 1.0), False),
        (approvals(1.0, 1.0), False),
        (approvals(9.0, 1.0, 1.0, 1.0), True),
        (approvals(1.0, 1.0, 1.0, by="person:bob"), False),
        (approvals(1.0, 1.0, 1.0, kind=DecisionKind.REJECT), False),
    ],
)
def test_three_approvals_in_a_row_under_three_seconds_are_hurried(story, said):
    assert hurried(apply_all(ViewState(), story.records), "person:ada") is said


async def test_after_hurried_approvals_the_number_shows_when_the_diff_was_read_on():
    stage = Stage(approvals(1.0, 1.0, 1.0))
    async with stage.open((120, 36)) as pilot:
        await stage.press(pilot, "g")
        assert NUMBER not in stage.text()
        assert "hidden until you read on" in stage.text()
        await stage.press(pilot, "right_square_bracket")
        await settled(pilot, lambda: "hidden until" not in stage.text())
        assert "Quality: 0.9" in stage.text()


async def test_blind_mode_hides_number_and_verdict_until_the_own_score_is_given_and_stores_both():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "b")
        assert isinstance(stage.screen, WriteDialog)
        await stage.press(pilot, "escape")
        text = stage.text()
        assert "Quality: " not in text
        assert "All four operations are there" not in text
        assert "It would pass" not in text
        await stage.press(pilot, "r")
        assert isinstance(stage.screen, WriteDialog), "the own score comes before the answer"
        await stage.press(pilot, *"lots", "ctrl+s")
        assert "Write a number from 0 to 1" in stage.text()
        stage.screen.query_one("#text").text = "0.4"
        await stage.press(pilot, "ctrl+s")
        assert stage.engine.submitted == [], "a score answers nothing"
        assert "Quality: " in stage.text()
        await stage.press(pilot, "r", *"no", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        assert stage.engine.asked(Decide)[0].decision.own_score == 0.4


async def test_blind_mode_goes_with_the_person_to_the_next_gate_and_ends_when_they_say_so():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "b", *"0.8", "ctrl+s")
        await settled(pilot, lambda: "Quality: " in stage.text())
        assert stage.services.blind
        await stage.press(pilot, "b")
        assert not stage.services.blind


async def test_blind_mode_that_was_begun_by_mistake_is_left_without_a_score():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "b", "ctrl+s")
        await settled(pilot, lambda: "Quality: " in stage.text())
        assert not stage.services.blind
        await stage.press(pilot, "r", *"no", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        assert stage.engine.asked(Decide)[0].decision.own_score is None


@pytest.mark.parametrize(
    ("text", "value"), [("0.8", 0.8), (".8", 0.8), ("0,8", 0.8), ("80 %", 0.8), ("1", 1.0), ("80", None), ("x", None)]
)
def test_a_score_is_read_as_people_write_it(text, value):
    assert own_score(text) == value


async def test_the_friction_can_be_switched_off():
    stage = Stage(approvals(1.0, 1.0, 1.0), friction=False)
    async with stage.open((120, 36)) as pilot:
        await stage.press(pilot, "g")
        assert "Quality: " in stage.text()


def test_in_blind_mode_the_list_of_gates_gives_nothing_away():
    view = apply_all(ViewState(), stories.failing_gate().records)
    (gate,) = view.waiting_gates
    assert "0.59 (FAIL)" in gate_row(view, gate, 0.0).text
    hidden = gate_row(view, gate, 0.0, blind=True).text
    assert "score hidden" in hidden
    assert "FAIL" not in hidden and "failed" not in hidden


def test_reverted_work_is_called_so_where_tasks_and_gates_are_listed():
    story = stories.at_gate().decided(DecisionKind.APPROVE)
    undone = Reversal(commit="9f8e7d6c", branch="obra/s", reverted="abc1234def")
    story.tell(e.WorkReverted(reversal=undone, by="person:ada", note="No."))
    view = apply_all(ViewState(), story.records)
    (gate,) = view.gates.values()
    assert gate_row(view, gate, 0.0).aside.startswith("reverted")
    assert "reverted" in task_row(view, view.tasks[gate.task], current=False).aside
    assert view.revertible is None


GIVING_AWAY = ("0.59", "FAIL", "0.86", "0.90", "It would pass", "All four operations are there")


def gives_away(text):
    return [words for words in GIVING_AWAY if words in text]


async def test_in_blind_mode_no_screen_gives_the_number_away_until_the_own_score_is_given():
    stage = Stage(stories.failing_gate())
    async with stage.open((200, 50)) as pilot:
        assert "0.59" in stage.text()
        await stage.press(pilot, "g", "b", "escape", "l")
        await settled(pilot, lambda: isinstance(stage.screen, LiveScreen))
        assert gives_away(stage.text()) == []
        assert "hidden until you gave your own" in stage.text()
        assert "divide() raises" in stage.text(), "findings are there, as in the review"
        await stage.press(pilot, "2")
        assert gives_away(stage.text()) == []
        await stage.press(pilot, "1", "g", "b", *"0.4", "ctrl+s")
        await settled(pilot, lambda: "0.59" in stage.text())
        await stage.press(pilot, "l")
        await settled(pilot, lambda: isinstance(stage.screen, LiveScreen))
        assert "0.59 (FAIL)" in stage.text()


def test_what_is_read_from_the_history_is_kept_back_too():
    history = FakeHistory.sample()
    (detail,) = history._details.values()
    (attempt,) = history._attempts.values()
    summary = attempt.summary
    kept = Blinded(
        attempts=frozenset((summary.id,)), tasks=frozenset((summary.task,)), sessions=frozenset((summary.session,))
    )
    hidden = redact_session(detail, kept)
    assert (detail.summary.score, hidden.summary.score) == (0.9, None)
    assert {item.score for item in (*hidden.tasks, *hidden.attempts) if item.id in (summary.id, summary.task)} == {None}
    bare = redact_attempt(attempt, kept)
    assert (bare.quality, bare.outcome, bare.verdict, bare.summary.passes) == (None, None, None, None)
    records = stories.failing_gate().records
    mine = Blinded(attempts=frozenset(record.attempt for record in records if record.attempt))
    assert not any(isinstance(record.event, TELLING) for record in told(records, mine))


def test_work_that_is_answered_or_over_hides_nothing():
    view = apply_all(ViewState(), stories.failing_gate().records)
    (gate,) = view.waiting_gates
    assert blinded_by(view, {gate.id: ReviewDraft(own_score=0.4)}) == NOTHING
    assert blinded_by(apply_all(ViewState(), approvals(5.0).records), {}) == NOTHING


@pytest.mark.parametrize(
    ("line", "telling"),
    [
        ("score:<80", True),
        ("-score:>=80", True),
        ("retry verdict:fail", True),
        ("is:unjudged", True),
        ("figure:pass_rate=yes", True),
        ("figure:attempts", False),
        ("retry is:waiting since:7d", False),
    ],
)
def test_to_be_found_by_what_the_judge_said_gives_it_away(line, telling):
    assert asks_for_scores(parse(line, 0.0)) is telling


async def test_in_blind_mode_a_search_for_scores_leaves_undecided_work_out_and_says_so():
    history = FakeHistory.sample()
    (attempt,) = history._attempts
    story = stories.failing_gate()
    assert attempt in apply_all(ViewState(), story.records).attempts
    stage = Stage(story, history=history)
    async with stage.open((120, 36)) as pilot:
        await stage.press(pilot, "4", "slash", *"score:<80", "enter")
        await settled(pilot, lambda: "1 match" in stage.text())
        stage.services.blind = True
        await stage.press(pilot, "f5")
        await settled(pilot, lambda: "undecided work is left out" in stage.text())
        assert "0 matches" in stage.text()
        await stage.press(pilot, "slash", "ctrl+u", *"calculator", "enter")
        await settled(pilot, lambda: "1 match" in stage.text())
        assert "left out" not in stage.text(), "a search for words finds it, without its number"
        assert gives_away(stage.text()) == []


async def test_in_blind_mode_figures_with_undecided_work_are_hidden_until_it_is_decided():
    stage = Stage(stories.failing_gate(), history=FakeHistory.sample())
    async with stage.open((120, 50)) as pilot:
        await stage.press(pilot, "5")
        await settled(pilot, lambda: "15 of 20, 53–89 %" in stage.text())
        shown = {line for line in stage.text().splitlines() if "pass rate" in line}
        stage.services.blind = True
        for key in ("1", "5"):
            await stage.press(pilot, key)
        await settled(pilot, lambda: stage.text().count(HIDDEN) >= len(FIGURES))
        assert "first-try rate" in stage.text() and "blind: no scores while work is undecided" in stage.text()
        assert not shown & set(stage.text().splitlines())
        await stage.press(pilot, "d")
        await settled(pilot, lambda: "Table by day" in stage.text())
        assert HIDDEN in stage.text()
        stage.services.blind = False
        for key in ("d", "1", "5"):
            await stage.press(pilot, key)
        await settled(pilot, lambda: "15 of 20, 53–89 %" in stage.text())

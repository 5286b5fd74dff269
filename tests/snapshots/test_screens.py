"""The screens as they look, from told stories and with a still clock; the main ones at three sizes."""

import time

import pytest

from obra_tui.core import events as e
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import DecisionKind
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import FakeReader, Stage, settled
from tests.ui.stories import Story
from widgets.decision_bar import DecisionBar

SIZES = [(80, 24), (120, 36), (200, 50)]


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def looks_right(request, snap_compare):
    """The same scene at every size."""
    return comparison(snap_compare, request.param)


@pytest.fixture
def looks_right_once(snap_compare):
    """A scene whose layout other scenes hold at the other sizes."""
    return comparison(snap_compare, (120, 36))


def comparison(snap_compare, size):
    """Open the app on a stage, press keys, wait for a text, compare."""

    def check(stage: Stage, *keys: str, shows: str) -> None:
        async def before(pilot):
            await settled(pilot, lambda: stage.app.desk and (stage.app.engine or stage.app.desk.failure))
            await settled(pilot, lambda: stage.app.engine is None or stage.seen_all())
            for key in keys:
                await pilot.press(key)
            await settled(pilot, lambda: shows in stage.text())
            await settled(pilot, lambda: legend_is_lit(stage))

        assert snap_compare(stage.app, terminal_size=size, run_before=before)

    return check


def legend_is_lit(stage):
    """The legend of answers lights up a moment after the screen opened."""
    waits = stage.app.launch.review_grace_s > 0
    return waits or all(bar.armed for bar in stage.screen.query(DecisionBar))


# --- live ----------------------------------------------------------------------------------------


def test_live_without_anything(looks_right):
    looks_right(Stage(open_demo=lambda: None), shows="Nothing is running yet")


def test_live_while_claude_works(looks_right):
    looks_right(Stage(stories.streaming()), shows="quiet 0:2")


def test_live_while_checks_run(looks_right):
    looks_right(Stage(stories.checking(), after=3), shows="CHECKING")


def test_live_while_the_judge_answers(looks_right):
    looks_right(Stage(stories.judging(), after=3), shows="answers ·")


def test_live_with_a_gate_waiting(looks_right):
    looks_right(Stage(stories.at_gate(), after=372), shows="Press g to review")


def test_live_in_the_second_attempt(looks_right):
    looks_right(Stage(stories.second_attempt(), after=3), shows="attempt 2/3")


def test_live_with_a_question(looks_right):
    looks_right(Stage(stories.asking(), after=3), shows="Press A to answer")


def test_live_in_a_rehearsal_that_is_done(looks_right):
    story = Story().opened(rehearsal="calculator").with_tasks("Write a calculator").on(1)
    story.attempt_started().claude_works().claude_done().checks_started().checks_done()
    story.judge_streams().verdict().scored().asks().decided(DecisionKind.APPROVE)
    looks_right(Stage(story, rehearsal="calculator"), shows="ACCEPTED")


def test_live_with_a_problem(looks_right_once):
    story = stories.streaming()
    story.tell(
        e.ProblemRaised(code="limited", text="The usage limit is reached", fix="", until=story.at + 1_800),
    )
    looks_right_once(Stage(story, after=3), shows="usage limit")


def test_live_interrupted(looks_right_once):
    story = stories.streaming().moved(State.IMPLEMENTING, Trigger.INTERRUPT, State.INTERRUPTED)
    story.tell(e.RunFinished(accepted=0, rejected=0, failed=0, waiting=0, interrupted=1, blocked=2))
    looks_right_once(Stage(story), shows="take up again")


# --- gate review -----------------------------------------------------------------------------------


def test_review_of_good_work(looks_right):
    looks_right(Stage(stories.at_gate()), "g", shows="tree 4b825dc6")


def test_review_of_failing_work(looks_right):
    looks_right(Stage(stories.failing_gate()), "g", shows="Quality: 0.59 (FAIL)")


def test_review_before_it_is_armed(looks_right_once):
    looks_right_once(Stage(stories.at_gate(), review_grace_s=60), "g", shows="Facts")


def test_review_asks_for_a_reason(looks_right_once):
    looks_right_once(Stage(stories.failing_gate()), "g", "a", shows="stored with the decision")


def test_review_edits_the_prompt(looks_right_once):
    reader = FakeReader(prompt="Take up your work again.\n\n- divide() raises for 0 only\n")
    looks_right_once(Stage(stories.at_gate(), reader=reader), "g", "e", shows="Take up your work again.")


# --- the others --------------------------------------------------------------------------------------


def test_permission(looks_right):
    looks_right(Stage(stories.asking()), "A", shows="Allow once")


def test_rules(looks_right):
    looks_right(Stage(stories.with_rules()), "R", shows="not used yet")


def test_setup(looks_right):
    looks_right(Stage(open_demo=lambda: None), "6", shows="4 of 7 ready")


def test_gates(looks_right_once):
    looks_right_once(Stage(stories.at_gate()), "3", shows="1 gate waiting")


def test_history(looks_right_once):
    looks_right_once(Stage(stories.at_gate(), history=FakeHistory.sample()), "4", shows="3 sessions")


def test_help(looks_right_once):
    looks_right_once(Stage(stories.at_gate()), "question_mark", shows="Review gate")


def test_stop_menu(looks_right_once):
    looks_right_once(Stage(stories.streaming()), "s", shows="Do not stop")


# --- without symbols -----------------------------------------------------------------------------


def test_live_without_a_single_symbol(looks_right_once):
    looks_right_once(Stage(stories.at_gate(), after=372, ascii_glyphs=True), shows="Press g to review")

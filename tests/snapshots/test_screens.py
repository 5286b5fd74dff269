"""The screens as they look, from told stories and with a still clock; the main ones at three sizes."""

from obra_tui.core import events as e
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import DecisionKind
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import FakeReader, Stage
from tests.ui.stories import Story

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
    looks_right(Stage(stories.at_gate()), "g", "h", shows="4b825dc6")


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


def test_live_while_a_prompt_is_held(looks_right):
    looks_right(Stage(stories.prompt_held()), shows="the next prompt waits for you")


def test_live_while_a_person_has_taken_over(looks_right):
    looks_right(Stage(stories.taken_over()), shows="is in the hands of ada")


def test_live_while_a_limit_is_waited_for(looks_right_once):
    story = stories.streaming()
    limited = e.ProblemRaised(
        code="limited",
        text="The usage limit of the subscription is reached",
        fix="It goes on by itself after the reset; resume tries at once.",
        until=story.at + 754,
    )
    looks_right_once(Stage(story.tell(limited)), shows="Goes on by itself in")


def test_held_prompt(looks_right):
    looks_right(Stage(stories.prompt_held()), "E", shows="A calculator with four operations.")


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

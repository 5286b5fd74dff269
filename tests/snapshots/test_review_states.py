"""The gate in each of its states, at three sizes: waiting and failing stand with the other screens."""

import pytest

from obra_tui.core import events as e
from obra_tui.core.commands import Decide
from obra_tui.core.errors import StaleDecision
from obra_tui.core.ids import GateId
from obra_tui.core.model import DecisionKind, Reversal
from tests.fakes.engine import FakeEngine
from tests.ui import stories
from tests.ui.stage import FakeReader, Stage
from tests.ui.test_review_bases import SINCE, second_gate


def gates_list(stage, looks_right, *keys, shows):
    """An answered gate opens from the list of gates."""
    looks_right(stage, "3", "enter", *keys, shows=shows)


def test_held_and_to_be_undone(looks_right):
    story = stories.at_gate()
    stage = Stage(story.held(DecisionKind.APPROVE, story.at + 34.0))
    gates_list(stage, looks_right, shows="undoes it until")


def test_undone(looks_right):
    story = stories.at_gate()
    story.held(DecisionKind.APPROVE, story.at + 10.0)
    stage = Stage(story.tell(e.DecisionUndone(gate=GateId("g1"), by="person:ada")))
    looks_right(stage, "g", shows="the gate waits again")


def test_accepted_and_reverted(looks_right):
    story = stories.at_gate().decided(DecisionKind.APPROVE)
    reversal = Reversal(commit="9f8e7d6c5b4a", branch="obra/s0000000session", reverted="abc1234def")
    story.tell(e.WorkReverted(reversal=reversal, by="person:ada", note="It broke the nightly build."))
    gates_list(Stage(story), looks_right, shows="It broke the nightly build.")


def test_refused_because_the_work_changed(looks_right):
    story = stories.at_gate()
    engine = FakeEngine(story.records, {Decide: StaleDecision("g1", "the files in the copy")})
    looks_right(Stage(story, engine=engine), "g", "r", *"no", "ctrl+s", shows="changed since it was shown")


def test_an_own_finding_and_a_note(looks_right):
    keys = ["plus", *"Say what it is for.", "ctrl+s"]
    looks_right(Stage(stories.at_gate()), "g", *keys, shows="(you)")


def test_writing_an_own_finding(looks_right):
    looks_right(Stage(stories.at_gate()), "g", "plus", *"Say what it is for.", shows="Say what it is for.")


def test_the_output_of_a_check(looks_right_once):
    looks_right_once(Stage(stories.failing_gate()), "g", "enter", shows="Output of pytest")


@pytest.mark.parametrize("base", ["task", "attempt"])
def test_the_second_attempt(looks_right, base):
    stage = Stage(second_gate(), reader=FakeReader(since=SINCE))
    if base == "task":
        looks_right(stage, "g", shows="attempt 2 of")
    else:
        looks_right(stage, "g", "d", shows="Diff since attempt 1")


def test_unjudged(looks_right):
    story = stories.checking().checks_done().judge_streams().verdict(unjudged="The model did not answer in 120 s.")
    quality = stories.quality((1.0, 1.0, None, None), passes=False, obstacles=("Not judged: no answer in 120 s.",))
    reasons = ("Not judged: the model did not answer in 120 s.",)
    looks_right(Stage(story.scored(quality).asks(reasons=reasons)), "g", shows="Not judged")


def test_blind(looks_right):
    looks_right(Stage(stories.at_gate()), "g", "b", "escape", shows="hidden until you gave your own score")

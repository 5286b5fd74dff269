"""What is said of an attempt is about the attempt, in the words of the screens."""

from msgspec.structs import replace

from obra_tui.core.lifecycle import State
from obra_tui.core.model import GateDecision
from obra_tui.core.records.attempt_words import STATE_WORDS, ended_word, person_name
from tests.ui import stories
from tests.ui.fake_history import attempt_summary


def test_an_attempt_that_was_sent_back_is_not_called_accepted_when_its_task_was_accepted_later():
    sent_back = replace(
        attempt_summary(stories.at_gate()),
        task_state=State.ACCEPTED,
        decision=None,
        gate_decision=GateDecision.RETRY,
        passes=False,
        waiting=None,
    )
    assert ended_word(sent_back) == "fail"


def test_no_state_is_said_by_the_name_of_its_enum():
    assert all("_" not in word for word in STATE_WORDS.values())
    assert STATE_WORDS[State.AWAITING_HUMAN] == "gate"


def test_a_person_is_said_by_name():
    assert person_name("person:ada") == "ada"

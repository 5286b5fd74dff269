import pytest

from obra_tui.core import events as e
from obra_tui.core.doctor import DoctorStatus
from obra_tui.core.ids import TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import DecisionKind, Severity
from obra_tui.ui.connection.replay_buffer import RECORDS, ReplayBuffer
from obra_tui.ui.notify import Notifications, sequence, worth_a_word
from obra_tui.ui.screens.key_line import FooterKey, fitting, without_repeats
from obra_tui.ui.screens.live.shown_task import neighbour, task_to_show
from obra_tui.ui.state import StepStatus, ViewState, apply_all
from obra_tui.ui.view import status_words
from obra_tui.ui.view.format import ago, brief, count, duration, money, score
from obra_tui.ui.view.review import facts, overridden, review_of
from tests.ui import stories
from tests.ui.test_state import TASK, view_of
from widgets.bars.status import STATES

pytestmark = pytest.mark.quick

# --- words and numbers -----------------------------------------------------------------------


def test_every_status_has_a_glyph_a_word_and_an_ascii_mark():
    tables = (
        status_words.TASK,
        status_words.STEP,
        status_words.CHECK,
        status_words.DECISION,
        status_words.DOCTOR,
        status_words.SEVERITY,
    )
    for table, kind in zip(tables, (State, StepStatus, None, DecisionKind, DoctorStatus, Severity), strict=True):
        if kind is not None:
            assert set(table) == set(kind)
        for status in table.values():
            assert status.glyph
            assert status.word
            assert status.ascii.isascii()
            assert status.state in STATES


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (duration(41), "0:41"), (duration(3723), "1:02:03"), (duration(-5), "0:00"),
        (brief(0.012), "12 ms"), (brief(1.94), "1.9 s"), (brief(192), "3:12"),
        (ago(30), "just now"), (ago(370), "6 min ago"), (ago(90_000), "1 day ago"),
        (money(0.314), "$0.31"), (count(842), "842"), (count(2_140), "2.1k"), (count(118_400), "118k"),
        (count(2_500_000), "2.5M"), (score(None), "–"), (score(0.8249), "0.82"),
    ],
)  # fmt: skip
def test_numbers_read_as_people_write_them(made, wanted):
    assert made == wanted


# --- buffer -------------------------------------------------------------------------------------


def test_a_finished_text_replaces_its_pieces_on_the_tape():
    story = stories.two_tasks().attempt_started().says("b", "Hello world")
    buffer = ReplayBuffer()
    buffer.add(story.records)
    kinds = [type(record.event) for record in buffer.of(TASK)]
    assert e.TextFinished in kinds
    assert e.TextStreamed not in kinds


def test_a_finished_text_keeps_the_time_of_its_first_piece_on_the_tape():
    story = stories.two_tasks().attempt_started().says("b", "Hello world")
    first = next(record for record in story.records if isinstance(record.event, e.TextStreamed))
    tapes = ReplayBuffer()
    tapes.add(story.records)
    kept = next(record for record in tapes.of(TASK) if isinstance(record.event, e.TextFinished))
    assert kept.at == first.at


def test_an_open_text_is_one_piece_on_the_tape():
    story = stories.two_tasks().attempt_started()
    for _ in range(50):
        story.tell(e.TextStreamed(block="b", text="x"))
    buffer = ReplayBuffer()
    buffer.add(story.records)
    assert [r.event.text for r in buffer.of(TASK) if isinstance(r.event, e.TextStreamed)] == ["x" * 50]


def test_the_buffer_is_bounded():
    story = stories.two_tasks().attempt_started()
    for number in range(RECORDS * 2):
        story.tell(e.ClaudeNoticed(level="info", text=str(number)))
    buffer = ReplayBuffer(keep=2)
    buffer.add(story.records)
    assert len(buffer.of(TASK)) <= RECORDS
    assert buffer.of(TASK)[-1].event.text == str(RECORDS * 2 - 1)
    for position in (2, 3):
        buffer.add(stories.Story().opened().with_tasks("a", "b", "c").on(position).attempt_started().records)
    assert not buffer.holds(TASK)


# --- selection ---------------------------------------------------------------------------------


def test_the_task_at_work_is_shown():
    story = stories.at_gate().on(2).attempt_started()
    assert task_to_show(view_of(story)).task.spec.key == "T002"


def test_the_shown_task_stays_as_long_as_it_works():
    story = stories.streaming().on(2).attempt_started()
    assert task_to_show(view_of(story), before=TASK).task.id == TASK


def test_a_pinned_task_stays_whatever_works():
    story = stories.at_gate().on(2).attempt_started()
    assert task_to_show(view_of(story), pinned=TASK, before=TaskId("t00000000000002")).task.id == TASK


def test_neighbours_go_around_the_end():
    view = view_of(stories.two_tasks())
    assert neighbour(view, view.tasks[TASK], -1).spec.key == "T003"


def test_nothing_is_shown_of_nothing():
    it = task_to_show(ViewState())
    assert (it.session, it.task, it.attempt) == (None, None, None)


# --- the key line ------------------------------------------------------------------------------


def entry(label, action=None):
    return FooterKey(key=label[0], shown=label[0], label=label, action=action or label)


def test_help_survives_a_narrow_terminal():
    entries = [entry("Review gate"), entry("Pause"), entry("Stop"), entry("Help", "show_help")]
    assert [e.label for e in fitting(entries, 30)] == ["Review gate", "Pause", "Help"]
    assert [e.label for e in fitting(entries, 5)] == ["Help"]


def test_two_keys_of_one_action_are_one_entry():
    assert len(without_repeats([entry("Find", "find"), entry("Find", "find")])) == 1


# --- review ------------------------------------------------------------------------------------


def the_review(story):
    view = apply_all(ViewState(), story.records)
    return review_of(view, "g1")


def test_nothing_is_overridden_when_all_is_well_and_seen():
    seen = frozenset(change.path for change in stories.FILES)
    assert overridden(the_review(stories.at_gate()), seen) == ()


def test_what_an_approval_overrides_is_listed():
    against = overridden(the_review(stories.failing_gate()), frozenset())
    assert against[0].startswith("Quality: 0.59 (FAIL)")
    assert any(line.startswith("pytest failed: 1 of 6 tests") for line in against)
    assert against[-1].startswith("2 files not looked at")


def test_an_unjudged_verdict_is_listed():
    story = stories.checking().checks_done().judge_streams().verdict(unjudged="timeout").scored().asks()
    assert "Not judged: timeout" in overridden(the_review(story), frozenset())


def test_facts_name_the_protected_and_the_cut():
    found = {fact.label: fact for fact in facts(the_review(stories.at_gate()))}
    assert found["change"].bad
    assert "1 protected" in found["change"].value


def test_an_unknown_gate_is_none():
    assert review_of(ViewState(), "g9") is None


# --- notices -----------------------------------------------------------------------------------


def test_waiting_is_told_apart_from_finished():
    story = stories.at_gate()
    assert worth_a_word(story.records[-1], "T001") == "waiting for you: gate T001"
    story.tell(e.RunFinished(accepted=1, rejected=0, failed=0, waiting=0, interrupted=0, blocked=0))
    assert worth_a_word(story.records[-1], "") == "finished"


def test_nobody_is_told_who_is_looking():
    story = stories.at_gate()
    notices = Notifications("auto")
    assert notices.of(story.records, view_of(story), story.at, True) == []
    assert len(notices.of(story.records, view_of(story), story.at, False)) == 1
    assert notices.of(story.records, view_of(story), story.at + 30, False) == []


def test_nothing_but_plain_text_enters_an_escape_sequence():
    made = sequence("gate \x1b]52;c;x\x07T\u202e1", "auto", {"TERM_PROGRAM": "ghostty"})
    assert made == "\x1b]9;Obra: gate ]52;c;xT1\x1b\\"
    assert sequence("x", "bell", {}) == "\a"
    assert sequence("x", "auto", {"TERM": "foot", "TMUX": "1"}).startswith("\x1bPtmux;\x1b\x1b]777;")

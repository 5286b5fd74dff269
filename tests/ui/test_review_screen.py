import pytest
from msgspec.structs import replace
from textual import events

from obra_tui.core.commands import Decide, HandBack, RevertWork, StopRun, UndoDecision
from obra_tui.core.errors import GateDecided, StaleDecision
from obra_tui.core.events import DecisionUndone
from obra_tui.core.ids import GateId
from obra_tui.core.model import DecisionKind
from obra_tui.ui.actions.suspend import command_of
from obra_tui.ui.screens.dialogs.questions import WriteDialog
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.screens.review.diff import ReviewDiff
from obra_tui.ui.screens.review.fact_box import FactBox
from obra_tui.ui.screens.review.screen import ReviewScreen
from obra_tui.ui.view.review import Fact
from tests.fakes.engine import FakeEngine
from tests.ui import stories
from tests.ui.stage import FakeReader, Stage, settled, untick_all
from widgets.diff.diff_pane import DiffPane
from widgets.lists.checklist import Checklist

HABITS = ["enter", "space", "y", "Y", "1", "5", "0", "ctrl+m", "ctrl+j"]


async def see_every_file(stage, pilot):
    """Page through all files, as somebody who reads does."""
    screen = stage.screen
    for change in stories.FILES:
        screen.query_one(DiffPane).show_file(change.path)
        await settled(pilot, lambda: screen.query_one(DiffPane).current is not None)
        screen.query_one(DiffPane).patch.scroller.page(1)
        screen.query_one(DiffPane).patch.scroller.page(1)
        await settled(pilot, lambda path=change.path: path in screen.query_one(ReviewDiff).looked_at.read)


async def test_an_arriving_gate_does_not_take_the_screen():
    story = stories.judging()
    stage = Stage(story)
    async with stage.open() as pilot:
        stage.play(lambda s: s.verdict().scored().asks())
        await settled(pilot, stage.seen_all)
        assert isinstance(stage.screen, LiveScreen)
        assert "1 gate waits" in stage.text()


async def test_a_word_typed_while_the_gate_opens_approves_nothing():
    stage = Stage(stories.at_gate(), review_grace_s=0.35)
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        await stage.press(pilot, *"a a t a")
        for key in "ataraca":
            stage.clock.at += 0.3
            await stage.press(pilot, key)
        assert stage.engine.submitted == []
        assert isinstance(stage.screen, ReviewScreen)
        stage.clock.at += 0.5
        await see_every_file(stage, pilot)
        await stage.press(pilot, "a")
        await settled(pilot, lambda: stage.engine.asked(Decide))


async def test_after_silence_a_fresh_key_decides():
    stage = Stage(stories.at_gate(), review_grace_s=0.35)
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        stage.clock.at += 0.4
        await see_every_file(stage, pilot)
        await stage.press(pilot, "a")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        decide = stage.engine.asked(Decide)[0]
        assert decide.decision.kind is DecisionKind.APPROVE
        assert not decide.decision.override
        assert decide.binding == stories.binding(stage.story.attempt)
        assert decide.decision.seen_files == ("calculator.py", "tests/test_calculator.py")
        assert decide.decision.by == "person:ada"


async def test_no_habitual_key_approves():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        await see_every_file(stage, pilot)
        for key in HABITS:
            await stage.press(pilot, key)
            if not isinstance(stage.screen, ReviewScreen):
                await stage.press(pilot, "1")
        assert stage.engine.asked(Decide) == []


async def test_a_paste_decides_nothing():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        await see_every_file(stage, pilot)
        stage.app.post_message(events.Paste("a\na\r\naaa"))
        await pilot.pause()
        assert stage.engine.asked(Decide) == []


async def test_approving_a_failing_gate_asks_for_a_reason_and_stores_it():
    stage = Stage(stories.failing_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "a")
        assert isinstance(stage.screen, WriteDialog)
        assert "Quality: 0.59 (FAIL)" in stage.text()
        await stage.press(pilot, "ctrl+s")
        assert stage.engine.asked(Decide) == []
        await stage.press(pilot, *"flaky", "enter", "enter")
        assert stage.engine.asked(Decide) == []
        await stage.press(pilot, "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        decision = stage.engine.asked(Decide)[0].decision
        assert (decision.kind, decision.override, decision.note) == (DecisionKind.APPROVE, True, "flaky")


async def test_unseen_files_ask_for_a_reason():
    stage = Stage(stories.at_gate())
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "g", "a")
        assert isinstance(stage.screen, WriteDialog)
        assert "1 file not looked at" in stage.text()


async def test_escape_leaves_the_gate_waiting():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "escape")
        assert isinstance(stage.screen, LiveScreen)
        assert stage.engine.submitted == []


async def test_requested_changes_carry_the_note_and_the_ticked_findings():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "c")
        await stage.press(pilot, *"use Decimal", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        decision = stage.engine.asked(Decide)[0].decision
        assert (decision.kind, decision.note) == (DecisionKind.CHANGES, "use Decimal")
        assert decision.chosen == (stories.FINDING,)


async def test_requested_changes_need_a_note_or_a_finding():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "g")
        untick_all(stage.screen.query_one(Checklist))
        await stage.press(pilot, "c", "ctrl+s")
        assert stage.engine.asked(Decide) == []
        assert "Write a sentence first" in stage.text()


async def test_rejecting_needs_a_reason():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "r", "ctrl+s")
        assert stage.engine.asked(Decide) == []
        await stage.press(pilot, *"wrong way", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        assert stage.engine.asked(Decide)[0].decision.kind is DecisionKind.REJECT


async def test_the_next_prompt_can_be_edited_word_for_word():
    reader = FakeReader(prompt="Take it up again.")
    stage = Stage(stories.at_gate(), reader=reader)
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "e")
        await settled(pilot, lambda: isinstance(stage.screen, WriteDialog))
        assert "Take it up again." in stage.text()
        await stage.press(pilot, *"Now: ", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        decision = stage.engine.asked(Decide)[0].decision
        assert decision.prompt == "Now: Take it up again."
        assert reader.asked[-1][0] == "next_prompt"


async def test_a_stale_decision_is_refused_and_the_screen_loads_again():
    engine = FakeEngine(stories.at_gate().records, {Decide: StaleDecision("g1", "the diff")})
    stage = Stage(stories.at_gate(), engine=engine)
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        await see_every_file(stage, pilot)
        await stage.press(pilot, "a")
        await settled(pilot, lambda: "changed since it was shown" in stage.text())
        assert isinstance(stage.screen, ReviewScreen)
        assert stage.screen.state.shown is not None


async def test_after_a_refusal_the_screen_says_that_it_takes_no_keys_and_when_it_does_again():
    engine = FakeEngine(stories.at_gate().records, {Decide: StaleDecision("g1", "the diff")})
    stage = Stage(stories.at_gate(), engine=engine, review_grace_s=0.35)
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        stage.clock.at += 0.5
        await see_every_file(stage, pilot)
        await settled(pilot, lambda: "keys are not taken yet" not in stage.text())
        await stage.press(pilot, "a")
        await settled(pilot, lambda: "changed since it was shown" in stage.text())
        await settled(pilot, lambda: "keys are not taken yet" in stage.text())
        await stage.press(pilot, "a")
        assert len(stage.engine.asked(Decide)) == 1, "what was typed while it was refused answers nothing"
        stage.clock.at += 0.5
        await settled(pilot, lambda: "keys are not taken yet" not in stage.text())
        await stage.press(pilot, "a")
        await settled(pilot, lambda: len(stage.engine.asked(Decide)) == 2)


async def test_the_second_of_two_people_is_told_who_was_first():
    story = stories.at_gate()
    engine = FakeEngine(story.records, {Decide: GateDecided("g1", "person:bob", "14:02")})
    stage = Stage(story, engine=engine)
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "r", *"no", "ctrl+s")
        await settled(pilot, lambda: "already answered by person:bob" in stage.text())
        stage.play(lambda s: s.decided(DecisionKind.APPROVE))
        await settled(pilot, lambda: "approved by ada" in stage.text() or "already answered" in stage.text())
        assert len(engine.asked(Decide)) == 1


async def test_an_answered_gate_takes_no_answer():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        stage.play(lambda s: s.decided(DecisionKind.APPROVE))
        await settled(pilot, lambda: "This gate was answered" in stage.text())
        await stage.press(pilot, "a", "c", "r")
        assert isinstance(stage.screen, ReviewScreen)
        assert stage.engine.submitted == []


async def test_one_gate_follows_the_other_and_is_armed_anew():
    story = stories.at_gate()
    story.on(2).attempt_started().claude_done().checks_started().checks_done().judge_streams().verdict().scored()
    story.asks("g2")
    stage = Stage(story, review_grace_s=0.35)
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        assert "gate 1 of 2" in stage.text()
        stage.clock.at += 1
        await stage.press(pilot, "r", *"no", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        await settled(pilot, lambda: isinstance(stage.screen, ReviewScreen) and stage.screen.state.gate == "g2")
        assert not stage.screen.guard.is_armed
        await stage.press(pilot, "r", "a")
        assert isinstance(stage.screen, ReviewScreen)
        assert len(stage.engine.asked(Decide)) == 1


async def test_in_a_short_terminal_the_first_press_only_shows_what_the_second_does():
    story = stories.at_gate()
    small = replace(stories.DIFF, patch="", files=())
    story.records = [
        replace(r, event=replace(r.event, diff=small)) if type(r.event).__name__ == "DiffTaken" else r
        for r in story.records
    ]
    stage = Stage(story)
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "g", "a")
        assert stage.engine.asked(Decide) == []
        assert "again to approve" in stage.text()
        await stage.press(pilot, "escape")
        assert "again to approve" not in stage.text(), "escape takes the first press back and stays at the gate"
        await stage.press(pilot, "a")
        assert stage.engine.asked(Decide) == []
        await stage.press(pilot, "a")
        await settled(pilot, lambda: stage.engine.asked(Decide))


async def test_facts_come_from_the_binding_and_not_from_the_model():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "h")
        text = stage.text()
        for fact in ("4b825dc6", "diff c0ffee12", "rubric 77aa12b0", "supervised", "1 of 3"):
            assert fact in text


async def test_no_fact_is_cut_in_the_smallest_terminal():
    stage = Stage(stories.at_gate())
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "g", "h")
        box = stage.text().partition("Diff")[0]
        assert "…" not in box
        for fact in ("base 9be21f0c", "4b825dc6 · diff c0ffee12", "rubric 77aa12b0", "attempt 1 of 3 · "):
            assert fact in box


async def test_facts_too_long_to_stand_beside_each_other_stand_one_below_the_other():
    long = [Fact(label=name, value="x" * 50) for name in ("one", "two", "three", "four")]
    stage = Stage(stories.at_gate())
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "g")
        stage.screen.query_one(FactBox).show(long)
        await settled(pilot, lambda: all(f"{fact.label:<8}{fact.value} " in stage.text() for fact in long))


async def test_what_is_told_covers_no_words_in_the_smallest_terminal():
    stage = Stage(stories.at_gate())
    async with stage.open((80, 24)) as pilot:
        stage.services.notify("T001: approved. z undoes it until 20:29:25.")
        await settled(pilot, lambda: "T001: approved. z undoes it until 20:29:25." in stage.text())
        line, pane, keys = (stage.screen.query_one(name) for name in ("#notice", "#validation", "#keys"))
        assert pane.region.bottom == line.region.y, "below the last pane"
        assert line.region.bottom == keys.region.y, "above the keys"
        assert not stage.screen.query("Toast")


async def test_an_answer_that_can_be_undone_says_until_when_and_z_takes_it_back():
    story = stories.at_gate()
    stage = Stage(story)
    async with stage.open() as pilot:
        until = stage.clock.now() + 10.0
        stage.play(lambda s: s.held(DecisionKind.APPROVE, until))
        await settled(pilot, stage.seen_all)
        assert "It takes effect at" in stage.text()
        assert "1 gate waits" not in stage.text()
        await stage.press(pilot, "z")
        (undo,) = stage.engine.asked(UndoDecision)
        assert (undo.gate, undo.by) == ("g1", stage.app.launch.person)
        stage.play(lambda s: s.tell(DecisionUndone(gate=GateId("g1"), by="person:ada")))
        await settled(pilot, stage.seen_all)
        assert "1 gate waits" in stage.text()
        await stage.press(pilot, "z")
        assert len(stage.engine.asked(UndoDecision)) == 1, "nothing is left to undo"


async def test_the_copy_can_be_opened_and_what_was_done_there_is_handed_back():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        opened = []
        stage.services.takeover.run_in_terminal = lambda app, program, folder: opened.append((program, folder)) or ""
        await stage.press(pilot, "g", "o")
        assert "/data/copies/t1" in stage.text()
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: stage.engine.asked(HandBack))
        assert opened == [("shell", "/data/copies/t1")]
        stage.services.takeover.run_in_terminal = lambda app, program, folder: "No editor is named: set $EDITOR."
        await stage.press(pilot, "o", "j", "enter")
        await settled(pilot, lambda: "set $EDITOR" in stage.text())
        assert len(stage.engine.asked(HandBack)) == 1
        await stage.press(pilot, "s")
        assert "Do not stop" in stage.text()


def test_the_editor_is_the_persons_own():
    assert command_of("editor", {"VISUAL": "code --wait", "EDITOR": "vi"}) == ["code", "--wait", "."]
    assert command_of("editor", {}) == []
    assert command_of("shell", {"SHELL": "/bin/zsh"}) == ["/bin/zsh"]


async def test_after_the_time_to_undo_z_reverts_with_a_reason():
    stage = Stage(stories.at_gate().decided(DecisionKind.APPROVE))
    async with stage.open() as pilot:
        await stage.press(pilot, "z")
        await settled(pilot, lambda: "Revert T001" in stage.text())
        assert "abc1234def" in stage.text()
        assert "T002 may build on it" in stage.text()
        await stage.press(pilot, "ctrl+s")
        assert stage.engine.asked(RevertWork) == [], "it needs a reason"
        await stage.press(pilot, *"wrong", "ctrl+s")
        (revert,) = stage.engine.asked(RevertWork)
        assert (revert.session, revert.task, revert.note) == (stage.story.session, stage.story.task, "wrong")
        assert revert.by == stage.app.launch.person


async def test_what_an_approval_goes_against_is_stored_sentence_by_sentence():
    stage = Stage(stories.failing_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "a", *"flaky", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        decision = stage.engine.asked(Decide)[0].decision
        assert decision.override
        assert decision.overridden[0] == "Quality: 0.59 (FAIL): it needs 0.70."
        assert decision.overridden[-1] == "1 file not looked at: tests/test_calculator.py."


async def test_how_long_the_gate_was_open_adds_up_over_visits():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        await see_every_file(stage, pilot)
        stage.clock.at += 10
        await stage.press(pilot, "l")
        stage.clock.at += 100
        await stage.press(pilot, "g")
        await settled(pilot, lambda: isinstance(stage.screen, ReviewScreen))
        stage.clock.at += 5
        await stage.press(pilot, "a")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        decision = stage.engine.asked(Decide)[0].decision
        assert decision.open_s == 15.0
        assert decision.seen_files == ("calculator.py", "tests/test_calculator.py")


@pytest.mark.parametrize(("size", "least"), [((60, 20), 8), ((80, 24), 11)])
async def test_a_small_terminal_shows_code_and_what_a_decision_needs(size, least):
    stage = Stage(stories.failing_gate())
    async with stage.open(size) as pilot:
        await stage.press(pilot, "g")
        await settled(pilot, lambda: "@@ " in stage.text())
        text = stage.text()
        for words in ("Quality: 0.59 (FAIL), needs 0.70", "why you", "asked", "[Diff]"):
            assert words in text
        patch = stage.screen.query_one("#patch")
        assert patch.has_focus, "keys are those of the diff"
        assert patch.region.height >= least, text
        assert "diff c0ffee12" not in text


async def test_panes_of_a_small_terminal_take_turns_and_say_which_is_in_front():
    stage = Stage(stories.failing_gate())
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "g")
        for name in ("[Checks (1 failed)]", "finding", "[2 files]", "[Diff]"):
            await stage.press(pilot, "tab")
            await settled(pilot, lambda name=name: name in stage.text())


async def test_a_sentence_too_long_for_the_line_takes_more_rows_and_is_read_to_its_end():
    stage = Stage(stories.at_gate())
    async with stage.open((60, 20)) as pilot:
        stage.services.notify(f"{'The plan stays as it is. ' * 4}Write a title.", problem=True)
        await settled(pilot, lambda: "title." in stage.text())
        assert "? Help" in stage.text()


async def test_the_newest_notice_replaces_the_one_before_and_all_of_them_can_be_read_again():
    stage = Stage(stories.at_gate())
    async with stage.open((80, 24)) as pilot:
        stage.services.notify("The first.")
        stage.services.notify("The second.")
        await settled(pilot, lambda: "The second." in stage.text())
        assert "The first." not in stage.text()
        await stage.press(pilot, "f8")
        await settled(pilot, lambda: "The first." in stage.text())


async def test_a_dialog_shows_what_is_told_above_itself():
    stage = Stage(stories.failing_gate())
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "g", "c")
        assert isinstance(stage.screen, WriteDialog)
        stage.services.notify("Nobody listens.", problem=True)
        await settled(pilot, lambda: "Nobody listens." in stage.text().splitlines()[0])


async def test_the_screens_are_named_at_every_size_and_can_be_clicked():
    stage = Stage(stories.at_gate())
    async with stage.open((60, 20)) as pilot:
        await stage.press(pilot, "g")
        line = stage.screen.query_one("#notice")
        await settled(pilot, lambda: "1 Live  2 Tasks  3 Gates(1)  4 History  5 Metrics  6 Setup" in stage.text())
        await pilot.click("#notice", offset=(line.region.width - 4, 0))
        await settled(pilot, lambda: stage.app.current_mode == "setup")


async def test_changes_are_asked_for_with_the_diff_in_sight():
    stage = Stage(stories.failing_gate())
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "g")
        await settled(pilot, lambda: "@@ " in stage.text())
        await stage.press(pilot, "c")
        await settled(pilot, lambda: "esc Back" in stage.text())
        assert "@@ " in stage.text()
        assert stage.screen.query_one("#text").region.height >= 3


async def test_a_choice_is_made_by_its_letter_and_escape_goes_back():
    stage = Stage(stories.at_gate())
    async with stage.open((80, 24)) as pilot:
        await stage.press(pilot, "g", "s")
        await settled(pilot, lambda: "a After this stage" in stage.text() and "esc Back" in stage.text())
        await stage.press(pilot, "escape")
        assert stage.engine.asked(StopRun) == []
        await stage.press(pilot, "s", "a")
        await settled(pilot, lambda: stage.engine.asked(StopRun))
        assert stage.engine.asked(StopRun)[0].mode == "after_stage"

"""Findings at the gate: notes, findings of one's own, and that none of it is lost on the way."""

from obra_tui.core.commands import Decide
from obra_tui.core.model import DecisionKind, FindingSource, Severity
from obra_tui.ui.screens.dialogs.questions import WriteDialog
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.screens.review.evidence import evidence_lines
from obra_tui.ui.screens.review.screen import ReviewScreen
from obra_tui.ui.state import ViewState, apply_all
from obra_tui.ui.view.review import review_of
from tests.ui import stories
from tests.ui.stage import Stage, settled, untick_all
from widgets.diff.diff_pane import DiffPane
from widgets.lists.checklist import Checklist


async def write(stage, pilot, text):
    await settled(pilot, lambda: isinstance(stage.screen, WriteDialog))
    await stage.press(pilot, *text)
    await stage.press(pilot, "ctrl+s")
    await settled(pilot, lambda: isinstance(stage.screen, ReviewScreen))


async def sent(stage, pilot):
    await stage.press(pilot, "c", "ctrl+s")
    await settled(pilot, lambda: stage.engine.asked(Decide))
    return stage.engine.asked(Decide)[0].decision


async def test_an_own_finding_takes_its_place_from_the_cursor_in_the_diff():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "g")
        stage.screen.query_one(DiffPane).jump("calculator.py", 13)
        await stage.press(pilot, "plus")
        await settled(pilot, lambda: "calculator.py:13 major" in stage.text())
        await write(stage, pilot, "Say it in words.")
        assert "[x] ! major calculator.py:13" in stage.text()
        assert "(you)" in stage.text()
        decision = await sent(stage, pilot)
        own = decision.chosen[0]
        assert (own.source, own.severity, own.place) == (FindingSource.PERSON, Severity.MAJOR, "calculator.py:13")
        assert own.message == "Say it in words."
        assert decision.kind is DecisionKind.CHANGES


async def test_a_finding_elsewhere_is_refused_and_nothing_that_was_typed_is_lost():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "plus")
        await settled(pilot, lambda: isinstance(stage.screen, WriteDialog))
        stage.screen.query_one("#text").text = "gone.py:1 minor\nNo."
        await stage.press(pilot, "ctrl+s")
        assert "gone.py is not part of the change" in stage.text()
        assert stage.screen.query_one("#text").text == "gone.py:1 minor\nNo."


async def test_a_note_on_a_finding_ticks_it_and_goes_with_it():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        checklist = stage.screen.query_one(Checklist)
        checklist.focus()
        nit = next(key for key in checklist._findings if "OPERATIONS" in key or "operations" in key)
        checklist.highlight(nit)
        await stage.press(pilot, "m")
        await write(stage, pilot, "Take it out.")
        assert "» Take it out." in stage.text()
        decision = await sent(stage, pilot)
        assert [(item.message[:10], item.note) for item in decision.chosen] == [
            ("divide() r", ""),
            ("OPERATIONS", "Take it out."),
        ]


async def test_what_was_prepared_waits_when_the_person_looks_elsewhere():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "plus")
        await write(stage, pilot, "Mine.")
        untick_all(stage.screen.query_one(Checklist))
        await stage.press(pilot, "l")
        assert isinstance(stage.screen, LiveScreen)
        await stage.press(pilot, "g")
        await settled(pilot, lambda: "Mine." in stage.text())
        assert stage.screen.query_one(Checklist).checked == ()
        assert stage.screen.state.chosen() == ()


async def test_a_decision_ends_what_was_prepared_for_it():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "plus")
        await write(stage, pilot, "Mine.")
        await sent(stage, pilot)
        await settled(pilot, lambda: isinstance(stage.screen, LiveScreen))
        assert stage.services.drafts == {}


def test_the_gate_shows_first_what_was_asked():
    view = apply_all(ViewState(), stories.at_gate().records)
    review = review_of(view, "g1")
    lines = [line.text for line in evidence_lines(review)]
    assert lines[0] == f"Asked: {review.task.spec.title}"
    assert lines[1] in review.task.spec.prompt

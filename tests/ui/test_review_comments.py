"""At a line of the diff: comments, seen there and sent word for word; a search; and the file in the person's editor."""

from obra_tui.core.commands import Decide, HandBack
from obra_tui.core.events import CopyPrepared
from obra_tui.core.model import DecisionKind, FindingSource, WorkCopy
from tests.ui import stories
from tests.ui.stage import Stage, settled
from widgets.diff.diff_pane import DiffPane

WORDS = "Why not abs()? It's shorter."


async def at_line(stage, pilot, line):
    """The gate, with the cursor on a line of the diff."""
    await stage.press(pilot, "g")
    diff = stage.screen.query_one(DiffPane)
    stage.screen.state.panes.turn_to("#diff")
    await pilot.pause()
    diff.patch.focus()
    assert diff.jump("calculator.py", line)
    await pilot.pause()
    return diff


async def comment(stage, pilot, words):
    await stage.press(pilot, "enter")
    await stage.press(pilot, *words)
    await stage.press(pilot, "enter")


async def test_a_comment_stands_below_its_line_and_goes_back_with_file_line_and_every_word():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        diff = await at_line(stage, pilot, 6)
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "Comment on calculator.py:6" in stage.text())
        await stage.press(pilot, *WORDS)
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: f"» {WORDS}" in stage.text())
        assert diff.place() == ("calculator.py", 6)
        assert diff.patch.has_focus
        await stage.press(pilot, "c", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        decision = stage.engine.asked(Decide)[0].decision
        assert decision.kind is DecisionKind.CHANGES
        own = [item for item in decision.chosen if item.source is FindingSource.PERSON]
        assert [(item.place, item.message) for item in own] == [("calculator.py:6", WORDS)]


async def test_the_same_key_changes_a_comment_and_an_empty_one_is_taken_back():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        await at_line(stage, pilot, 6)
        await comment(stage, pilot, "No")
        await settled(pilot, lambda: "» No" in stage.text())
        await comment(stage, pilot, "!")
        await settled(pilot, lambda: "» No!" in stage.text())
        await stage.press(pilot, "enter", "backspace", "backspace", "backspace", "enter")
        await settled(pilot, lambda: "» No" not in stage.text())


async def test_a_comment_that_is_left_with_escape_is_not_kept_and_the_gate_stays_open():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        diff = await at_line(stage, pilot, 6)
        await stage.press(pilot, "enter", "N", "o", "escape")
        await pilot.pause()
        assert stage.screen.query_one(DiffPane) is diff
        assert "» No" not in stage.text()
        assert diff.patch.has_focus


async def test_a_text_is_found_in_the_diff_of_a_gate():
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        diff = await at_line(stage, pilot, 1)
        await stage.press(pilot, "slash", *"divide", "enter")
        await settled(pilot, lambda: diff.patch.model.search is not None)
        await stage.press(pilot, "n")
        assert diff.current.path == "calculator.py", "while one finds, n is the next match"
        await stage.press(pilot, "escape")
        await settled(pilot, lambda: diff.patch.model.search is None)
        await stage.press(pilot, "n")
        await settled(pilot, lambda: diff.current.path != "calculator.py")


async def test_the_file_opens_at_its_line_in_the_editor_and_what_was_changed_is_handed_back(tmp_path):
    copy, outside = tmp_path / "copy", tmp_path / "secret.py"
    copy.mkdir()
    outside.write_text("token = 1\n")
    (copy / "calculator.py").write_text("x = 1\n")
    stage = Stage(stories.at_gate())
    async with stage.open() as pilot:
        stage.play(lambda s: s.tell(CopyPrepared(copy=WorkCopy(path=str(copy), base_commit="b"))))
        await settled(pilot, stage.seen_all)
        opened = []
        stage.services.takeover.edit_file = lambda app, file, line: opened.append((file, line)) or ""
        await at_line(stage, pilot, 6)
        await stage.press(pilot, "ctrl+g")
        await settled(pilot, lambda: stage.engine.asked(HandBack))
        assert opened == [(str(copy / "calculator.py"), 6)]
        (copy / "calculator.py").unlink()
        (copy / "calculator.py").symlink_to(outside)
        await stage.press(pilot, "ctrl+g")
        await settled(pilot, lambda: "is not a file in the copy" in stage.text())
        assert len(opened) == 1, "a link does not lead the editor out of the copy"

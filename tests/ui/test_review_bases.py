"""The diff since the attempt before, the attempts themselves, and the output of checks: looked at in place."""

import msgspec

from obra_tui.core.commands import Decide
from obra_tui.core.errors import UnknownId
from obra_tui.core.model import ChangeKind, Diff, FileChange
from obra_tui.ui.ports import HEAD
from obra_tui.ui.screens.dialogs.output import OutputDialog
from obra_tui.ui.screens.review.diff import ReviewDiff
from obra_tui.ui.screens.review.screen import ReviewScreen
from tests.ui import stories
from tests.ui.stage import FakeReader, Stage, settled
from widgets.log_view.view import LogPane

SINCE = Diff(
    base_commit="tree-of-1",
    tree=stories.DIFF.tree,
    digest="since",
    patch="diff --git a/calculator.py b/calculator.py\n--- a/calculator.py\n+++ b/calculator.py\n@@ -24,1 +24,2 @@\n"
    "     if b == 0:\n+        raise ZeroDivisionError\n",
    files=(FileChange(path="calculator.py", kind=ChangeKind.MODIFIED, added=1, removed=0),),
)


def second_gate():
    story = stories.second_attempt()
    story.claude_done().checks_started().checks_done().judge_streams().verdict().scored()
    return story.asks()


async def test_d_shows_what_changed_since_the_attempt_before_and_back():
    reader = FakeReader(since=SINCE)
    stage = Stage(second_gate(), reader=reader)
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        assert "Diff since the base of the task" in stage.text()
        await stage.press(pilot, "d")
        await settled(pilot, lambda: "Diff since attempt 1" in stage.text())
        pane = stage.screen.query_one(ReviewDiff)
        assert [change.path for change in pane.changes] == ["calculator.py"]
        (asked,) = [call for call in reader.asked if call[0] == "changes_since"]
        assert asked[1:] == (stage.story.attempt, "a00100000000001")
        await settled(
            pilot, lambda: ("files_of", stage.story.attempt, "calculator.py", "a00100000000001") in reader.asked
        )
        reader.since = msgspec.structs.replace(SINCE, base_commit="5e1f00d")
        await stage.press(pilot, "d")
        await settled(pilot, lambda: "Diff since HEAD of your checkout (5e1f00d)" in stage.text())
        assert ("changes_since", stage.story.attempt, HEAD) in reader.asked
        await settled(pilot, lambda: ("files_of", stage.story.attempt, "calculator.py", HEAD) in reader.asked)
        await stage.press(pilot, "d")
        await settled(pilot, lambda: "Diff since the base of the task" in stage.text())
        assert len(pane.changes) == 2


async def test_what_was_read_since_the_attempt_before_does_not_count_as_the_whole_work():
    stage = Stage(second_gate(), reader=FakeReader(since=SINCE))
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "d")
        await settled(pilot, lambda: "Diff since attempt 1" in stage.text())
        pane = stage.screen.query_one(ReviewDiff)
        await settled(pilot, lambda: pane.seen == {"calculator.py"})
        assert "tests/test_calculator.py" not in pane.looked_at.opened
        assert "tests/test_calculator.py" not in pane.looked_at.read
        await stage.press(pilot, "r", *"no", "ctrl+s")
        await settled(pilot, lambda: stage.engine.asked(Decide))
        command = stage.engine.asked(Decide)[0]
        assert command.binding == stories.binding(stage.story.attempt)
        assert "tests/test_calculator.py" not in command.decision.seen_files


async def test_a_comparison_that_cannot_be_made_says_why_and_leaves_the_diff():
    stage = Stage(second_gate(), reader=FakeReader(since=UnknownId("The tree is gone.", fix="Compare with the base.")))
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g", "d")
        await settled(pilot, lambda: "The tree is gone." in stage.text())
        assert "Diff since the base of the task" in stage.text()


async def test_a_checkout_that_did_not_move_is_named_and_the_diff_stays():
    stage = Stage(stories.at_gate(), reader=FakeReader(since=stories.DIFF))
    async with stage.open() as pilot:
        await stage.press(pilot, "g", "d")
        await settled(pilot, lambda: "Your checkout stands where the task began" in stage.text())
        assert "Diff since the base of the task" in stage.text()


async def test_files_that_changed_since_they_were_read_are_to_be_read_again():
    stage = Stage(stories.at_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        pane = stage.screen.query_one(ReviewDiff)
        pane.show_file("tests/test_calculator.py")
        await settled(pilot, lambda: {"calculator.py", "tests/test_calculator.py"} <= pane.looked_at.read)
        review = stage.screen.state.latest
        patch = stories.PATCH.replace("+    return a + b", "+    return b + a")
        changed = msgspec.structs.replace(stories.DIFF, patch=patch, digest="other", tree="other")
        attempt = msgspec.structs.replace(review.attempt, diff=changed)
        pane.show_review(msgspec.structs.replace(review, attempt=attempt), frozenset())
        assert "tests/test_calculator.py" in pane.looked_at.read
        assert "calculator.py" not in pane.looked_at.read


async def test_the_attempts_before_are_listed_with_what_became_of_them():
    stage = Stage(second_gate())
    async with stage.open((200, 50)) as pilot:
        await stage.press(pilot, "g")
        assert "attempt 1  Quality: 0.59 (FAIL)  sent back by the gate" in stage.text()


async def test_enter_on_a_check_shows_all_of_its_output_and_escape_comes_back():
    stage = Stage(stories.failing_gate())
    async with stage.open((120, 36)) as pilot:
        await stage.press(pilot, "g")
        pane = stage.screen.query_one("#checks", LogPane)
        await settled(pilot, lambda: pane.has_focus)
        assert pane.cursor_key == "check:pytest", "what failed comes first"
        await stage.press(pilot, "enter")
        assert isinstance(stage.screen, OutputDialog)
        assert "E   assert divide(10, 0) raised nothing" in stage.text()
        assert "$ pytest -q" in stage.text()
        await stage.press(pilot, "a", "escape")
        assert isinstance(stage.screen, ReviewScreen)
        assert stage.engine.submitted == []


async def test_two_columns_once_chosen_stay_for_the_next_file_also_from_within_the_diff():
    texts = dict.fromkeys(("calculator.py", "tests/test_calculator.py"), ("old\n", "new\n"))
    stage = Stage(stories.at_gate(), reader=FakeReader(texts))
    async with stage.open((120, 36)) as pilot:
        await stage.press(pilot, "g")
        pane = stage.screen.query_one(ReviewDiff)
        pane.patch.focus()
        await stage.press(pilot, "t", "n")
        await settled(pilot, lambda: pane.current.path == "tests/test_calculator.py")
        assert pane.view.is_split
        assert pane.has_read_on

"""Two attempts, or two sessions, side by side on the screen."""

from msgspec.structs import replace

from obra_tui.core.events import AttemptStarted, ClaudeStarted
from obra_tui.core.ids import AttemptId
from obra_tui.core.lifecycle import State
from obra_tui.ui.screens.compare.attempts import CompareScreen
from obra_tui.ui.screens.compare.sessions import CompareSessionsScreen
from obra_tui.ui.screens.compare.side_by_side import side_by_side, wrapped
from tests.ui import stories
from tests.ui.fake_archive import FakeArchive
from tests.ui.fake_history import FakeHistory, summary
from tests.ui.stage import FakeReader, Stage, settled
from widgets.diff.diff_pane import DiffPane
from widgets.lines import LogLine
from widgets.log_view.twin_pane import TwinPane

SECOND = AttemptId("a2")
TREE_PATCH = """diff --git a/calculator.py b/calculator.py
index 1..2 100644
--- a/calculator.py
+++ b/calculator.py
@@ -1 +1 @@
-return a - b
+return a + b
"""


def two_attempts(**second):
    history = FakeHistory.sample()
    (detail,) = history._attempts.values()
    patch = stories.DIFF.patch.replace("return a - b", "return a + b")
    diff = replace(stories.DIFF, patch=patch, tree="other-tree")
    other = replace(detail, summary=replace(detail.summary, id=SECOND, number=2, score=0.5), diff=diff)
    history._attempts[SECOND] = replace(other, **second)
    trees = {(stories.DIFF.tree, "other-tree"): TREE_PATCH, ("other-tree", stories.DIFF.tree): "diff --git a/z b/z\n"}
    return history, FakeArchive(trees=trees), detail.summary.id


async def compared(stage, pilot, first, shuffle=lambda: False):
    stage.app.push_screen(CompareScreen(first, SECOND, shuffle))
    await settled(pilot, lambda: "same base" in stage.text())


async def test_the_first_view_shows_what_really_differs_between_the_trees():
    history, archive, first = two_attempts()
    reader = FakeReader({"calculator.py": ("old", "return a + b\n")})
    stage = Stage(stories.at_gate(), history=history, archive=archive, reader=reader)
    async with stage.open((160, 40)) as pilot:
        await compared(stage, pilot, first)
        assert "view: A → B" in stage.text()
        (file,) = stage.screen.query_one(DiffPane)._files
        assert (file.path, file.added, file.removed, file.after) == ("calculator.py", 1, 1, "return a + b\n")
        await stage.press(pilot, "x")
        await settled(pilot, lambda: stage.screen.query_one(DiffPane)._files[0].path == "z")


async def test_without_the_trees_the_diff_of_diffs_is_shown_and_said():
    history, _, first = two_attempts()
    stage = Stage(stories.at_gate(), history=history, archive=FakeArchive())
    async with stage.open((160, 40)) as pilot:
        await compared(stage, pilot, first)
        assert "no longer kept" in stage.text()
        assert "-+    return a - b" in stage.text()


async def test_different_bases_are_warned_of():
    other = replace(stories.DIFF, base_commit="f00dfeed00")
    history, archive, first = two_attempts(diff=other)
    stage = Stage(stories.at_gate(), history=history, archive=archive)
    async with stage.open((160, 40)) as pilot:
        stage.app.push_screen(CompareScreen(first, SECOND))
        await settled(pilot, lambda: "different bases" in stage.text())
        assert "Different bases: A began at" in stage.text()


async def test_transcripts_stand_side_by_side_and_scroll_together():
    history, archive, first = two_attempts()
    said = [record for record in history._records if record.attempt == first]
    history._records = tuple(
        replace(record, seq=number, attempt=attempt)
        for attempt in (first, SECOND)
        for number, record in enumerate(said * (4 if attempt == first else 3), 1)
    )
    stage = Stage(stories.at_gate(), history=history, archive=archive)
    async with stage.open((120, 24)) as pilot:
        await compared(stage, pilot, first)
        await stage.press(pilot, "v", "v")
        await settled(pilot, lambda: stage.text().count("turn 1") == 2)
        left, right = stage.screen.query(TwinPane)
        assert left.line_count == right.line_count > 20
        await stage.press(pilot, "pagedown", "j", "j")
        await settled(pilot, lambda: right.shown_range.start == left.shown_range.start > 0)
        right.focus()
        await stage.press(pilot, "home")
        await settled(pilot, lambda: left.shown_range.start == 0)


def test_turns_begin_on_the_same_line_on_both_sides():
    records = stories.second_attempt().records
    first = [record for record in records if record.attempt == records[3].attempt or not record.attempt]
    left, right = side_by_side(records, first, 50)
    turns = [line.text.split("  ")[0] for line in left if line.text.startswith("turn ")]
    assert len(left) == len(right)
    assert [left[at].text.split("  ")[0] for at, line in enumerate(right) if line.text.startswith("turn ")] == turns


def test_long_lines_are_wrapped_beforehand_and_nothing_is_lost():
    words = " ".join(f"word{number}" for number in range(40))
    rows = wrapped(LogLine(words, glyph="»", aside="ok 3 s"), 40)
    assert " ".join(row.text for row in rows) == words
    assert all(len(row.text) <= 38 for row in rows) and len(rows[0].text) <= 32


async def test_a_winner_is_kept_and_blindness_ends_with_it():
    history, archive, first = two_attempts()
    stage = Stage(stories.at_gate(), history=history, archive=archive)
    async with stage.open((160, 40)) as pilot:
        await compared(stage, pilot, first, shuffle=lambda: True)
        await stage.press(pilot, "b")
        await settled(pilot, lambda: "blind" in stage.text() and not stage.screen.reading.doing)
        assert "attempt 1" not in stage.text() and "0.90" not in stage.text() and "overall" not in stage.text()
        await stage.press(pilot, "w")
        await settled(pilot, lambda: "Pick the winner" in stage.text())
        assert "attempt 1" not in stage.text()
        await stage.press(pilot, "down", "enter", *"cleaner", "enter")
        await settled(pilot, lambda: "T001 attempt 2, is better" in stage.text())
        assert archive.preferences == [(SECOND, first, "a", "cleaner", True)]
        assert "overall" in stage.text()


async def test_blind_transcripts_do_not_tell_the_model():
    history, archive, first = two_attempts()
    stage = Stage(stories.at_gate(), history=history, archive=archive)
    async with stage.open((160, 40)) as pilot:
        await compared(stage, pilot, first)
        await stage.press(pilot, "b", "v", "v")
        await settled(pilot, lambda: stage.text().count("turn 1") == 2)
        told = [record.event for record in history._records]
        assert any(isinstance(event, ClaudeStarted | AttemptStarted) for event in told)
        assert "claude-" not in stage.text() and "Attempt 1" not in stage.text()


async def test_sessions_are_compared_task_by_task_and_a_pair_opens_its_attempts():
    history, archive, _ = two_attempts()
    detail = history._details[stories.SESSION]
    task = replace(detail.tasks[0], state=State.REJECTED, score=0.41)
    attempt = replace(detail.attempts[0], id=SECOND, number=2)
    only_there = replace(task, key="T002", title="Only there", id="t9")
    other = replace(
        detail,
        summary=summary("s2", "Stress test", stories.START, ((State.REJECTED, 1),), score=0.41),
        tasks=(task, only_there),
        attempts=(attempt,),
    )
    history._details[other.summary.id] = other
    stage = Stage(stories.at_gate(), history=history, archive=archive)
    async with stage.open((160, 40)) as pilot:
        stage.app.push_screen(CompareSessionsScreen(stories.SESSION, other.summary.id))
        await settled(pilot, lambda: "accepted 0.90 → rejected 0.41" in stage.text())
        assert "−0.49 ▼ worse" in stage.text() and "Only there" in stage.text()
        await stage.press(pilot, "w", "escape", "b")
        assert "0.41" not in stage.text()
        await stage.press(pilot, "b", "home", "enter")
        await settled(pilot, lambda: isinstance(stage.screen, CompareScreen))


async def test_two_marked_sessions_of_the_history_are_compared():
    history, archive, _ = two_attempts()
    history._details["s2"] = replace(
        history._details[stories.SESSION], summary=replace(history._sessions[1]), attempts=()
    )
    stage = Stage(stories.at_gate(), history=history, archive=archive)
    async with stage.open((160, 40)) as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "3 sessions" in stage.text())
        await stage.press(pilot, "space", "down", "equals_sign")
        await settled(pilot, lambda: "Tasks, A → B" in stage.text() and "accepted 0.90" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: "was tried on one side only" in stage.text())

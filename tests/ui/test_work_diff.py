"""The diff of the work is on Live while Claude works, and leaves its place to the judge afterwards."""

from obra_tui.core.errors import WorkspaceError
from obra_tui.core.model import ChangeKind, Diff, FileChange
from obra_tui.ui.screens.live.work_diff import WorkDiff
from tests.ui import stories
from tests.ui.stage import FakeReader, Stage, settled


def work(**texts):
    """New files with these lines."""
    parts, files = [], []
    for name, text in texts.items():
        lines = text.splitlines()
        body = "".join(f"+{line}\n" for line in lines)
        parts.append(
            f"diff --git a/{name}.py b/{name}.py\nnew file mode 100644\n--- /dev/null\n+++ b/{name}.py\n"
            f"@@ -0,0 +1,{len(lines)} @@\n{body}"
        )
        files.append(FileChange(path=f"{name}.py", kind=ChangeKind.ADDED, added=len(lines), removed=0))
    return Diff(base_commit="b", tree="t", digest=str(hash(str(texts))), patch="".join(parts), files=tuple(files))


def at_work(so_far):
    reader = FakeReader()
    reader.so_far = so_far
    return Stage(stories.two_tasks().attempt_started(), reader=reader)


def looks(stage):
    return [call for call in stage.reader.asked if call[0] == "work_so_far"]


async def stands_still(stage, pilot, seconds=5):
    """Nothing happens for some seconds, and what was read meanwhile has arrived."""
    stage.clock.at += seconds
    stage.screen.tick()
    diff = stage.screen.query_one(WorkDiff)
    await settled(pilot, lambda: not diff._is_reading)
    stage.screen.tick()
    await pilot.pause()


async def test_the_work_is_shown_while_claude_works_with_what_changed_last_in_front():
    stage = at_work(work(calc="def add(a, b):\n    return a + b"))
    async with stage.open() as pilot:
        await stands_still(stage, pilot)
        await settled(pilot, lambda: "def add" in stage.text())
        assert "Work so far" in stage.text() and "1 file +2 −0" in stage.text()
        stage.reader.so_far = work(calc="def add(a, b):\n    return a + b", test_calc="def test_add(): ...")
        stage.play(lambda s: s.uses("c9", "Write", "test_calc.py", output="done"))
        await settled(pilot, lambda: stage.screen.query_one(WorkDiff)._changed_at is not None)
        await stands_still(stage, pilot)
        await settled(pilot, lambda: "def test_add" in stage.text())


async def test_the_copy_is_read_once_for_what_changed_and_not_while_claude_is_writing():
    stage = at_work(work(calc="x = 1"))
    async with stage.open() as pilot:
        await stands_still(stage, pilot)
        for _ in range(3):
            await stands_still(stage, pilot)
        assert len(looks(stage)) == 1
        stage.play(lambda s: s.uses("c9", "Write", "calc.py", output="done"))
        await settled(pilot, lambda: stage.screen.query_one(WorkDiff)._changed_at is not None)
        await stands_still(stage, pilot, seconds=0.5)
        assert len(looks(stage)) == 1
        await stands_still(stage, pilot)
        assert len(looks(stage)) == 2


async def test_a_person_in_the_diff_stays_where_they_are_when_the_work_goes_on():
    long = "\n".join(f"line_{n} = {n}" for n in range(200))
    stage = at_work(work(calc=long))
    async with stage.open() as pilot:
        await stands_still(stage, pilot)
        diff = stage.screen.query_one(WorkDiff)
        await settled(pilot, lambda: bool(diff.region))
        diff.patch.focus()
        assert diff.jump("calc.py", 120)
        stage.reader.so_far = work(calc=long, other="y = 1")
        stage.play(lambda s: s.uses("c9", "Write", "other.py", output="done"))
        await settled(pilot, lambda: diff._changed_at is not None)
        await stands_still(stage, pilot)
        await settled(pilot, lambda: len(diff.files) == 2)
        assert diff.place() == ("calc.py", 120)


async def test_when_claude_is_done_the_judge_has_its_place_again_and_a_key_brings_the_diff_back():
    stage = at_work(work(calc="x = 1"))
    async with stage.open() as pilot:
        await stands_still(stage, pilot)
        diff = stage.screen.query_one(WorkDiff)
        await settled(pilot, lambda: bool(diff.region))
        stage.play(lambda s: s.claude_done())
        await settled(pilot, lambda: not diff.region)
        await stage.press(pilot, "d")
        await settled(pilot, lambda: bool(diff.region))
        await stage.press(pilot, "d")
        await settled(pilot, lambda: not diff.region)


async def test_a_copy_that_cannot_be_read_says_why_in_its_border():
    stage = at_work(WorkspaceError("The copy is gone.", fix="Start the task again."))
    async with stage.open() as pilot:
        await stage.press(pilot, "d")
        await stands_still(stage, pilot)
        await settled(pilot, lambda: "The copy is gone." in stage.text())

"""History as it looks: searching, an attempt, replay, compare and metrics, each at three sizes."""

import pytest
from msgspec.structs import replace

from obra_tui.core.ids import AttemptId
from obra_tui.core.lifecycle import State
from obra_tui.ui.screens.compare.attempts import CompareScreen
from obra_tui.ui.screens.compare.sessions import CompareSessionsScreen
from obra_tui.ui.screens.live.replay import ReplayScreen
from tests.snapshots.comparing import SIZES, by_size, still
from tests.ui import stories
from tests.ui.fake_archive import FakeArchive
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled


@pytest.fixture(params=SIZES, ids=by_size)
def looks_right(request, snap_compare):
    """Open the app on a stage, press keys one by one, each waiting for a text, and compare."""

    def check(stage, *steps, push=None):
        async def before(pilot):
            await settled(pilot, lambda: stage.app.services and stage.app.services.engine)
            await settled(pilot, stage.seen_all)
            if push is not None:
                stage.app.push_screen(push())
            for keys, shows in steps:
                for key in keys.split():
                    await pilot.press(key)
                await settled(pilot, lambda shows=shows: shows in stage.text())
            await still(pilot, stage)

        assert snap_compare(stage.app, terminal_size=request.param, run_before=before)

    return check


def the_past():
    return Stage(stories.at_gate(), history=FakeHistory.sample())


def test_a_search_with_its_line(looks_right):
    looks_right(the_past(), ("4", "3 sessions"), ("slash", "Search:"), ("w r i t e", "1 match"))


def test_the_attempts_of_a_session(looks_right):
    looks_right(the_past(), ("4", "3 sessions"), ("enter", "Attempts of"))


@pytest.mark.parametrize("page", ["Transcript", "Diff", "Scores", "Gate", "Raw"])
def test_an_attempt(looks_right, page):
    opening = (("4", "3 sessions"), ("enter", "Attempts of"), ("enter", "[Transcript]"))
    names = ["Transcript", "Diff", "Checks", "Scores", "Gate", "Raw"]
    turns = tuple(("tab", f"[{name}]") for name in names[1 : names.index(page) + 1])
    looks_right(the_past(), *opening, *turns)


def test_a_replay_that_stands_at_a_gate(looks_right):
    looks_right(the_past(), ("b", "held"), ("n", "Quality:"), push=lambda: ReplayScreen(stories.SESSION))


TREES = '''diff --git a/calculator.py b/calculator.py
index 9a1b2c3..c583d2f 100644
--- a/calculator.py
+++ b/calculator.py
@@ -10,3 +10,3 @@
 def subtract(a: float, b: float) -> float:
     """Return a without b."""
-    return a + b
+    return a - b
'''


def two_attempts():
    """A stage with a second attempt in its past, which did another thing to the same file."""
    stage = Stage(stories.at_gate(), history=FakeHistory.sample(), archive=FakeArchive())
    backend = stage.app._open_backend()
    history = backend.history
    (detail,) = history._attempts.values()
    patch = stories.DIFF.patch.replace("return a - b", "return a + b")
    second = replace(detail.summary, id=AttemptId("a2"), number=2, score=0.5)
    diff = replace(stories.DIFF, patch=patch, tree="other-tree")
    history._attempts[AttemptId("a2")] = replace(detail, summary=second, diff=diff)
    said = [record for record in history._records if record.attempt == detail.summary.id]
    history._records += tuple(replace(record, attempt=AttemptId("a2")) for record in said[:-6])
    backend.archive._trees[("other-tree", stories.DIFF.tree)] = TREES
    return stage, lambda: CompareScreen(AttemptId("a2"), detail.summary.id, lambda: False)


@pytest.mark.parametrize(
    ("keys", "shows"),
    [
        pytest.param("", "1 hunk", id="trees"),
        pytest.param("v", "differs", id="diffs"),
        pytest.param("v v", "turn 2", id="transcripts"),
        pytest.param("b", "who is who is hidden", id="blind"),
        pytest.param("w", "Pick the winner", id="winner"),
    ],
)
def test_two_attempts_side_by_side(looks_right, keys, shows):
    stage, screen = two_attempts()
    looks_right(stage, ("", "same base"), (keys, shows), push=screen)


def test_two_sessions_side_by_side(looks_right):
    stage, _ = two_attempts()
    history = stage.app._open_backend().history
    detail = history._details[stories.SESSION]
    task = replace(detail.tasks[0], state=State.REJECTED, score=0.41)
    history._details["s2"] = replace(detail, summary=history._sessions[1], tasks=(task,))
    looks_right(stage, ("", "rejected 0.41"), push=lambda: CompareSessionsScreen(stories.SESSION, "s2"))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((("t", "Tags of"), ("end comma s", "#slow")), id="tags"),
        pytest.param((("x", "Export Calculator"), ("down", ".jsonl")), id="export"),
        pytest.param((("y", "Copy of"),), id="copy"),
        pytest.param((("i", "3 transcripts found"), ("", "zebra")), id="import"),
    ],
)
def test_a_question_about_a_session(looks_right, steps):
    archive = FakeArchive(labels={stories.SESSION: ["good example", "pinned"], "s2": ["slow"]}, sources=3)
    stage = Stage(stories.at_gate(), history=FakeHistory.sample(), archive=archive)
    looks_right(stage, ("4", "3 sessions"), *steps)


def test_sessions_with_pins_tags_and_marks(looks_right):
    archive = FakeArchive(labels={stories.SESSION: ["good example", "pinned"], "s3": ["slow"]})
    stage = Stage(stories.at_gate(), history=FakeHistory.sample(), archive=archive)
    looks_right(stage, ("4", "#slow"), ("space down space", "2 marked"))


def test_the_figures(looks_right):
    looks_right(the_past(), ("5", "15 of 20"))


def test_a_search_that_finds_nothing(looks_right):
    looks_right(the_past(), ("4", "3 sessions"), ("slash", "Search:"), ("z e b r a", "Nothing has"))

"""History as it looks: searching, an attempt, replay, compare and metrics, each at three sizes."""

import time
from dataclasses import replace

import pytest

from obra_tui.core.ids import AttemptId
from obra_tui.ui.screens.compare import CompareScreen
from obra_tui.ui.screens.replay import ReplayScreen
from tests.snapshots.test_screens import SIZES
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def looks_right(request, snap_compare):
    """Open the app on a stage, press keys one by one, each waiting for a text, and compare."""

    def check(stage, *steps, push=None):
        async def before(pilot):
            await settled(pilot, lambda: stage.app.desk and stage.app.engine)
            await settled(pilot, stage.seen_all)
            if push is not None:
                stage.app.push_screen(push())
            for keys, shows in steps:
                for key in keys.split():
                    await pilot.press(key)
                await settled(pilot, lambda shows=shows: shows in stage.text())
            await pilot.pause()

        assert snap_compare(stage.app, terminal_size=request.param, run_before=before)

    return check


def the_past():
    return Stage(stories.at_gate(), history=FakeHistory.sample())


def test_a_search_with_its_line(looks_right):
    looks_right(the_past(), ("4", "3 sessions"), ("slash", "Search:"), ("w r i t e", "1 match"))


@pytest.mark.parametrize("page", ["Transcript", "Diff", "Scores", "Gate"])
def test_an_attempt(looks_right, page):
    opening = (("4", "3 sessions"), ("enter", "Attempts of"), ("enter", "[Transcript]"))
    names = ["Transcript", "Diff", "Checks", "Scores", "Gate"]
    turns = tuple(("tab", f"[{name}]") for name in names[1 : names.index(page) + 1])
    looks_right(the_past(), *opening, *turns)


def test_a_replay_that_stands_at_a_gate(looks_right):
    looks_right(the_past(), ("b", "held"), ("n", "Quality:"), push=lambda: ReplayScreen(stories.SESSION))


def test_two_attempts_side_by_side(looks_right):
    stage = the_past()
    history = stage.app._open_backend().history
    (detail,) = history._attempts.values()
    patch = stories.DIFF.patch.replace("return a - b", "return a + b")
    second = replace(detail.summary, id=AttemptId("a2"), number=2, score=0.5)
    other = replace(detail, summary=second, diff=replace(stories.DIFF, patch=patch))
    history._attempts[AttemptId("a2")] = other
    looks_right(stage, ("", "same base"), push=lambda: CompareScreen(AttemptId("a2"), detail.summary.id))


def test_the_figures(looks_right):
    looks_right(the_past(), ("5", "15 of 20"))


def test_a_search_that_finds_nothing(looks_right):
    looks_right(the_past(), ("4", "3 sessions"), ("slash", "Search:"), ("z e b r a", "Nothing has"))

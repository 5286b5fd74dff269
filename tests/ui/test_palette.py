"""Everything that has a name is found by it."""

import pytest

from obra_tui.ui.screens.attempt.screen import AttemptScreen
from obra_tui.ui.screens.dialogs.help import GuideScreen
from obra_tui.ui.screens.setup.screen import SetupScreen
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled

GUIDES = {"gates": "# Gates and policies\n\nAfter every attempt Obra **scores** the work.\n"}


def stage_with_everything():
    return Stage(stories.at_gate(), history=FakeHistory(), guides=lambda: GUIDES)


async def find(stage, pilot, words, shown):
    await stage.press(pilot, "ctrl+p", *words)
    await settled(pilot, lambda: shown in stage.text())


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("review", "Review gate  (g)"),
        ("watch calc", "Watch T001 Write a calculator"),
        ("attempt 1", "Attempt 1 of T001 Write a calculator"),
        ("threshold", "Setting gate.threshold = 0.7"),
        ("gruv", "Theme gruvbox"),
        ("guide", "Guide gates"),
    ],
)
async def test_everything_that_has_a_name_is_found_by_a_few_letters(words, shown):
    stage = stage_with_everything()
    async with stage.open() as pilot:
        await find(stage, pilot, words, shown)


async def test_actions_of_the_screen_come_before_those_of_a_pane():
    stage = stage_with_everything()
    async with stage.open() as pilot:
        await find(stage, pilot, "", "Message  (m)")
        rows = [line for line in stage.text().splitlines() if "  (" in line]
        assert "Down  (j)" not in "\n".join(rows[:8])


async def test_a_theme_is_put_on_at_once():
    stage = stage_with_everything()
    async with stage.open() as pilot:
        await find(stage, pilot, "theme gruvbox", "Theme gruvbox")
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: stage.app.theme == "gruvbox")
        assert 'theme = "gruvbox"' in stage.text()


async def test_a_setting_is_shown_where_it_is_changed():
    stage = stage_with_everything()
    async with stage.open() as pilot:
        await find(stage, pilot, "judge.base", "Setting judge.base_url")
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: isinstance(stage.screen, SetupScreen) and stage.screen.ready)
        await settled(pilot, lambda: stage.screen.query_one("#config").highlighted == "judge.base_url")


async def test_a_guide_is_read_without_leaving():
    stage = stage_with_everything()
    async with stage.open() as pilot:
        await find(stage, pilot, "gates and", "No matches")
        await stage.press(pilot, "escape")
        await find(stage, pilot, "guide gates", "Guide gates")
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: isinstance(stage.screen, GuideScreen) and "scores the work" in stage.text())
        assert "obra guide gates" in stage.text()
        await stage.press(pilot, "escape")
        assert not isinstance(stage.screen, GuideScreen)


async def test_an_attempt_is_opened():
    stage = stage_with_everything()
    async with stage.open() as pilot:
        await find(stage, pilot, "attempt 1 of", "Attempt 1 of T001")
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: isinstance(stage.screen, AttemptScreen))

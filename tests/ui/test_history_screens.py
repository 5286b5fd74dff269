"""Searching, reading, replaying, comparing and measuring on the screen."""

import random
import threading

import pytest
from msgspec.structs import replace

from obra_tui.core.ids import AttemptId
from obra_tui.core.model import DecisionKind
from obra_tui.core.records.history import Page
from obra_tui.ui.screens.attempt.pages import PAGES
from obra_tui.ui.screens.attempt.screen import AttemptScreen
from obra_tui.ui.screens.compare.attempts import CompareScreen
from obra_tui.ui.screens.history.rows import attempt_row, states_of
from obra_tui.ui.screens.history.screen import HistoryScreen
from obra_tui.ui.screens.live.player import Player
from obra_tui.ui.screens.live.replay import ReplayScreen
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.state import ViewState, apply_all
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled
from widgets.log_view.view import LogPane


async def at_search(stage, pilot):
    await stage.press(pilot, "4")
    await settled(pilot, lambda: "3 sessions" in stage.text())
    await stage.press(pilot, "slash")
    await settled(pilot, lambda: stage.app.focused is not None and stage.app.focused.id == "message-input")


async def test_results_come_while_typing_and_are_said_back():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        await at_search(stage, pilot)
        await stage.press(pilot, *"write")
        await settled(pilot, lambda: "1 match" in stage.text())
        assert 'read as with "write' in stage.text()
        assert "it as it should be" in stage.text()


async def test_tab_completes_the_search_line_and_moves_panes_everywhere_else():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        await at_search(stage, pilot)
        await stage.press(pilot, *"sco", "tab")
        assert stage.app.focused.value == "score:"
        await stage.press(pilot, *"<80 model:q", "tab")
        assert stage.app.focused.value == "score:<80 model:qwen2.5-coder:32b "
        await stage.press(pilot, "enter", "tab")
        assert stage.app.focused.id != "message-input"


async def test_a_search_that_takes_long_holds_up_neither_the_keys_nor_the_next_search():
    history, go_on = FakeHistory.sample(), threading.Event()
    find = history.find

    def slow(query, after=None, limit=50):
        if [word.text for word in query.words] == ["w"]:
            assert go_on.wait(30)
            return Page(rows=())
        return find(query, after, limit)

    history.find = slow
    stage = Stage(stories.at_gate(), history=history)
    async with stage.open() as pilot:
        try:
            await at_search(stage, pilot)
            await stage.press(pilot, "w")
            await settled(pilot, lambda: "searching" in stage.text())
            reading = stage.screen.pages.reading
            late, ended, answers = reading._asked, reading._ended, []
            reading._ended = lambda asked, *rest: (ended(asked, *rest), answers.append(asked))
            await stage.press(pilot, *"ritee", "backspace")
            assert stage.app.focused.value == "write"
            await settled(pilot, lambda: "1 match" in stage.text())
            assert ("stop_finding",) in history.asked
        finally:
            go_on.set()
        await settled(pilot, lambda: late in answers)
        assert "filter: write " in stage.text() and "1 match" in stage.text()


@pytest.mark.parametrize("line", ['"', "((", "score:", "-", "is:nonsense", "* NEAR AND OR"])
async def test_no_search_line_is_an_error(line):
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        await at_search(stage, pilot)
        await stage.press(pilot, *line, "enter")
        await settled(pilot, lambda: "searching" not in stage.text())
        assert isinstance(stage.screen, HistoryScreen)


async def test_whatever_is_typed_is_searched_and_never_an_error():
    """Every line as a person would come to it: character by character."""
    pieces = [
        '"',
        "((",
        "score:",
        "-",
        "is:nonsense",
        "* NEAR AND OR",
        "\u202e\x1b[31m",
        "[b]x[/b]",
        "é",
        "😀",
        ":",
        "'",
        "\\",
    ]
    dice = random.Random(7)
    history = FakeHistory.sample()
    stage = Stage(stories.at_gate(), history=history)
    async with stage.open((80, 24)) as pilot:
        await at_search(stage, pilot)
        for _ in range(40):
            line = "".join(dice.choice(pieces) for _ in range(dice.randint(1, 5)))
            for end in range(1, len(line) + 1):
                stage.screen.pages.search(line[:end])
            stage.app.focused.value, stage.app.focused.cursor_position = line, len(line)
            stage.screen.action_complete()
            await pilot.pause()
        await settled(pilot, lambda: not stage.screen.pages.reading.doing)
        assert isinstance(stage.screen, HistoryScreen) and not stage.screen.pages.reading.problem


async def test_every_page_of_an_attempt_can_be_opened():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        await at_search(stage, pilot)
        await stage.press(pilot, *"write", "enter")
        await settled(pilot, lambda: "1 match" in stage.text())
        await stage.press(pilot, "enter")
        await settled(pilot, lambda: isinstance(stage.screen, AttemptScreen) and "Quality: 0.90" in stage.text())
        seen = []
        for _ in PAGES:
            await stage.press(pilot, "tab")
            seen.append(next(page for page in PAGES if f"[{page}]" in stage.text()))
        assert sorted(seen) == sorted(PAGES)


async def test_a_replay_ends_in_the_state_and_the_picture_of_the_live_run():
    story = stories.at_gate().decided(DecisionKind.APPROVE)
    live, again = Stage(story), Stage(story, history=FakeHistory.sample())
    async with live.open() as pilot:
        view = live.services.view
        await settled(pilot, lambda: "work: 2 files" in live.text() and live.text().count("Quality: 0.90 (PASS)") > 1)
        await settled(pilot, still(live))
        shown = panes(live.screen)
    async with again.open() as pilot:
        again.app.push_screen(ReplayScreen(stories.SESSION))
        await settled(pilot, lambda: isinstance(again.screen, ReplayScreen) and again.screen.playback.player.records)
        again.screen.playback.player.speed = 64
        await again.press(pilot, "full_stop", "full_stop", "E")
        assert again.screen.services.view_store.view == view
        await settled(pilot, still(again))
        assert panes(again.screen) == shown
        assert again.services.view_store is not again.screen.services.view_store


async def test_a_replay_shows_its_own_session_where_nothing_runs():
    stage = Stage(history=FakeHistory.sample())
    async with stage.open() as pilot:
        stage.app.push_screen(ReplayScreen(stories.SESSION))
        await settled(pilot, lambda: isinstance(stage.screen, ReplayScreen) and stage.screen.playback.player.records)
        await stage.press(pilot, "E")
        await settled(pilot, lambda: "calculator.py" in stage.text())
        assert "Nothing is running yet" not in stage.text()


def still(stage):
    """A condition: what stands on the screen is what stood there a turn ago."""
    seen = []

    def same():
        seen.append(panes(stage.screen))
        return len(seen) > 5 and seen[-1] == seen[-5]

    return same


def panes(screen):
    """What stands in the panes that a run fills."""
    found = []
    for selector in ("#claude", "#validation"):
        pane = screen.query_one(selector, LogPane)
        found.append((pane.line_count, [strip.text for strip in pane.rows.shown]))
    return found


async def test_a_replay_steps_jumps_and_goes_back():
    story = stories.at_gate().decided(DecisionKind.APPROVE)
    stage = Stage(story, history=FakeHistory.sample())
    async with stage.open() as pilot:
        stage.app.push_screen(ReplayScreen(stories.SESSION))
        await settled(pilot, lambda: isinstance(stage.screen, ReplayScreen) and stage.screen.playback.player.records)
        screen = stage.screen
        await stage.press(pilot, "b", "full_stop")
        assert screen.playback.player.position == 1
        await stage.press(pilot, "n")
        assert screen.services.view_store.view.attempts
        assert "REPLAY" in stage.text()
        await stage.press(pilot, "b")
        assert (screen.playback.player.position, screen.services.view_store.view) == (0, ViewState())
        await stage.press(pilot, "s")
        assert "64×" in stage.text()
        await stage.press(pilot, "escape")
        assert isinstance(stage.screen, LiveScreen) and not isinstance(stage.screen, ReplayScreen)


def test_playing_at_any_speed_tells_every_record_once_and_in_order():
    story = stories.at_gate().decided(DecisionKind.APPROVE)
    for speed in (1, 8, 64):
        player = Player(tuple(story.records))
        player.speed, player.playing = speed, True
        told = []
        while not player.over:
            told += player.pass_time(0.05)
        assert told == list(story.records)
        assert apply_all(ViewState(), told) == apply_all(ViewState(), story.records)


def two_attempts():
    history = FakeHistory.sample()
    (detail,) = history._attempts.values()
    patch = stories.DIFF.patch.replace("return a - b", "return a + b")
    other = replace(
        detail,
        summary=replace(detail.summary, id=AttemptId("a2"), number=2, score=0.5),
        diff=replace(stories.DIFF, patch=patch),
    )
    history._attempts[AttemptId("a2")] = other
    return history, detail.summary.id


async def test_two_attempts_are_compared_also_blind():
    history, first = two_attempts()
    stage = Stage(stories.at_gate(), history=history)
    async with stage.open((200, 50)) as pilot:
        stage.app.push_screen(CompareScreen(first, AttemptId("a2")))
        await settled(pilot, lambda: "−0.40 ▼" in stage.text())
        assert "same base" in stage.text()
        assert "-+    return a - b" in stage.text()
        await stage.press(pilot, "x")
        await settled(pilot, lambda: "+0.40 ▲" in stage.text())
        await stage.press(pilot, "b")
        await settled(pilot, lambda: "blind" in stage.text())
        assert "0.40" not in stage.text()


def test_what_was_taken_back_does_not_count_as_accepted_in_a_row():
    session = replace(FakeHistory.sample()._sessions[1], reverted=3)
    assert states_of(session) == ["7 accepted", "3 reverted"]
    (attempt,) = FakeHistory.sample()._details[stories.SESSION].attempts
    assert "reverted" in attempt_row(replace(attempt, accepted=True, reverted="f" * 40)).text

"""What is typed in one go reaches what the first key opened."""

import asyncio
import time

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList

from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.type_ahead import TypeAhead
from tests.ui import stories
from tests.ui.fake_history import FakeHistory
from tests.ui.stage import Stage, settled


def type_at_once(app, text):
    """As a terminal hands on what was typed, or put in by a program, while the app was busy."""
    for character in text:
        key = {"/": "slash", "\r": "enter", "\x1b": "escape"}.get(character, character)
        app.post_message(events.Key(key, character))


def written(app):
    return app.focused.value if isinstance(app.focused, Input) else None


async def test_a_word_typed_at_once_with_the_key_that_opens_the_search_is_searched():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "3 sessions" in stage.text())
        type_at_once(stage.app, "/write")
        await settled(pilot, lambda: written(stage.app) == "write")
        await settled(pilot, lambda: "1 match" in stage.text())


async def test_so_it_is_when_the_field_was_open_before():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "3 sessions" in stage.text())
        type_at_once(stage.app, "/not this\x1b/write")
        await settled(pilot, lambda: written(stage.app) == "write")


async def test_another_place_its_search_and_the_word_may_come_at_once():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        type_at_once(stage.app, "4/write")
        await settled(pilot, lambda: written(stage.app) == "write")


async def test_what_is_pasted_behind_a_key_goes_where_the_key_leads():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        type_at_once(stage.app, "4/")
        stage.app.post_message(events.Paste("write"))
        type_at_once(stage.app, "!")
        await settled(pilot, lambda: written(stage.app) == "write!")


class Question(ModalScreen[str]):
    """Says where keys go in it when it is mounted, as dialogs do."""

    BINDINGS = [("escape", "dismiss", "Leave")]

    def compose(self) -> ComposeResult:
        yield Vertical(Input(id="answer"))

    def on_mount(self) -> None:
        self.query_one("#answer").focus()


class Confirmations(TypeAhead[None]):
    BINDINGS = [("q", "ask", "Ask"), ("z", "note", "Note")]

    def __init__(self) -> None:
        super().__init__()
        self.noted, self.holding = 0, False
        self.go_on = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield Slow("one", "two")

    def action_ask(self) -> None:
        self.push_screen(Question())

    def action_note(self) -> None:
        self.noted += 1


class Slow(OptionList):
    async def key_x(self) -> None:
        self.app.holding = True
        await self.app.go_on.wait()


async def test_a_dialog_gets_what_was_typed_with_the_key_that_opened_it_and_the_screen_what_came_after():
    app = Confirmations()
    async with app.run_test() as pilot:
        await settled(pilot, lambda: isinstance(app.focused, OptionList))
        type_at_once(app, "zqz zq\x1bzz")
        await settled(pilot, lambda: app.noted == 3)
        assert not isinstance(app.screen, Question)
        type_at_once(app, "qxyz")
        await settled(pilot, lambda: written(app) == "xyz")


async def come_true(condition):
    """Unlike `settled`, without waiting for every widget."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_widget_that_hangs_does_not_keep_the_keys_from_all_others():
    app = Confirmations()
    async with app.run_test() as pilot:
        await settled(pilot, lambda: isinstance(app.focused, OptionList))
        type_at_once(app, "x")
        await come_true(lambda: app.holding)
        app.screen.set_focus(None)
        type_at_once(app, "z")
        await come_true(lambda: app.noted == 1)
        assert not app.go_on.is_set()
        app.go_on.set()


async def test_what_is_typed_while_the_app_is_held_up_waits_for_it():
    stage = Stage(stories.at_gate(), history=FakeHistory.sample())
    async with stage.open() as pilot:
        await stage.press(pilot, "4")
        await settled(pilot, lambda: "3 sessions" in stage.text())
        line = stage.screen.query_one(MessageLine)
        ask = line.ask

        def asked_late(*given, **more):
            time.sleep(1.2)  # as an import does on a busy machine; longer than a widget that hangs is waited for
            ask(*given, **more)

        line.ask = asked_late
        type_at_once(stage.app, "/write")
        await settled(pilot, lambda: written(stage.app) == "write")

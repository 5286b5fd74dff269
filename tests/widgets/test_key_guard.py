"""A person who is typing while a question opens does not answer it."""

from textual.app import App
from textual.binding import Binding
from textual.screen import ModalScreen, Screen

from widgets.key_guard import ArmedScreen, Arming


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_it_is_armed_after_a_moment_without_a_key():
    clock = Clock()
    arming = Arming(0.35, clock)
    assert not arming.armed
    clock.now += 0.34
    assert not arming.armed
    clock.now += 0.02
    assert arming.armed


def test_every_key_before_that_is_swallowed_and_starts_the_clock_again():
    clock = Clock()
    arming = Arming(0.35, clock)
    for _ in range(5):
        clock.now += 0.3
        assert not arming.key()
    clock.now += 0.35
    assert arming.key()


def test_opening_again_disarms():
    clock = Clock()
    arming = Arming(0.35, clock)
    clock.now += 1
    assert arming.armed
    arming.open()
    assert not arming.armed


class Gate(ArmedScreen, ModalScreen):
    BINDINGS = [Binding("a", "approve"), Binding("p", "approve", priority=True)]

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.said = []

    def make_arming(self):
        return Arming(0.35, self.clock)

    def on_armed_changed(self, armed):
        self.said.append(armed)

    def action_approve(self):
        self.app.approved += 1


class Workplace(App):
    BINDINGS = [Binding("x", "other")]

    def __init__(self):
        super().__init__()
        self.approved = 0
        self.others = 0
        self.clock = Clock()

    def action_other(self):
        self.others += 1


async def test_a_word_typed_while_a_gate_opens_does_not_approve():
    app = Workplace()
    async with app.run_test() as pilot:
        gate = Gate(app.clock)
        await app.push_screen(gate)
        await pilot.press("a", "t", "p", "x")
        assert app.approved == 0
        app.clock.now += 0.36
        await pilot.press("a")
        assert app.approved == 1


async def test_a_key_long_after_the_gate_opened_but_in_the_middle_of_typing_does_not_approve():
    app = Workplace()
    async with app.run_test() as pilot:
        await app.push_screen(Gate(app.clock))
        for _ in range(4):
            app.clock.now += 0.2
            await pilot.press("c")
        app.clock.now += 0.2
        await pilot.press("a")
        assert app.approved == 0


async def test_a_gate_that_comes_back_is_not_armed():
    app = Workplace()
    async with app.run_test() as pilot:
        gate = Gate(app.clock)
        await app.push_screen(gate)
        app.clock.now += 1
        await pilot.press("z")
        await app.push_screen(Screen())
        await app.pop_screen()
        await pilot.pause()
        assert not gate.guard.is_armed
        await pilot.press("a")
        assert app.approved == 0


async def test_the_legend_is_told_when_keys_are_taken():
    app = Workplace()
    async with app.run_test() as pilot:
        gate = Gate(app.clock)
        await app.push_screen(gate)
        assert gate.said[-1] is False
        app.clock.now += 1
        gate.guard.check()
        await pilot.pause()
        assert gate.said[-1] is True


async def test_a_modal_gate_keeps_the_look_of_a_modal_screen():
    app = Workplace()
    async with app.run_test():
        gate = Gate(app.clock)
        await app.push_screen(gate)
        assert gate.styles.background.a < 1

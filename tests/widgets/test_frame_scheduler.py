"""A screen is painted once for all that changed, soon, and never all the time."""

import asyncio

import pytest
from textual.app import App
from textual.widget import Widget

from widgets.fast_compositor import FastScreen, FrameScheduler


async def turns(count=3):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_changes_after_a_pause_is_painted_at_once_and_once():
    painted = []
    frames = FrameScheduler(lambda: painted.append(1))
    for _ in range(3):
        frames.resume()
    await turns()
    assert painted == [1]


async def test_what_changes_meanwhile_is_painted_next():
    painted = []
    frames = FrameScheduler(lambda: painted.append(1), period_s=0.001)
    frames.resume()
    await turns()
    frames.resume()
    async with asyncio.timeout(5):
        while len(painted) < 2:
            await asyncio.sleep(0)


async def test_after_a_long_frame_there_is_a_pause_no_longer_than_a_beat(monkeypatch):
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)

    def paint():
        nonlocal now
        now += 0.02

    frames = FrameScheduler(paint, period_s=0.05)
    began = now
    frames.resume()
    await turns()
    frames.resume()
    assert isinstance(frames._due, asyncio.TimerHandle)
    assert frames._due.when() - began == pytest.approx(0.05)
    frames.pause()


async def test_what_somebody_else_painted_is_not_painted_again():
    painted = []
    frames = FrameScheduler(lambda: painted.append(1))
    frames.resume()
    frames.pause()
    await turns()
    assert not painted


class Broken(Widget):
    broken = False

    def render_line(self, y):
        if self.broken:
            raise ValueError("cannot be drawn")
        return super().render_line(y)


class OneScreen(App):
    def get_default_screen(self):
        return FastScreen()

    def compose(self):
        yield Broken()


async def test_a_widget_that_cannot_be_drawn_ends_the_app_as_it_would_with_textuals_timer():
    app = OneScreen()
    with pytest.raises(ValueError, match="cannot be drawn"):
        async with app.run_test() as pilot:
            broken = app.query_one(Broken)
            broken.broken = True
            broken.refresh()
            await pilot.pause()
            await pilot.pause()

"""What is painted bit by bit must be what would be painted as a whole."""

import random

import pytest
from rich.cells import cell_len
from textual._compositor import LayoutUpdate
from textual.app import App
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Static

from widgets.bars.status_line import StatusItem, StatusLine
from widgets.fast_compositor import FastCompositor, FastScreen, StripsUpdate
from widgets.log_view.view import LogPane

WIDTH, HEIGHT = 60, 20


class Canvas:
    """A terminal that is painted as the updates say."""

    def __init__(self):
        self.rows = {}
        self.pieces = []

    def paint(self, update):
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips, update.region.y):
                self._put(0, y, Strip.join(list(strips)))
        elif isinstance(update, StripsUpdate):
            self.pieces.extend(update.pieces)
            for x, y, strip in update.pieces:
                self._put(x, y, strip)

    def _put(self, x, y, strip):
        for offset, cell in enumerate(cells(strip)):
            self.rows.setdefault(y, {})[x + offset] = cell


def cells(strip):
    """What stands in each cell; the second one of a wide character holds nothing."""
    return [
        cell
        for segment in strip
        for char in segment.text
        for cell in [(char, segment.style), *[None] * (cell_len(char) - 1)]
    ]


class TwoPanes(FastScreen):
    def compose(self):
        yield StatusLine(id="status")
        with Vertical(id="body"), Horizontal(id="panes"):
            yield LogPane(id="left", hint="following")
            yield LogPane(id="right")
        yield Static("a note", id="note")


class Watched(App):
    """Paints on a canvas what a terminal would get."""

    CSS = """
    TwoPanes { layers: below above; }
    #panes { height: 1fr; }
    #left, #right { width: 1fr; border: round green; }
    #note { layer: above; offset: 20 6; width: 24; height: 5; border: heavy red; display: none; }
    .shown#note { display: block; }
    """

    def __init__(self):
        super().__init__()
        self.canvas = Canvas()

    def get_default_screen(self):
        return TwoPanes()

    def _display(self, screen, renderable):
        self.canvas.paint(renderable)
        super()._display(screen, renderable)


def whole(app):
    """Every cell as it would be painted anew."""
    strips = app.screen._compositor.render_strips()
    return [cells(strip) for strip in strips]


def painted(app):
    return [[app.canvas.rows[y].get(x) for x in range(WIDTH)] for y in range(HEIGHT)]


async def same_as_whole(app, pilot):
    """The screen comes to rest with every cell as it should be."""
    for _ in range(50):
        await pilot.pause()
        if painted(app) == whole(app):
            return
    shown = "\n".join("".join(cell[0] if cell else "?" for cell in row) for row in painted(app))
    raise AssertionError(f"not what a whole frame would show:\n{shown}")


def some_change(app, rng, number):
    screen = app.screen
    pane = screen.query_one(rng.choice(("#left", "#right")), LogPane)
    match rng.randrange(8):
        case 0 | 1 | 2:
            pane.extend([f"line {number} of {rng.random()}" for _ in range(rng.randrange(1, 6))])
        case 3:
            screen.query_one(StatusLine).show([StatusItem(f"step {number}"), StatusItem("全角 text")])
        case 4:
            screen.query_one("#note").toggle_class("shown")
        case 5:
            screen.query_one("#note", Static).update(Content(f"note {number}"), layout=False)
        case 6:
            pane.scroll_page_up() if rng.random() < 0.5 else pane.scroller.toggle_follow()
        case _:
            app.notify(f"news {number}", timeout=60)


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_painted_bit_by_bit_is_what_a_whole_frame_would_show(seed):
    rng = random.Random(seed)
    app = Watched()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        for number in range(12):
            for _ in range(rng.randrange(1, 4)):
                some_change(app, rng, number)
            await same_as_whole(app, pilot)
        assert app.canvas.pieces


async def test_only_the_rows_that_changed_are_written():
    app = Watched()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.screen.query_one("#left", LogPane).extend(["one", "two"])
        await same_as_whole(app, pilot)
        app.canvas.pieces.clear()
        app.screen.query_one("#left", LogPane).append("three")
        await same_as_whole(app, pilot)
        assert {(piece.x, piece.y, piece.strip.cell_length) for piece in app.canvas.pieces} == {(0, 4, WIDTH // 2)}


async def test_each_cell_is_written_once_by_who_is_in_front():
    app = Watched()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.screen.query_one("#note").add_class("shown")
        app.screen.query_one("#left", LogPane).extend([f"line {number}" for number in range(40)])
        await same_as_whole(app, pilot)
        app.canvas.pieces.clear()
        app.screen.query_one("#left", LogPane).extend(["more", "and more"])
        await same_as_whole(app, pilot)
        row = [piece for piece in app.canvas.pieces if piece.y == 8]
        assert sorted((piece.x, piece.strip.cell_length) for piece in row) == [(0, 20), (20, 10)]


async def test_an_empty_update_writes_nothing():
    compositor = FastCompositor()
    assert compositor.render_partial_update() is None

"""A compositor that paints only changed rows of the widget that is in front, and the schedule of its frames.

Textual's own compositor asks every widget below a changed region for its lines, containers behind opaque panes
included, cuts all of them at every edge on the row, and throws away what is covered. Here each row knows which widget
is in front where, so a frame asks only the widget that changed, only for the rows that changed, and writes its strips
uncut. Decision 19 has the figures for which it is kept.

Textual's own timer counts its beats of sixty a second from its start, and after a pause it counts one too many: a
change right after a frame, such as the effect of a key, waits for up to two beats. Here the pause after a frame is
twice as long as the frame took, and no longer than one beat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from rich.console import Console
from textual.geometry import Region
from textual.screen import UPDATE_PERIOD, ScreenResultType
from textual.strip import Strip
from textual.widget import Widget

from widgets.textual_private import (
    Compositor,
    CompositorUpdate,
    ScheduledScreen,
    dirty_regions,
    mark_widget,
    may_paint,
    paint_frame,
)

SHARE = 1 / 3
"""Of the time, at most, goes into painting."""


class FrameScheduler:
    """Takes the place of a screen's timer; lives on the loop."""

    def __init__(self, paint: Callable[[], None], period_s: float = UPDATE_PERIOD) -> None:
        self._paint = paint
        self._period = period_s
        self._next = float("-inf")
        self._due: asyncio.Handle | None = None

    def resume(self) -> None:
        """Something changed: paint as soon as possible."""
        if self._due is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._next - loop.time()
        self._due = loop.call_later(wait, self._frame) if wait > 0 else loop.call_soon(self._frame)

    def pause(self) -> None:
        """What changed is painted, or will be by somebody else."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _frame(self) -> None:
        self._due = None
        clock = asyncio.get_running_loop().time
        began = clock()
        self._paint()
        self._next = began + min(self._period, (clock() - began) / SHARE)


class VisibleRun(NamedTuple):
    """A stretch of one row, from `left` to before `right`, and the widget that is in front there."""

    left: int
    right: int
    widget: Widget
    x: int
    """Where the visible part of the widget begins, and how wide it is."""
    width: int


class PlacedStrip(NamedTuple):
    """Cells to write."""

    x: int
    y: int
    strip: Strip


class StripsUpdate(CompositorUpdate):
    """What to write where."""

    def __init__(self, pieces: list[PlacedStrip]) -> None:
        self.pieces = pieces

    def render_segments(self, console: Console) -> str:
        """One text with everything in it."""
        return "".join([f"\x1b[{y + 1};{x + 1}H{strip.render(console)}" for x, y, strip in self.pieces])


class FastCompositor(Compositor):
    """Paints the rows that changed of the widgets that are in front."""

    def __init__(self) -> None:
        super().__init__()
        self._front: dict[int, list[VisibleRun]] = {}
        self._front_of: object = None

    def clear(self) -> None:
        """Forget every widget."""
        super().clear()
        self._front, self._front_of = {}, None

    def render_partial_update(self) -> StripsUpdate | None:  # type: ignore[override]
        """The changed regions, or None when there are none."""
        wanted: dict[Widget, list[tuple[int, VisibleRun]]] = {}
        for y, left, right in _spans(dirty_regions(self)):
            for run in self._in_front(y):
                if run.left >= right or run.right <= left:
                    continue
                if run.left < left or run.right > right:
                    run = run._replace(left=max(left, run.left), right=min(right, run.right))
                wanted.setdefault(run.widget, []).append((y, run))
        if not wanted:
            return None
        return StripsUpdate([piece for widget, runs in wanted.items() for piece in self._placed(widget, runs)])

    def _placed(self, widget: Widget, runs: list[tuple[int, VisibleRun]]) -> Iterator[PlacedStrip]:
        """The strips of one widget, asked for at once; `runs` are in the order of rows."""
        region, _ = self.visible_widgets[widget]
        first, last, (_, _, _, x, width) = runs[0][0], runs[-1][0], runs[0][1]
        strips = widget.render_lines(Region(x - region.x, first - region.y, width, last - first + 1))
        for y, run in runs:
            strip = strips[y - first]
            if (run.left, run.right) != (x, x + width):
                strip = strip.crop(run.left - x, run.right - x)
            yield PlacedStrip(run.left, y, strip)

    def _in_front(self, y: int) -> list[VisibleRun]:
        """The row from left to right, looked up once for each layout."""
        if self._front_of is not self.visible_widgets:
            self._front, self._front_of = {}, self.visible_widgets
        row = self._front.get(y)
        if row is None:
            row = self._front[y] = list(self._look_down(y)) if 0 <= y < self.size.height else []
        return row

    def _look_down(self, y: int) -> Iterator[VisibleRun]:
        """From the front to the back, each widget where nothing before it stands."""
        bare = [(0, self.size.width)]
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            if not (seen.y <= y < seen.bottom):
                continue
            left_bare: list[tuple[int, int]] = []
            for left, right in bare:
                start, end = max(left, seen.x), min(right, seen.right)
                if start >= end:
                    left_bare.append((left, right))
                    continue
                yield VisibleRun(start, end, widget, seen.x, seen.width)
                left_bare.extend(gap for gap in ((left, start), (end, right)) if gap[0] < gap[1])
            bare = left_bare


def _spans(regions: Iterable[Region]) -> list[tuple[int, int, int]]:
    """Regions as (row, left, right), top to bottom, stretches that touch each other joined."""
    rows: dict[int, list[tuple[int, int]]] = {}
    for x, y, width, height in regions:
        for row in range(y, y + height):
            rows.setdefault(row, []).append((x, x + width))
    spans: list[tuple[int, int, int]] = []
    for row, stretches in sorted(rows.items()):
        stretches.sort()
        start, end = stretches[0]
        for left, right in stretches[1:]:
            if left <= end:
                end = max(end, right)
            else:
                spans.append((row, start, end))
                start, end = left, right
        spans.append((row, start, end))
    return spans


class FastScreen(ScheduledScreen[ScreenResultType]):
    """A screen that is painted by a `FastCompositor`, as soon as possible."""

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name, id, classes)
        self._scheduler = FrameScheduler(partial(_paint, self))
        self.install(FastCompositor(), self._scheduler)

    def paint_soon(self, widget: Widget) -> None:
        """Paint what `widget` marked as dirty of itself: the same as three messages through two queues."""
        mark_widget(self, widget)
        if may_paint(self):
            self._scheduler.resume()
        else:
            self.check_idle()


def _paint(screen: FastScreen[ScreenResultType]) -> None:
    """Called by the loop, where nobody else would see an error: it is raised in the screen's own queue."""
    try:
        paint_frame(screen)
    except Exception as error:  # noqa: BLE001 - the edge of the loop: the app decides what to do
        screen.call_next(raise_error, error)


def raise_error(error: Exception) -> None:
    """Raise an error where Textual handles errors; used with `call_next`."""
    raise error

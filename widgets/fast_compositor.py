"""A compositor that paints only what is in front.

Textual's own asks every widget below a changed region for its lines, containers behind opaque panes included, cuts all
of them at every edge on the row, and then throws away what is covered. Here each row knows who is in front where, so a
frame asks only the widget that changed, only for the rows that changed, and writes its strips uncut.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console
from textual._compositor import Compositor, CompositorUpdate
from textual.geometry import Region
from textual.screen import Screen, ScreenResultType
from textual.strip import Strip
from textual.widget import Widget

from widgets.frame_scheduler import FrameScheduler


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
        self._rows: dict[int, list[VisibleRun]] = {}
        self._rows_of: object = None

    def clear(self) -> None:
        """Forget every widget."""
        super().clear()
        self._rows, self._rows_of = {}, None

    def render_partial_update(self) -> StripsUpdate | None:  # type: ignore[override]
        """The changed regions, or None when there are none."""
        dirty = list(self._dirty_regions)
        self._dirty_regions.clear()
        wanted: dict[Widget, list[tuple[int, VisibleRun]]] = {}
        for y, left, right in self._regions_to_spans(dirty):
            for run in self._in_front(y):
                if run.left >= right or run.right <= left:
                    continue
                if run.left < left or run.right > right:
                    run = run._replace(left=max(left, run.left), right=min(right, run.right))
                wanted.setdefault(run.widget, []).append((y, run))
        if not wanted:
            return None
        return StripsUpdate([piece for widget, runs in wanted.items() for piece in self._pieces(widget, runs)])

    def _pieces(self, widget: Widget, runs: list[tuple[int, VisibleRun]]) -> Iterator[PlacedStrip]:
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
        if self._rows_of is not self.visible_widgets:
            self._rows, self._rows_of = {}, self.visible_widgets
        row = self._rows.get(y)
        if row is None:
            row = self._rows[y] = list(self._look_down(y)) if 0 <= y < self.size.height else []
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


class FastScreen(Screen[ScreenResultType]):
    """A screen that is painted that way, and as soon as may be."""

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name, id, classes)
        self._compositor = FastCompositor()
        self._frames = FrameScheduler(self._frame)

    @property
    def _update_timer(self) -> FrameScheduler:  # type: ignore[override]
        return self._frames

    def paint_soon(self, widget: Widget) -> None:
        """Paint what `widget` marked as changed of itself: what three messages through two queues would come to."""
        self._dirty_widgets.add(widget)
        if self.is_current and not self.app._batch_count:
            self._frames.resume()
        else:
            self.check_idle()

    def _frame(self) -> None:
        """Called by the loop, where nobody else would see an error."""
        if self.app._exit:
            return
        try:
            self._on_timer_update()
        except Exception as error:  # noqa: BLE001 - the edge of the loop: the app tells what became of it
            self.app._handle_exception(error)

"""One curve or one row of bars over groups, drawn by plotext in the colours of the theme.

Imported when there is something to plot: plotext is nobody's first paint. What rests on few cases is drawn as
single dots, so that nobody reads a trend into it; a value that is not there leaves a gap. No meaning is carried by
colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from textual.color import Color
from textual_plotext import PlotextPlot

_LABEL_CELLS = 12
_FILL = "\u2800"
"""An empty cell that is no space: plotext takes spaces away, and the scale would stand crooked."""


@dataclass(frozen=True, slots=True)
class Point:
    """A group and its value; `few` says that it rests on few cases."""

    label: str
    value: float | None
    _: KW_ONLY
    few: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """What a plot shows."""

    points: tuple[Point, ...]
    _: KW_ONLY
    kind: Literal["line", "bars"] = "line"
    top: float | None = None
    """Upper end of the scale, which begins at 0; the highest value when it is not given."""
    threshold: float | None = None
    ticks: tuple[tuple[float, str], ...] = ()
    """Values of the scale with their words."""


class Plot(PlotextPlot):
    """Shows a `Curve`."""

    DEFAULT_CSS = """
    Plot {
        height: 1fr;
        min-height: 6;
        background: $surface;
        border: round $foreground 35%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 80%;
        border-subtitle-align: right;
    }
    """

    can_focus = False

    def __init__(self, *, ascii: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._ascii = ascii
        self.curve = Curve(())

    def show(self, curve: Curve, title: str, subtitle: str = "") -> None:
        """Draw another curve."""
        self.curve = curve
        self.border_title, self.border_subtitle = title, subtitle
        self.refresh()

    def render(self) -> object:  # type: ignore[override]
        self._draw()
        return super().render()

    def _draw(self) -> None:
        """Give plotext everything anew: it has no way to take one thing back."""
        plt, curve = self.plt, self.curve
        plt.clear_figure()
        known = [(place, point) for place, point in enumerate(curve.points) if point.value is not None]
        top = curve.top or max((point.value or 0.0 for _, point in known), default=0.0) or 1.0
        if self._ascii:
            plt.frame(False)
        plt.ylim(min(0.0, *(point.value or 0.0 for _, point in known), 0.0), top)
        plt.xlim(-0.5, max(0.5, len(curve.points) - 0.5))
        words = max((len(word) for _, word in curve.ticks), default=0)
        plt.yticks(
            [at for at, _ in curve.ticks],
            [word if self._ascii else word.rjust(words, _FILL) for _, word in curve.ticks],
        )
        places = _label_places(len(curve.points), self.size.width)
        plt.xticks([float(place) for place in places], [curve.points[place].label for place in places])
        if curve.threshold is not None:
            plt.hline(curve.threshold, self._rgb("warning"))
        self._draw_points(known)

    def _draw_points(self, known: Sequence[tuple[int, Point]]) -> None:
        dots = [(place, point.value) for place, point in known if point.few]
        sure = [(place, point.value) for place, point in known if not point.few]
        colour = self._rgb("primary")
        if sure and self.curve.kind == "bars":
            self.plt.bar(
                *zip(*sure, strict=True),
                marker="#" if self._ascii else "sd",
                color=colour,
                width=0.6,
                reset_ticks=False,
            )
        elif sure:
            for run in _runs([place for place, _ in sure]):
                values = [value for place, value in sure if place in run]
                self.plt.plot(list(run), values, marker="*" if self._ascii else "braille", color=colour)
            self.plt.scatter(*zip(*sure, strict=True), marker="o" if self._ascii else "●", color=colour)
        if dots:
            self.plt.scatter(
                *zip(*dots, strict=True), marker="." if self._ascii else "·", color=self._rgb("foreground")
            )

    def _rgb(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb


def _runs(places: Sequence[int]) -> list[range]:
    """Groups that follow each other without a gap: a line joins these and no others."""
    runs: list[range] = []
    for place in places:
        if runs and runs[-1].stop == place:
            runs[-1] = range(runs[-1].start, place + 1)
        else:
            runs.append(range(place, place + 1))
    return [run for run in runs if len(run) > 1]


def _label_places(count: int, width: int) -> list[int]:
    """Which groups get their name written below them: as many as there is room for, always the last."""
    room = max(1, (width - 8) // _LABEL_CELLS)
    step = max(1, -(-count // room))
    return list(range((count - 1) % step, count, step)) if count else []

"""Scores by stage, where each number comes from, and what they add up to. A number that is missing says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from widgets.bars.status import mark, status
from widgets.segments import column, cut, joined, piece

_EIGHTHS = " ▏▎▍▌▋▊▉"
_SPARKS = "▁▂▃▄▅▆▇█"
_WIDEST_NAME = 14
_NO_EVIDENCE = "no evidence"


@dataclass(frozen=True, slots=True)
class StageBar:
    """One stage: its value from 0 to 1, or None with a `note` that says why there is none."""

    name: str
    value: float | None
    _: KW_ONLY
    threshold: float | None = None
    weight: float | None = None
    provenance: str = ""
    previous: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Overall:
    """What the stages add up to; `passes` is None while it is not known."""

    value: float | None
    _: KW_ONLY
    passes: bool | None = None
    word: str = ""
    threshold: float | None = None
    previous: float | None = None


def number(value: float | None) -> str:
    """A score as a person reads it: two digits, or a dash."""
    return "–" if value is None else f"{value:.2f}"


def quality_line(overall: Overall) -> str:
    """``Quality: 0.82 (PASS)``."""
    word = overall.word or {True: "PASS", False: "FAIL", None: _NO_EVIDENCE}[overall.passes]
    return f"Quality: {number(overall.value)} ({word})"


def change(value: float | None, previous: float | None) -> str:
    """``0.61 Δ+0.21 ▲``: the previous value and the way from there."""
    if previous is None:
        return ""
    if value is None:
        return number(previous)
    delta = round(value - previous, 2)
    arrow = "▲" if delta > 0 else "▼" if delta < 0 else "="
    sign = "+" if delta > 0 else "−" if delta < 0 else "±"
    return f"{number(previous)} Δ{sign}{abs(delta):.2f} {arrow}"


def bar(value: float, width: int) -> str:
    """A bar of eighths of cells."""
    eighths = round(min(1.0, max(0.0, value)) * width * 8)
    whole, part = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[part] if part else "")).ljust(width)


def sparkline(values: Sequence[float | None]) -> str:
    """One column for each attempt, from 0 to 1; a dot where there is no score."""
    top = len(_SPARKS) - 1
    return "".join("·" if v is None else _SPARKS[round(min(1.0, max(0.0, v)) * top)] for v in values)


class ScoreBars(Widget):
    """Rows of stages, the overall line and the history of attempts."""

    DEFAULT_CSS = """
    ScoreBars { height: auto; width: 1fr; padding: 0 1; }
    """

    def __init__(self, *, ascii: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._ascii = ascii
        self._stages: tuple[StageBar, ...] = ()
        self._overall: Overall | None = None
        self._attempts: tuple[float | None, ...] = ()

    def show(
        self,
        stages: Sequence[StageBar],
        overall: Overall | None = None,
        attempts: Sequence[float | None] = (),
    ) -> None:
        """Show these scores; `attempts` are the overall values so far, oldest first."""
        shown = (tuple(stages), overall, tuple(attempts))
        if shown == (self._stages, self._overall, self._attempts):
            return
        height = len(self._lines(80))
        self._stages, self._overall, self._attempts = shown
        self.refresh(layout=len(self._lines(80)) != height)

    def clear(self) -> None:
        """Nothing is scored yet."""
        self.show(())

    def render(self) -> Content:
        """All rows."""
        width = self.content_size.width
        return Content("\n").join([cut(line, width) for line in self._lines(width)])

    def _lines(self, width: int) -> list[Content]:
        lines = [self._stage(stage, width) for stage in self._stages]
        if self._overall is not None:
            lines.append(self._summary(self._overall))
        if self._attempts:
            lines.append(self._history())
        return lines or [piece("no scores yet", "$foreground 60%")]

    def _stage(self, stage: StageBar, width: int) -> Content:
        """Name, bar, value, mark, and as many of the other columns as fit."""
        name_width = min(_WIDEST_NAME, max(len(s.name) for s in self._stages))
        state = self._state(stage)
        sign = mark(state, self._ascii)
        extras = self._extras(stage, width - name_width - len(sign) - 23)
        used = sum(extra.cell_length for extra in extras)
        bar_width = max(6, min(30, width - name_width - used - len(sign) - 9))
        value = column(number(stage.value), 4, "bold", right=True)
        row = [column(stage.name, name_width), piece(" "), self._bar(stage, bar_width), piece(" "), value]
        return joined([*row, piece(" " + sign, status(state).style), *extras])

    def _state(self, stage: StageBar) -> str:
        if stage.value is None:
            return "none"
        if stage.threshold is None:
            return "waiting"
        return "pass" if stage.value >= stage.threshold else "fail"

    def _extras(self, stage: StageBar, room: int) -> list[Content]:
        """Where it comes from, how much it weighs, how it was before; the last go first when narrow."""
        where = stage.note or _NO_EVIDENCE if stage.value is None else stage.provenance
        wanted = [
            column(f" {where}", 13, "$foreground 70%"),
            column(f" ×{stage.weight:.2f}" if stage.weight is not None else "", 6, "$foreground 60%"),
            column(" " + change(stage.value, stage.previous), 15, "$foreground 70%"),
        ]
        shown: list[Content] = []
        for extra in wanted:
            room -= extra.cell_length
            if room < 0:
                break
            shown.append(extra)
        return shown

    def _bar(self, stage: StageBar, width: int) -> Content:
        if stage.value is None:
            return piece("·" * width, "$foreground 30%")
        cells = list(bar(stage.value, width))
        tick = None if stage.threshold is None else min(width - 1, int(stage.threshold * width))
        style = status(self._state(stage)).style
        drawn = [piece(cell, style) for cell in cells]
        if tick is not None:
            drawn[tick] = piece("┃" if cells[tick] == "█" else "│", "$foreground on $panel")
        return joined(drawn)

    def _summary(self, overall: Overall) -> Content:
        state = {True: "pass", False: "fail", None: "none"}[overall.passes]
        parts = [piece(mark(state, self._ascii) + " ", status(state).style)]
        parts.append(piece(quality_line(overall), f"bold {status(state).style}"))
        if overall.threshold is not None:
            parts.append(piece(f"  needs {number(overall.threshold)}", "$foreground 70%"))
        if overall.previous is not None:
            parts.append(piece("  before " + change(overall.value, overall.previous), "$foreground 70%"))
        return joined(parts)

    def _history(self) -> Content:
        values = " ".join(number(value) for value in self._attempts)
        return joined([piece("attempts ", "$foreground 70%"), piece(sparkline(self._attempts)), piece(f"  {values}")])

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line for each row."""
        return len(self._lines(width))

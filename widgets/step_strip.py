"""The steps of one attempt on one line: `✓ implement 3:12 ─ ✓ checks 4/4 ─ ● judge ─ · gate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from .pieces import cut, joined, piece
from .status import mark, status

_STEP_BETWEEN = " ─ "


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `state` is a name of `widgets.status`, `note` a duration or a count."""

    name: str
    state: str = "waiting"
    note: str = ""
    _: KW_ONLY


class StepStrip(Widget):
    """A row of steps; notes of finished steps go first when it is narrow."""

    DEFAULT_CSS = """
    StepStrip { height: 1; width: 1fr; }
    """

    def __init__(self, *, ascii: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._ascii = ascii
        self._steps: tuple[Step, ...] = ()

    def show(self, steps: Sequence[Step]) -> None:
        """Show these steps."""
        if tuple(steps) != self._steps:
            self._steps = tuple(steps)
            self.refresh()

    def render(self) -> Content:
        """As much as fits."""
        width = self.content_size.width
        whole = self._line(self._steps, notes=True)
        if whole.cell_length <= width:
            return whole
        bare = self._line(self._steps, notes=False)
        return bare if bare.cell_length <= width else self._around_current(width)

    def _line(self, steps: Sequence[Step], notes: bool) -> Content:
        between = piece(_STEP_BETWEEN, "$foreground 40%")
        return between.join([self._step(step, notes) for step in steps])

    def _step(self, step: Step, notes: bool) -> Content:
        look = status(step.state)
        emphasis = " bold" if step.state in ("running", "gate", "fail") else ""
        parts = [piece(mark(step.state, self._ascii), look.style), piece(f" {step.name}", look.style + emphasis)]
        if step.note and (notes or step.state == "running"):
            parts.append(piece(f" {step.note}", "$foreground 70%"))
        return joined(parts)

    def _around_current(self, width: int) -> Content:
        """The step that is not finished yet, and what follows it."""
        current = next((i for i, step in enumerate(self._steps) if step.state not in ("pass", "skipped")), 0)
        return cut(joined([piece("… "), self._line(self._steps[current:], notes=False)]), width)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width

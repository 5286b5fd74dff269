"""Compare: two attempts side by side, what differs on the left, the numbers on the right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from obra_tui.core.compare import Comparison, blinded, compare_attempts, shown, shown_delta
from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.history import AttemptDetail, History
from obra_tui.core.ids import AttemptId
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import Tone
from widgets.lines import LogLine
from widgets.log_pane import LogPane

VIEWS = ("diff of diffs", "A", "B", "prompts")
_LOOKS = {"+": "added", "-": "removed", "@": "hunk"}


class CompareScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("compare")

    def __init__(self, a: AttemptId, b: AttemptId) -> None:
        super().__init__()
        self._ids = (a, b)
        self._sides: tuple[AttemptDetail, AttemptDetail] | None = None
        self._view = VIEWS[0]
        self._blind = False
        self._note = "reading…"

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="compare"):
            yield LogPane(id="differences", follow=False)
            yield LogPane(id="numbers", follow=False)

    def on_mount(self) -> None:
        self.query_one("#numbers").border_title = "A and B"
        self.query_one("#differences").focus()
        backend = self.desk.backend
        if backend is not None:
            self.run_worker(partial(self._read, backend.history), thread=True, exit_on_error=False)

    def _read(self, history: History) -> None:
        """In a worker thread."""
        try:
            a, b = (history.attempt(attempt) for attempt in self._ids)
        except ObraError as refused:
            self.desk.soon(partial(self._refused, refused))
        else:
            self.desk.soon(partial(self._take, a, b))

    def _refused(self, refused: ObraError) -> None:
        self._note = str(refused)
        if self.ready:
            self.draw(())

    def _take(self, a: AttemptDetail, b: AttemptDetail) -> None:
        self._sides, self._note = (a, b), ""
        if self.ready:
            self._show()

    @property
    def _comparison(self) -> Comparison | None:
        if self._sides is None:
            return None
        made = compare_attempts(*self._sides)
        return blinded(made) if self._blind else made

    def _show(self) -> None:
        made = self._comparison
        if made is None or self._sides is None:
            return
        pane, numbers = self.query_one("#differences", LogPane), self.query_one("#numbers", LogPane)
        pane.clear()
        pane.border_title = self._view
        pane.extend(list(_difference(self._view, made, self._sides)))
        numbers.clear()
        numbers.extend(list(_numbers(made)))
        self.draw(())

    def draw(self, records: Sequence[Record]) -> None:
        made = self._comparison
        if made is None:
            self.show_status(Part(text="COMPARE", strong=True), Part(text=self._note))
            return
        base = "different bases" if any("bases" in warning for warning in made.warnings) else "same base"
        self.show_status(
            Part(text="COMPARE", strong=True),
            Part(text=f"A {made.a} ↔ B {made.b}", strong=True, shrinks=True),
            Part(text=base, tone=Tone.PLAIN if base.startswith("same") else Tone.WARN),
            Part(text=f"view: {self._view}"),
            Part(text="blind" if self._blind else "", tone=Tone.ASK),
        )

    # -- keys ----------------------------------------------------------------------------------

    def action_next_view(self) -> None:
        self._view = VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)]
        self._show()

    def action_blind(self) -> None:
        self._blind = not self._blind
        self._show()

    def action_swap(self) -> None:
        if self._sides is not None:
            self._sides = (self._sides[1], self._sides[0])
            self._show()

    def action_next_pane(self) -> None:
        self.focus_next("LogPane")

    def action_leave(self) -> None:
        self.dismiss(None)


def _difference(view: str, made: Comparison, sides: tuple[AttemptDetail, AttemptDetail]) -> Iterator[LogLine]:
    match view:
        case "A" | "B":
            diff = sides[VIEWS.index(view) - 1].diff
            yield from _patch(diff.patch if diff else "")
        case "prompts":
            yield from _patch(made.prompts or "The prompts are the same.")
        case _:
            for file in made.files:
                yield LogLine(f"{file.path}  {file.kind}", style="heading")
                yield from _patch(file.diff)
            if not made.files:
                yield LogLine("Neither changed a file.", style="dim")


def _patch(text: str) -> Iterator[LogLine]:
    for line in text.splitlines():
        yield LogLine(line, style=_LOOKS.get(line[:1], ""))


def _numbers(made: Comparison) -> Iterator[LogLine]:
    yield LogLine(f"{'number':<15}{'A':>9}{'B':>9}  difference", style="dim")
    for number in made.numbers:
        a, b = shown(number, number.a), shown(number, number.b)
        yield LogLine(f"{number.name:<15}{a:>9}{b:>9}  {shown_delta(number)}")
    yield from (LogLine(warning, glyph="!", style="warn") for warning in made.warnings)
    for name, glyph, findings in (("fixed", "✓", made.fixed), ("still there", "!", made.still), ("new", "✗", made.new)):
        if findings:
            yield LogLine(f"{name} ({len(findings)})", style="heading")
        yield from (LogLine(f"{f.place} {f.message}".strip(), glyph=glyph) for f in findings)

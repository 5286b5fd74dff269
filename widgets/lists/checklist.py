"""Findings to tick: what goes back with the work, and where each of them is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

_LOOKS = {
    "error": ("✗", "error"),
    "critical": ("✗", "error"),
    "blocker": ("✗", "error"),
    "warning": ("!", "warn"),
    "major": ("!", "warn"),
    "minor": ("·", "text"),
    "info": ("·", "dim"),
    "note": ("·", "dim"),
}


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One finding; `source` says who found it."""

    key: str
    text: str
    _: KW_ONLY
    severity: str = "warning"
    path: str = ""
    line: int = 0
    checked: bool = False
    source: str = ""
    note: str = ""
    """What the person says about it."""

    @property
    def place(self) -> str:
        """``file:line``, as far as known."""
        return f"{self.path}:{self.line}" if self.path and self.line else self.path


class Checklist(ChoiceList):
    """Findings with checkboxes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Tick", id="checklist.toggle"),
        Binding("A", "tick(True)", "All / none", show=False, id="checklist.all"),
    ]

    class Chosen(LogPane.PaneMessage):
        """Ticks changed; `keys` are all that are ticked, in order."""

        def __init__(self, pane: Checklist, keys: tuple[str, ...]) -> None:
            super().__init__(pane)
            self.keys = keys

    class Jump(LogPane.PaneMessage):
        """A person wants to see the place of a finding."""

        def __init__(self, pane: Checklist, finding: ChecklistItem) -> None:
            super().__init__(pane)
            self.key = finding.key
            self.path = finding.path
            self.line = finding.line

    def __init__(self, **options: Any) -> None:
        """The options of a LogPane."""
        super().__init__(**options)
        self._findings: dict[str, ChecklistItem] = {}
        self._ticked: set[str] = set()

    def show(self, findings: Sequence[ChecklistItem], ticked: Iterable[str] | None = None) -> None:
        """Show these findings; ticks a person made stay, unless it is said what is ticked."""
        known = set(self._findings)
        kept = {f.key for f in findings if (f.key in self._ticked if f.key in known else f.checked)}
        self._ticked = kept if ticked is None else set(ticked)
        self._findings = {finding.key: finding for finding in findings}
        self._draw()

    @property
    def count(self) -> int:
        """How many there are, ticked or not."""
        return len(self._findings)

    @property
    def checked(self) -> tuple[str, ...]:
        """Keys of the ticked findings, in order."""
        return tuple(key for key in self._findings if key in self._ticked)

    def action_tick(self, every: bool = False) -> None:
        """Tick or untick the finding under the cursor; with `every`, all of them, or none when all are ticked."""
        everything = set(self._findings)
        if every:
            self._ticked = set() if self._ticked == everything else everything
        elif self.highlighted in everything:
            self._ticked ^= {self.highlighted}
        self._draw()
        self.post_message(self.Chosen(self, self.checked))

    def open(self) -> None:
        """Enter jumps to the place."""
        finding = self._findings.get(self.highlighted)
        if finding is not None:
            self.post_message(self.Jump(self, finding))

    def _draw(self) -> None:
        self.set_rows([_row(finding, finding.key in self._ticked) for finding in self._findings.values()])


def _row(finding: ChecklistItem, ticked: bool) -> LogLine:
    glyph, style = _LOOKS.get(finding.severity.lower(), ("?", "warn"))
    box = "[x] " if ticked else "[ ] "
    head = f"{glyph} {finding.severity}"
    place = f" {finding.place}" if finding.place else ""
    spans_end = len(head)
    text = f"{head}{place}  {finding.text}" + (f"  ({finding.source})" if finding.source else "")
    if finding.note:
        text += "".join(f"\n» {line}" for line in finding.note.splitlines())
    spans = [Span(0, spans_end, style)]
    if place:
        spans.append(Span(spans_end, spans_end + len(place), "tool"))
    return LogLine(text, spans=tuple(spans), lead=box, lead_style="text", key=finding.key)

"""What would come into the plan, before it does: each task with its fate, what is different beside it.

The same screen asks about what was changed here and in the file: ticked means as the file says it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from obra_tui.core.plans.merge import Difference, MergeStatus
from obra_tui.core.plans.text import changed_lines, task_text
from obra_tui.ui.feeds.lines import patch_lines, text_lines
from obra_tui.ui.plain import plain, plain_text
from obra_tui.ui.view.status_words import Tone
from widgets.lines import LogLine, Span
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

TICKED_FIRST = frozenset({MergeStatus.NEW, MergeStatus.CHANGED})
CAN_BE_TAKEN = TICKED_FIRST | {MergeStatus.CONFLICT}
_LOOKS: dict[MergeStatus, tuple[str, str, Tone]] = {
    MergeStatus.NEW: ("+", "new", Tone.PASS),
    MergeStatus.CHANGED: ("~", "changed", Tone.WARN),
    MergeStatus.CONFLICT: ("!", "both changed", Tone.FAIL),
    MergeStatus.SAME: ("=", "there", Tone.MUTED),
    MergeStatus.STARTED: ("–", "started", Tone.MUTED),
    MergeStatus.NEEDED: ("–", "waited for", Tone.MUTED),
    MergeStatus.GONE: ("–", "gone", Tone.WARN),
}
_WORD = 12


class PlanPreview(ModalScreen[tuple[Difference, ...] | None]):
    """Dismissed with the differences that are to be taken in, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", "Take in", id="preview.keep", priority=True),
        Binding("space", "tick", "Tick", id="preview.tick", priority=True),
        Binding("A", "tick_all", "All / none", id="preview.all"),
        Binding("escape", "leave", "Back", id="preview.leave", priority=True),
    ]

    def __init__(self, title: str, note: str, found: Sequence[Difference], keep: str = "Take in") -> None:
        super().__init__()
        self._title = title
        self._note = note
        self._keep = keep
        self._found = {item.spec.id: item for item in found}
        self._ticked = {key for key, item in self._found.items() if item.fate in TICKED_FIRST}

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-tall -preview"):
            yield Static(plain_text(self._note), id="note")
            with Horizontal(id="both"):
                yield ChoiceList(id="choices", wrap=False)
                yield LogPane(id="difference", follow=False)
            yield Static(Content(""), id="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain(self._title)
        choices = self.query_one(ChoiceList)
        choices.border_title = "Tasks"
        choices.focus()
        self._draw()

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        item = next((item for key, item in self._found.items() if key == message.key), None)
        pane = self.query_one("#difference", LogPane)
        pane.clear()
        if item is not None:
            pane.border_title = plain(item.spec.key)
            pane.extend(difference_lines(item))

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.action_tick()

    def _draw(self) -> None:
        rows = [_row(item, key in self._ticked) for key, item in self._found.items()]
        self.query_one(ChoiceList).set_rows(rows)
        keys = (
            ("ctrl+s", f"{self._keep} ({len(self._ticked)})"),
            ("space", "Tick"),
            ("A", "All / none"),
            ("esc", "Later"),
        )
        pieces = [Content.assemble((key, "bold $footer-key-foreground"), f" {label}") for key, label in keys]
        self.query_one("#hint", Static).update(Content("  ").join(pieces))

    # -- keys ----------------------------------------------------------------------------------

    def action_tick(self) -> None:
        key = self.query_one(ChoiceList).highlighted
        item = next((item for known, item in self._found.items() if known == key), None)
        if item is not None and item.fate in CAN_BE_TAKEN:
            self._ticked ^= {item.spec.id}
            self._draw()

    def action_tick_all(self) -> None:
        every = {key for key, item in self._found.items() if item.fate in CAN_BE_TAKEN}
        self._ticked = set() if self._ticked == every else every
        self._draw()

    def action_keep(self) -> None:
        self.dismiss(tuple(item for key, item in self._found.items() if key in self._ticked))

    def action_leave(self) -> None:
        self.dismiss(None)


def _row(item: Difference, ticked: bool) -> LogLine:
    glyph, word, tone = _LOOKS[item.fate]
    head = f"{item.spec.key:<6} {word:<{_WORD}} "
    return LogLine(
        f"{head}{item.spec.title}",
        key=item.spec.id,
        glyph=glyph,
        lead=("[x] " if ticked else "[ ] ") if item.fate in CAN_BE_TAKEN else "    ",
        lead_style="text",
        spans=(Span(7, len(head), tone.value or "text"),),
    )


def difference_lines(item: Difference) -> list[LogLine]:
    """Return the task as it would come in; against what is there if that is another."""
    if item.mine is None or item.fate is MergeStatus.SAME:
        return [*text_lines(task_text(item.spec), "text"), LogLine(item.spec.source, style="dim")]
    return list(patch_lines("\n".join(changed_lines(item))))

"""Help: every key that works here and now, read from the live bindings; and the guides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from obra_tui.ui.plain import plain
from widgets.lines import LogLine, Span
from widgets.log_view.markdown import MarkdownStream
from widgets.log_view.view import LogPane

_GROUPS = {
    "live": "Live",
    "review": "Gate review",
    "permission": "Claude asks",
    "tasks": "Tasks",
    "gates": "Gates",
    "history": "History",
    "attempt": "An attempt",
    "replay": "Replay",
    "compare": "Compare",
    "metrics": "Metrics",
    "setup": "Setup",
    "judge": "Judge",
    "log": "In a pane",
    "diff": "In the diff",
    "checklist": "In the findings",
    "app": "Everywhere",
}


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="help.leave", priority=True),
        Binding("down", "scroll(1)", show=False, priority=True, id="help.down"),
        Binding("up", "scroll(-1)", show=False, priority=True, id="help.up"),
    ]

    def __init__(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """`rows` are (group, keys, what they do)."""
        super().__init__()
        self._rows = tuple(rows)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-help"):
            yield Input(placeholder="type to search", compact=True, id="filter")
            yield LogPane(id="keys-list", follow=False)
            yield Static(Content("esc closes · ctrl+p finds actions by name · all keys: obra keys"), id="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = "Keys"
        self.query_one(Input).focus()
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(event.value.strip().lower())

    def _show(self, wanted: str) -> None:
        pane = self.query_one(LogPane)
        pane.clear()
        pane.extend(help_lines(self._rows, wanted))

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_scroll(self, direction: int) -> None:
        self.query_one(LogPane).scroll_rows(direction * 3)


def help_lines(rows: Iterable[tuple[str, str, str]], wanted: str = "") -> list[LogLine]:
    lines: list[LogLine] = []
    group = ""
    for name, keys, text in rows:
        if wanted and wanted not in f"{name} {keys} {text}".lower():
            continue
        if name != group:
            lines.append(LogLine(name, style="heading"))
            group = name
        lines.append(LogLine(f"{keys:<18} {text}", spans=(Span(0, len(keys), "code"),), hang=" " * 19))
    return lines or [LogLine("No key is called that.", style="dim")]


def live_rows(app: App[Any], screen: Screen[object]) -> list[tuple[str, str, str]]:
    """Return (group, keys, what) for every binding that is active on `screen`, one row per action."""
    found: dict[tuple[str, str], list[str]] = {}
    labels: dict[tuple[str, str], str] = {}
    for active in screen.active_bindings.values():
        key = (_group(active), active.binding.action)
        if not active.binding.description or active.binding.system:
            continue
        found.setdefault(key, []).append(app.get_key_display(active.binding))
        labels.setdefault(key, active.binding.description)
    order = list(_GROUPS.values())
    rows = [(group, " ".join(dict.fromkeys(keys)), labels[group, action]) for (group, action), keys in found.items()]
    return sorted(rows, key=lambda row: order.index(row[0]) if row[0] in order else len(order))


def _group(active: ActiveBinding) -> str:
    scope = (active.binding.id or "").partition(".")[0]
    return _GROUPS.get(scope, "Here")


class GuideScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="guide.leave"),
        Binding("q", "leave", "Close", id="guide.close", show=False),
    ]

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._guide = name
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-guide"):
            yield LogPane(id="guide", follow=False)
            yield Static(Content(f"esc closes · outside the app: obra guide {self._guide}"), id="hint")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = plain(self._guide)
        stream = MarkdownStream()
        stream.add(self._text)
        stream.finish()
        pane = self.query_one(LogPane)
        pane.extend(stream.lines)
        pane.focus()

    def action_leave(self) -> None:
        self.dismiss(None)

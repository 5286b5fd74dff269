"""Every widget with made-up data, one tab each: `python -m widgets`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.filter import LineFilter
from textual.screen import ModalScreen
from textual.widgets import Footer, Static, TabbedContent, TabPane

from widgets import samples
from widgets.bars.decision_bar import DecisionBar
from widgets.bars.score_bars import ScoreBars
from widgets.bars.status_line import Banner, StatusLine, StepStrip
from widgets.diff.diff_pane import DiffPane
from widgets.diff.file_list import FileList
from widgets.key_guard import ArmedScreen
from widgets.lists.checklist import Checklist
from widgets.log_view.view import LogPane
from widgets.segments import piece
from widgets.text import SafeLineFilter
from widgets.themes import register

_STREAM_STEP = 12


class GateExample(ArmedScreen, ModalScreen[object]):
    """A question that takes no key until nobody has typed for a moment."""

    CSS = "GateExample { align: center middle; } GateExample > DecisionBar { width: 80%; background: $surface; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "answer('approved')", "Approve"),
        Binding("l,escape", "answer('later')", "Later"),
    ]

    def compose(self) -> ComposeResult:
        """The legend."""
        yield DecisionBar()

    def on_mount(self) -> None:
        """Show the answers."""
        self.query_one(DecisionBar).show(samples.ANSWERS, "After a decision: z undoes it for 10 s.")

    def on_armed_changed(self, armed: bool) -> None:
        """Light up the legend."""
        self.query_one(DecisionBar).armed = armed

    def action_answer(self, answer: str) -> None:
        """Answer."""
        self.dismiss(answer)


class Gallery(App[None]):
    """All widgets, with their keys."""

    TITLE = "widgets"
    CSS = """
    TabPane { padding: 0; }
    .column { width: 1fr; }
    .keys { height: 1; color: $text-muted; padding: 0 1; }
    #facts { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stream", "Stream Markdown"),
        Binding("F", "flood", "Flood"),
        Binding("slash", "find", "Find 'test'"),
        Binding("o", "gate", "Open a gate"),
        Binding("T", "theme_next", "Theme"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._safe = SafeLineFilter()
        register(self)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last choke point for hostile text."""
        return [*super().get_line_filters(), self._safe]

    def compose(self) -> ComposeResult:
        """One tab for each group of widgets."""
        with TabbedContent():
            with TabPane("Log pane", id="tab-log"):
                yield Static(_keys("j k g G ctrl+d ctrl+u enter w f y  / find, n N next match"), classes="keys")
                with Horizontal():
                    yield _titled(LogPane(id="claude", hint="LIVE ▼ following"), "1 Claude Code · implementer")
                    yield _titled(LogPane(id="flood", hint="F floods"), "2 Flood")
            with TabPane("Facts", id="tab-facts"):
                yield from self._facts()
            with TabPane("Diff", id="tab-diff"):
                yield Static(_keys("n N file  ] [ hunk  t split  v patch or coloured"), classes="keys")
                with Horizontal():
                    yield FileList(id="files", classes="files")
                    yield DiffPane(id="diff")
            with TabPane("Findings", id="tab-findings"):
                yield Static(_keys("space tick  A all/none  enter jump"), classes="keys")
                yield Checklist(id="findings")
            with TabPane("Hostile text", id="tab-hostile"):
                yield Static(_keys("nothing here may reach the terminal"), classes="keys")
                yield LogPane(id="hostile", follow=False)
        yield Footer()

    def _facts(self) -> ComposeResult:
        with Vertical(id="facts"):
            yield StatusLine()
            yield StepStrip(id="steps")
            yield StepStrip(id="ascii-steps", ascii=True)
            yield Banner()
            yield ScoreBars()
            yield DecisionBar(id="legend")
            yield DecisionBar(id="short-legend", short=True)

    def on_mount(self) -> None:
        """Fill everything."""
        samples.fill_claude_pane(self.query_one("#claude", LogPane))
        self.query_one("#hostile", LogPane).extend(samples.hostile())
        self.query_one(StatusLine).show(samples.PARTS)
        for strip in self.query(StepStrip):
            strip.show(samples.STEPS)
        self.query_one(Banner).show("1 gate is waiting: T002 attempt 3 scored 0.71 (needs 0.80), 6 min ago.", key="g")
        self.query_one(ScoreBars).show(samples.STAGES, samples.OVERALL, samples.ATTEMPTS)
        for bar in self.query(DecisionBar):
            bar.show(samples.ANSWERS, "After a decision: z undoes it for 10 s.")
        self.query_one("#legend", DecisionBar).armed = True
        self.query_one(Checklist).show(samples.FINDINGS)
        self.query_one(FileList).show(samples.FILES)
        self.query_one(DiffPane).show(samples.file_diffs())

    def action_flood(self) -> None:
        """Twenty thousand lines at once."""
        lines = [f"{number:06d} a line nobody can read this fast" for number in range(20_000)]
        self.query_one("#flood", LogPane).extend(lines)

    def action_stream(self) -> None:
        """Write Markdown a few letters at a time."""
        pane = self.query_one("#claude", LogPane)
        key = f"stream-{pane.line_count}"
        pieces = [samples.MARKDOWN[i : i + _STREAM_STEP] for i in range(0, len(samples.MARKDOWN), _STREAM_STEP)]
        pane.begin_stream(key, time="14:03:00", glyph="»")
        self._stream_on(pane, key, pieces)

    def _stream_on(self, pane: LogPane, key: str, pieces: list[str]) -> None:
        if not pieces:
            pane.end_stream(key)
            return
        pane.append_stream(key, pieces[0])
        self.set_timer(0.02, lambda: self._stream_on(pane, key, pieces[1:]))

    def action_find(self) -> None:
        """Search."""
        found = self.query_one("#claude", LogPane).find("test")
        self.notify(f"{found} matches", markup=False)

    def action_gate(self) -> None:
        """Open the armed question."""
        self.push_screen(GateExample(), lambda answer: self.notify(str(answer), markup=False))

    def action_theme_next(self) -> None:
        """The next theme that is ours, then Textual's."""
        names = ["textual-dark", "obra-cb-dark", "obra-cb-light"]
        here = names.index(self.theme) if self.theme in names else 0
        self.theme = names[(here + 1) % len(names)]

    def on_file_list_chosen(self, event: FileList.Chosen) -> None:
        """Show the chosen file."""
        self.query_one(DiffPane).show_file(event.path)

    def on_diff_pane_seen(self, event: DiffPane.Seen) -> None:
        """Mark it in the list."""
        self.query_one(FileList).mark_seen(event.path)

    def on_checklist_jump(self, event: Checklist.Jump) -> None:
        """Show the place of a finding."""
        self.query_one(TabbedContent).active = "tab-diff"
        self.query_one(DiffPane).jump(event.path, event.line)

    def on_log_pane_opened(self, event: LogPane.Opened) -> None:
        """Say what was opened."""
        event.pane.set_hint(f"opened {event.key}")


def _titled(pane: LogPane, title: str) -> LogPane:
    pane.border_title = title
    return pane


def _keys(text: str) -> Any:
    return piece(text, "dim")


def main() -> None:
    """Run the gallery."""
    Gallery().run()

"""One attempt in seven pages; the transcript is drawn by the same feed as the live one, and grows while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId
from obra_tui.core.records.history import AttemptDetail
from obra_tui.core.records.replay import Stop
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.attempt.pages import PAGES, page_lines, places
from obra_tui.ui.screens.attempt.past_attempt import FACTS, PastAttempt, read_attempt
from obra_tui.ui.screens.attempt.transcript import TranscriptWriter
from obra_tui.ui.screens.history.listing import Labels, Selection
from obra_tui.ui.screens.history.rows import PIN, tagged
from obra_tui.ui.screens.history.session_actions import SessionActions
from obra_tui.ui.screens.history_query import HistoryReader
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.view.diff_view import file_diffs
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.diff.diff_pane import DiffPane
from widgets.lines import LogLine
from widgets.log_view.view import LogPane

CAP = 30_000
_NARROW = 100
_LETTERS = ("next_attempt", "previous_attempt", "copy")
"""Keys before all others that are text while somebody writes."""


class AttemptScreen(SessionActions):
    BINDINGS: ClassVar[list[BindingType]] = bindings("attempt")

    def __init__(self, attempt: AttemptId, page: str = "Transcript") -> None:
        super().__init__()
        self._attempt = attempt
        self._page = page
        self._past: PastAttempt | None = None
        self._fresh: list[Record] = []
        """What came while the rest was being read."""
        self._lines: Sequence[LogLine] = ()
        self._jumped: dict[Stop, int] = {}
        self._hidden = False
        """The number was kept back when the page was written."""
        self._reading = HistoryReader(self)

    def compose_body(self) -> ComposeResult:
        yield Static(Content(""), id="pages")
        with Horizontal(id="body"):
            yield LogPane(id="page", follow=False, cap=CAP)
            yield DiffPane(id="past-diff")
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self._transcript = TranscriptWriter(self._pane)
        self._pane.focus()
        self._load()

    def on_screen_resume(self) -> None:
        """What came while another screen was on top was not told."""
        if self._past is not None and self._past.runs:
            self._load()

    @property
    def _pane(self) -> LogPane:
        return self.query_one("#page", LogPane)

    # -- reading -------------------------------------------------------------------------------

    def _load(self) -> None:
        archive = self.services.backend.archive if self.services.backend else None
        self._fresh = []
        self._reading.ask("reading…", partial(read_attempt, archive, self._attempt), self._take)

    def _take(self, past: PastAttempt) -> None:
        before, self._past = self._past, past
        self._jumped.clear()
        self._show_diff(before)
        if before is None or before.id != past.id or len(before.records) != len(past.records):
            self._show_page()
        self._grow(self._fresh)

    def _grow(self, records: Sequence[Record]) -> None:
        """Take what happened since; streamed pieces are shown and not kept."""
        past = self._past
        news = past.news(records) if past is not None else []
        if past is None or not news:
            return
        self._past = past.grown(news)
        if self._page == "Transcript":
            self._transcript.add(news)
        if any(isinstance(record.event, FACTS) for record in news):
            attempt = self._attempt
            self._reading.ask("", lambda history: history.attempt(attempt), self._take_facts)

    def _take_facts(self, detail: AttemptDetail) -> None:
        before = self._past
        if before is None:
            return
        self._past = replace(before, detail=detail)
        self._show_diff(before)
        if self._page != "Transcript":
            self._show_page()

    # -- drawing -------------------------------------------------------------------------------

    def _show_diff(self, before: PastAttempt | None) -> None:
        diff = self._past.detail.diff if self._past else None
        if diff is not None and (before is None or before.detail.diff != diff):
            self.query_one(DiffPane).show(file_diffs(diff.patch, diff.files))

    def _show_page(self) -> None:
        self._transcript.stop()
        pane, diff = self._pane, self.query_one(DiffPane)
        has_diff = self._past is not None and self._past.detail.diff is not None
        diff.display = self._page == "Diff" and has_diff
        pane.display = not diff.display
        pane.border_title = self._page
        pane.border_subtitle = ""
        self._lines = ()
        if self._past is not None and not diff.display:
            self._fill(self._past)
        (diff.patch if diff.display else pane).focus()
        self._draw_pages()

    def _fill(self, past: PastAttempt) -> None:
        if self._page == "Transcript":
            self._transcript.start(past.records, follow=past.runs)
            return
        self._pane.clear()
        page, past = self._page, past.without(self.services.blinded)

        def make() -> None:
            """In a worker thread: there may be very much of it."""
            lines = page_lines(page, past.detail, past.records)
            self.services.call_soon(partial(self._show_lines, page, lines))

        self.run_worker(make, thread=True, exit_on_error=False, group="page")

    def _show_lines(self, page: str, lines: Sequence[LogLine]) -> None:
        if self.ready and page == self._page:
            self._lines = lines
            self._pane.clear()
            self._pane.extend(lines)

    def _draw_pages(self) -> None:
        names = [f" [{page}] " if page == self._page else f"  {page}  " for page in PAGES]
        pieces = [
            Content.styled(name, "bold $text-primary" if page == self._page else "$foreground 60%")
            for name, page in zip(names, PAGES, strict=True)
        ]
        self.query_one("#pages", Static).update(Content("").join(pieces))

    def draw(self, records: Sequence[Record]) -> None:
        if self._reading.doing:
            self._fresh += records
        else:
            self._grow(records)
        past = self._past.without(self.services.blinded) if self._past else None
        if past is None:
            problem = StatusPart(text=self._reading.problem, tone=Tone.FAIL, shrinks=True)
            self.show_status(StatusPart(text="HISTORY", strong=True), StatusPart(text=self._reading.doing), problem)
            return
        if past.hidden != self._hidden:
            self._hidden = past.hidden
            self._show_page()
        summary, session = past.detail.summary, past.session.summary
        pin = f"{PIN} " if past.pinned else ""
        place = "HISTORY" if self.size.width < _NARROW else f"HISTORY › {pin}{session.title}"
        self.show_status(
            self.rehearsal_part(session.rehearsal),
            StatusPart(text=place, strong=True, shrinks=True),
            StatusPart(text=f"› {summary.task_key} {summary.task_title}", strong=True, shrinks=True),
            StatusPart(text=f"› attempt {summary.number} of {past.tries}", strong=True, urgent=True),
            StatusPart(text="● running" if past.runs else "", tone=Tone.RUN, urgent=True),
            StatusPart(text=past.quality, urgent=True),
            StatusPart(text=past.decided),
            StatusPart(text=tagged(past.of_session), tone=Tone.ASK),
            StatusPart(text=str(summary.id), tone=Tone.MUTED),
        )

    # -- pages and attempts --------------------------------------------------------------------

    def show_page(self, page: str) -> None:
        self._page = page
        self._jumped.clear()
        self._show_page()

    def action_next_page(self) -> None:
        self.show_page(PAGES[(PAGES.index(self._page) + 1) % len(PAGES)])

    def action_previous_page(self) -> None:
        self.show_page(PAGES[(PAGES.index(self._page) - 1) % len(PAGES)])

    def action_diff(self) -> None:
        self.show_page("Transcript" if self._page == "Diff" else "Diff")

    def action_next_hunk(self) -> None:
        self.query_one(DiffPane).next_hunk()

    def action_previous_hunk(self) -> None:
        self.query_one(DiffPane).previous_hunk()

    def action_next_attempt(self) -> None:
        self._go(1)

    def action_previous_attempt(self) -> None:
        self._go(-1)

    def _go(self, step: int) -> None:
        """The same page of the attempt before or after."""
        neighbour = self._past.neighbour(step) if self._past else None
        if neighbour is None:
            self.services.notify("This is the last attempt." if step > 0 else "This is the first attempt.")
            return
        self._attempt = neighbour
        self._load()

    # -- jumping -------------------------------------------------------------------------------

    def action_next_prompt(self) -> None:
        self._jump("prompt", 1)

    def action_previous_prompt(self) -> None:
        self._jump("prompt", -1)

    def action_next_error(self) -> None:
        self._jump("error", 1)

    def _jump(self, stop: Stop, step: int) -> None:
        """Go to the next place of this kind on this page, from the last to the first."""
        keys = self._transcript.places(stop) if self._page == "Transcript" else ()
        found = len(keys) if self._page == "Transcript" else len(places(self._lines, stop))
        if not found:
            self.services.notify(f"There is no {stop} on this page.")
            return
        before = self._jumped.get(stop)
        at = (0 if step > 0 else found - 1) if before is None else (before + step) % found
        self._jumped[stop] = at
        if keys:
            self._pane.goto(keys[at], unfold=stop == "error")
        else:
            self._pane.show_index(places(self._lines, stop)[at], context=0)

    def action_find(self) -> None:
        self.query_one(MessageLine).ask("Find", self._find, live=self._find)

    def _find(self, text: str) -> None:
        pane = self.query_one(DiffPane).patch if self.query_one(DiffPane).display else self._pane
        found = pane.find(text)
        self.query_one(MessageLine).tell(f"{found} found" if text else "")

    # -- other screens -------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _LETTERS:
            return not self.query_one(MessageLine).display
        return super().check_action(action, parameters)

    def subject(self) -> Selection | None:
        return self._past.subject if self._past is not None else None

    def labels_changed(self, labels: Labels) -> None:
        if self._past is not None:
            self._past = replace(self._past, labels=labels)
        self.draw(())

    def search_for(self, line: str) -> None:
        """The history searches."""
        go = self.services.navigator
        self.dismiss(None)
        go.search_history(line, write=True)

    def action_replay(self) -> None:
        if self._past is not None:
            self.services.navigator.replay(self._past.session.summary.id)

    def action_compare(self) -> None:
        """With the attempt before it."""
        before = self._past.neighbour(-1) if self._past else None
        if before is not None:
            self.services.navigator.compare_attempts(before, self._attempt)

    def action_leave(self) -> None:
        self.dismiss(None)

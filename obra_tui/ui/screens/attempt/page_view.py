"""The pages of an attempt: the transcript, which grows while it runs, the diff, and records as lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from obra_tui.core.events import Record
from obra_tui.core.records.replay import Stop
from obra_tui.ui.screens.attempt.pages import PAGES, page_lines, places
from obra_tui.ui.screens.attempt.past_attempt import PastAttempt
from obra_tui.ui.screens.attempt.transcript import TranscriptWriter
from obra_tui.ui.services import services_of
from obra_tui.ui.view.diff_view import file_diffs
from widgets.diff.diff_pane import DiffPane
from widgets.lines import LogLine
from widgets.log_view.view import LogPane

CAP = 30_000


class AttemptPages(Vertical):
    """One page at a time, with the names of all above it."""

    def __init__(self, page: str) -> None:
        super().__init__(id="attempt")
        self.page = page
        self._past: PastAttempt | None = None
        self._lines: Sequence[LogLine] = ()
        self._jumped: dict[Stop, int] = {}

    def compose(self) -> ComposeResult:
        yield Static(Content(""), id="pages")
        with Horizontal(id="body"):
            yield LogPane(id="page", follow=False, cap=CAP)
            yield DiffPane(id="past-diff")

    def on_mount(self) -> None:
        self._transcript = TranscriptWriter(self._pane)
        self._pane.focus()

    @property
    def _pane(self) -> LogPane:
        return self.query_one("#page", LogPane)

    @property
    def diff(self) -> DiffPane:
        return self.query_one(DiffPane)

    @property
    def _in_front(self) -> LogPane:
        return self.diff.patch if self.diff.display else self._pane

    # -- showing -------------------------------------------------------------------------------

    def take(self, past: PastAttempt) -> None:
        """What is known of the attempt now; the diff is taken at once, a page when it is shown."""
        before, self._past = self._past, past
        diff = past.detail.diff
        if diff is not None and (before is None or before.detail.diff != diff):
            self.diff.show(file_diffs(diff.patch, diff.files))

    def turn_to(self, page: str) -> None:
        self.page = page
        self.show()

    def show(self) -> None:
        """Write the page anew."""
        self._jumped.clear()
        self._transcript.stop()
        pane, diff, past = self._pane, self.diff, self._past
        diff.display = self.page == "Diff" and past is not None and past.detail.diff is not None
        pane.display = not diff.display
        pane.border_title = self.page
        pane.border_subtitle = ""
        self._lines = ()
        if past is not None and not diff.display:
            self._fill(past)
        self._in_front.focus()
        self._draw_names()

    def add(self, records: Sequence[Record]) -> None:
        """What happened since belongs to the transcript only."""
        if self.page == "Transcript":
            self._transcript.add(records)

    def _fill(self, past: PastAttempt) -> None:
        if self.page == "Transcript":
            self._transcript.start(past.records, follow=past.runs)
            return
        self._pane.clear()
        services, page = services_of(self.app), self.page
        past = past.without(services.blinded)

        def make() -> None:
            """In a worker thread: there may be very much of it."""
            lines = page_lines(page, past.detail, past.records)
            services.call_soon(partial(self._show_lines, page, lines))

        self.run_worker(make, thread=True, exit_on_error=False, group="page")

    def _show_lines(self, page: str, lines: Sequence[LogLine]) -> None:
        if self.is_attached and page == self.page:
            self._lines = lines
            self._pane.clear()
            self._pane.extend(lines)

    def _draw_names(self) -> None:
        names = [f" [{page}] " if page == self.page else f"  {page}  " for page in PAGES]
        pieces = [
            Content.styled(name, "bold $text-primary" if page == self.page else "$foreground 60%")
            for name, page in zip(names, PAGES, strict=True)
        ]
        self.query_one("#pages", Static).update(Content("").join(pieces))

    # -- finding -------------------------------------------------------------------------------

    def jump(self, stop: Stop, step: int) -> bool:
        """Go to the next place of this kind on this page, from the last to the first; false when there is none."""
        keys = self._transcript.places(stop) if self.page == "Transcript" else ()
        found = len(keys) if self.page == "Transcript" else len(places(self._lines, stop))
        if not found:
            return False
        before = self._jumped.get(stop)
        at = (0 if step > 0 else found - 1) if before is None else (before + step) % found
        self._jumped[stop] = at
        if keys:
            self._pane.goto(keys[at], unfold=stop == "error")
        else:
            self._pane.show_index(places(self._lines, stop)[at], context=0)
        return True

    def find(self, text: str) -> int:
        """Find a text on the page; returns how often."""
        return self._in_front.find(text)

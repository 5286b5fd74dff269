"""One attempt in seven pages; the transcript is drawn by the same feed as the live one, and grows while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import BindingType

from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId
from obra_tui.core.records.history import AttemptDetail
from obra_tui.core.records.replay import Stop
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.attempt.page_view import AttemptPages
from obra_tui.ui.screens.attempt.pages import PAGES
from obra_tui.ui.screens.attempt.past_attempt import FACTS, PastAttempt, read_attempt
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.history.listing import Labels, Selection
from obra_tui.ui.screens.history.rows import PIN, tagged
from obra_tui.ui.screens.history.session_actions import SessionKeys
from obra_tui.ui.screens.history_query import HistoryReader
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart

_NARROW = 100
_LETTERS = ("next_attempt", "previous_attempt", "copy")
"""Keys before all others that are text while somebody writes."""


class AttemptScreen(ObraScreen):
    """Reads the attempt, and what happens to it while it is shown."""

    tab = "history"
    BINDINGS: ClassVar[list[BindingType]] = bindings("attempt")

    def __init__(self, attempt: AttemptId, page: str = "Transcript") -> None:
        super().__init__()
        self._attempt = attempt
        self._past: PastAttempt | None = None
        self._fresh: list[Record] = []
        """What came while the rest was being read."""
        self._is_hidden = False
        """The number was kept back when the page was written."""
        self._reading = HistoryReader(self)
        self.pages = AttemptPages(page)
        self.add_part(PageKeys(self, self.pages))
        self.add_part(SessionKeys(self, self.subject, self._take_labels, self._search_for))

    def compose_body(self) -> ComposeResult:
        yield self.pages
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self._load()

    def on_screen_resume(self) -> None:
        """What came while another screen was on top was not told."""
        if self._past is not None and self._past.runs:
            self._load()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _LETTERS:
            return not self.query_one(MessageLine).display
        return super().check_action(action, parameters)

    # -- reading -------------------------------------------------------------------------------

    def _load(self) -> None:
        archive = self.services.backend.archive if self.services.backend else None
        self._fresh = []
        self._reading.ask("reading…", partial(read_attempt, archive, self._attempt), self._take)

    def _take(self, past: PastAttempt) -> None:
        before, self._past = self._past, past
        self.pages.take(past)
        if before is None or before.id != past.id or len(before.records) != len(past.records):
            self.pages.show()
        self._grow(self._fresh)

    def _grow(self, records: Sequence[Record]) -> None:
        """Take what happened since; streamed pieces are shown and not kept."""
        past = self._past
        news = past.news(records) if past is not None else []
        if past is None or not news:
            return
        self._past = past.grown(news)
        self.pages.add(news)
        if any(isinstance(record.event, FACTS) for record in news):
            attempt = self._attempt
            self._reading.ask("", lambda history: history.attempt(attempt), self._take_facts)

    def _take_facts(self, detail: AttemptDetail) -> None:
        if self._past is None:
            return
        self._past = replace(self._past, detail=detail)
        self.pages.take(self._past)
        if self.pages.page != "Transcript":
            self.pages.show()

    # -- drawing -------------------------------------------------------------------------------

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
        if past.hidden != self._is_hidden:
            self._is_hidden = past.hidden
            self.pages.show()
        summary, session = past.detail.summary, past.session.summary
        pin = f"{PIN} " if past.pinned else ""
        place = "HISTORY" if self.size.width < _NARROW else f"HISTORY › {pin}{session.title}"
        self.show_status(
            self.services.rehearsal_part(session.rehearsal),
            StatusPart(text=place, strong=True, shrinks=True),
            StatusPart(text=f"› {summary.task_key} {summary.task_title}", strong=True, shrinks=True),
            StatusPart(text=f"› attempt {summary.number} of {past.tries}", strong=True, urgent=True),
            StatusPart(text="● running" if past.runs else "", tone=Tone.RUN, urgent=True),
            StatusPart(text=past.quality, urgent=True),
            StatusPart(text=past.decided),
            StatusPart(text=tagged(past.of_session), tone=Tone.ASK),
            StatusPart(text=str(summary.id), tone=Tone.MUTED),
        )

    # -- what the keys are about ---------------------------------------------------------------

    def subject(self) -> Selection | None:
        return self._past.subject if self._past is not None else None

    def _take_labels(self, labels: Labels) -> None:
        if self._past is not None:
            self._past = replace(self._past, labels=labels)
        self.draw(())

    def _search_for(self, line: str) -> None:
        """The history searches."""
        go = self.services.navigator
        self.dismiss(None)
        go.search_history(line, write=True)

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


class PageKeys(ScreenPart):
    """Turns the pages, and finds places on them."""

    def __init__(self, screen: ObraScreen, pages: AttemptPages) -> None:
        self._screen = screen
        self._pages = pages

    def action_next_page(self) -> None:
        self._pages.turn_to(PAGES[(PAGES.index(self._pages.page) + 1) % len(PAGES)])

    def action_previous_page(self) -> None:
        self._pages.turn_to(PAGES[(PAGES.index(self._pages.page) - 1) % len(PAGES)])

    def action_diff(self) -> None:
        self._pages.turn_to("Transcript" if self._pages.page == "Diff" else "Diff")

    def action_next_hunk(self) -> None:
        self._pages.diff.action_hunk(1)

    def action_previous_hunk(self) -> None:
        self._pages.diff.action_hunk(-1)

    def action_next_prompt(self) -> None:
        self._jump("prompt", 1)

    def action_previous_prompt(self) -> None:
        self._jump("prompt", -1)

    def action_next_error(self) -> None:
        self._jump("error", 1)

    def _jump(self, stop: Stop, step: int) -> None:
        if not self._pages.jump(stop, step):
            self._screen.services.notify(f"There is no {stop} on this page.")

    def action_find(self) -> None:
        self._screen.query_one(MessageLine).ask("Find", self._find, live=self._find)

    def _find(self, text: str) -> None:
        found = self._pages.find(text)
        self._screen.query_one(MessageLine).tell(f"{found} found" if text else "")

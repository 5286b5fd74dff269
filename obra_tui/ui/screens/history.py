"""History: every session, down to the attempts of its tasks; an attempt opens as a transcript.

Reads pages in a worker thread; what is on screen stays until the answer is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.history import History, HistoryFilter, Mark, Page, SessionDetail, SessionSummary
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.ui.bindings import bindings
from obra_tui.ui.format import plural
from obra_tui.ui.plain import plain
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.history_rows import attempt_row, session_card, session_row
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import Tone
from widgets.choice_list import ChoiceList
from widgets.lines import LogLine
from widgets.log_pane import LogPane

T = TypeVar("T")
PAGE = 100


@dataclass(frozen=True, slots=True)
class _Listing:
    """What the list shows: sessions so far, or the attempts of one."""

    sessions: tuple[SessionSummary, ...] = ()
    more: Mark | None = None
    opened: SessionDetail | None = None


class HistoryScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("history")

    def __init__(self) -> None:
        super().__init__()
        self._listing = _Listing()
        self._wanted = HistoryFilter()
        self._loading = "opening the history…"
        self._problem = ""

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="history"):
            yield ChoiceList(id="list", wrap=False)
            yield LogPane(id="detail", follow=False)
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self.query_one("#list").focus()
        self._load()

    def on_screen_resume(self) -> None:
        if self.ready and self._listing.opened is None:
            self._load()

    # -- reading -------------------------------------------------------------------------------

    def _read(self, what: str, question: Callable[[History], T], take: Callable[[T], None]) -> None:
        backend = self.desk.backend
        if backend is None:
            return
        self._loading = what
        self.draw(())

        def read() -> None:
            try:
                answer = question(backend.history)
            except ObraError as refused:
                self.desk.soon(partial(self._refused, refused))
            else:
                self.desk.soon(partial(self._taken, partial(take, answer)))

        self.run_worker(read, thread=True, exit_on_error=False, group="history", exclusive=True)

    def _refused(self, refused: ObraError) -> None:
        self._loading, self._problem = "", str(refused)
        if self.ready:
            self.draw(())

    def _taken(self, take: Callable[[], None]) -> None:
        self._loading, self._problem = "", ""
        if self.ready:
            take()
            self.draw(())
            self.refresh_bindings()

    def _load(self) -> None:
        self._read("reading…", lambda history: history.sessions(self._wanted, None, PAGE), self._take_first)

    def _take_first(self, page: Page[SessionSummary]) -> None:
        self._listing = _Listing(page.rows, page.next)
        self._show_rows()

    def _take_more(self, page: Page[SessionSummary]) -> None:
        before = self._listing
        self._listing = replace(before, sessions=(*before.sessions, *page.rows), more=page.next)
        self._show_rows()

    def _take_session(self, detail: SessionDetail) -> None:
        self._listing = replace(self._listing, opened=detail)
        self._show_rows(keep=False)

    # -- drawing -------------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        if self._loading and self._loading.startswith("opening") and self.desk.backend is not None:
            self._load()
        opened = self._listing.opened
        place = opened.summary.title if opened else plural(len(self._listing.sessions), "session")
        more = " and older ones" if self._listing.more and not opened else ""
        self.show_status(
            Part(text="HISTORY", strong=True),
            Part(text=f"{place}{more}"),
            Part(text=f"filter: {self._wanted.text}" if self._wanted.text else ""),
            Part(text=self._loading, tone=Tone.MUTED),
            Part(text=self._problem, tone=Tone.FAIL),
        )

    def _show_rows(self, keep: bool = True) -> None:
        opened = self._listing.opened
        now = self.desk.clock.now()
        if opened is not None:
            rows = [attempt_row(attempt) for attempt in reversed(opened.attempts)]
            title = f"Attempts of {opened.summary.title}"
        else:
            rows = [session_row(session, now) for session in self._listing.sessions]
            title = "Sessions"
        listed = self.query_one("#list", ChoiceList)
        listed.border_title = plain(title)
        listed.set_rows(rows or [LogLine(text, style="dim") for text in self._empty()], keep=keep)
        self._show_card()

    def _empty(self) -> list[str]:
        if self._listing.opened is not None:
            return ["No attempt was made in this session."]
        if self._wanted.text:
            return [f"No session has '{self._wanted.text}' in its title or in one of its tasks."]
        return [
            "Nothing yet: every session is kept here.",
            f"{self.desk.key_shown('app.show_live')} starts with a task.",
        ]

    def _show_card(self) -> None:
        pane = self.query_one("#detail", LogPane)
        pane.clear()
        key = self.query_one("#list", ChoiceList).highlighted
        opened = self._listing.opened
        summary = opened.summary if opened else next((s for s in self._listing.sessions if s.id == key), None)
        pane.border_title = "Session"
        if summary is not None:
            pane.extend(session_card(summary, opened))

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        if self._listing.opened is None:
            self._show_card()
            self._read_on(message.key)

    def _read_on(self, key: str) -> None:
        """The cursor is near the end of what was read: read the next page."""
        tail = [session.id for session in self._listing.sessions[-5:]]
        mark = self._listing.more
        if mark is not None and key in tail and not self._loading:
            self._read("reading older ones…", lambda h: h.sessions(self._wanted, mark, PAGE), self._take_more)

    # -- keys ----------------------------------------------------------------------------------

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.action_open_item()

    def action_open_item(self) -> None:
        key = self.query_one("#list", ChoiceList).highlighted
        opened = self._listing.opened
        if opened is None and any(session.id == key for session in self._listing.sessions):
            self._read("opening…", lambda history: history.session(SessionId(key)), self._take_session)
        elif opened is not None and any(attempt.id == key for attempt in opened.attempts):
            self._open_attempt(AttemptId(key))

    def _open_attempt(self, attempt: AttemptId) -> None:
        from obra_tui.ui.screens.transcript import TranscriptScreen

        self.app.push_screen(TranscriptScreen(attempt))

    def action_find(self) -> None:
        self.query_one(MessageLine).ask("Title or task contains", self._search)

    def _search(self, text: str) -> None:
        self._wanted = replace(self._wanted, text=text)
        self._listing = _Listing()
        self._load()

    def action_go_up(self) -> None:
        if self._listing.opened is not None:
            back = self._listing.opened.summary.id
            self._listing = replace(self._listing, opened=None)
            self._show_rows(keep=False)
            self.query_one("#list", ChoiceList).highlight(back)
            self.draw(())
        elif self._wanted.text:
            self._search("")
        else:
            self.desk.show("live")

    def action_reload(self) -> None:
        self._listing = _Listing()
        self._load()

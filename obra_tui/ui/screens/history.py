"""History: every session, down to the attempts of its tasks, or what a search line finds.

Reads pages in a worker thread; what is on screen stays until the answer is there, and a search
whose line has changed is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.history import EVERYTHING, Found, History, Mark, Page, SessionDetail, SessionSummary
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.core.search import completed, parse, read_as
from obra_tui.ui.bindings import bindings
from obra_tui.ui.format import plural
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.found_rows import found_card, found_groups, found_row
from obra_tui.ui.screens.history_rows import attempt_row, session_card, session_row
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import Tone
from widgets.choice_list import ChoiceList
from widgets.lines import LogLine
from widgets.log_pane import LogPane

T = TypeVar("T")
PAGE = 100
OPENING = "opening the history…"


@dataclass(frozen=True, slots=True)
class _Listing:
    """What the list shows: sessions so far, what was found so far, or the attempts of one session."""

    sessions: tuple[SessionSummary, ...] = ()
    found: tuple[Found, ...] = ()
    more: Mark | None = None
    opened: SessionDetail | None = None


class HistoryScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("history")

    def __init__(self) -> None:
        super().__init__()
        self._listing = _Listing()
        self._line = ""
        self._names: Mapping[str, tuple[str, ...]] = {}
        self._asked = 0
        self._marked: tuple[AttemptId, ...] = ()
        self._loading = OPENING
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
        self._asked += 1
        asked = self._asked
        self.draw(())

        def read() -> None:
            try:
                answer = question(backend.history)
            except ObraError as refused:
                self.desk.soon(partial(self._refused, refused, asked))
            else:
                self.desk.soon(partial(self._taken, partial(take, answer), asked))

        self.run_worker(read, thread=True, exit_on_error=False, group="history")

    def _refused(self, refused: ObraError, asked: int) -> None:
        """An answer to an earlier question is no longer wanted."""
        if asked != self._asked:
            return
        self._loading, self._problem = "", str(refused)
        if self.ready:
            self.draw(())

    def _taken(self, take: Callable[[], None], asked: int) -> None:
        if asked != self._asked:
            return
        self._loading, self._problem = "", ""
        if self.ready:
            take()
            self.draw(())
            self.refresh_bindings()

    def _load(self) -> None:
        if self._line.strip():
            query = parse(self._line, self.desk.clock.now())
            self._read("searching…", lambda history: history.find(query, None, PAGE), self._take_found)
        else:
            self._read("reading…", lambda history: history.sessions(EVERYTHING, None, PAGE), self._take_first)

    def _take_first(self, page: Page[SessionSummary]) -> None:
        self._listing = _Listing(page.rows, (), page.next)
        self._show_rows()

    def _take_found(self, page: Page[Found]) -> None:
        self._listing = _Listing((), page.rows, page.next)
        self._show_rows()

    def _take_more(self, page: Page[SessionSummary]) -> None:
        before = self._listing
        self._listing = replace(before, sessions=(*before.sessions, *page.rows), more=page.next)
        self._show_rows()

    def _take_more_found(self, page: Page[Found]) -> None:
        before = self._listing
        self._listing = replace(before, found=(*before.found, *page.rows), more=page.next)
        self._show_rows()

    def _take_session(self, detail: SessionDetail) -> None:
        self._listing = replace(self._listing, opened=detail)
        self._show_rows(keep=False)

    # -- drawing -------------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        if self._loading == OPENING and self.desk.backend is not None:
            self._load()
        listing = self._listing
        more = " and older ones" if listing.more and not listing.opened else ""
        said = read_as(parse(self._line, self.desk.clock.now()))
        self.show_status(
            Part(text="HISTORY", strong=True),
            Part(text=f"{self._place(listing)}{more}"),
            Part(text=f"filter: {self._line}" if self._line else ""),
            Part(text=f"read as {said}" if said else "", tone=Tone.MUTED, shrinks=True),
            Part(text=f"{len(self._marked)} marked" if self._marked else "", tone=Tone.ASK),
            Part(text=self._loading, tone=Tone.MUTED),
            Part(text=self._problem, tone=Tone.FAIL),
        )

    def _place(self, listing: _Listing) -> str:
        if listing.opened:
            return listing.opened.summary.title
        if self._line.strip():
            return plural(len(found_groups(listing.found)), "match", "matches")
        return plural(len(listing.sessions), "session")

    def _show_rows(self, keep: bool = True) -> None:
        opened, now = self._listing.opened, self.desk.clock.now()
        if opened is not None:
            rows = [attempt_row(attempt) for attempt in reversed(opened.attempts)]
            title = f"Attempts of {opened.summary.title}"
        elif self._line.strip():
            rows = [found_row(group, now) for group in found_groups(self._listing.found)]
            title = "Found"
        else:
            rows = [session_row(session, now) for session in self._listing.sessions]
            title = "Sessions"
        listed = self.query_one("#list", ChoiceList)
        listed.border_title = title
        listed.set_rows(rows or [LogLine(text, style="dim") for text in self._empty()], keep=keep)
        self._show_card()

    def _empty(self) -> list[str]:
        if self._listing.opened is not None:
            return ["No attempt was made in this session."]
        if self._line.strip():
            return [f"Nothing has: {read_as(parse(self._line, self.desk.clock.now())) or 'no word to search for'}."]
        return [
            "Nothing yet: every session is kept here.",
            f"{self.desk.key_shown('app.show_live')} starts with a task.",
            "obra import brings in Claude Code's own sessions.",
        ]

    def _show_card(self) -> None:
        pane = self.query_one("#detail", LogPane)
        pane.clear()
        key = self.query_one("#list", ChoiceList).highlighted
        opened = self._listing.opened
        group = next((group for group in found_groups(self._listing.found) if group.key == key), None)
        if group is not None and opened is None:
            pane.border_title = "Match"
            pane.extend(found_card(group))
            return
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
        mark = self._listing.more
        if mark is None or self._loading:
            return
        if self._listing.found and key in [group.key for group in found_groups(self._listing.found)[-5:]]:
            query = parse(self._line, self.desk.clock.now())
            self._read("reading older ones…", lambda h: h.find(query, mark, PAGE), self._take_more_found)
        elif key in [session.id for session in self._listing.sessions[-5:]]:
            self._read("reading older ones…", lambda h: h.sessions(EVERYTHING, mark, PAGE), self._take_more)

    # -- keys ----------------------------------------------------------------------------------

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.action_open_item()

    def action_open_item(self) -> None:
        key = self.query_one("#list", ChoiceList).highlighted
        opened = self._listing.opened
        if opened is not None and any(attempt.id == key for attempt in opened.attempts):
            self._open_attempt(AttemptId(key), [attempt.id for attempt in opened.attempts])
        elif opened is None and any(session.id == key for session in self._listing.sessions):
            self._open_session(SessionId(key))
        elif opened is None and key:
            self._open_found(key)

    def _open_session(self, session: SessionId) -> None:
        self._read("opening…", lambda history: history.session(session), self._take_session)

    def _open_found(self, key: str) -> None:
        group = next((group for group in found_groups(self._listing.found) if group.key == key), None)
        if group is not None and group.attempt is not None:
            self._open_attempt(group.attempt.id, [])
        elif group is not None:
            self._open_session(group.rows[0].session)

    def _open_attempt(self, attempt: AttemptId, siblings: Sequence[AttemptId]) -> None:
        from obra_tui.ui.screens.attempt import AttemptScreen

        self.app.push_screen(AttemptScreen(attempt, siblings))

    def _attempt_here(self) -> AttemptId | None:
        key = self.query_one("#list", ChoiceList).highlighted
        opened = self._listing.opened
        known = [attempt.id for attempt in opened.attempts] if opened else []
        known += [group.attempt.id for group in found_groups(self._listing.found) if group.attempt]
        return AttemptId(key) if key in known else None

    def action_mark(self) -> None:
        """Mark an attempt to compare it; at most two are marked."""
        attempt = self._attempt_here()
        if attempt is None:
            self.desk.tell("Open a session or search first: attempts are compared.", problem=True)
        elif attempt in self._marked:
            self._marked = tuple(item for item in self._marked if item != attempt)
        else:
            self._marked = (*self._marked[-1:], attempt)
        self.draw(())

    def action_compare(self) -> None:
        from obra_tui.ui.screens.compare import CompareScreen

        here = self._attempt_here()
        sides = self._marked if len(self._marked) == 2 else tuple(filter(None, (*self._marked, here)))
        if len(set(sides)) == 2:
            self.app.push_screen(CompareScreen(sides[0], sides[1]))
        else:
            self.desk.tell(f"Mark two attempts with {self.desk.key_shown('history.mark')}.", problem=True)

    def action_replay(self) -> None:
        from obra_tui.ui.screens.replay import ReplayScreen

        session = self._session_here()
        if session is not None:
            self.app.push_screen(ReplayScreen(session))

    def _session_here(self) -> SessionId | None:
        if self._listing.opened is not None:
            return self._listing.opened.summary.id
        key = self.query_one("#list", ChoiceList).highlighted
        groups = {group.key: group.rows[0].session for group in found_groups(self._listing.found)}
        return groups.get(key) or next((s.id for s in self._listing.sessions if s.id == key), None)

    def action_copy_id(self) -> None:
        key = self.query_one("#list", ChoiceList).highlighted
        if key:
            self.desk.copy(key)

    # -- the search line -----------------------------------------------------------------------

    def action_find(self) -> None:
        backend = self.desk.backend
        if backend is not None and not self._names:
            self.run_worker(partial(self._read_names, backend.history), thread=True, exit_on_error=False)
        self.query_one(MessageLine).ask("Search", self._search, live=self._search_live)

    def _read_names(self, history: History) -> None:
        """In a worker thread: names to complete with; without them only the fields are completed."""
        try:
            names = history.known_names()
        except ObraError:
            return
        self.desk.soon(partial(self._take_names, names))

    def _take_names(self, names: Mapping[str, tuple[str, ...]]) -> None:
        self._names = names

    def _search_live(self, text: str) -> None:
        if text != self._line:
            self._search(text)

    def _search(self, text: str) -> None:
        backend = self.desk.backend
        if backend is not None and self._loading:
            backend.history.stop_finding()
        self._line = text
        self._listing = replace(self._listing, opened=None)
        self._load()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab completes only while somebody writes the search line; a space then is a space."""
        writing = isinstance(self.focused, Input)
        if action in ("complete", "mark"):
            return writing if action == "complete" else not writing
        return super().check_action(action, parameters)

    def action_complete(self) -> None:
        """Complete the word at the cursor, or say how it could go on."""
        field = self.query_one("#message-input", Input)
        line, cursor, choices = completed(field.value, field.cursor_position, self._names)
        field.value, field.cursor_position = line, cursor
        self.query_one(MessageLine).tell("  ".join(choices[:8]))

    def action_go_up(self) -> None:
        if self._listing.opened is not None:
            back = self._listing.opened.summary.id
            self._listing = replace(self._listing, opened=None)
            self._show_rows(keep=False)
            self.query_one("#list", ChoiceList).highlight(back)
            self.draw(())
        elif self._line:
            self._search("")
        else:
            self.desk.show("live")

    def action_reload(self) -> None:
        self._listing = _Listing()
        self._load()

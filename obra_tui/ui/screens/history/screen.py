"""History: every session, down to the attempts of its tasks, or what a search line finds.

Reads pages in a worker thread; what is on screen stays until the answer is there, and a search
whose line has changed is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from obra_tui.core import events as e
from obra_tui.core.events import Record
from obra_tui.core.ids import SessionId
from obra_tui.core.records.history import History, Page, SearchResult, SessionDetail, SessionSummary
from obra_tui.core.records.search import parse, read_as
from obra_tui.ui.bindings import bindings
from obra_tui.ui.ports import Archive
from obra_tui.ui.screens.history.listing import Labels, Listing, Selection
from obra_tui.ui.screens.history.search_line import SearchLine
from obra_tui.ui.screens.history.session_actions import SessionActions
from obra_tui.ui.screens.history_query import HistoryReader
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.view.blinding import asks_for_scores
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.lines import LogLine
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

T = TypeVar("T")
PAGE = 100
MARKS = 2
_WHILE_WRITING = {"complete": True} | dict.fromkeys(("open_item", "mark", "copy", "find", "compare", "export"), False)
"""Keys that are there only while somebody writes the search line, or only while nobody does."""
_NEWS = (
    e.SessionOpened,
    e.SessionClosed,
    e.TaskMoved,
    e.AttemptStarted,
    e.GateJudged,
    e.DecisionMade,
)
"""What changes a row."""
_LEFT_OUT = "blind: undecided work is left out"


class HistoryScreen(SessionActions, SearchLine):
    BINDINGS: ClassVar[list[BindingType]] = bindings("history")

    def __init__(self) -> None:
        super().__init__()
        self._listing = Listing()
        self._query = parse("", 0.0)
        """What the search line means; read once when it changes."""
        self._marked: tuple[Selection, ...] = ()
        self._reading = HistoryReader(self, "opening the history…")
        self._read_once = False
        self._sources = 0

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="history"):
            yield ChoiceList(id="list", wrap=False)
            yield LogPane(id="detail", follow=False)
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self.query_one("#list").focus()
        self._load()

    def on_screen_resume(self) -> None:
        if self.ready:
            self._load()

    # -- reading -------------------------------------------------------------------------------

    def _load(self) -> None:
        """Read again what is shown: the open session, the search, or the newest sessions."""
        opened = self._listing.opened
        if opened is not None:
            self._open_session(opened.summary.id)
        elif self._line.strip():
            query = self._query
            self._ask("searching…", lambda history: history.find(query, None, PAGE), self._take_found)
        else:
            self._ask("reading…", lambda history: history.sessions(None, PAGE), self._take_first)

    def _ask(self, doing: str, question: Callable[[History], T], take: Callable[[T], None]) -> None:
        """Read, and with it what sessions are labelled with."""
        archive = self.services.backend.archive if self.services.backend else None

        def both(history: History) -> tuple[T, Labels]:
            return question(history), archive.labels() if archive is not None else {}

        def taken(answer: tuple[T, Labels]) -> None:
            found, labels = answer
            self._listing = replace(self._listing, labels=labels)
            take(found)

        self._read_once = self._reading.ask(doing, both, taken) or self._read_once
        if self.ready:
            self.draw(())

    def _take_first(self, page: Page[SessionSummary]) -> None:
        self._listing = Listing(sessions=page.rows, more=page.next, labels=self._listing.labels)
        self._show_rows()
        if not page.rows:
            self._count_sources()

    def _take_found(self, page: Page[SearchResult]) -> None:
        self._listing = Listing(
            found=page.rows,
            searched=True,
            by_score=asks_for_scores(self._query),
            more=page.next,
            labels=self._listing.labels,
        )
        self._show_rows()

    def _take_more(self, page: Page[SessionSummary]) -> None:
        self._listing = self._listing.with_more(page)
        self._show_rows()

    def _take_more_found(self, page: Page[SearchResult]) -> None:
        self._listing = self._listing.with_more_found(page)
        self._show_rows()

    def _take_session(self, detail: SessionDetail) -> None:
        before = self._listing.opened
        self._listing = replace(self._listing, opened=detail)
        self._show_rows(keep=before is not None and before.summary.id == detail.summary.id)

    def _count_sources(self) -> None:
        """An empty history names what could fill it."""

        def look(archive: Archive) -> int:
            return len(archive.sources())

        def counted(sources: int) -> None:
            self._sources = sources
            self._show_rows()

        if self.services.backend is not None and self.services.backend.archive is not None:
            self.with_archive(look, counted)

    # -- drawing -------------------------------------------------------------------------------

    def draw(self, records: Sequence[Record]) -> None:
        news = not self._line and any(isinstance(record.event, _NEWS) for record in records)
        if news or (not self._read_once and self.services.backend is not None):
            self._load()
        said = read_as(self._query)
        self.show_status(
            StatusPart(text="HISTORY", strong=True),
            StatusPart(text=self._seen.place),
            StatusPart(text=f"filter: {self._line}" if self._line else ""),
            StatusPart(text=f"read as {said}" if said else "", tone=Tone.MUTED, shrinks=True),
            StatusPart(text=f"{len(self._marked)} marked" if self._marked else "", tone=Tone.ASK),
            StatusPart(text=self._reading.doing, tone=Tone.MUTED),
            StatusPart(text=self._reading.problem, tone=Tone.FAIL),
            StatusPart(text=_LEFT_OUT if self._leaves_out else "", tone=Tone.WARN, urgent=True),
        )

    @property
    def _leaves_out(self) -> bool:
        """Said whether or not something was found: that alone would give a number away."""
        return self._listing.by_score and self._listing.opened is None and bool(self.services.blinded.attempts)

    @property
    def _seen(self) -> Listing:
        return self._listing.without(self.services.blinded)

    def _show_rows(self, keep: bool = True) -> None:
        rows = self._seen.rows(self.services.clock.now(), [subject.id for subject in self._marked])
        listed = self.query_one("#list", ChoiceList)
        listed.border_title = self._listing.title
        listed.set_rows(rows or [LogLine(text, style="dim") for text in self._empty()], keep=keep)
        self._show_card()

    def _empty(self) -> list[str]:
        if self._listing.opened is not None:
            return ["No attempt was made in this session."]
        if self._listing.searched:
            nothing = [f"Nothing has: {read_as(self._query) or 'no word to search for'}."]
            return [*nothing, f"{_LEFT_OUT[0].upper()}{_LEFT_OUT[1:]}."] if self._leaves_out else nothing
        found = f"{self._sources} " if self._sources else ""
        return [
            "Nothing yet: every session is kept here.",
            f"{self.services.key_label('app.show_live')} starts with a task.",
            f"{self.services.key_label('history.import_sessions')} imports {found}sessions of Claude Code's own.",
        ]

    def _show_card(self) -> None:
        pane = self.query_one("#detail", LogPane)
        pane.border_title, lines = self._seen.card(self._key)
        pane.clear()
        pane.extend(lines)

    def on_choice_list_highlighted(self, message: ChoiceList.Highlighted) -> None:
        if self._listing.opened is None:
            self._show_card()
            self._read_on(message.key)

    def _read_on(self, key: str) -> None:
        """The cursor is near the end of what was read: read the next page."""
        mark = self._listing.more
        if self._reading.doing or not self._listing.near_end(key):
            return
        if self._listing.searched:
            query = self._query
            self._ask("reading older ones…", lambda h: h.find(query, mark, PAGE), self._take_more_found)
        else:
            self._ask("reading older ones…", lambda h: h.sessions(mark, PAGE), self._take_more)

    # -- going down and up ---------------------------------------------------------------------

    @property
    def _key(self) -> str:
        return self.query_one("#list", ChoiceList).highlighted

    def on_choice_list_picked(self, message: ChoiceList.Picked) -> None:
        self.action_open_item()

    def action_open_item(self) -> None:
        subject = self.subject()
        if subject is not None and subject.attempt is not None:
            self.services.navigator.open_attempt(subject.attempt)
        elif subject is not None and self._listing.opened is None:
            self._open_session(subject.session)

    def _open_session(self, session: SessionId) -> None:
        self._ask("opening…", lambda history: history.session(session), self._take_session)

    def action_go_up(self) -> None:
        opened = self._listing.opened
        if opened is not None:
            self._listing = replace(self._listing, opened=None)
            self._show_rows(keep=False)
            self.query_one("#list", ChoiceList).highlight(opened.summary.id)
            self._load()
        elif self._line:
            self.search("")
        else:
            self.services.navigator.show("live")

    def action_reload(self) -> None:
        self._load()

    def action_replay(self) -> None:
        subject = self.subject()
        if subject is not None:
            self.services.navigator.replay(subject.session)

    # -- marks ---------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Mark a row to compare it; two are compared, and both are attempts or both sessions."""
        subject = self.subject()
        if subject is None:
            return
        alike = tuple(item for item in self._marked if (item.attempt is None) == (subject.attempt is None))
        if subject in alike:
            self._marked = tuple(item for item in alike if item != subject)
        else:
            self._marked = older_first(*alike[-(MARKS - 1) :], subject)
        self._show_rows()
        self.draw(())

    def action_compare(self) -> None:
        """Compare the two that are marked, or the one that is marked with the one here."""
        here = self.subject()
        sides = self._marked if len(self._marked) == MARKS else older_first(*self._marked, *((here,) if here else ()))
        if len({side.id for side in sides}) != MARKS:
            self.services.notify(f"Mark two rows with {self.services.key_label('history.mark')}.", problem=True)
        elif (sides[0].attempt is None) != (sides[1].attempt is None):
            self.services.notify("Two attempts are compared, or two sessions.", problem=True)
        else:
            self._compare(*sides)

    def _compare(self, a: Selection, b: Selection) -> None:
        if a.attempt is not None and b.attempt is not None:
            self.services.navigator.compare_attempts(a.attempt, b.attempt)
        else:
            self.services.navigator.compare_sessions(a.session, b.session)

    # -- what the mixed-in keys need -----------------------------------------------------------

    def subject(self) -> Selection | None:
        return self._listing.subject(self._key)

    def labels_changed(self, labels: Labels) -> None:
        self._listing = replace(self._listing, labels=labels)
        self._show_rows()

    def search_for(self, line: str) -> None:
        self.search(line)
        self.open_line(line)

    def search(self, line: str) -> None:
        backend = self.services.backend
        if backend is not None and self._reading.doing:
            backend.history.stop_finding()
        self._line = line
        self._query = parse(line, self.services.clock.now())
        self._listing = replace(self._listing, opened=None)
        self._load()

    def action_import_sessions(self) -> None:
        from obra_tui.ui.screens.history.import_dialog import ImportDialog

        self.app.push_screen(ImportDialog(), lambda changed: self._load() if changed else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab completes only while somebody writes the search line; a space then is a space."""
        if action in _WHILE_WRITING:
            return _WHILE_WRITING[action] == self.writing
        return super().check_action(action, parameters)


def older_first(*subjects: Selection) -> tuple[Selection, ...]:
    """Return them in the order in which they were made, which their ids have: A is what came first."""
    return tuple(sorted(subjects, key=lambda subject: subject.id))

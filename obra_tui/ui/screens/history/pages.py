"""What the history lists, read page by page in worker threads; what is on screen stays until the answer is there.

Knows no widget: it tells its screen when there is something else to show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from obra_tui.core.ids import SessionId
from obra_tui.core.records.history import History, Page, SearchResult, SessionDetail, SessionSummary
from obra_tui.core.records.search import parse
from obra_tui.ui.ports import Archive
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.history.listing import Labels, Listing
from obra_tui.ui.screens.history_query import HistoryReader, with_archive
from obra_tui.ui.view.blinding import asks_for_scores

T = TypeVar("T")
PAGE = 100


class HistoryPages:
    """The newest sessions, what a search found, or one session in full."""

    def __init__(self, screen: ObraScreen, on_rows: Callable[[bool], None]) -> None:
        """`on_rows` is called when the listing is another one, and told whether the cursor keeps its row."""
        self._screen = screen
        self._on_rows = on_rows
        self.listing = Listing()
        self.line = ""
        self.query = parse("", 0.0)
        """What the search line means; read once when it changes."""
        self.reading = HistoryReader(screen, "opening the history…")
        self.is_read = False
        """An answer was asked for at least once."""
        self.sources = 0
        """Sessions of Claude Code's own that could be imported; looked for when there is nothing else."""

    def load(self) -> None:
        """Read again what is shown: the open session, the search, or the newest sessions."""
        opened = self.listing.opened
        if opened is not None:
            self.open_session(opened.summary.id)
        elif self.line.strip():
            query = self.query
            self._ask("searching…", lambda history: history.find(query, None, PAGE), self._take_found)
        else:
            self._ask("reading…", lambda history: history.sessions(None, PAGE), self._take_first)

    def search(self, line: str) -> None:
        """Show what a line finds; a search that is still at work is ended."""
        services = self._screen.services
        if services.backend is not None and self.reading.doing:
            services.backend.history.stop_finding()
        self.line = line
        self.query = parse(line, services.clock.now())
        self.listing = replace(self.listing, opened=None)
        self.load()

    def open_session(self, session: SessionId) -> None:
        self._ask("opening…", lambda history: history.session(session), self._take_session)

    def close_session(self) -> None:
        """Show what was listed before, until it is read again."""
        self.listing = replace(self.listing, opened=None)
        self._on_rows(False)

    def read_on(self, key: str) -> None:
        """The cursor is near the end of what was read: read the next page."""
        mark = self.listing.more
        if self.reading.doing or not self.listing.near_end(key):
            return
        if self.listing.searched:
            query = self.query
            self._ask("reading older ones…", lambda h: h.find(query, mark, PAGE), self._take_more_found)
        else:
            self._ask("reading older ones…", lambda h: h.sessions(mark, PAGE), self._take_more)

    def take_labels(self, labels: Labels) -> None:
        self.listing = replace(self.listing, labels=labels)
        self._on_rows(True)

    def _ask(self, doing: str, question: Callable[[History], T], take: Callable[[tuple[T, Labels]], None]) -> None:
        """Read, and with it what sessions are labelled with."""
        backend = self._screen.services.backend
        archive = backend.archive if backend else None

        def both(history: History) -> tuple[T, Labels]:
            return question(history), archive.labels() if archive is not None else {}

        self.is_read = self.reading.ask(doing, both, take) or self.is_read
        if self._screen.ready:
            self._screen.draw(())

    def _take_first(self, answer: tuple[Page[SessionSummary], Labels]) -> None:
        page, labels = answer
        self.listing = Listing(sessions=page.rows, more=page.next, labels=labels)
        self._on_rows(True)
        if not page.rows:
            self._count_sources()

    def _take_found(self, answer: tuple[Page[SearchResult], Labels]) -> None:
        page, labels = answer
        self.listing = Listing(
            found=page.rows,
            searched=True,
            by_score=asks_for_scores(self.query),
            more=page.next,
            labels=labels,
        )
        self._on_rows(True)

    def _take_more(self, answer: tuple[Page[SessionSummary], Labels]) -> None:
        page, labels = answer
        self.listing = replace(self.listing.with_more(page), labels=labels)
        self._on_rows(True)

    def _take_more_found(self, answer: tuple[Page[SearchResult], Labels]) -> None:
        page, labels = answer
        self.listing = replace(self.listing.with_more_found(page), labels=labels)
        self._on_rows(True)

    def _take_session(self, answer: tuple[SessionDetail, Labels]) -> None:
        detail, labels = answer
        before = self.listing.opened
        self.listing = replace(self.listing, opened=detail, labels=labels)
        self._on_rows(before is not None and before.summary.id == detail.summary.id)

    def _count_sources(self) -> None:
        """An empty history names what could fill it."""

        def look(archive: Archive) -> int:
            return len(archive.sources())

        def counted(sources: int) -> None:
            self.sources = sources
            self._on_rows(True)

        backend = self._screen.services.backend
        if backend is not None and backend.archive is not None:
            with_archive(self._screen, look, counted)

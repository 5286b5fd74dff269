"""What the history lists: sessions, what a search found, or the attempts of one session; as rows and cards. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.core.records.history import Page, PageCursor, SearchResult, SessionDetail, SessionSummary
from obra_tui.ui.screens.history.found_rows import ResultGroup, found_card, found_groups, found_row
from obra_tui.ui.screens.history.rows import attempt_row, session_card, session_row
from obra_tui.ui.view.blinding import Blinded, redact_result, redact_row, redact_session
from obra_tui.ui.view.format import plural
from widgets.lines import LogLine

_NEAR = 5
"""Rows before the end of what was read at which the next page is fetched."""

Labels = Mapping[str, tuple[str, ...]]


class Selection(Struct, frozen=True, kw_only=True):
    """What a key is about: an attempt, or a session as a whole."""

    session: SessionId
    attempt: AttemptId | None = None
    name: str = ""

    @property
    def id(self) -> SessionId | AttemptId:
        return self.attempt or self.session


class Listing(Struct, frozen=True, kw_only=True):
    sessions: tuple[SessionSummary, ...] = ()
    found: tuple[SearchResult, ...] = ()
    searched: bool = False
    by_score: bool = False
    """To be found says something of the score."""
    more: PageCursor | None = None
    """Where the next page begins."""
    opened: SessionDetail | None = None
    labels: Labels = field(default_factory=dict)

    # -- growing -------------------------------------------------------------------------------

    def with_more(self, page: Page[SessionSummary]) -> Listing:
        return replace(self, sessions=(*self.sessions, *page.rows), more=page.next)

    def with_more_found(self, page: Page[SearchResult]) -> Listing:
        return replace(self, found=(*self.found, *page.rows), more=page.next)

    def near_end(self, key: str) -> bool:
        """The row is one of the last that were read, and there are more."""
        keys = [group.key for group in self.groups] if self.searched else [session.id for session in self.sessions]
        return self.more is not None and self.opened is None and key in keys[-_NEAR:]

    def without(self, kept: Blinded) -> Listing:
        """Return it without the numbers that are kept back."""
        if not kept.attempts:
            return self
        return replace(
            self,
            sessions=tuple(redact_row(session, kept) for session in self.sessions),
            found=tuple(redact_result(row, kept) for row in self.found if not self._leaves_out(row, kept)),
            opened=redact_session(self.opened, kept) if self.opened else None,
        )

    def _leaves_out(self, row: SearchResult, kept: Blinded) -> bool:
        return self.by_score and row.attempt is not None and row.attempt.id in kept.attempts

    # -- showing -------------------------------------------------------------------------------

    @property
    def groups(self) -> tuple[ResultGroup, ...]:
        return found_groups(self.found)

    @property
    def title(self) -> str:
        if self.opened is not None:
            return f"Attempts of {self.opened.summary.title}"
        return "Found" if self.searched else "Sessions"

    @property
    def place(self) -> str:
        """Where one is, for the status line."""
        more = " and older ones" if self.more else ""
        if self.opened is not None:
            return f"› {self.opened.summary.title}"
        if self.searched:
            return f"{plural(len(self.groups), 'match', 'matches')}{more}"
        return f"{plural(len(self.sessions), 'session')}{more}"

    def rows(self, now: float, marked: Sequence[str] = ()) -> list[LogLine]:
        """Return a row for each; what is marked carries its letter."""
        if self.opened is not None:
            rows = [attempt_row(attempt) for attempt in reversed(self.opened.attempts)]
        elif self.searched:
            rows = [found_row(group, now) for group in self.groups]
        else:
            rows = [session_row(session, now, self.labels.get(session.id, ())) for session in self.sessions]
        return [_lettered(row, marked) for row in rows] if marked else rows

    def card(self, key: str) -> tuple[str, list[LogLine]]:
        """Return the title and the lines of what is known of a row."""
        group = None if self.opened else self._group(key)
        if group is not None:
            return "Match", found_card(group, self.labels.get(group.rows[0].session, ()))
        summary = self.opened.summary if self.opened else self._session(key)
        if summary is None:
            return "Session", []
        return "Session", session_card(summary, self.opened, self.labels.get(summary.id, ()))

    # -- asking --------------------------------------------------------------------------------

    def subject(self, key: str) -> Selection | None:
        """Return what a row is about; with an open session and no attempt in it, the session."""
        if self.opened is not None:
            return self._of_opened(self.opened, key)
        group = self._group(key)
        if group is not None:
            newest, attempt = group.rows[0], group.attempt
            name = f"{attempt.task_key} attempt {attempt.number}" if attempt else newest.session_title
            return Selection(session=newest.session, attempt=attempt.id if attempt else None, name=name)
        session = self._session(key)
        return Selection(session=session.id, name=session.title or session.id) if session else None

    def _of_opened(self, opened: SessionDetail, key: str) -> Selection:
        attempt = next((attempt for attempt in opened.attempts if attempt.id == key), None)
        if attempt is None:
            return Selection(session=opened.summary.id, name=opened.summary.title)
        name = f"{attempt.task_key} attempt {attempt.number}"
        return Selection(session=opened.summary.id, attempt=attempt.id, name=name)

    def _group(self, key: str) -> ResultGroup | None:
        return next((group for group in self.groups if group.key == key), None) if self.searched else None

    def _session(self, key: str) -> SessionSummary | None:
        return next((session for session in self.sessions if session.id == key), None)


def _lettered(row: LogLine, marked: Sequence[str]) -> LogLine:
    letter = "AB"[marked.index(row.key)] if row.key in marked else " "
    return dataclasses.replace(row, lead=f"{letter} ", lead_style="gate")

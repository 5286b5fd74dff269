"""The pages that only show: what waits, sessions, the log of a run, and the search through what was."""

import time

from starlette.responses import Response

from obra_tui.core.ids import SessionId
from obra_tui.core.records.history import PageCursor
from obra_tui.core.records.search import parse, read_as
from obra_tui.web.site import Site, Visit

_ROWS = 30
_LOG_RECORDS = 3_000
_LOG_LINES = 400
_MOST_QUERY = 500


class LookingPages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def home(self, visit: Visit) -> Response:
        history = self._site.backend.history
        page = history.sessions(limit=_ROWS)
        return visit.page(
            "home.html",
            gates=history.gates(),
            held=self._site.feed.held,
            questions=tuple(self._site.feed.permissions.waiting.values()),
            sessions=[item for item in page.rows if item.closed_at is None],
            owner=self._site.backend.owner(),
        )

    def session(self, visit: Visit, session: str) -> Response:
        history = self._site.backend.history
        detail = history.session(SessionId(session))
        last = history.last_seq(detail.summary.id)
        records = history.records(detail.summary.id, after=max(0, last - _LOG_RECORDS), limit=_LOG_RECORDS)
        lines = [line for record in records for line in self._site.backend.log_lines(record)]
        return visit.page(
            "session.html",
            topics=[f"session:{detail.summary.id}"],
            detail=detail,
            lines=lines[-_LOG_LINES:],
            is_cut=len(lines) > _LOG_LINES or last > _LOG_RECORDS,
            last=records[-1].seq if records else last,
            waiting={item.attempt: item.id for item in history.gates() if item.session == detail.summary.id},
        )

    def history(self, visit: Visit, line: str, at: str, last: str) -> Response:
        history, wanted = self._site.backend.history, line.strip()[:_MOST_QUERY]
        cursor = _cursor(at, last)
        if not wanted:
            sessions = history.sessions(after=cursor, limit=_ROWS)
            return visit.page(
                "history.html", topics=["none"], line="", read="", sessions=sessions.rows, found=(), next=sessions.next
            )
        query = parse(wanted, time.time())
        page = history.find(query, after=cursor, limit=_ROWS)
        return visit.page(
            "history.html",
            topics=["none"],
            line=wanted,
            read=read_as(query),
            sessions=(),
            found=page.rows,
            next=page.next,
        )


def _cursor(at: str, last: str) -> PageCursor | None:
    try:
        return PageCursor(at=float(at), id=last[:200]) if at and last else None
    except ValueError:
        return None

"""From records to browsers: who has a page open hears within a moment that something on it is no longer as it was.

Records come on a thread of their own and go into the queues of the open pages on the server's loop. A page that does
not listen fast enough loses nothing: its queue joins what it has not heard.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct, field

from obra_tui.core import events as e
from obra_tui.core.events import Record
from obra_tui.core.ids import GateId
from obra_tui.core.permission_rules import PermissionOverview, with_record
from obra_tui.web.ports import RecordSource
from obra_tui.web.text import clean

HEARTBEAT_S = 10.0
MOST_OPEN = 64
_MOST_LINES = 500
_STANDING = (
    e.SessionOpened,
    e.SessionClosed,
    e.TaskAdded,
    e.TaskMoved,
    e.TaskRemoved,
    e.RunStarted,
    e.RunFinished,
    e.ProblemRaised,
    e.ProblemCleared,
    e.Paused,
    e.Resumed,
    e.GateOpened,
    e.DecisionHeld,
    e.DecisionUndone,
    e.DecisionMade,
    e.WorkAccepted,
    e.WorkReverted,
    e.WorkHandedBack,
    e.PermissionAsked,
    e.PermissionAnswered,
    e.ClaudeEnded,
)
"""After which a list or a gate is another one; all else is only told in the log."""


class Listening(Struct, kw_only=True):
    """One open page: `session` is whose log it shows, empty = none."""

    session: str = ""
    changed: set[str] = field(default_factory=set)
    lines: list[tuple[int, str]] = field(default_factory=list)
    awake: asyncio.Event = field(default_factory=asyncio.Event)


class NewsFeed:
    """Between the journal's listener and the open pages; lives on the server's loop."""

    def __init__(self, news: RecordSource, log_lines: Callable[[Record], Iterable[str]]) -> None:
        self._news = news
        self._log_lines = log_lines
        self._open: list[Listening] = []
        self.permissions = PermissionOverview()
        """What is known of the open sessions."""
        self.held: dict[GateId, e.DecisionHeld] = {}
        """Answers that can still be taken back."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear records as long as the server runs; entered on its loop."""
        loop = asyncio.get_running_loop()

        def heard(records: Sequence[Record]) -> None:
            loop.call_soon_threadsafe(self.take, records)

        leave = self._news.subscribe(heard)
        try:
            yield
        finally:
            leave()
            self._open.clear()

    def take(self, records: Sequence[Record]) -> None:
        changed: set[str] = set()
        for record in records:
            if isinstance(record.event, _STANDING):
                changed |= {"all", f"session:{record.session}"} | ({f"task:{record.task}"} if record.task else set())
            self.permissions = with_record(self.permissions, record)
            self._hold(record.event)
        for page in self._open:
            page.changed |= changed
            if page.session:
                self._tell(page, records)
            if page.changed or page.lines:
                page.awake.set()

    def _hold(self, event: e.Event) -> None:
        match event:
            case e.DecisionHeld(gate=gate):
                self.held[gate] = event
            case e.DecisionUndone(gate=gate):
                self.held.pop(gate, None)
            case e.DecisionMade(gate=gate) if gate is not None:
                self.held.pop(gate, None)

    def _tell(self, page: Listening, records: Sequence[Record]) -> None:
        told = (
            (item.seq, clean(line))
            for item in records
            if item.session == page.session
            for line in self._log_lines(item)
        )
        page.lines.extend(told)
        del page.lines[:-_MOST_LINES]

    @property
    def is_full(self) -> bool:
        return len(self._open) >= MOST_OPEN

    async def stream(self, session: str, after: int, is_in: Callable[[], bool]) -> AsyncIterator[str]:
        """Yield what a page is told, until its login ends. `after` is the last record that it shows."""
        page = Listening(session=session)
        self._open.append(page)
        try:
            yield "retry: 2000\n\n"
            while is_in():
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await page.awake.wait()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                page.awake.clear()
                changed, lines = sorted(page.changed), [line for seq, line in page.lines if seq > after]
                page.changed, page.lines = set(), []
                if is_in():
                    yield f"data: {json.dumps({'changed': changed, 'lines': lines})}\n\n"
            yield "event: over\ndata: {}\n\n"
        finally:
            if page in self._open:
                self._open.remove(page)

"""Every event is written before any listener gets it.

The outbox gives an event its sequence number in the session's journal, joins streamed neighbours, writes a batch and
then calls the listeners. `FlushPolicy` decides when a batch is written: a crash may cost the last 50 ms of streamed
text, and each write takes as many events as it may, because a write costs the disk the same with one as with many.
`PendingWrite` writes the batches of a burst in a thread, one at a time, while the loop gathers the next one.

Lives on the engine's loop; listeners are called there and must be cheap. Knows no SQL.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.crash_records import crash_at_records
from obra_tui.core.errors import StoreError, Unwritable
from obra_tui.core.events import (
    STREAMED,
    CheckFinished,
    Event,
    Record,
    TextFinished,
    ToolFinished,
)
from obra_tui.core.events.streams import joined
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.ports import EngineClock, Journal, StoredAfterAll

WITHIN_S = 0.042
"""From the arrival of an event until it is written: with what a timer is late, the 50 ms that a crash may cost."""
LEAST_S = 0.03
"""A slow disk, or a flood, must not be written in ever smaller pieces."""
LULL_S = 0.004
"""So long nothing came: it stopped coming."""
QUIET_S = 0.1
"""So long nothing was written: a person waits for what comes now."""

LARGE = 100
"""So many at once are a burst."""


class FlushPolicy:
    def __init__(self) -> None:
        self._began = self._came = 0.0
        self._large = False
        self._wrote = float("-inf")
        self._took = 0.0

    def came(self, now: float, *, first: bool) -> None:
        """An event came; `first` of those that wait."""
        self._came = now
        if first:
            self._began = now

    def wrote(self, count: int, began: float, ended: float) -> None:
        """So many were written. A slow write counts at once and is forgotten slowly."""
        self._wrote, self._large = ended, count >= LARGE
        self._took = max(ended - began, 0.9 * self._took)

    def due(self) -> float:
        """Return when to write, if nothing more comes before."""
        latest = self._began + max(LEAST_S, WITHIN_S - self._took)
        waited_for = self._large or self._began - self._wrote >= QUIET_S
        return min(latest, self._came + LULL_S) if waited_for else latest


class Written(Struct, frozen=True, kw_only=True):
    """What was written, and when that began and ended."""

    records: Sequence[Record]
    began: float
    ended: float


class PendingWrite:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="obra-journal")
        self._writing: Future[Written] | None = None
        self.records: Sequence[Record] = ()
        """What is under way, or none."""

    def __bool__(self) -> bool:
        return self._writing is not None

    def begin(
        self, records: Sequence[Record], write: Callable[[], None], ended: Callable[["Future[Written]"], None]
    ) -> None:
        """Call `write`, which writes `records`; `ended` is called in the other thread, whatever became of it."""
        assert self._writing is None
        self.records = records
        self._writing = self._threads.submit(_timed, records, write)
        self._writing.add_done_callback(ended)

    def is_about(self, writing: "Future[Written]") -> bool:
        """Whether it is this one that is under way still: nobody has fetched what became of it."""
        return self._writing is writing

    def fetch(self) -> Written:
        """Wait until it is written. Raises what `write` raised: then `records` are for the caller to keep."""
        assert self._writing is not None
        writing, self._writing = self._writing, None
        return writing.result()


def _timed(records: Sequence[Record], write: Callable[[], None]) -> Written:
    began = time.monotonic()
    write()
    return Written(records=records, began=began, ended=time.monotonic())


Listener = Callable[[Sequence[Record]], None]

_FLUSH_AT = 1_000
"""Records that force a flush before the time is up. In a burst one batch is gathered while another is written: with so
many in each, the oldest of them waits some fifty milliseconds, and nothing piles up in memory."""
_FLUSH_CHARS = 500_000
"""The same in characters: what has to be written on a disk that fills up must fit into what is kept back for that, and
while so much is under way, as much again may be gathered."""

_STREAMED = frozenset(STREAMED)
_LONG: Mapping[type[Event], Callable[[Any], str]] = {
    **dict.fromkeys((*STREAMED, TextFinished), attrgetter("text")),
    ToolFinished: attrgetter("output"),
    CheckFinished: attrgetter("result.output"),
}
"""What can be long of an event; by its class, for an event of a burst is asked twice what it is."""


class Outbox:
    def __init__(
        self,
        journal: Journal,
        clock: EngineClock,
        on_failure: Callable[[StoreError], None],
        refusal: Callable[[], StoreError | None] = lambda: None,
    ) -> None:
        """`refusal` says why the journal need not be asked now: it is known to be away, and asking it takes time."""
        self._journal = journal
        self._clock = clock
        self._on_failure = on_failure
        self._refusal = refusal
        self._listeners: list[Listener] = []
        self._pending: list[Record] = []
        self._chars = 0
        """How much of text came since the last write."""
        self._tried = 0
        """How many of them were handed to the journal without success: they stay as they are, for it may have them."""
        self._next: dict[SessionId, int] = {}
        self._under_way = PendingWrite()
        self._pace = FlushPolicy()
        self._timer: asyncio.TimerHandle | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every batch of written records; returns the function that unsubscribes."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def emit(self, session: SessionId, task: TaskId | None, attempt: AttemptId | None, event: Event) -> None:
        """Queue an event that nothing depends on; it is written within 50 ms."""
        self._queue(session, task, attempt, event)
        self._chars += _length(event)
        if len(self._pending) >= _FLUSH_AT or self._chars >= _FLUSH_CHARS:
            self._write_or_report()
            return
        self._pace.came(time.monotonic(), first=self._timer is None)
        if self._timer is None:
            self._wait()

    def commit(
        self, session: SessionId, entries: Sequence[tuple[TaskId | None, AttemptId | None, Event]]
    ) -> tuple[Record, ...]:
        """Write these events, and all before them, in one transaction, now. Raises `StoreError`."""
        first = len(self._pending)
        for task, attempt, event in entries:
            self._queue(session, task, attempt, event, join=False)
        written = tuple(self._pending[first:])
        self.flush(or_forget=written)
        return written

    def flush(self, or_forget: Sequence[Record] = ()) -> None:
        """Write and tell what is pending. On `StoreError` the pending events stay pending, but for those to forget.

        That nothing can be written at all concerns everybody, whoever met it: `on_failure` hears of it.
        """
        self._stop_waiting()
        if self._under_way:
            self._settle(or_forget)
        if not self._pending:
            return
        self._ask_whether_to_write(or_forget)
        began = time.monotonic()
        try:
            self._journal.append(self._pending)
        except StoreError as error:
            self._refused(error, len(self._pending), or_forget)
            raise
        batch = tuple(self._pending)
        self._start_afresh()
        self._tell_written(Written(records=batch, began=began, ended=time.monotonic()))

    def forget(self, session: SessionId) -> None:
        """Let go of a session's place in the journal; it is looked up again should it be needed."""
        if not any(record.session == session for record in (*self._under_way.records, *self._pending)):
            self._next.pop(session, None)

    def _wait(self) -> None:
        """Until it is time to write, as it looks now."""
        delay = self._pace.due() - time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        """Write, unless more came meanwhile and may be waited for; while a batch is under way, when that has ended."""
        if self._pace.due() > time.monotonic():
            self._wait()
        elif not self._under_way:
            self._write_or_report()

    def _write_or_report(self) -> None:
        """Write what is pending: a burst in a thread of its own, so that what comes next is read meanwhile."""
        try:
            if len(self._pending) < LARGE:
                self.flush()
            else:
                self._begin()
        except StoreError as error:
            self._on_failure(error)

    def _begin(self) -> None:
        self._stop_waiting()
        batch = tuple(self._pending)
        write = self._journal.ready(batch)  # beside the one under way, which is what all this waits for
        if self._under_way:
            self._settle()
        if len(batch) != len(self._pending) or batch[-1] is not self._pending[-1]:
            if self._pending:  # whoever was told had something to say
                self._write_or_report()
            return
        self._ask_whether_to_write()
        loop = asyncio.get_running_loop()
        self._start_afresh()
        self._under_way.begin(batch, write, lambda writing: _on(loop, self._ended, writing))

    def _ended(self, writing: "Future[Written]") -> None:
        """What was under way is written or could not be; if more has become due since, that comes now."""
        if not self._under_way.is_about(writing):
            return
        try:
            self._settle()
        except StoreError as error:
            self._on_failure(error)
            return
        if self._pending:
            self._stop_waiting()
            self._due()

    def _settle(self, or_forget: Sequence[Record] = ()) -> None:
        """Wait for what is under way and tell it. Raises `StoreError`; then it is pending again."""
        try:
            written = self._under_way.fetch()
        except BaseException as error:
            back = self._under_way.records
            self._pending[:0] = back
            if isinstance(error, StoreError):
                self._refused(error, len(back), or_forget)
            raise
        finally:
            self._under_way.records = ()
        self._tell_written(written)

    def _ask_whether_to_write(self, or_forget: Sequence[Record] = ()) -> None:
        if (refusal := self._refusal()) is not None:
            self._forget(or_forget)
            raise refusal
        crash_at_records("before", self._pending)

    def _start_afresh(self) -> None:
        self._pending, self._tried, self._chars = [], 0, 0

    def _tell_written(self, written: Written) -> None:
        self._pace.wrote(len(written.records), written.began, written.ended)
        crash_at_records("after", written.records)
        for listener in tuple(self._listeners):
            listener(written.records)

    def _refused(self, error: StoreError, tried: int, or_forget: Sequence[Record]) -> None:
        self._forget(or_forget)
        if isinstance(error, Unwritable):
            self._tried = tried
            if isinstance(error, StoredAfterAll):
                self._take_in(error)
            self._on_failure(error)

    def _take_in(self, error: StoredAfterAll) -> None:
        """What had been given up did happen: tell it, and let what still waits come after it."""
        stored = error.records
        self._pending = [record for record in self._pending if record not in stored]
        self._next.update({record.session: record.seq + 1 for record in stored})
        for place, record in enumerate(self._pending):
            if any(other.session == record.session for other in stored):
                self._pending[place] = replace(record, seq=self._next[record.session])
                self._next[record.session] += 1
        self._tried = 0
        for listener in tuple(self._listeners):
            listener(stored)

    def _queue(
        self,
        session: SessionId,
        task: TaskId | None,
        attempt: AttemptId | None,
        event: Event,
        *,
        join: bool = True,
    ) -> None:
        if join and self._joined(session, attempt, event):
            return
        seq = self._next.get(session) or self._journal.last_seq(session) + 1
        self._next[session] = seq + 1
        self._pending.append(
            Record(seq=seq, at=self._clock.now(), session=session, task=task, attempt=attempt, event=event)
        )

    def _joined(self, session: SessionId, attempt: AttemptId | None, event: Event) -> bool:
        if type(event) not in _STREAMED or len(self._pending) <= self._tried:
            return False
        last = self._pending[-1]
        if last.session != session or last.attempt != attempt:
            return False
        both = joined(last.event, event)
        if both is None:
            return False
        self._pending[-1] = replace(last, event=both)
        return True

    def _forget(self, written: Sequence[Record]) -> None:
        """Take back events of a failed commit: they did not happen."""
        gone = {id(record) for record in written}
        self._pending = [record for record in self._pending if id(record) not in gone]
        if written:
            self._next[written[0].session] = written[0].seq


def _on(loop: asyncio.AbstractEventLoop, call: Callable[["Future[Written]"], None], writing: "Future[Written]") -> None:
    """From another thread; when the loop has gone, nobody waits for it."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, writing)


def _length(event: Event) -> int:
    """Characters of what can be long."""
    long = _LONG.get(type(event))
    return 0 if long is None else len(long(event))

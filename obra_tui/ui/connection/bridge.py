"""From the engine's thread to the screen: bounded, joined, and with one wake-up at a time.

The engine's thread only takes a lock and appends. Neighbouring pieces of the
same streamed text become one record, so that a flood costs the screen no more
than a trickle. Knows no Textual: `wake` is any callable that may be called
from any thread.
"""

from collections import deque
from collections.abc import Callable, Sequence
from operator import attrgetter
from threading import Lock

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.events import STREAMED, TALK, Event, Record, Streamed
from obra_tui.core.events.streams import stream_key

_STREAMED = frozenset(STREAMED)
_event_of = attrgetter("event")

PIECE_CHARS = 64_000
"""A joined piece grows no longer than this: the screen must be able to stop between two."""
STREAM_CHARS = 2_000_000
"""What may wait per kind of stream; more than any pane keeps, so what is dropped would not be seen."""
FACTS = 200_000
"""Facts that may wait. More means that the screen hung for minutes: it starts afresh then."""


DRAWN = 4_000
"""Facts that may wait to be drawn, as many as the replay buffer keeps of a task. What Claude says and does beyond that
is only counted: it would be gone as soon as drawn, and what waits would grow for as long as a flood lasts."""


SCREENFUL = 60
FLOOD = 200
"""So many facts from one look to the next, and again so many by the one after it, are more than anybody sees go by."""


class RecordBatch(Struct, frozen=True, kw_only=True):
    records: tuple[Record, ...]
    passed: tuple[Record, ...] = ()
    """Came before `records`, and too fast to be drawn; the history has it."""
    more: bool
    """Not everything was taken: come again after the keys had their turn."""
    dropped_chars: int = 0
    """Streamed text that was never shown; the history has it."""
    overflowed: bool = False
    """Facts were lost: forget the view and subscribe anew."""


class _Entry(Struct):
    """A streamed text that waits in `pieces`, joined when it is taken; `record` is the newest of them."""

    record: Record
    key: tuple[object, ...]
    pieces: list[str]
    chars: int
    began: float
    """When its first piece came: what is joined carries this time."""


class Bridge:
    """A queue of records with two ends: `listen` on the engine's thread, `take` on the screen's."""

    def __init__(
        self, wake: Callable[[], None], *, stream_chars: int = STREAM_CHARS, facts: int = FACTS, drawn: int = DRAWN
    ) -> None:
        self._wake = wake
        self._drawn = drawn
        self._stream_chars = stream_chars
        self._fact_limit = facts
        self._lock = Lock()
        self._queue: deque[_Entry | Record] = deque()
        """Facts as they are, streamed pieces as entries."""
        self._streams: dict[type[object], deque[_Entry]] = {}
        self._chars: dict[type[object], int] = {}
        self._facts = 0
        self._came = self._came_before = 0
        """Facts since the last look, and between that and the one before it."""
        self.flooded = False
        """At the last look more came by than anybody sees."""
        self._dropped = 0
        self._overflowed = False

    def __len__(self) -> int:
        return len(self._queue)

    def listen(self, records: Sequence[Record]) -> None:
        """Put records in; never blocks for longer than a `take` holds the lock."""
        with self._lock:
            if self._facts + len(records) <= self._fact_limit and _all_facts(records):
                self._facts += len(records)
                self._came += len(records)
                self._queue.extend(records)
            else:
                for record in records:
                    self._put(record)
        self._wake()

    def take(self, limit: int = 600, chars: int = 200_000) -> RecordBatch:
        """Return what waits, oldest first, at most `limit` records to draw and about `chars` of streamed text."""
        with self._lock:
            passed = self._pass_by()
            if passed:  # a screenful shows that it goes on; the rest would be drawn for nothing, too
                limit = min(limit, SCREENFUL)
            taken: list[_Entry | Record] = []
            size = 0
            while self._queue and len(taken) < limit and size < chars:
                entry = self._queue.popleft()
                if isinstance(entry, Record):
                    self._facts -= 1
                    taken.append(entry)
                    continue
                size += entry.chars
                self._forget(entry)
                if entry.pieces:
                    taken.append(entry)
            more = bool(self._queue)
            dropped, self._dropped = self._dropped, 0
            overflowed, self._overflowed = self._overflowed, False
        records = tuple(entry if isinstance(entry, Record) else _joined(entry) for entry in taken)
        return RecordBatch(records=records, passed=passed, more=more, dropped_chars=dropped, overflowed=overflowed)

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()
            self._streams.clear()
            self._chars.clear()
            self._facts = 0
            self._dropped = 0
            self._overflowed = False

    def _put(self, record: Record) -> None:
        event = record.event
        if isinstance(event, STREAMED):
            self._put_piece(record, event)
        elif self._facts >= self._fact_limit:
            self._overflowed = True
        else:
            self._facts += 1
            self._came += 1
            self._queue.append(record)

    def _put_piece(self, record: Record, event: Streamed) -> None:
        kind = type(event)
        key = (record.attempt, stream_key(event))
        last = self._queue[-1] if self._queue else None
        size = len(event.text)
        if isinstance(last, _Entry) and last.key == key and last.chars + size <= PIECE_CHARS:
            last.pieces.append(event.text)
            last.chars += size
            last.record = record
        else:
            entry = _Entry(record=record, key=key, pieces=[event.text], chars=size, began=record.at)
            self._queue.append(entry)
            self._streams.setdefault(kind, deque()).append(entry)
        self._chars[kind] = self._chars.get(kind, 0) + size
        self._trim(kind)

    def _trim(self, kind: type[object]) -> None:
        """Drop the oldest waiting text of this kind until the rest fits."""
        waiting = self._streams[kind]
        while self._chars[kind] > self._stream_chars and len(waiting) > 1:
            oldest = waiting.popleft()
            self._chars[kind] -= oldest.chars
            self._dropped += oldest.chars
            oldest.pieces, oldest.chars = [], 0

    def _pass_by(self) -> tuple[Record, ...]:
        """Take out the oldest talk over what can be drawn, up to the first record that is no talk."""
        self.flooded = min(self._came, self._came_before) > FLOOD
        self._came, self._came_before = 0, self._came
        drawn = min(SCREENFUL, self._drawn) if self.flooded else self._drawn
        passed: list[Record] = []
        queue = self._queue
        for _ in range(self._facts - drawn):
            oldest = queue[0]
            if not isinstance(oldest, Record) or type(oldest.event) not in TALK:
                break
            passed.append(oldest)
            queue.popleft()
        self._facts -= len(passed)
        return tuple(passed)

    def _forget(self, entry: _Entry) -> None:
        kind = type(entry.record.event)
        waiting = self._streams[kind]
        if waiting and waiting[0] is entry:
            waiting.popleft()
            self._chars[kind] -= entry.chars


def _all_facts(records: Sequence[Record]) -> bool:
    """Nothing of it is streamed, as in nearly every batch of a burst: it can be put in as it is."""
    return _STREAMED.isdisjoint(map(type, map(_event_of, records)))


def _joined(entry: _Entry) -> Record:
    if len(entry.pieces) < 2:
        return entry.record
    event: Event = entry.record.event
    assert isinstance(event, STREAMED)
    return replace(entry.record, at=entry.began, event=replace(event, text="".join(entry.pieces)))

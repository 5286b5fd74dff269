"""The records that the panes of a task were drawn from, so that a screen can be redrawn after another task was shown.

Bounded: streamed pieces leave when their block is complete, the oldest streamed
ones leave first, and only the tasks looked at or worked on last are kept.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core import events as e
from obra_tui.core.events import Record, Streamed
from obra_tui.core.events.streams import joined
from obra_tui.core.ids import TaskId

TASKS = 12
RECORDS = 4_000
CHARS = 1_500_000


class EventBuffer(Struct):
    records: list[Record] = field(default_factory=list)
    chars: int = 0
    cut: bool = False
    """The beginning is gone."""
    streams: set[tuple[object, ...]] = field(default_factory=set)
    """What pieces are held of; most texts come whole, and need not be looked for."""

    def add(self, record: Record) -> None:
        event = record.event
        if isinstance(event, e.TextFinished | e.TextDropped):
            record = self._in_place_of_pieces(record, event.block)
        elif isinstance(event, e.CheckFinished):
            self._forget_output(record, event.result.spec.name)
        elif isinstance(event, e.STREAMED):
            if self._join(record, event):
                return
            self._remember(record, event)
        self.records.append(record)
        self.chars += _chars(record)
        self._trim()

    def _join(self, record: Record, event: Streamed) -> bool:
        last = self.records[-1] if self.records else None
        if last is None or last.attempt != record.attempt or (both := joined(last.event, event)) is None:
            return False
        self.records[-1] = replace(record, at=last.at, event=both)
        self.chars += len(event.text)
        return True

    def _remember(self, record: Record, event: Streamed) -> None:
        match event:
            case e.TextStreamed(block=name) | e.CheckPrinted(name=name):
                self.streams.add((record.attempt, type(event), name))
            case _:
                pass

    def _in_place_of_pieces(self, record: Record, block: str) -> Record:
        """Return the complete text with the time of its first piece, at which a pane has shown it."""
        if not self._held(record, e.TextStreamed, block):
            return record
        gone = self._drop(lambda old: isinstance(old.event, e.TextStreamed) and old.event.block == block, record)
        return replace(record, at=gone[0].at) if gone else record

    def _forget_output(self, record: Record, name: str) -> None:
        if self._held(record, e.CheckPrinted, name):
            self._drop(lambda old: isinstance(old.event, e.CheckPrinted) and old.event.name == name, record)

    def _held(self, record: Record, kind: type[Streamed], name: str) -> bool:
        key = (record.attempt, kind, name)
        held = key in self.streams
        self.streams.discard(key)
        return held

    def _drop(self, unwanted: Callable[[Record], bool], record: Record) -> Sequence[Record]:
        gone = [old for old in self.records if old.attempt == record.attempt and unwanted(old)]
        if gone:
            self.chars -= sum(_chars(old) for old in gone)
            self.records = [old for old in self.records if old.attempt != record.attempt or not unwanted(old)]
        return gone

    def _trim(self) -> None:
        if len(self.records) <= RECORDS and self.chars <= CHARS:
            return
        self.cut = True
        gone = len(self.records) // 4
        self.chars -= sum(map(_chars, self.records[:gone]))
        del self.records[:gone]


class ReplayBuffer:
    """One buffer per task, the least recently used ones dropped."""

    def __init__(self, keep: int = TASKS) -> None:
        self._buffers: dict[TaskId, EventBuffer] = {}
        self._keep = keep

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            if record.task is not None and record.attempt is not None:
                self._of(record.task).add(record)

    def of(self, task: TaskId) -> Sequence[Record]:
        buffer = self._buffers.get(task)
        return tuple(buffer.records) if buffer else ()

    def holds(self, task: TaskId) -> bool:
        return task in self._buffers

    def clear(self) -> None:
        self._buffers.clear()

    def _of(self, task: TaskId) -> EventBuffer:
        buffer = self._buffers.pop(task, None) or EventBuffer()
        self._buffers[task] = buffer
        while len(self._buffers) > self._keep:
            del self._buffers[next(iter(self._buffers))]
        return buffer


def _chars(record: Record) -> int:
    event = record.event
    return len(event.text) if isinstance(event, (*e.STREAMED, e.TextFinished)) else 200

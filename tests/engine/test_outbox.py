import asyncio

import pytest

from obra_tui.core.errors import StoreError
from obra_tui.core.events import Paused, Resumed, SessionOpened, TextStreamed, ThinkingStreamed
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.model import Policy, SessionKind
from obra_tui.engine.outbox import Outbox
from tests.fakes.clock import FakeClock
from tests.fakes.journal import MemoryJournal

S = SessionId("s1")
T = TaskId("t1")
A = AttemptId("a1")
OPENED = SessionOpened(
    kind=SessionKind.STANDALONE,
    title="x",
    project="/p",
    branch="obra/s1",
    base_commit="b",
    policy=Policy.MANUAL,
    threshold=0.7,
    max_attempts=3,
)


class Wire:
    """An outbox with everything around it."""

    def __init__(self):
        self.journal = MemoryJournal()
        self.failures = []
        self.told = []
        self.outbox = Outbox(self.journal, FakeClock(), self.failures.append)
        self.outbox.commit(S, [(None, None, OPENED)])
        self.outbox.subscribe(self._listen)

    def _listen(self, records):
        self.told.extend((record.seq, record.event) for record in records)
        for record in records:
            assert record in self.journal.records[S], "told before it was written"

    async def until_told(self, count):
        async with asyncio.timeout(5):
            while len(self.told) < count:
                await asyncio.sleep(0)


def text(piece, block="b"):
    return TextStreamed(block=block, text=piece)


async def test_events_are_written_before_anybody_hears_of_them():
    wire = Wire()
    wire.outbox.commit(S, [(None, None, Paused(by="me")), (None, None, Resumed(by="me"))])
    assert [seq for seq, _ in wire.told] == [2, 3]
    assert len(wire.journal.batches) == 2, "one commit is one transaction"


async def test_streamed_pieces_are_joined_and_arrive_by_themselves():
    wire = Wire()
    for piece in ("a", "b", "c"):
        wire.outbox.tell(S, T, A, text(piece))
    assert wire.told == []
    await wire.until_told(1)
    assert wire.told == [(2, text("abc"))]


async def test_pieces_of_different_streams_stay_apart_and_in_order():
    wire = Wire()
    wire.outbox.tell(S, T, A, text("a"))
    wire.outbox.tell(S, T, A, text("b", "other"))
    wire.outbox.tell(S, T, AttemptId("a2"), text("c", "other"))
    wire.outbox.tell(S, T, AttemptId("a2"), ThinkingStreamed(block="other", text="d"))
    await wire.until_told(4)
    assert [seq for seq, _ in wire.told] == [2, 3, 4, 5]
    assert [event.text for _, event in wire.told] == ["a", "b", "c", "d"]


async def test_a_commit_takes_what_was_pending_with_it_first():
    wire = Wire()
    wire.outbox.tell(S, T, A, text("before"))
    wire.outbox.commit(S, [(None, None, Paused(by="me"))])
    assert [event for _, event in wire.told] == [text("before"), Paused(by="me")]


async def test_a_commit_that_cannot_be_written_did_not_happen():
    wire = Wire()
    wire.outbox.tell(S, T, A, text("kept"))
    wire.journal.fail_next = StoreError("disk full")
    with pytest.raises(StoreError):
        wire.outbox.commit(S, [(None, None, Paused(by="me"))])
    assert wire.told == []
    wire.outbox.commit(S, [(None, None, Resumed(by="me"))])
    assert [(seq, type(event)) for seq, event in wire.told] == [(2, TextStreamed), (3, Resumed)]


async def test_a_failed_flush_is_reported_and_nothing_is_lost():
    wire = Wire()
    wire.journal.fail_next = StoreError("disk full")
    wire.outbox.tell(S, T, A, text("kept"))
    async with asyncio.timeout(5):
        while not wire.failures:
            await asyncio.sleep(0)
    wire.outbox.flush()
    assert wire.told == [(2, text("kept"))]


async def test_a_burst_is_written_before_it_piles_up():
    wire = Wire()
    for number in range(5_000):
        wire.outbox.tell(S, T, A, text("x", str(number)))
    assert len(wire.told) >= 4_000


async def test_much_text_is_written_before_it_piles_up():
    wire = Wire()
    for number in range(10):
        wire.outbox.tell(S, T, A, text("x" * 100_000, block=f"b{number % 2}"))
    assert len(wire.told) == 10
    wire.outbox.tell(S, T, A, text("one more"))
    assert len(wire.told) == 10, "counted afresh"


async def test_who_unsubscribed_hears_nothing_more():
    wire = Wire()
    heard = []
    unsubscribe = wire.outbox.subscribe(heard.extend)
    unsubscribe()
    unsubscribe()
    wire.outbox.commit(S, [(None, None, Paused(by="me"))])
    assert heard == []

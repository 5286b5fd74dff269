import asyncio
from threading import Event

import pytest

from obra_tui.core.errors import StoreAway, StoreError
from obra_tui.core.events import Paused, Resumed, SessionOpened, TextStreamed, ThinkingStreamed
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.model import Policy, SessionKind
from obra_tui.engine.outbox import LARGE, Outbox
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

    def __init__(self, journal=None):
        self.journal = journal or MemoryJournal()
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
        wire.outbox.emit(S, T, A, text(piece))
    assert wire.told == []
    await wire.until_told(1)
    assert wire.told == [(2, text("abc"))]


async def test_pieces_of_different_streams_stay_apart_and_in_order():
    wire = Wire()
    wire.outbox.emit(S, T, A, text("a"))
    wire.outbox.emit(S, T, A, text("b", "other"))
    wire.outbox.emit(S, T, AttemptId("a2"), text("c", "other"))
    wire.outbox.emit(S, T, AttemptId("a2"), ThinkingStreamed(block="other", text="d"))
    await wire.until_told(4)
    assert [seq for seq, _ in wire.told] == [2, 3, 4, 5]
    assert [event.text for _, event in wire.told] == ["a", "b", "c", "d"]


async def test_a_commit_takes_what_was_pending_with_it_first():
    wire = Wire()
    wire.outbox.emit(S, T, A, text("before"))
    wire.outbox.commit(S, [(None, None, Paused(by="me"))])
    assert [event for _, event in wire.told] == [text("before"), Paused(by="me")]


async def test_a_commit_that_cannot_be_written_did_not_happen():
    wire = Wire()
    wire.outbox.emit(S, T, A, text("kept"))
    wire.journal.fail_next = StoreError("disk full")
    with pytest.raises(StoreError):
        wire.outbox.commit(S, [(None, None, Paused(by="me"))])
    assert wire.told == []
    wire.outbox.commit(S, [(None, None, Resumed(by="me"))])
    assert [(seq, type(event)) for seq, event in wire.told] == [(2, TextStreamed), (3, Resumed)]


async def test_a_failed_flush_is_reported_and_nothing_is_lost():
    wire = Wire()
    wire.journal.fail_next = StoreError("disk full")
    wire.outbox.emit(S, T, A, text("kept"))
    async with asyncio.timeout(5):
        while not wire.failures:
            await asyncio.sleep(0)
    wire.outbox.flush()
    assert wire.told == [(2, text("kept"))]


async def test_a_burst_is_written_before_it_piles_up():
    wire = Wire()
    for number in range(5_000):
        wire.outbox.emit(S, T, A, text("x", str(number)))
    assert len(wire.told) >= 2_000
    await wire.until_told(5_000)
    assert [seq for seq, _ in wire.told] == list(range(2, 5_002))


class SlowJournal(MemoryJournal):
    """Writes a burst only when it may."""

    def __init__(self):
        super().__init__()
        self.may_write = Event()

    def ready(self, records):
        write = super().ready(records)

        def wait_and_write():
            assert self.may_write.wait(5), "never allowed to write"
            write()

        return wait_and_write


async def burst_under_way():
    wire = Wire(SlowJournal())
    for number in range(LARGE):
        wire.outbox.emit(S, T, A, text("x", str(number)))
    async with asyncio.timeout(5):
        while not wire.outbox._under_way:
            await asyncio.sleep(0)
    return wire


async def test_what_comes_while_a_burst_is_written_follows_it():
    wire = await burst_under_way()
    wire.outbox.emit(S, T, A, text("after"))
    due, loop = wire.outbox._timer, asyncio.get_running_loop()
    while loop.time() < due.when() or wire.outbox._timer is not due:
        due = wire.outbox._timer
        await asyncio.sleep(0)
    for _ in range(3):  # it is due, and the loop does not stand still for it
        await asyncio.sleep(0)
    assert wire.told == [], "nothing was written yet"
    wire.journal.may_write.set()
    await wire.until_told(LARGE + 1)
    assert [seq for seq, _ in wire.told] == list(range(2, LARGE + 3))
    assert [len(batch) for batch in wire.journal.batches] == [1, LARGE, 1]


async def test_a_commit_waits_for_the_burst_that_is_being_written():
    wire = await burst_under_way()
    asyncio.get_running_loop().run_in_executor(None, wire.journal.may_write.set)
    wire.outbox.commit(S, [(None, None, Paused(by="me"))])
    assert [seq for seq, _ in wire.told] == list(range(2, LARGE + 3))
    assert wire.told[-1][1] == Paused(by="me")


async def test_a_burst_that_cannot_be_written_stays_before_what_came_meanwhile():
    wire = await burst_under_way()
    wire.outbox.emit(S, T, A, text("after"))
    wire.journal.fail_next = StoreAway("the server is away")
    wire.journal.may_write.set()
    async with asyncio.timeout(5):
        while not wire.failures:
            await asyncio.sleep(0)
    assert wire.told == []
    wire.outbox.flush()
    assert [seq for seq, _ in wire.told] == list(range(2, LARGE + 3))
    assert wire.told[-1][1] == text("after")


async def test_a_commit_after_a_burst_that_cannot_be_written_did_not_happen():
    wire = await burst_under_way()
    wire.journal.fail_next = StoreError("disk full")
    wire.journal.may_write.set()
    with pytest.raises(StoreError):
        wire.outbox.commit(S, [(None, None, Paused(by="me"))])
    assert wire.told == []
    wire.outbox.commit(S, [(None, None, Resumed(by="me"))])
    assert [seq for seq, _ in wire.told] == list(range(2, LARGE + 3))
    assert wire.told[-1][1] == Resumed(by="me")


async def test_a_session_keeps_its_place_while_its_burst_is_being_written():
    wire = await burst_under_way()
    wire.outbox.forget(S)
    wire.journal.may_write.set()
    wire.outbox.emit(S, T, A, text("after"))
    await wire.until_told(LARGE + 1)
    assert wire.told[-1] == (LARGE + 2, text("after"))


async def test_much_text_is_written_before_it_piles_up():
    wire = Wire()
    for number in range(10):
        wire.outbox.emit(S, T, A, text("x" * 100_000, block=f"b{number % 2}"))
    assert len(wire.told) == 10
    wire.outbox.emit(S, T, A, text("one more"))
    assert len(wire.told) == 10, "counted afresh"


async def test_who_unsubscribed_hears_nothing_more():
    wire = Wire()
    heard = []
    unsubscribe = wire.outbox.subscribe(heard.extend)
    unsubscribe()
    unsubscribe()
    wire.outbox.commit(S, [(None, None, Paused(by="me"))])
    assert heard == []

import asyncio
from threading import Thread

from obra_tui.core import events as e
from obra_tui.ui.connection.bridge import SCREENFUL, Bridge
from obra_tui.ui.connection.wakeup import MANY, Wakeup


def record(seq: int, event: e.Event, attempt: str = "a1") -> e.Record:
    return e.Record(seq=seq, at=float(seq), session="s1", task="t1", attempt=attempt, event=event)


def text(seq: int, piece: str, block: str = "b1") -> e.Record:
    return record(seq, e.TextStreamed(block=block, text=piece))


def bridge(**limits) -> Bridge:
    return Bridge(lambda: None, **limits)


def test_neighbouring_pieces_of_one_block_become_one():
    queue = bridge()
    queue.listen([text(1, "Hel"), text(2, "lo")])
    queue.listen([text(3, "!")])
    batch = queue.take()
    assert [item.event.text for item in batch.records] == ["Hello!"]
    assert batch.records[0].seq == 3


def test_order_is_kept_between_text_and_facts():
    queue = bridge()
    tool = record(2, e.ToolStarted(call="c", tool="Read", title="x", input_json="{}"))
    queue.listen([text(1, "a"), tool, text(3, "b"), text(4, "c", block="b2")])
    got = queue.take().records
    assert [getattr(item.event, "text", "tool") for item in got] == ["a", "tool", "b", "c"]


def test_what_is_joined_after_a_take_starts_anew():
    queue = bridge()
    queue.listen([text(1, "a")])
    queue.take()
    queue.listen([text(2, "b")])
    assert [item.event.text for item in queue.take().records] == ["b"]


def test_a_flood_is_cut_at_the_oldest_text_and_never_at_facts():
    queue = bridge(stream_chars=100)
    for number in range(50):
        queue.listen([text(2 * number, "x" * 10, block=str(number)), record(2 * number + 1, e.RunStarted())])
    batch = queue.take()
    kept = [item for item in batch.records if isinstance(item.event, e.TextStreamed)]
    assert sum(isinstance(item.event, e.RunStarted) for item in batch.records) == 50
    assert sum(len(item.event.text) for item in kept) == 100
    assert kept[-1].event.block == "49"
    assert batch.dropped_chars == 400


def test_one_kind_of_stream_does_not_push_out_another():
    queue = bridge(stream_chars=100)
    queue.listen([record(1, e.JudgeStreamed(part=1, text="verdict"))])
    queue.listen([text(number, "x" * 60, block=str(number)) for number in range(2, 20)])
    assert any(isinstance(item.event, e.JudgeStreamed) for item in queue.take().records)


def test_too_many_facts_ask_for_a_fresh_start():
    queue = bridge(facts=3)
    queue.listen([record(number, e.RunStarted()) for number in range(5)])
    assert queue.take().overflowed
    assert not queue.take().overflowed


def called(seq: int) -> e.Record:
    return record(seq, e.ToolStarted(call=f"c{seq}", tool="Read", title="x", input_json="{}"))


def test_what_comes_too_fast_to_be_drawn_is_passed_by_in_order():
    queue = bridge(drawn=10)
    queue.listen([called(number) for number in range(25)])
    batch = queue.take(limit=4)
    assert [item.seq for item in batch.passed] == [*range(15)]
    assert [item.seq for item in batch.records] == [15, 16, 17, 18]
    assert not queue.take().passed, "no more than can be drawn waits now"


def test_a_flood_that_lasts_is_shown_by_a_screenful_at_a_time():
    queue = bridge()
    queue.listen([called(number) for number in range(500)])
    assert len(queue.take().records) == 500, "a burst is drawn whole"
    queue.listen([called(number) for number in range(500, 1_000)])
    flooded = queue.take()
    assert [item.seq for item in flooded.passed] == [*range(500, 1_000 - SCREENFUL)]
    assert [item.seq for item in flooded.records] == [*range(1_000 - SCREENFUL, 1_000)]
    assert queue.flooded, "nobody need hurry"
    queue.listen([called(number) for number in range(1_000, 1_100)])
    assert not queue.take().passed, "it is over"
    assert not queue.flooded


def test_what_was_there_before_is_drawn_in_several_looks():
    queue = bridge()
    queue.listen([called(number) for number in range(1_500)])
    looks = [queue.take() for _ in range(3)]
    assert [len(look.records) for look in looks] == [600, 600, 300]
    assert not any(look.passed for look in looks)


def test_nothing_but_talk_is_passed_by():
    queue = bridge(drawn=2)
    queue.listen([called(0), record(1, e.RunStarted()), *(called(number) for number in range(2, 9))])
    first = queue.take(limit=1)
    assert ([item.seq for item in first.passed], [item.seq for item in first.records]) == ([0], [1])
    second = queue.take()
    assert [item.seq for item in (*second.passed, *second.records)] == [*range(2, 9)]


def test_a_batch_is_bounded_and_says_that_there_is_more():
    queue = bridge()
    queue.listen([record(number, e.RunStarted()) for number in range(5)])
    first = queue.take(limit=3)
    assert (len(first.records), first.more) == (3, True)
    assert (len(queue.take(limit=3).records), queue.take().more) == (2, False)


async def test_many_pokes_are_one_run():
    runs: list[int] = []
    wakeup = Wakeup(lambda: runs.append(1))

    def flood() -> None:
        for _ in range(1000):
            wakeup.poke()

    thread = Thread(target=flood)
    thread.start()
    await asyncio.to_thread(thread.join)
    await _until(lambda: runs)
    assert len(runs) <= 3


async def test_a_poke_during_the_run_is_not_lost():
    runs: list[int] = []

    def run() -> None:
        runs.append(1)
        if len(runs) == 1:
            wakeup.poke()

    wakeup = Wakeup(run, interval_s=0.001, calm_s=0.001)
    wakeup.poke()
    await _until(lambda: len(runs) == 2)


async def test_what_trickles_in_waits_longer_than_a_burst():
    ran: list[float] = []
    waiting = [0]
    clock = asyncio.get_running_loop().time
    wakeup = Wakeup(lambda: ran.append(clock()), lambda: waiting[0], interval_s=0.01, calm_s=0.1)
    for much in (0, 1, MANY):
        waiting[0] = much
        wakeup.poke()
        await _until(lambda: not wakeup._pending)
    first, trickle, burst = ran
    assert trickle - first >= 0.1
    assert burst - trickle >= 0.01


async def test_a_trickle_that_becomes_a_burst_is_not_kept_waiting():
    ran: list[int] = []
    waiting = [0]
    wakeup = Wakeup(lambda: ran.append(1), lambda: waiting[0], interval_s=0.001, calm_s=1000.0)
    wakeup._last = asyncio.get_running_loop().time()
    wakeup.poke()
    await asyncio.sleep(0.02)
    assert not ran
    waiting[0] = MANY
    wakeup.poke()
    await _until(lambda: ran)


async def test_what_is_left_of_a_burst_is_not_kept_waiting():
    ran: list[int] = []
    waiting = [MANY]
    wakeup = Wakeup(lambda: ran.append(1), lambda: waiting[0], interval_s=0.001, calm_s=1000.0)
    wakeup.poke()
    await _until(lambda: ran)
    waiting[0] = 1
    wakeup.poke()
    await _until(lambda: len(ran) == 2)


async def test_nobody_is_woken_after_the_end():
    runs: list[int] = []
    wakeup = Wakeup(lambda: runs.append(1))
    wakeup.poke()
    wakeup.close()
    wakeup.poke()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not runs


async def _until(condition) -> None:
    while not condition():
        await asyncio.sleep(0)

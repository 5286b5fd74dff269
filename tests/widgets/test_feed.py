"""Items come through in order, woken rarely, dropped oldest first and counted."""

import threading

from textual.app import App

from widgets.feed import Feed, skipped_line


class Sink(App):
    def __init__(self, feed):
        super().__init__()
        self.feed = feed
        self.batches = []

    def on_mount(self):
        self.feed.attach(self, self.batches.append)


async def until(pilot, condition):
    for _ in range(500):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not happen")


def items(app):
    return [item for batch in app.batches for item in batch.items]


async def test_what_a_thread_puts_arrives_in_order():
    feed = Feed(limit=100_000)
    app = Sink(feed)
    async with app.run_test() as pilot:
        thread = threading.Thread(target=lambda: [feed.put(i) for i in range(5000)])
        thread.start()
        await until(pilot, lambda: len(items(app)) == 5000)
        thread.join()
    assert items(app) == list(range(5000))
    assert len(app.batches) < 100


async def test_items_put_before_anybody_listens_are_delivered():
    feed = Feed()
    feed.put_many("abc")
    app = Sink(feed)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.batches)
    assert items(app) == ["a", "b", "c"]


def test_the_oldest_items_are_dropped_and_counted():
    feed = Feed(limit=100)
    feed.put_many(range(250))
    batch = feed.drain()
    assert batch.items[-1] == 249
    assert len(batch.items) <= 100
    assert batch.skipped + len(batch.items) == 250
    assert batch.items == list(range(250 - len(batch.items), 250))


def test_items_that_may_not_be_dropped_stay_in_order():
    feed = Feed(limit=10, droppable=lambda item: item % 10 != 0)
    feed.put_many(range(100))
    batch = feed.drain()
    assert [item for item in batch.items if item % 10 == 0] == list(range(0, 100, 10))
    assert batch.items == sorted(batch.items)


def test_a_feed_nobody_listens_to_stays_bounded():
    feed = Feed(limit=10)
    for item in range(1000):
        feed.put(item)
    assert len(feed) <= 10


async def test_a_closed_screen_does_not_stop_the_producer():
    feed = Feed()
    app = Sink(feed)
    async with app.run_test():
        pass
    feed._loop = _Closed()
    feed.put(1)
    assert feed.drain().items == [1]


class _Closed:
    def call_soon_threadsafe(self, *_):
        raise RuntimeError("Event loop is closed")


def test_the_skipped_line_names_the_count():
    assert skipped_line(1234).text == "… 1,234 lines skipped on screen, kept in the record"

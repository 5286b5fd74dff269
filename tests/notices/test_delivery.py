"""Delivery: one message for a batch, a failed channel is said once and tried again, and nothing is lost at the end."""

import queue

from obra_tui.notices.delivery import Delivery
from obra_tui.notices.notice import NoticeReader
from tests.ui import stories

SOON = 20.0


class FakeChannel:
    """Answers with `problems` one after the other, then with success."""

    def __init__(self, name="a", problems=()):
        self.name = name
        self.problems = list(problems)
        self.sent = queue.SimpleQueue()

    def send(self, message):
        problem = self.problems.pop(0) if self.problems else ""
        self.sent.put((message, problem))
        return problem


def delivery(*channels, batch_s=0.0, retries_s=(0.0, 0.0)):
    told = []
    return Delivery(channels, NoticeReader(), told.append, batch_s=batch_s, retries_s=retries_s), told


def test_a_notice_goes_to_every_channel():
    first, second = FakeChannel("first"), FakeChannel("second")
    sender, _ = delivery(first, second)
    sender.take(stories.at_gate().records)
    assert "T001 waits" in first.sent.get(timeout=SOON)[0].body
    assert "T001 waits" in second.sent.get(timeout=SOON)[0].body
    sender.close()


def test_what_comes_within_a_moment_is_one_message():
    channel = FakeChannel()
    sender, _ = delivery(channel, batch_s=SOON)
    sender.take(stories.at_gate().records)
    sender.take(stories.at_gate().records)
    sender.close()
    message, _ = channel.sent.get(timeout=SOON)
    assert message.body.count("waits for your decision") == 2
    assert channel.sent.empty()


def test_a_channel_that_fails_is_said_once_and_tried_again():
    channel = FakeChannel("notify.channels number 1", ["refused", "refused"])
    sender, told = delivery(channel)
    sender.take(stories.at_gate().records)
    tries = [channel.sent.get(timeout=SOON)[1] for _ in range(3)]
    sender.close()
    assert tries == ["refused", "refused", ""]
    assert told == ["A notice by notify.channels number 1 failed: refused. Try it with `obra notify test`."]


def test_a_channel_that_never_works_is_given_up_and_the_others_go_on():
    dead, alive = FakeChannel("dead", ["no"] * 100), FakeChannel("alive")
    sender, told = delivery(dead, alive)
    sender.take(stories.at_gate().records)
    for _ in range(3):
        dead.sent.get(timeout=SOON)
    alive.sent.get(timeout=SOON)
    sender.take(stories.at_gate().records)
    alive.sent.get(timeout=SOON)
    sender.close()
    assert len(told) == 1


def test_closing_sends_what_still_waits_for_its_batch():
    channel = FakeChannel()
    sender, _ = delivery(channel, batch_s=600.0)
    sender.take(stories.at_gate().records)
    sender.close(SOON)
    assert "T001 waits" in channel.sent.get(timeout=SOON)[0].body


def test_what_a_person_looks_at_is_no_news_but_tells_what_tasks_are_called():
    story = stories.two_tasks()
    channel = FakeChannel()
    sender, _ = delivery(channel)
    known = len(story.records)
    sender.take(story.records, is_seen=True)
    whole = stories.at_gate().records
    sender.take(whole[known:])
    sender.close(SOON)
    assert channel.sent.get(timeout=SOON)[0].body.startswith("T001 waits")
    assert channel.sent.empty()

"""The one rule of which streamed pieces belong together."""

import pytest

from obra_tui.core import events as e
from obra_tui.core.events.streams import joined, stream_key

PAIRS = [
    (e.TextStreamed(block="1", text="a"), e.TextStreamed(block="1", text="b")),
    (e.ThinkingStreamed(block="1", text="a"), e.ThinkingStreamed(block="1", text="b")),
    (e.CheckPrinted(name="tests", text="a"), e.CheckPrinted(name="tests", text="b")),
    (e.JudgeStreamed(part=2, text="a"), e.JudgeStreamed(part=2, text="b")),
]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda event: event.type)
def test_two_pieces_of_one_stream_become_one_event(first, second):
    both = joined(first, second)
    assert type(both) is type(first)
    assert both.text == "ab"
    assert stream_key(both) == stream_key(first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (e.TextStreamed(block="1", text="a"), e.TextStreamed(block="2", text="b")),
        (e.TextStreamed(block="1", text="a"), e.ThinkingStreamed(block="1", text="b")),
        (e.CheckPrinted(name="tests", text="a"), e.CheckPrinted(name="lint", text="b")),
        (e.JudgeStreamed(part=1, text="a"), e.JudgeStreamed(part=2, text="b")),
        (e.TextFinished(block="1", text="a"), e.TextStreamed(block="1", text="b")),
        (e.TextFinished(block="1", text="a"), e.TextFinished(block="1", text="b")),
    ],
)
def test_pieces_of_different_streams_and_facts_stay_apart(first, second):
    assert joined(first, second) is None


def test_every_streamed_event_has_a_key_and_no_other_event_has_one():
    assert {type(first) for first, _ in PAIRS} == set(e.STREAMED)
    assert all(stream_key(first) for first, _ in PAIRS)
    assert stream_key(e.TextFinished(block="1", text="a")) is None

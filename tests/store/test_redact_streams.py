"""What is streamed in pieces is printed without the secrets that only the pieces together show."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from obra_tui.core import events as ev
from obra_tui.core.ids import new_attempt_id
from obra_tui.store.redact import Redactor
from obra_tui.store.redact_streams import StreamRedactor
from tests.store.story import finished_session

pytestmark = pytest.mark.quick

KEY = "sk-ant-api03-" + "A1b2" * 12
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEow\n" * 40 + "-----END RSA PRIVATE KEY-----"
OWN = "correct horse\nbattery staple"
ATTEMPT = new_attempt_id()
FIRST = finished_session().records[0]


def record(event, attempt=ATTEMPT):
    return replace(FIRST, attempt=attempt, event=event)


def told(*records):
    """Return all that is printed of these records, and their texts by the kind of the stream."""
    redactor = StreamRedactor(Redactor([OWN]))
    printed = [clean for one in records for clean in redactor.take(one)]
    return printed, "".join(clean.event.text for clean in printed if isinstance(clean.event, ev.STREAMED))


def pieces(text, *cuts):
    ends = [0, *sorted(cuts), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def end(block="b"):
    return record(ev.TextFinished(block=block, text=""))


@pytest.mark.parametrize("secret", [KEY, PEM, OWN, f"Bearer {'x9' * 20}"], ids=["key", "PEM", "own", "bearer"])
@given(cuts=st.sets(st.integers(0, 300), max_size=9))
def test_a_secret_in_pieces_is_told_by_none_of_them_however_it_is_cut(secret, cuts):
    text = f"I use\n{secret}\nand go on.\nTo the end"
    parts = [
        record(ev.TextStreamed(block="b", text=part)) for part in pieces(text, *(c for c in cuts if c < len(text)))
    ]
    _, whole = told(*parts, end())
    assert whole == Redactor([OWN]).text(text)
    assert "[redacted: " in whole


@given(st.lists(st.text(alphabet="ab \n-:/@", max_size=9), max_size=12))
def test_nothing_else_is_lost_or_changed(parts):
    _, whole = told(*(record(ev.TextStreamed(block="b", text=part)) for part in parts), end())
    assert whole == "".join(parts)


def test_pieces_of_others_between_do_not_let_it_out():
    other = new_attempt_id()
    printed, whole = told(
        record(ev.ThinkingStreamed(block="t", text=KEY[:20])),
        record(ev.TextStreamed(block="x", text="hello\n"), other),
        record(ev.ClaudeActivity(state="running")),
        record(ev.ThinkingStreamed(block="t", text=KEY[20:])),
        record(ev.TextStreamed(block="b", text="said\n")),
        end(),
    )
    assert "A1b2" not in whole
    assert [one.event.type for one in printed].count("thinking_streamed") == 1


def test_what_waits_is_told_before_the_record_that_ends_its_stream():
    printed, whole = told(record(ev.TextStreamed(block="b", text="half a line")), end())
    assert [one.event.type for one in printed] == ["text_streamed", "text_finished"]
    assert whole == "half a line"


@given(st.lists(st.text(alphabet="ab \n-:/@", min_size=1, max_size=9), max_size=12))
def test_no_number_is_told_twice_and_no_piece_is_empty(parts):
    streamed = [replace(record(ev.TextStreamed(block="b", text=part)), seq=number) for number, part in enumerate(parts)]
    printed, _ = told(*streamed, replace(end(), seq=len(parts)))
    assert len({one.seq for one in printed}) == len(printed)
    assert all(one.event.text for one in printed if isinstance(one.event, ev.STREAMED))


def test_a_line_without_an_end_is_told_after_a_while():
    many = [record(ev.CheckPrinted(name="tests", text="word " * 1000)) for _ in range(20)]
    printed, _ = told(*many)
    assert sum(len(one.event.text) for one in printed) > 50_000


def test_the_end_of_the_run_tells_what_is_left():
    over = record(ev.RunFinished(accepted=0, rejected=0, failed=0, waiting=0, interrupted=1, blocked=0), None)
    _, whole = told(record(ev.JudgeStreamed(part=1, text="verdict")), over)
    assert whole == "verdict"

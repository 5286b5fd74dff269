"""Any event survives the way into the database and back, whatever text is in it."""

import json
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from obra_tui.core import events as e
from obra_tui.core.events import Event, Record
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.store.codec import (
    EVENT_CLASSES,
    STREAMED_TYPES,
    DamagedRecord,
    decode,
    encode,
    record_to_json,
)

# Low surrogates are what undecodable bytes become; a high one beside a low one is no text of anything.
TEXT = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from('\x00\x1b"\\\udc80\udcff\n\u2028\U0001f600')), max_size=20
)
FLOATS = st.floats(allow_nan=False)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Strategy for any type that occurs in an event."""
    if isinstance(hint, NewType):
        return values_of(hint.__supertype__)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return instances_of(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([values_of(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, arguments))
    return {str: TEXT, int: st.integers(-(2**62), 2**62), float: FLOATS, bool: st.booleans(), NoneType: st.none()}[hint]


def instances_of(cls: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    return st.builds(cls, **{field: values_of(hints[field]) for field in cls.__struct_fields__})


EVENTS = st.sampled_from(sorted(EVENT_CLASSES)).flatmap(lambda name: instances_of(EVENT_CLASSES[name]))


def record_from_json(line: str) -> Record:
    """Read a line of output back, as a program of somebody else would by docs/protocol.md."""
    row: dict[str, Any] = json.loads(line)
    place = {name: row.pop(name) for name in ("seq", "at", "session", "task", "attempt")}
    kind: str = row.pop("type")
    own = {name.removeprefix("event_") if name.removeprefix("event_") in place else name: row[name] for name in row}
    return Record(event=decode(kind, json.dumps({**own, "type": kind})), **place)


OPTIONAL_ID = st.one_of(st.none(), st.just("t123"))
RECORDS = st.builds(
    Record,
    seq=st.integers(1, 2**40),
    at=st.floats(0, 1e11),
    session=st.just(SessionId("s1")),
    task=OPTIONAL_ID,
    attempt=OPTIONAL_ID,
    event=EVENTS,
)


@pytest.mark.parametrize("name", sorted(EVENT_CLASSES))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_as_it_was(name: str, data: Any) -> None:
    event = data.draw(instances_of(EVENT_CLASSES[name]))
    body = encode(event)
    assert decode(name, body) == event
    assert "\x00" not in body
    body.encode()


@settings(max_examples=80, deadline=None)
@given(RECORDS)
def test_every_record_comes_back_from_its_line(record: Record) -> None:
    line = record_to_json(record)
    assert "\n" not in line
    assert json.loads(line)["type"] == record.event.type
    assert record_from_json(line) == record


def test_every_event_class_has_a_name_of_its_own() -> None:
    assert set(EVENT_CLASSES.values()) == set(get_args(Event))
    assert {"text_streamed", "thinking_streamed", "check_printed", "judge_streamed"} == STREAMED_TYPES


def test_a_line_begins_with_what_and_where_and_is_flat() -> None:
    event = e.TaskMoved(before=State.QUEUED, trigger=Trigger.START, after=State.IMPLEMENTING)
    record = Record(seq=3, at=1.5, session=SessionId("s1"), task=TaskId("t1"), attempt=None, event=event)
    assert record_to_json(record) == (
        '{"type":"task_moved","seq":3,"at":1.5,"session":"s1","task":"t1","attempt":null,'
        '"before":"queued","trigger":"start","after":"implementing","reason":""}'
    )


def test_an_event_without_fields_makes_a_line_too() -> None:
    record = Record(seq=1, at=1.0, session=SessionId("s1"), task=None, attempt=None, event=e.RunStarted())
    assert json.loads(record_to_json(record))["type"] == "run_started"


def test_a_field_that_is_called_like_a_place_gets_another_name_in_a_line() -> None:
    event = e.RetryScheduled(attempt=2, max_retries=5, delay_s=1.0, status=529, error="overloaded")
    record = Record(seq=1, at=1.0, session=SessionId("s1"), task=None, attempt=AttemptId("a1"), event=event)
    line = json.loads(record_to_json(record))
    assert (line["attempt"], line["event_attempt"]) == ("a1", 2)
    assert record_from_json(record_to_json(record)) == record


def test_an_event_of_a_later_version_is_shown_as_a_notice() -> None:
    event = decode("invented_later", '{"x":1}')
    assert isinstance(event, e.ClaudeNoticed)
    assert event.raw_json == '{"x":1}'
    assert "invented_later" in event.text


def test_a_field_of_a_later_version_is_ignored() -> None:
    assert decode("paused", '{"by":"ada","later":1,"type":"paused"}') == e.Paused(by="ada")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("paused", '{"type":"paused"}'),
        ("paused", '{"by":7,"type":"paused"}'),
        ("paused", '{"by":"ada"'),
        ("task_moved", '{"before":"nowhere","trigger":"start","after":"queued","type":"task_moved"}'),
        ("text_streamed", '{"block":"b"}'),
        ("text_streamed", "[]"),
        ("text_streamed", ""),
    ],
)
def test_a_damaged_row_is_refused_by_name(name: str, body: str) -> None:
    with pytest.raises(DamagedRecord, match=name):
        decode(name, body)


def test_infinity_survives() -> None:
    event = e.RetryScheduled(attempt=1, max_retries=1, delay_s=float("inf"), status=None, error="")
    assert decode("retry_scheduled", encode(event)) == event


HOSTILE = ("\x00", "\x1b]52;c;x\x07", "\udc80\udcff", "é\udc80\x00", '"\\', "\u2028\n\r", "\U0001f600", "\x7f\x9b")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "make",
    [
        lambda text: e.TextStreamed(block=text, text=text),
        lambda text: e.ThinkingStreamed(block=text, text=text),
        lambda text: e.CheckPrinted(name=text, text=text),
        lambda text: e.JudgeStreamed(part=1, text=text),
        lambda text: e.ToolFinished(call=text, is_error=False, output=text, patch=text),
        lambda text: e.TaskMoved(before=State.QUEUED, trigger=Trigger.START, after=State.FAILED, reason=text),
    ],
)
def test_hostile_text_comes_back_as_it_was(make: Any, text: str) -> None:
    event = make(text)
    body = encode(event)
    assert decode(event.type, body) == event
    assert "\x00" not in body
    body.encode()

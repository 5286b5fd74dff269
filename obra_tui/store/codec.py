"""Events as JSON and back, exactly.

`encode` / `decode` make the text that a journal row holds; `record_to_json` /
`record_from_json` make one line of `--json` output. The text is always valid
UTF-8 without NUL, whatever an agent printed: control characters and lone
surrogates are escaped as JSON allows. Streamed events, which are nearly all of
a journal, take a hand-written path. Knows nothing of tables or files.
"""

import functools
import json
from collections.abc import Callable
from dataclasses import fields
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Annotated, Any, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from obra_tui.core.errors import StoreError
from obra_tui.core.events import (
    STREAMED,
    CheckPrinted,
    ClaudeNoticed,
    Event,
    JudgeStreamed,
    Record,
    TextStreamed,
    ThinkingStreamed,
)
from obra_tui.core.ids import AttemptId, SessionId, TaskId

EVENT_CLASSES: dict[str, type] = {
    str(next(field.default for field in fields(cls) if field.name == "type")): cls for cls in get_args(Event)
}
"""Name in the journal → class."""

STREAMED_TYPES = frozenset(name for name, cls in EVENT_CLASSES.items() if cls in STREAMED)

_ENVELOPE = ("seq", "at", "session", "task", "attempt")
_COLLIDING = {
    name: tuple(f.name for f in fields(cls) if f.name in _ENVELOPE)
    for name, cls in EVENT_CLASSES.items()
    if any(f.name in _ENVELOPE for f in fields(cls))
}
"""Fields of an event that are called like a field of the record; `event_<name>` in a line of output."""


@functools.cache
def _adapter() -> TypeAdapter[Event]:
    """Made when the first event is written or read: who only looks for sessions never needs it."""
    return TypeAdapter(
        Annotated[Event, Field(discriminator="type")],
        config=ConfigDict(strict=True, ser_json_inf_nan="constants"),
    )


@functools.cache
def _to_json() -> Callable[[Event], bytes]:
    """What `dump_json` calls after it has looked at a dozen settings, which takes it a third of the time."""
    return _adapter().serializer.to_json


class DamagedRecord(StoreError):
    """A stored event that this version knows by name but cannot read."""


def _quoted(text: str) -> str:
    if text.isascii():
        return encode_basestring(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        return encode_basestring_ascii(text)
    return encode_basestring(text)


def encode(event: Event) -> str:
    """Return the JSON text of an event; it ends with its `type`."""
    match event:
        case TextStreamed(block=block, text=text):
            return f'{{"block":{_quoted(block)},"text":{_quoted(text)},"type":"text_streamed"}}'
        case ThinkingStreamed(block=block, text=text):
            return f'{{"block":{_quoted(block)},"text":{_quoted(text)},"type":"thinking_streamed"}}'
        case CheckPrinted(name=name, text=text):
            return f'{{"name":{_quoted(name)},"text":{_quoted(text)},"type":"check_printed"}}'
        case JudgeStreamed(part=part, text=text):
            return f'{{"part":{part:d},"text":{_quoted(text)},"type":"judge_streamed"}}'
        case _:
            return _encode_any(event)


def _encode_any(event: Event) -> str:
    try:
        return _to_json()(event).decode()
    except PydanticSerializationError:
        plain = _adapter().dump_python(event, mode="json")
        return json.dumps(plain, separators=(",", ":"), ensure_ascii=True)


_STREAMED_READERS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "text_streamed": lambda row: TextStreamed(block=row["block"], text=row["text"]),
    "thinking_streamed": lambda row: ThinkingStreamed(block=row["block"], text=row["text"]),
    "check_printed": lambda row: CheckPrinted(name=row["name"], text=row["text"]),
    "judge_streamed": lambda row: JudgeStreamed(part=row["part"], text=row["text"]),
}


def decode(kind: str, body: str) -> Event:
    """Return the event of a journal row.

    A type that this version does not know becomes a `ClaudeNoticed` that carries the text, so that a
    journal of a later version can still be read; a known type that does not fit is `DamagedRecord`.
    """
    reader = _STREAMED_READERS.get(kind)
    if reader is not None:
        return _decode_streamed(reader, kind, body)
    if kind not in EVENT_CLASSES:
        return ClaudeNoticed(level="warning", text=f"Event of unknown type '{kind}'.", raw_json=body)
    try:
        return _adapter().validate_json(body)
    except ValidationError as error:
        return _decode_surrogates(kind, body, error)


def _decode_streamed(reader: Callable[[dict[str, Any]], Event], kind: str, body: str) -> Event:
    try:
        return reader(json.loads(body))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(kind, body) from error


def _decode_surrogates(kind: str, body: str, error: ValidationError) -> Event:
    """Read a body that holds lone surrogates, which are legal JSON escapes that pydantic's parser refuses."""
    if error.errors(include_input=False)[0]["type"] != "json_invalid":
        raise _damaged(kind, body) from error
    try:
        return _adapter().validate_python(json.loads(body), strict=False)
    except (ValueError, RecursionError) as second:
        raise _damaged(kind, body) from second


def _damaged(kind: str, body: str) -> DamagedRecord:
    return DamagedRecord(
        f"A stored event of type '{kind}' cannot be read: {body[:80]!r}",
        fix="Restore the database from a backup, or run `obra doctor` to see how much of it is readable.",
    )


def record_to_json(record: Record) -> str:
    """Return one line of output: the type, the place in the journal, then the fields of the event."""
    kind = record.event.type
    body = encode(record.event)
    if kind in _COLLIDING:
        body = _renamed(body, {name: f"event_{name}" for name in _COLLIDING[kind]})
    rest = body[1 : body.rindex('"type":')]
    task, attempt = json.dumps(record.task), json.dumps(record.attempt)
    place = f'"seq":{record.seq},"at":{record.at!r},"session":{json.dumps(record.session)},"task":{task}'
    line = f'{{"type":"{kind}",{place},"attempt":{attempt},{rest}'
    return line.rstrip(",") + "}"


def record_from_json(line: str) -> Record:
    """Read a line of output back."""
    row: dict[str, Any] = json.loads(line)
    place = {name: row.pop(name) for name in _ENVELOPE}
    kind: str = row.pop("type")
    for name in _COLLIDING.get(kind, ()):
        row[name] = row.pop(f"event_{name}")
    event = decode(kind, json.dumps({**row, "type": kind}))
    return Record(
        seq=place["seq"],
        at=place["at"],
        session=SessionId(place["session"]),
        task=None if place["task"] is None else TaskId(place["task"]),
        attempt=None if place["attempt"] is None else AttemptId(place["attempt"]),
        event=event,
    )


def _renamed(body: str, names: dict[str, str]) -> str:
    row = {names.get(key, key): value for key, value in json.loads(body).items()}
    return json.dumps(row, separators=(",", ":"), ensure_ascii=True)

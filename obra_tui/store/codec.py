"""Events as JSON and back, exactly.

`encode` / `decode` make the text that a journal row holds; `record_to_json` /
`record_from_json` make one line of `--json` output. Knows nothing of tables or
files, nor how a value becomes text: `store.values` does.
"""

import json
from typing import Any, get_args

from obra_tui.core.errors import StoreError
from obra_tui.core.events import STREAMED, ClaudeNoticed, Event, Record
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.store.values import from_text, to_text

EVENT_CLASSES: dict[str, type[Event]] = {cls.__struct_defaults__[-1]: cls for cls in get_args(Event)}
"""Name in the journal → class. The name is the default of `type`, the last field of every event."""

STREAMED_TYPES = frozenset(name for name, cls in EVENT_CLASSES.items() if cls in STREAMED)

_ENVELOPE = ("seq", "at", "session", "task", "attempt")
_COLLIDING = {
    name: found
    for name, cls in EVENT_CLASSES.items()
    if (found := tuple(field for field in cls.__struct_fields__ if field in _ENVELOPE))
}
"""Fields of an event that are called like a field of the record; `event_<name>` in a line of output."""


class DamagedRecord(StoreError):
    """A stored event that this version knows by name but cannot read."""


def encode(event: Event) -> str:
    """Return the JSON text of an event; it ends with its `type`."""
    return to_text(event)


def decode(kind: str, body: str) -> Event:
    """Return the event of a journal row.

    A type that this version does not know becomes a `ClaudeNoticed` that carries the text, so that a
    journal of a later version can still be read; a known type that does not fit is `DamagedRecord`.
    """
    cls = EVENT_CLASSES.get(kind)
    if cls is None:
        return ClaudeNoticed(level="warning", text=f"Event of unknown type '{kind}'.", raw_json=body)
    try:
        return from_text(cls, body)
    except (ValueError, RecursionError) as error:
        raise _damaged(kind, body) from error


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

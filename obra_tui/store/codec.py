"""Events and records as JSON text and back: the format of the journal, the command table and `--json`.

How a value becomes text is `core.json_form`. Knows nothing of tables or files.
"""

import json

from obra_tui.core.errors import StoreError
from obra_tui.core.events import STREAMED, ClaudeNoticed, Event, Record
from obra_tui.core.json_form import EVENT_CLASSES, from_text, to_text

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
        fix="Put a backup in its place: `obra restore FILE`. Sessions without this event can still be read.",
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


def _renamed(body: str, names: dict[str, str]) -> str:
    row = {names.get(key, key): value for key, value in json.loads(body).items()}
    return json.dumps(row, separators=(",", ":"), ensure_ascii=True)


_NUL = "\x00"
_SHOWN_NUL = "\N{SYMBOL FOR NULL}"


def storable(text: str) -> str:
    """Return `text` with NUL shown as a symbol and lone surrogates as question marks."""
    if _NUL in text:
        text = text.replace(_NUL, _SHOWN_NUL)
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode() if _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False

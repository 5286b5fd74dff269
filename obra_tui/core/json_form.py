"""Values and events as JSON text and back, exactly: the form in which they are stored and sent between processes.

The text is always valid UTF-8 without NUL, whatever an agent printed: control characters and lone surrogates are
escaped as JSON allows. Lone surrogates and infinite numbers are legal in Python but not in msgspec, so they take the
slower standard-library path. Knows nothing of tables, files or connections.
"""

import functools
import json
from typing import TypeVar, get_args

import msgspec

from obra_tui.core.events import Event

Value = TypeVar("Value", bound=msgspec.Struct)

_ENCODER = msgspec.json.Encoder()

EVENT_CLASSES: dict[str, type[Event]] = {cls.__struct_defaults__[-1]: cls for cls in get_args(Event)}
"""Name of an event → class. The name is the default of `type`, the last field of every event."""


def to_text(value: msgspec.Struct) -> str:
    """Return the JSON text of a value, its fields in the order in which they are declared."""
    try:
        text = _ENCODER.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), separators=(",", ":"))
    # A number without end is written as null: where there is one, it may have been such a number.
    return _with_endless_numbers(value) if "null" in text else text


def from_text(kind: type[Value], text: str) -> Value:
    """Read a value back. Raises `ValueError` when the text is no JSON, or does not fit (`msgspec.ValidationError`)."""
    decoder: msgspec.json.Decoder[Value] = _decoder(kind)
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeEncodeError):
        return msgspec.convert(json.loads(text), kind)


@functools.cache
def _decoder(kind: type[Value]) -> msgspec.json.Decoder[Value]:
    """Made when the first value of a kind is read: it looks at all the types that the kind is made of."""
    return msgspec.json.Decoder(kind)


def _with_endless_numbers(value: msgspec.Struct) -> str:
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":"), ensure_ascii=False)

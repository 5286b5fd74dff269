"""Texts of bounded length, among them what a call was given, as JSON. Pure."""

import json
from json.encoder import encode_basestring
from typing import Any

from obra_tui.agents.messages import Frame

MAX_INPUT_TEXT = 64_000
_encode = json.JSONEncoder(ensure_ascii=False).encode


def bounded(text: str, limit: int) -> str:
    """Cut out the middle of a text over the limit and say so."""
    if len(text) <= limit:
        return text
    head, tail = limit * 3 // 4, limit // 4
    return f"{text[:head]}\n… {len(text) - head - tail} characters left out …\n{text[-tail:]}"


def input_json(given: Frame) -> str:
    """Return what a call was given; texts in it are cut when all together is too long."""
    whole = _object(given)
    return whole if len(whole) <= MAX_INPUT_TEXT else _encode(_shortened(given))


def _object(given: Frame) -> str:
    """Return what `_encode` does; most calls are given texts and numbers alone, which costs a third of that then."""
    members = [f"{encode_basestring(name)}: {_member(value)}" for name, value in given.items()]
    return f"{{{', '.join(members)}}}"


def _member(value: object) -> str:
    if type(value) is str:
        return encode_basestring(value)
    return str(value) if type(value) is int else _encode(value)


def _shortened(value: Any) -> Any:
    match value:
        case str():
            return bounded(value, MAX_INPUT_TEXT)
        case dict():
            return {key: _shortened(item) for key, item in value.items()}
        case list():
            return [_shortened(item) for item in value]
        case _:
            return value

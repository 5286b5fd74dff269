"""JSON that is still being written, read as far as it goes. Display only: no decision stands on it."""

import json

_CLOSERS = {"{": "}", "[": "]"}


def parse_partial(text: str) -> object | None:
    """Return the value that `text` begins, without what is incomplete; None when nothing can be read."""
    start = text.find("{")
    if start < 0:
        return None
    body = text[start:]
    stack, in_string, cuts = _scan(body)
    tail = '"' if in_string else ""
    trimmed = body[:-1] if in_string and body.endswith("\\") else body
    for candidate in (trimmed + tail + _close(stack), *(body[:cut] + _close(open_) for cut, open_ in reversed(cuts))):
        try:
            value: object = json.loads(candidate)
        except ValueError:
            continue
        return value
    return None


def _scan(body: str) -> tuple[str, bool, list[tuple[int, str]]]:
    """Return what is open at the end, whether a string is, and the last places where a value was complete."""
    stack, in_string, escaped = "", False, False
    cuts: list[tuple[int, str]] = []
    for index, char in enumerate(body):
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "{[":
            stack += char
            cuts.append((index + 1, stack))
        elif char in "}]":
            stack = stack[:-1]
            cuts.append((index + 1, stack))
            if not stack:
                break
        elif char == ",":
            cuts.append((index, stack))
    return stack, in_string, cuts[-4:]


def _close(stack: str) -> str:
    return "".join(_CLOSERS[char] for char in reversed(stack))

"""The joining rule of streams: which pieces of streamed text belong together, and what they are as one.

The engine joins before it writes, the bridge and the replay buffer of the screen join what waits and what is kept: all
by this rule. It knows nothing of queues, limits or times.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from obra_tui.core.events.attempt import TextStreamed, ThinkingStreamed
from obra_tui.core.events.evidence import CheckPrinted, JudgeStreamed

Streamed = TextStreamed | ThinkingStreamed | CheckPrinted | JudgeStreamed

STREAMED = (TextStreamed, ThinkingStreamed, CheckPrinted, JudgeStreamed)
"""Event classes that may be joined with their neighbour of the same key."""

_ORIGIN: Mapping[type[object], Callable[[Any], object]] = {
    TextStreamed: attrgetter("block"),
    ThinkingStreamed: attrgetter("block"),
    CheckPrinted: attrgetter("name"),
    JudgeStreamed: attrgetter("part"),
}


def stream_key(event: object) -> tuple[type[object], object] | None:
    """Return what all pieces of one stream of an attempt have in common; None for an event that is not streamed."""
    kind = type(event)
    origin = _ORIGIN.get(kind)
    return None if origin is None else (kind, origin(event))


def joined(first: object, second: object) -> Streamed | None:
    """Return two neighbouring pieces as one event if they belong to the same stream, else None."""
    key = stream_key(first)
    if key is None or key != stream_key(second):
        return None
    assert isinstance(first, STREAMED)
    assert isinstance(second, STREAMED)
    return replace(first, text=first.text + second.text)

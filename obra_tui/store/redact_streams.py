"""A secret that is streamed in pieces, none of which looks like one, is not printed either.

Of each stream the text behind the last line break waits for what follows it; so does whatever may be the beginning of
a secret over several lines. A piece of which something waits is not told, or under the number of the one that waited
before it: no number is told twice, and no piece without text. Knows nothing of terminals and files.
"""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from obra_tui.core.events import (
    STREAMED,
    CheckFinished,
    CheckPrinted,
    ClaudeEnded,
    Event,
    JudgeStreamed,
    Record,
    RunFinished,
    TextDropped,
    TextFinished,
    TextStreamed,
    ThinkingStreamed,
    ToolStarted,
    VerdictReached,
)
from obra_tui.core.events.streams import stream_key
from obra_tui.store.redact import Redactor

_MOST_HELD = 1 << 15
_KEPT_OF_A_LONG_LINE = 1 << 13
_BETWEEN_TOKENS = re.compile(r"[^A-Za-z0-9_./+=~:@-]")

Key = tuple[object, ...]


class StreamRedactor:
    """Redacts records in their order; a piece may come out later, joined with those that follow it."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held: dict[Key, Record] = {}
        """The last piece of each stream that was not told, with the text that waits."""

    def take(self, record: Record) -> Iterator[Record]:
        """Yield what may be told now, without secrets."""
        if isinstance(record.event, STREAMED):
            yield from self._end(key for key in self._held if _follows(record, key))
            yield from self._piece(record, record.event.text)
            return
        yield from self._end(key for key in self._held if _ends(record, key))
        yield self._redactor.record(record)

    def _piece(self, record: Record, text: str) -> Iterator[Record]:
        key = (record.attempt, *(stream_key(record.event) or ()))
        held = self._held.pop(key, None)
        whole = _text(held) + text
        cut = self._safe_until(whole)
        if cut == len(whole):
            clean = self._redactor.text(whole)
            yield record if clean == text else _with_text(record, clean)
        elif held is not None and cut:
            yield _with_text(held, self._redactor.text(whole[:cut]))
            self._held[key] = _with_text(record, whole[cut:])
        else:
            self._held[key] = _with_text(record, whole)

    def _safe_until(self, text: str) -> int:
        """Return the place behind which a secret may have begun that is not there in full."""
        cut = text.rfind("\n") + 1
        if len(text) - cut > _MOST_HELD:
            before = len(text) - _KEPT_OF_A_LONG_LINE
            ends = [found.end() for found in _BETWEEN_TOKENS.finditer(text, cut, before)]
            cut = ends[-1] if ends else before
        return self._redactor.begun(text, cut)

    def _end(self, keys: Iterator[Key]) -> Iterator[Record]:
        for key in tuple(keys):
            held = self._held.pop(key)
            yield _with_text(held, self._redactor.text(_text(held)))


def _text(record: Record | None) -> str:
    return record.event.text if record is not None and isinstance(record.event, STREAMED) else ""


def _with_text(record: Record, text: str) -> Record:
    assert isinstance(record.event, STREAMED)
    return replace(record, event=replace(record.event, text=text))


def _follows(record: Record, key: Key) -> bool:
    """Whether a piece says that another stream is over: what Claude thinks ends where it speaks."""
    return key[0] == record.attempt and key[1] is ThinkingStreamed and isinstance(record.event, TextStreamed)


def _ends(record: Record, key: Key) -> bool:
    attempt, kind, origin = key
    if isinstance(record.event, RunFinished):
        return True
    return attempt == record.attempt and _ends_stream(record.event, kind, origin)


def _ends_stream(event: Event, kind: object, origin: object) -> bool:
    match event:
        case TextFinished(block=block) | TextDropped(block=block):
            return kind is ThinkingStreamed or (kind is TextStreamed and block == origin)
        case ToolStarted():
            return kind is ThinkingStreamed
        case ClaudeEnded():
            return kind in (TextStreamed, ThinkingStreamed)
        case CheckFinished(result=result):
            return kind is CheckPrinted and result.spec.name == origin
        case VerdictReached():
            return kind is JudgeStreamed
        case _:
            return False

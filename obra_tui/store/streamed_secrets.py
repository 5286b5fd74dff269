"""A secret that was streamed in pieces, none of which looked like one.

When the whole text arrives and had to be redacted, the pieces that were stored
before lose their text; their places in the journal stay.
"""

from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select, update

from obra_tui.core.events import (
    STREAMED,
    CheckFinished,
    CheckPrinted,
    ClaudeEnded,
    Event,
    JudgeStreamed,
    Record,
    TextFinished,
    TextStreamed,
    VerdictReached,
)
from obra_tui.core.events.streams import stream_key
from obra_tui.core.model import Outcome
from obra_tui.store import tables as t
from obra_tui.store.codec import decode, encode
from obra_tui.store.redact import Redactor

Piece = tuple[int, Event]
"""The row of a piece, and the piece."""

_SET_BODY = update(t.event).where(t.event.c.id == bindparam("of")).values(body=bindparam("text"))


def blank_pieces(connection: Connection, whole: Record) -> None:
    """Empty the streamed pieces of what `whole` says in full; nothing if it is no such record."""
    kind = _pieces_of(whole.event)
    if kind is not None:
        found = _streamed(connection, whole, kind)
        _set_empty(connection, [(own_id, piece) for own_id, piece in found if _belongs(piece, whole.event)])


def blank_unfinished(connection: Connection, ended: Record, redactor: Redactor) -> None:
    """Empty what no record says in full when a run of Claude ends: thoughts, and text that was cut off."""
    assert isinstance(ended.event, ClaudeEnded)
    kinds = ["thinking_streamed"]
    if ended.event.result.outcome is not Outcome.COMPLETED:
        kinds.append("text_streamed")
    for kind in kinds:
        streams = defaultdict(list)
        for own_id, piece in _streamed(connection, ended, kind):
            streams[stream_key(piece)].append((own_id, piece))
        for pieces in streams.values():
            text = "".join(piece.text for _, piece in pieces if isinstance(piece, STREAMED))
            if redactor.text(text) != text:
                _set_empty(connection, pieces)


def _streamed(connection: Connection, until: Record, kind: str) -> list[Piece]:
    query = (
        select(t.event.c.id, t.event.c.body)
        .where(
            t.event.c.session == until.session,
            t.event.c.seq < until.seq,
            t.event.c.type == kind,
            t.event.c.attempt == until.attempt,
        )
        .order_by(t.event.c.seq)
    )
    return [(row.id, decode(kind, row.body)) for row in connection.execute(query)]


def _set_empty(connection: Connection, pieces: Sequence[Piece]) -> None:
    if pieces:
        emptied = [{"of": own_id, "text": _empty(piece)} for own_id, piece in pieces]
        connection.execute(_SET_BODY, emptied)


def _pieces_of(event: Event) -> str | None:
    match event:
        case TextFinished():
            return "text_streamed"
        case CheckFinished():
            return "check_printed"
        case VerdictReached():
            return "judge_streamed"
        case _:
            return None


def _belongs(piece: Event, whole: Event) -> bool:
    match piece, whole:
        case TextStreamed(block=block), TextFinished(block=of_block):
            return block == of_block
        case CheckPrinted(name=name), CheckFinished(result=result):
            return name == result.spec.name
        case JudgeStreamed(), VerdictReached():
            return True
        case _:
            return False


def _empty(piece: Event) -> str:
    return encode(replace(piece, text="") if isinstance(piece, STREAMED) else piece)

"""A secret that was streamed in pieces, none of which looked like one.

When the whole text arrives and had to be redacted, the pieces that were stored
before lose their text; their places in the journal stay.
"""

from sqlalchemy import Connection, bindparam, select, update

from obra_tui.core.events import (
    CheckFinished,
    CheckPrinted,
    Event,
    JudgeStreamed,
    Record,
    TextFinished,
    TextStreamed,
    VerdictReached,
)
from obra_tui.store import tables as t
from obra_tui.store.codec import decode, encode

_SET_BODY = update(t.event).where(t.event.c.id == bindparam("of")).values(body=bindparam("text"))


def blank_pieces(connection: Connection, whole: Record) -> None:
    """Empty the streamed pieces of what `whole` says in full; nothing if it is no such record."""
    kind = _pieces_of(whole.event)
    if kind is None:
        return
    query = select(t.event.c.id, t.event.c.body).where(
        t.event.c.session == whole.session,
        t.event.c.seq < whole.seq,
        t.event.c.type == kind,
        t.event.c.attempt == whole.attempt,
    )
    pieces = [(row.id, decode(kind, row.body)) for row in connection.execute(query)]
    emptied = [{"of": own_id, "text": _empty(piece)} for own_id, piece in pieces if _belongs(piece, whole.event)]
    if emptied:
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
    match piece:
        case TextStreamed(block=block):
            return encode(TextStreamed(block=block, text=""))
        case CheckPrinted(name=name):
            return encode(CheckPrinted(name=name, text=""))
        case JudgeStreamed(part=part):
            return encode(JudgeStreamed(part=part, text=""))
        case _:
            return encode(piece)

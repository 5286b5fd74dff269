"""Records on their way into the database: clean of secrets, as rows, and whatever else follows from them.

All that Python has to do for a batch before a transaction begins. Knows no connection.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from obra_tui.core.events import Record
from obra_tui.store import projection
from obra_tui.store.codec import STREAMED_TYPES, encode
from obra_tui.store.raw_sql import Row
from obra_tui.store.redact import Redactor
from obra_tui.store.words import text_of

COLUMNS = ("session", "seq", "at", "task", "attempt", "type", "streamed", "body")


class Batch(Struct, frozen=True):
    records: Sequence[Record]
    """As they came."""
    rows: Sequence[Row]
    """Their values in the order of `COLUMNS`."""
    words: Sequence[tuple[int, str]]
    """What can be searched of them: the place of the record in the batch, and its words."""
    changes: Sequence[projection.Change]
    blanked: Sequence[Record]
    """Those that held a secret, without it."""


def batch_of(records: Sequence[Record], redactor: Redactor) -> Batch:
    """Return `records`, ready to be written."""
    bodies, clean, blanked = [encode(record.event) for record in records], list(records), []
    for place in redactor.suspected(bodies):
        clean[place] = without = redactor.record(records[place])
        bodies[place] = encode(without.event)
        if without is not records[place]:
            blanked.append(without)
    changes = [change for record in clean for change in projection.changes(record)]
    return Batch(records, list(map(_row, clean, bodies)), _words(clean), changes, blanked)


def _words(records: Iterable[Record]) -> list[tuple[int, str]]:
    return [
        (place, words)
        for place, record in enumerate(records)
        if record.event.type not in STREAMED_TYPES and (words := text_of(record.event))
    ]


def _row(record: Record, body: str) -> Row:
    kind = record.event.type
    streamed = kind in STREAMED_TYPES
    return record.session, record.seq, record.at, record.task, record.attempt, kind, streamed, body

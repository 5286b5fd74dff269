"""Sessions and attempts as files, for the command line and for the screen.

Everything that leaves the database is redacted again, by the rules of today.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.core.errors import ConfigError, ObraError
from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.core.records.export import (
    ExportedAttempt,
    blocks,
    html,
    json_line,
    labelled,
    markdown,
    patch,
    preferred,
)
from obra_tui.store.codec import record_to_json
from obra_tui.store.redact import Redactor, exporter

if TYPE_CHECKING:
    from obra_tui.core.records.history import AttemptDetail, History, SessionDetail
    from obra_tui.store.labels import Preference

_PAGE = 1_000
FORMATS = ("md", "jsonl", "html", "patch")


def pieces(history: History, kind: str, found: str, form: str) -> Iterator[str]:
    """Yield the text of a session or an attempt in one of the formats, piece by piece."""
    if form not in FORMATS:
        raise ConfigError(f"There is no format '{form}'.", where="--format", fix=f"Say one of {', '.join(FORMATS)}.")
    if form == "jsonl":
        yield from _json_lines(history, kind, found)
    else:
        yield _document(history, kind, found, form)


def _json_lines(history: History, kind: str, found: str) -> Iterator[str]:
    whole = kind == "session"
    records = clean_records(history, SessionId(found)) if whole else clean_attempt_records(history, AttemptId(found))
    return (f"{record_to_json(record)}\n" for record in records)


def _document(history: History, kind: str, found: str, form: str) -> str:
    if kind == "session":
        session = clean_session(history, SessionId(found))
        attempts = [exported_attempt(history, attempt.id) for attempt in session.attempts]
    else:
        attempts = [exported_attempt(history, AttemptId(found))]
        session = clean_session(history, attempts[0].detail.summary.session)
    match form:
        case "md":
            return markdown(blocks(session, attempts))
        case "html":
            return html(blocks(session, attempts), session.summary.title or session.summary.id)
        case _:
            return patch(attempts)


# --- the labelled set ----------------------------------------------------------------------------


def labelled_set(history: History, preferences: Iterable[Preference]) -> Iterator[str]:
    """Yield every decision with what the judge said, then every preference with both sides, as JSON lines."""
    redactor = exporter()
    for detail in _decided(history, redactor):
        line = labelled(detail)
        if line is not None:
            yield f"{json_line({'type': 'decision', **line})}\n"
    for choice in preferences:
        sides = _side(history, redactor, choice.a), _side(history, redactor, choice.b)
        said = {"winner": choice.winner, "note": redactor.text(choice.note), "by": choice.by}
        line = preferred((choice.a, choice.b), sides) | said | {"blind": choice.blind, "at": choice.at}
        yield f"{json_line({'type': 'preference', **line})}\n"


def _decided(history: History, redactor: Redactor) -> Iterator[AttemptDetail]:
    mark = None
    while True:
        page = history.attempts(after=mark, limit=200)
        yield from (redactor.of(history.attempt(row.id)) for row in page.rows if row.decision)
        mark = page.next
        if mark is None:
            return


def _side(history: History, redactor: Redactor, which: str) -> AttemptDetail | None:
    """An attempt that was compared; None for a session, and for what was pruned since."""
    try:
        return redactor.of(history.attempt(AttemptId(which)))
    except ObraError:
        return None


# --- records without secrets ---------------------------------------------------------------------


def clean_attempt_records(history: History, attempt: AttemptId) -> Iterator[Record]:
    """Return the records of an attempt, page by page, redacted again."""
    return _clean_pages(partial(history.attempt_records, attempt))


def clean_records(history: History, session: SessionId) -> Iterator[Record]:
    """Return all records of a session, streamed ones included, redacted again."""
    return _clean_pages(partial(history.records, session))


def clean_session(history: History, session: SessionId) -> SessionDetail:
    return exporter().of(history.session(session))


def exported_attempt(history: History, attempt: AttemptId) -> ExportedAttempt:
    """Return an attempt for export, redacted again."""
    return ExportedAttempt(
        detail=exporter().of(history.attempt(attempt)), records=tuple(clean_attempt_records(history, attempt))
    )


def _clean_pages(read: Callable[[int, int], Sequence[Record]]) -> Iterator[Record]:
    """Read page after page, each after the last record of the one before."""
    redactor, last = exporter(), 0
    while page := read(last, _PAGE):
        last = page[-1].seq
        yield from map(redactor.record, page)


# --- files ---------------------------------------------------------------------------------------


def write_new(text: Iterable[str], to: Path) -> int:
    """Write to a file that does not exist yet, for its owner alone; returns how many characters it has."""
    try:
        descriptor = os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise ObraError("Nothing was written: the file exists.", where=str(to), fix="Name another file.") from error
    except OSError as error:
        raise ObraError(f"The file could not be written ({error.strerror}).", where=str(to)) from error
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, no path
            return sum(file.write(piece) for piece in text)
    except BaseException as error:
        to.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ObraError(f"The file could not be written ({error.strerror}).", where=str(to)) from error
        raise

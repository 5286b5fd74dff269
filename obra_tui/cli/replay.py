"""`obra replay`: a session again as it happened, in plain lines or as its records."""

import time
from collections.abc import Iterable, Iterator

import typer

from obra_tui.core.errors import ConfigError
from obra_tui.core.events import Record
from obra_tui.core.ids import SessionId
from obra_tui.core.records.replay import STOPS, paused, stops_at


def replay(session: str, *, speed: float, only: str, as_json: bool) -> int:
    """Tell the records of a session with the pauses between them, `speed` times as fast; 0 leaves no pause."""
    from obra_tui.config.load import load
    from obra_tui.headless.follow import text_lines
    from obra_tui.services.archive import clean_records
    from obra_tui.services.reading import open_history
    from obra_tui.services.records import encode_record

    if only and only not in STOPS:
        raise ConfigError(f"'{only}' cannot be jumped to.", where="--only", fix=f"Say one of {', '.join(STOPS)}.")
    with open_history(load()) as history:
        _, found = history.resolve(session, "session")
        records = clean_records(history, SessionId(found))
        for record, pause in paused(_chosen(records, only), speed):
            time.sleep(pause)
            for line in [encode_record(record)] if as_json else text_lines(record):
                typer.echo(line)
    return 0


def _chosen(records: Iterable[Record], only: str) -> Iterator[Record]:
    return (record for record in records if not only or stops_at(record, only))  # type: ignore[arg-type]

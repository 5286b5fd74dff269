"""`obra replay`: a session again as it happened, in plain lines or as its records."""

import time
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from obra_tui.cli.options import JsonOption
from obra_tui.core.errors import ConfigError
from obra_tui.core.events import Record
from obra_tui.core.ids import SessionId
from obra_tui.core.records.replay import STOPS, paused, stops_at


def register(app: typer.Typer) -> None:
    app.command()(replay)


def replay(
    session: Annotated[str, typer.Argument(help="Id of a session.")],
    speed: Annotated[float, typer.Option("--speed", min=0.0, help="1, 8, 64; 0 = without pauses.")] = 0.0,
    only: Annotated[str, typer.Option("--only", help="gate, error, edit or prompt.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Replay a session as it happened."""
    from obra_tui.config.load import load
    from obra_tui.headless.follow import text_lines
    from obra_tui.services.archive import open_history
    from obra_tui.services.exports import clean_records
    from obra_tui.store.codec import record_to_json

    if only and only not in STOPS:
        raise ConfigError(f"'{only}' cannot be jumped to.", where="--only", fix=f"Say one of {', '.join(STOPS)}.")
    with open_history(load()) as history:
        _, found = history.resolve(session, "session")
        records = clean_records(history, SessionId(found))
        for record, pause in paused(_chosen(records, only), speed):
            time.sleep(pause)
            for line in [record_to_json(record)] if as_json else text_lines(record):
                typer.echo(line)
    return 0


def _chosen(records: Iterable[Record], only: str) -> Iterator[Record]:
    return (record for record in records if not only or stops_at(record, only))  # type: ignore[arg-type]

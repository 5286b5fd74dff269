"""The history without an engine: for commands that only look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from obra_tui.core.errors import UnknownId

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.records.history import History


@contextmanager
def open_history(settings: Settings) -> Iterator[History]:
    """Open the database for reading. Raises `StoreError`; `UnknownId` when nothing was ever stored."""
    from obra_tui.bootstrap.engine import database
    from obra_tui.services.archive import labels_file
    from obra_tui.store.history import SqlHistory

    target = database(settings)
    if not isinstance(target, str) and not target.exists():
        raise UnknownId("There is no session yet.", where=str(target), fix="`obra run` or `obra demo` makes one.")
    history = SqlHistory(target, labels=labels_file(settings))
    try:
        yield history
    finally:
        history.close()

"""Files of others into sessions that can be read and searched, but have no gate: transcripts and reports.

Sources are opened for reading only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.services.archive import database, writer_name
from obra_tui.services.importing.records import ImportedFile
from obra_tui.services.importing.reports import REPORTS, import_report
from obra_tui.services.importing.transcripts import import_transcript
from obra_tui.store.journal import SqlJournal
from obra_tui.store.ownership import acquire

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.ports import Journal


def claude_folder() -> Path:
    """Return the configuration folder of Claude Code, which holds its transcripts."""
    return Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")


def import_files(settings: Settings, files: list[Path]) -> Iterator[ImportedFile]:
    """Import transcripts and reports one after another; unreadable ones are reported and skipped.

    Raises `AlreadyOwned`.
    """
    with acquire(settings.data_dir):
        journal = SqlJournal(database(settings), holder=writer_name(settings))
        try:
            yield from import_into(journal, database(settings), files)
        finally:
            journal.close()


def import_into(journal: Journal, target: str | Path, files: Iterable[Path]) -> Iterator[ImportedFile]:
    """Import with the journal of a process that owns the data directory already."""
    for path in files:
        importer = import_report if path.suffix.lower() in REPORTS else import_transcript
        yield importer(journal, target, path)

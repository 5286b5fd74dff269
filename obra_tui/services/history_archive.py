"""What the screen does with past sessions, for its role `Archive`: labels, exports, comparisons, imports.

Beside a running engine it imports through the engine's journal; a read-only viewer cannot import.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.agents.transcripts import Transcript
from obra_tui.core.errors import NotAllowed, ObraError
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.services import diffs
from obra_tui.services.archive import database, labels_of, prefer
from obra_tui.services.exports import pieces, write_new
from obra_tui.services.importing import claude_folder, import_into
from obra_tui.services.importing.transcripts import transcripts_in
from obra_tui.store.redact import Redactor, exporter
from obra_tui.ui.ports import ExportForm, ImportResult, TranscriptPreview, TranscriptSource, Winner

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.ports import Journal
    from obra_tui.core.records.history import History

EXPORTS = "exports"
"""Folder in the data directory that the screen proposes for new files."""
_HEAD_LINES = 40
_HEAD_BYTES = 256_000


class HistoryArchive:
    """Safe to use from any thread: every call opens what it needs."""

    def __init__(self, settings: Settings, history: History, journal: Journal | None = None) -> None:
        self._settings = settings
        self._history = history
        self._journal = journal

    # --- copies and files ---

    @cached_property
    def _redactor(self) -> Redactor:
        keys = (self._settings.claude.api_key, self._settings.judge.api_key)
        return exporter(more=[key.get_secret_value() for key in keys])

    def clean(self, text: str) -> str:
        return self._redactor.text(text)

    def export(self, which: SessionId | AttemptId, form: ExportForm, to: str) -> int:
        kind, found = self._history.resolve(which, "session", "attempt")
        target = Path(to).expanduser().absolute()
        if target.parent == (self._settings.data_dir / EXPORTS).absolute():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return write_new(pieces(self._history, kind, found, form), target)

    def tree_diff(self, a: str, b: str) -> str | None:
        return diffs.tree_diff(self._settings.data_dir / "repos", a, b)

    # --- labels ---

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        return labels_of(self._settings).all()

    def label(self, session: SessionId, name: str, *, remove: bool = False) -> tuple[str, ...]:
        labels = labels_of(self._settings)
        (labels.remove if remove else labels.add)(session, name)
        return labels.of(session)

    def prefer(self, a: str, b: str, winner: Winner, note: str, *, blind: bool) -> None:
        prefer(self._settings, a=a, b=b, winner=winner, note=note, blind=blind)

    # --- imports ---

    def sources(self) -> Sequence[TranscriptSource]:
        try:
            found = [_source(path) for path in transcripts_in(claude_folder())]
        except (ObraError, OSError):  # no folder of Claude Code's, or none that may be read: nothing to import
            return ()
        return sorted(found, key=lambda source: -source.at)

    def preview(self, path: str) -> TranscriptPreview:

        told = Transcript()
        try:
            with Path(path).open("rb") as file:
                for line in islice(file.read(_HEAD_BYTES).splitlines(), _HEAD_LINES):
                    told.line(line.decode("utf-8", "replace"))
        except OSError as error:
            raise ObraError(f"It cannot be read ({error.strerror}).", where=path) from error
        return TranscriptPreview(
            title=self.clean(told.title),
            folder=told.cwd,
            model=told.model,
            began=told.began,
            first_prompt=self.clean(told.first_prompt[:2_000]),
            passed_over=told.passed_over,
        )

    def bring_in(self, paths: Sequence[str], stopped: Callable[[], bool]) -> Iterator[ImportResult]:
        if self._journal is None:
            raise NotAllowed(
                "This Obra is a read-only viewer.", fix="Import in the other one, or end it and start again."
            )
        for read in import_into(self._journal, database(self._settings), map(Path, paths)):
            yield ImportResult(path=read.path, outcome=read.outcome, problem=read.problem)  # type: ignore[arg-type]
            if stopped():
                return


def _source(path: Path) -> TranscriptSource:
    known = os.stat(path)  # noqa: PTH116 - one call for both numbers
    return TranscriptSource(path=str(path), project=path.parent.name, at=known.st_mtime, bytes=known.st_size)

"""What the screen does with what was: labels, exports, comparisons and imports, for the role `Archive`.

Beside a running engine it imports through the engine's own journal; whoever
only looks on cannot import.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.core.errors import NotAllowed, ObraError
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.ui.ports import ExportForm, ImportResult, TranscriptPreview, TranscriptSource, Winner

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.ports import Journal
    from obra_tui.core.records.history import History
    from obra_tui.store.redact import Redactor

EXPORTS = "exports"
"""Folder in the data directory that the screen proposes for new files."""
_HEAD_LINES = 40
_HEAD_BYTES = 256_000


class Shelf:
    """Safe to use from any thread: every call opens what it needs."""

    def __init__(self, settings: Settings, history: History, journal: Journal | None = None) -> None:
        self._settings = settings
        self._history = history
        self._journal = journal

    # --- copies and files ---

    @cached_property
    def _redactor(self) -> Redactor:
        from obra_tui.store.redact import exporter

        keys = (self._settings.claude.api_key, self._settings.judge.api_key)
        return exporter(more=[key.get_secret_value() for key in keys])

    def clean(self, text: str) -> str:
        return self._redactor.text(text)

    def export(self, which: SessionId | AttemptId, form: ExportForm, to: str) -> int:
        from obra_tui.services.export_files import pieces, write_new

        kind, found = self._history.resolve(which, "session", "attempt")
        target = Path(to).expanduser().absolute()
        if target.parent == (self._settings.data_dir / EXPORTS).absolute():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return write_new(pieces(self._history, kind, found, form), target)

    def tree_diff(self, a: str, b: str) -> str | None:
        from obra_tui.services.trees import tree_diff

        return tree_diff(self._settings.data_dir / "repos", a, b)

    # --- labels ---

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        from obra_tui.services.archive import labels_of

        return labels_of(self._settings).all()

    def label(self, session: SessionId, name: str, *, remove: bool = False) -> tuple[str, ...]:
        from obra_tui.services.archive import labels_of

        labels = labels_of(self._settings)
        (labels.remove if remove else labels.add)(session, name)
        return labels.of(session)

    def prefer(self, a: str, b: str, winner: Winner, note: str, *, blind: bool) -> None:
        from obra_tui.services.archive import prefer

        prefer(self._settings, a=a, b=b, winner=winner, note=note, blind=blind)

    # --- imports ---

    def sources(self) -> Sequence[TranscriptSource]:
        from obra_tui.services.importing.claude import claude_folder
        from obra_tui.services.importing.files import transcripts_in

        try:
            found = [_source(path) for path in transcripts_in(claude_folder())]
        except (ObraError, OSError):  # no folder of Claude Code's, or none that may be read: nothing to import
            return ()
        return sorted(found, key=lambda source: -source.at)

    def preview(self, path: str) -> TranscriptPreview:
        from obra_tui.agents.transcripts import Transcript

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
        from obra_tui.bootstrap.engine import database
        from obra_tui.services.importing.claude import import_into

        if self._journal is None:
            raise NotAllowed("This Obra only looks on.", fix="Import in the other one, or end it and start again.")
        for read in import_into(self._journal, database(self._settings), map(Path, paths)):
            yield ImportResult(path=read.path, outcome=read.outcome, problem=read.problem)  # type: ignore[arg-type]
            if stopped():
                return


def _source(path: Path) -> TranscriptSource:
    known = os.stat(path)  # noqa: PTH116 - one call for both numbers
    return TranscriptSource(path=str(path), project=path.parent.name, at=known.st_mtime, bytes=known.st_size)

"""Claude Code's transcripts as sessions: one session each, with the transcripts of its subagents.

Those of subagents are in a folder of the session's name, or, by older versions, in `agent-….jsonl` next to it. A file
that grew is read on from its last offset; the offset and the new records are written in one transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from obra_tui.agents.transcripts import Said, Transcript
from obra_tui.core.errors import ConfigError
from obra_tui.services.importing.records import ImportedFile, ImportedRecords
from obra_tui.store.imports import Imported, imported

if TYPE_CHECKING:
    from obra_tui.core.ports import Journal

_SOURCE = "claude-code:"
_HEAD = 4_096
_SUBAGENTS = "subagents"
_AGENT = "agent-"
_MOST_NAMED = 20
"""Damaged lines of a file that are named one by one."""


def import_transcript(journal: Journal, target: str | Path, path: Path) -> ImportedFile:
    source = f"{_SOURCE}{path.absolute()}"
    try:
        known = imported(target, source)
        if known is not None and not Followed.of(path, _states(known, path)[path.name]).is_same_file():
            known = None
        return _read(journal, known, source, path)
    except OSError as error:
        return ImportedFile(path=str(path), outcome="failed", problem=error.strerror or type(error).__name__)


def _states(known: Imported | None, main: Path) -> dict[str, dict[str, Any]]:
    """How far each file was read, by its place beside the transcript."""
    state = known.state if known else {}
    files: dict[str, dict[str, Any]] = state.get("files", {})
    return {main.name: state, **files}


def _read(journal: Journal, known: Imported | None, source: str, path: Path) -> ImportedFile:
    transcript, states = Transcript(), _states(known, path)
    if known:
        transcript.take_up(known.state)
    said: list[Said] = []
    files = [Followed.of(file, states.get(_place(file, path), {})) for file in files_of(path)]
    before = [file.offset for file in files]
    for file in files:
        transcript.begin_file()
        if file.offset == 0 or file.is_same_file():
            said += file.read_on(transcript)
    said = sorted((item.not_before(transcript.began or 0.0) for item in said), key=lambda item: item.at)
    damaged = tuple(place for file in files for place in file.damaged)
    if known and before == [file.offset for file in files]:
        return ImportedFile(path=str(path), session=known.session, outcome="unchanged")
    if not said:
        return ImportedFile(path=str(path), outcome="empty", passed_over=transcript.passed_over, damaged=damaged)
    state = {**transcript.state(), "files": {_place(file.path, path): file.state() for file in files}}
    records = ImportedRecords(known, transcript, state, damaged)
    events = records.continued(said) if known else records.whole(said, source)
    journal.append(events)
    return ImportedFile(
        path=str(path),
        session=records.session,
        events=len(events),
        passed_over=transcript.passed_over,
        damaged=damaged,
        outcome="continued" if known else "imported",
    )


def _place(file: Path, main: Path) -> str:
    return str(file.relative_to(main.parent))


def transcripts_in(folder: Path) -> list[Path]:
    """Return the transcripts under a folder of Claude Code, or the one file that was named.

    Those of subagents are no sessions: they are read with the session that they belong to.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ConfigError("There are no transcripts.", where=str(folder), fix="Name the folder or file with --from.")
    base = folder / "projects" if (folder / "projects").is_dir() else folder
    return sorted(path for path in base.rglob("*.jsonl") if path.is_file() and not _of_a_subagent(path))


def _of_a_subagent(path: Path) -> bool:
    return _SUBAGENTS in path.parts or path.name.startswith(_AGENT)


def files_of(main: Path) -> list[Path]:
    """Return the transcript and those of its subagents, in a stable order."""
    below = main.with_suffix("") / _SUBAGENTS
    found = sorted(path for path in below.rglob("*.jsonl") if path.is_file()) if below.is_dir() else []
    beside = sorted(path for path in main.parent.glob(f"{_AGENT}*.jsonl") if _session_of(path) == main.stem)
    return [main, *found, *beside]


def _session_of(path: Path) -> str:
    """The session that a subagent's transcript names in its first line."""
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(1_000_000))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(first.get("sessionId", "")) if isinstance(first, dict) else ""


class Followed(Struct):
    """One file: what was read of it, and what is new."""

    path: Path
    offset: int = 0
    lines: int = 0
    head_bytes: int = 0
    head: str = ""
    damaged: list[str] = field(default_factory=list)
    """`file:line` of lines that could not be understood."""

    @classmethod
    def of(cls, path: Path, state: Mapping[str, Any]) -> Followed:
        return cls(
            path,
            offset=int(state.get("offset", 0)),
            lines=int(state.get("lines", 0)),
            head_bytes=int(state.get("head_bytes", 0)),
            head=str(state.get("head", "")),
        )

    def is_same_file(self) -> bool:
        """Whether it still begins as it did when it was last read."""
        with self.path.open("rb") as file:
            head = file.read(self.head_bytes)
        return len(head) == self.head_bytes and (not self.head or _digest(head) == self.head)

    def read_on(self, transcript: Transcript) -> Iterator[Said]:
        """Read complete lines; one that is still being written is left for the next time."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                self.lines += 1
                if line.strip():
                    yield from self._understood(transcript, line)
            file.seek(0)
            head = file.read(min(_HEAD, self.offset))
        self.head_bytes, self.head = len(head), _digest(head)

    def _understood(self, transcript: Transcript, line: bytes) -> Iterator[Said]:
        before = transcript.passed_over
        yield from transcript.line(line.decode("utf-8", "replace"))
        if transcript.passed_over > before and len(self.damaged) < _MOST_NAMED:
            self.damaged.append(f"{self.path}:{self.lines}")

    def state(self) -> dict[str, Any]:
        return {"offset": self.offset, "lines": self.lines, "head_bytes": self.head_bytes, "head": self.head}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

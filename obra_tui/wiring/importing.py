"""Claude Code's transcripts into sessions that can be read and searched, but have no gate.

Each file becomes one session. A file that grew is read on from where it was
left; how far, and the new records, are one transaction. Sources are opened for
reading only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obra_tui.core import events as e
from obra_tui.core.errors import ConfigError
from obra_tui.core.ids import ClaudeSessionId, new_attempt_id, new_session_id, new_task_id
from obra_tui.core.lifecycle import State, Trigger, advance
from obra_tui.core.model import ConversationReason, ImplementResult, Outcome, Policy, SessionKind, TaskSpec
from obra_tui.core.text import one_line
from obra_tui.wiring.reports import REPORTS, import_report

if TYPE_CHECKING:
    from obra_tui.agents.transcripts import Said, Transcript
    from obra_tui.settings import Settings
    from obra_tui.store.imports import Imported

_SOURCE = "claude-code:"
_HEAD = 4_096
_NO_GATE = "Imported: nothing was checked, judged or gated."


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What became of one file."""

    path: str
    session: str = ""
    events: int = 0
    passed_over: int = 0
    """Lines that could not be understood."""
    outcome: str = "imported"
    """`imported`, `continued`, `unchanged`, `empty`, `failed`."""
    problem: str = ""


def transcripts_in(folder: Path) -> list[Path]:
    """Return the transcripts under a folder of Claude Code, or the one file that was named."""
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ConfigError("There are no transcripts.", where=str(folder), fix="Name the folder or file with --from.")
    base = folder / "projects" if (folder / "projects").is_dir() else folder
    return sorted(path for path in base.rglob("*.jsonl") if "subagents" not in path.parts and path.is_file())


def claude_folder() -> Path:
    return Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")


def import_transcripts(settings: Settings, files: list[Path]) -> Iterator[Read]:
    """Import transcripts and reports, one after another; what cannot be read is told and passed over.

    Raises `AlreadyOwned`.
    """
    from obra_tui.store.journal import SqlJournal
    from obra_tui.store.owner import acquire
    from obra_tui.wiring.engine import database

    with acquire(settings.data_dir):
        journal = SqlJournal(database(settings))
        try:
            yield from import_into(journal, database(settings), files)
        finally:
            journal.close()


def import_into(journal: Any, target: str | Path, files: Iterable[Path]) -> Iterator[Read]:
    """The same with the journal of somebody who owns the data directory already."""
    for path in files:
        importer = import_report if path.suffix.lower() in REPORTS else _one
        yield importer(journal, target, path)


def _one(journal: Any, target: str | Path, path: Path) -> Read:
    from obra_tui.store.imports import imported

    source = f"{_SOURCE}{path.absolute()}"
    try:
        known = imported(target, source)
        with path.open("rb") as file:
            known = known if known and _same_beginning(file.read(_HEAD), known) else None
            return _read(journal, known, source, path, file)
    except OSError as error:
        return Read(path=str(path), outcome="failed", problem=error.strerror or type(error).__name__)


def _same_beginning(head: bytes, known: Imported) -> bool:
    size = int(known.state.get("head_bytes", 0))
    return len(head) >= size and _digest(head[:size]) == known.state.get("head")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(journal: Any, known: Imported | None, source: str, path: Path, file: Any) -> Read:
    from obra_tui.agents.transcripts import Transcript

    transcript = Transcript()
    offset = int(known.state.get("offset", 0)) if known else 0
    if known:
        transcript.take_up(known.state)
    file.seek(offset)
    said, end = _lines(transcript, file, offset)
    if known and end == offset:
        return Read(path=str(path), session=known.session, outcome="unchanged")
    if not said:
        return Read(path=str(path), outcome="empty", passed_over=transcript.passed_over)
    file.seek(0)
    head = file.read(min(_HEAD, end))
    state = {**transcript.state(), "offset": end, "head_bytes": len(head), "head": _digest(head)}
    records = ImportedRecords(known, transcript, state)
    events = records.continued(said) if known else records.whole(said, source)
    journal.append(events)
    return Read(
        path=str(path),
        session=records.session,
        events=len(events),
        passed_over=transcript.passed_over,
        outcome="continued" if known else "imported",
    )


def _lines(transcript: Transcript, file: Any, offset: int) -> tuple[list[Said], int]:
    """Read complete lines; one that is still being written is left for the next time."""
    said: list[Said] = []
    for line in file:
        if not line.endswith(b"\n"):
            break
        offset += len(line)
        if line.strip():
            said += transcript.line(line.decode("utf-8", "replace"))
    return said, offset


class ImportedRecords:
    """Numbers events into records of one imported session."""

    def __init__(self, known: Imported | None, transcript: Transcript, state: dict[str, Any]) -> None:
        self.session = known.session if known else new_session_id()
        self._task = known.task if known else new_task_id()
        self._attempt = known.attempt if known else new_attempt_id()
        self._seq = known.last_seq if known else 0
        self._transcript = transcript
        self._state = state
        self._claude = ClaudeSessionId(transcript.session or "unknown")

    def whole(self, said: list[Said], source: str) -> list[e.Record]:
        told, at = self._transcript, self._transcript.began or said[0].at
        title = one_line(told.title or told.first_prompt or "imported", 80)
        spec = TaskSpec(id=self._task, key="T001", title=title, prompt=told.first_prompt[:64_000], source=source)
        working = advance(State.QUEUED, Trigger.START)
        opening = [
            self._of_session(at, self._opened(title, source)),
            self._of_task(at, e.TaskAdded(spec=spec, position=0, state=State.QUEUED)),
            self._of_task(at, e.TaskMoved(before=State.QUEUED, trigger=Trigger.START, after=working)),
            self._of_attempt(at, self._started()),
            self._of_attempt(at, self._reported()),
        ]
        body = [self._of_attempt(item.at, item.event) for item in said]
        over = advance(working, Trigger.CANCEL)
        moved = e.TaskMoved(before=working, trigger=Trigger.CANCEL, after=over, reason=_NO_GATE)
        return [*opening, *body, *self._ended(), self._of_task(told.last, moved), self._closed()]

    def continued(self, said: list[Said]) -> list[e.Record]:
        body = [self._of_attempt(item.at, item.event) for item in said]
        return [*body, *self._ended(), self._closed()]

    def _opened(self, title: str, source: str) -> e.SessionOpened:
        told = self._transcript
        return e.SessionOpened(
            kind=SessionKind.IMPORTED,
            title=f"imported: {title}",
            project=told.cwd,
            branch=told.branch,
            base_commit="",
            policy=Policy.MANUAL,
            threshold=0.0,
            max_attempts=1,
            plan_source=source,
            versions=(("claude-code", told.version),) if told.version else (),
        )

    def _started(self) -> e.AttemptStarted:
        return e.AttemptStarted(number=1, counted=0, claude_session=self._claude, reason=ConversationReason.FIRST)

    def _reported(self) -> e.ClaudeStarted:
        told = self._transcript
        return e.ClaudeStarted(
            claude_session=self._claude,
            model=told.model,
            version=told.version,
            pid=None,
            permission_mode="",
            cwd=told.cwd,
        )

    def _ended(self) -> list[e.Record]:
        told = self._transcript
        result = ImplementResult(
            outcome=Outcome.COMPLETED,
            claude_session=self._claude,
            detail=_NO_GATE,
            usage=told.usage,
            duration_s=max(0.0, told.last - (told.began or told.last)),
        )
        notice = e.ClaudeNoticed(
            level="info",
            text=f"Imported up to byte {self._state['offset']}; {told.passed_over} lines were passed over.",
            raw_json=json.dumps(self._state),
        )
        return [self._of_attempt(told.last, notice), self._of_attempt(told.last, e.ClaudeEnded(result=result))]

    def _closed(self) -> e.Record:
        return self._of_session(self._transcript.last, e.SessionClosed(reason=_NO_GATE))

    def _of_session(self, at: float, event: e.Event) -> e.Record:
        return self._record(at, event, task=False, attempt=False)

    def _of_task(self, at: float, event: e.Event) -> e.Record:
        return self._record(at, event, task=True, attempt=False)

    def _of_attempt(self, at: float, event: e.Event) -> e.Record:
        return self._record(at, event, task=True, attempt=True)

    def _record(self, at: float, event: e.Event, *, task: bool, attempt: bool) -> e.Record:
        self._seq += 1
        return e.Record(
            seq=self._seq,
            at=at,
            session=self.session,
            task=self._task if task else None,
            attempt=self._attempt if attempt else None,
            event=event,
        )

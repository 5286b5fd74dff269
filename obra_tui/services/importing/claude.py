"""Claude Code's transcripts into sessions that can be read and searched, but have no gate.

Each transcript becomes one session, with those of its subagents. A file that
grew is read on from where it was left; how far, and the new records, are one
transaction. Sources are opened for reading only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from obra_tui.core import events as e
from obra_tui.core.ids import ClaudeSessionId, new_attempt_id, new_session_id, new_task_id
from obra_tui.core.lifecycle import State, Trigger, advance
from obra_tui.core.model import ConversationReason, ImplementResult, Outcome, Policy, SessionKind, TaskSpec
from obra_tui.core.text import one_line
from obra_tui.services.importing.files import Followed, files_of
from obra_tui.services.importing.reports import REPORTS, import_report

if TYPE_CHECKING:
    from obra_tui.agents.transcripts import Said, Transcript
    from obra_tui.config.load import Settings
    from obra_tui.store.imports import Imported

_SOURCE = "claude-code:"
_NO_GATE = "Imported: nothing was checked, judged or gated."


class Read(Struct, frozen=True, kw_only=True):
    """What became of one file."""

    path: str
    session: str = ""
    events: int = 0
    passed_over: int = 0
    """Lines that could not be understood."""
    damaged: tuple[str, ...] = ()
    """Where they are, `file:line`; the first ones of each file."""
    outcome: str = "imported"
    """`imported`, `continued`, `unchanged`, `empty`, `failed`."""
    problem: str = ""


def claude_folder() -> Path:
    return Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")


def import_transcripts(settings: Settings, files: list[Path]) -> Iterator[Read]:
    """Import transcripts and reports, one after another; what cannot be read is told and passed over.

    Raises `AlreadyOwned`.
    """
    from obra_tui.bootstrap.engine import database, holder
    from obra_tui.store.journal import SqlJournal
    from obra_tui.store.ownership import acquire

    with acquire(settings.data_dir):
        journal = SqlJournal(database(settings), holder=holder(settings))
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
        if known is not None and not Followed.of(path, _states(known, path)[path.name]).is_same_file():
            known = None
        return _read(journal, known, source, path)
    except OSError as error:
        return Read(path=str(path), outcome="failed", problem=error.strerror or type(error).__name__)


def _states(known: Imported | None, main: Path) -> dict[str, dict[str, Any]]:
    """How far each file was read, by its place beside the transcript."""
    state = known.state if known else {}
    files: dict[str, dict[str, Any]] = state.get("files", {})
    return {main.name: state, **files}


def _read(journal: Any, known: Imported | None, source: str, path: Path) -> Read:
    from obra_tui.agents.transcripts import Transcript

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
        return Read(path=str(path), session=known.session, outcome="unchanged")
    if not said:
        return Read(path=str(path), outcome="empty", passed_over=transcript.passed_over, damaged=damaged)
    state = {**transcript.state(), "files": {_place(file.path, path): file.state() for file in files}}
    records = ImportedRecords(known, transcript, state, damaged)
    events = records.continued(said) if known else records.whole(said, source)
    journal.append(events)
    return Read(
        path=str(path),
        session=records.session,
        events=len(events),
        passed_over=transcript.passed_over,
        damaged=damaged,
        outcome="continued" if known else "imported",
    )


def _place(file: Path, main: Path) -> str:
    return str(file.relative_to(main.parent))


class ImportedRecords:
    """Numbers events into records of one imported session."""

    def __init__(
        self, known: Imported | None, transcript: Transcript, state: dict[str, Any], damaged: tuple[str, ...] = ()
    ) -> None:
        self.session = known.session if known else new_session_id()
        self._task = known.task if known else new_task_id()
        self._attempt = known.attempt if known else new_attempt_id()
        self._seq = known.last_seq if known else 0
        self._transcript = transcript
        self._state = state
        self._damaged = damaged
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
            text=self._how_far(),
            raw_json=json.dumps(self._state),
        )
        return [self._of_attempt(told.last, notice), self._of_attempt(told.last, e.ClaudeEnded(result=result))]

    def _how_far(self) -> str:
        files = len(self._state.get("files", ())) or 1
        places = f": {', '.join(self._damaged)}" if self._damaged else ""
        return f"Imported from {files} files; {self._transcript.passed_over} lines were passed over{places}."

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

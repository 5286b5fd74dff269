"""The events of one imported session, numbered as records: opened, one task, one attempt, closed without a gate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from obra_tui.core import events as e
from obra_tui.core.ids import ClaudeSessionId, new_attempt_id, new_session_id, new_task_id
from obra_tui.core.lifecycle import State, Trigger, advance
from obra_tui.core.model import ConversationReason, ImplementResult, Outcome, Policy, SessionKind, TaskSpec
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.agents.transcripts import Said, Transcript
    from obra_tui.store.imports import Imported

_NO_GATE = "Imported: nothing was checked, judged or gated."


class ImportedFile(Struct, frozen=True, kw_only=True):
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

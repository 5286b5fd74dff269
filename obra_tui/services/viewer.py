"""Looking on: an Obra beside the one that owns the data directory.

Reads the journal as it grows and hands commands over by the table. One thread
does both; it also notices when the owner is gone.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from msgspec import Struct, field

from obra_tui.core.commands import Command
from obra_tui.core.errors import ObraError, StoreError
from obra_tui.core.events import Record
from obra_tui.services.diffs import PastWork
from obra_tui.store.commands import CommandTable
from obra_tui.store.history import SqlHistory
from obra_tui.store.labels import LABELS
from obra_tui.store.ownership import Holder, holder_of
from obra_tui.ui.ports import Head

if TYPE_CHECKING:
    from pathlib import Path

    from obra_tui.core.ids import AttemptId, GateId, SessionId
    from obra_tui.core.model import Diff, Finding

Listener = Callable[[Sequence[Record]], None]

_LOOK_EVERY_S = 0.1
_OWNER_EVERY = 10
"""Looks between two questions whether the owner is still there."""
_PAGE = 500


class _Listening(Struct):
    """One listener, and how far it was told of each session."""

    listener: Listener
    told: dict[SessionId, int] = field(default_factory=dict)


class Viewer:
    """The role `Engine` of the screen, without an engine."""

    def __init__(self, data_dir: Path, database: str | Path, owner_gone: Callable[[], None] = lambda: None) -> None:
        self._data_dir = data_dir
        self._history = SqlHistory(database, labels=data_dir / LABELS)
        self._table = CommandTable(data_dir)
        self._owner_gone = owner_gone
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: dict[int, Future[object]] = {}
        self._listening: list[_Listening] = []
        self._ending = threading.Event()
        self._alone = False
        self._thread = threading.Thread(target=self._live, name="obra-viewer", daemon=True)
        self._thread.start()

    @property
    def history(self) -> SqlHistory:
        return self._history

    @property
    def outage(self) -> StoreError | None:
        """Always None: only the owner knows; while it cannot write, it refuses what is handed over."""
        return None

    def submit(self, command: Command) -> Future[object]:
        """Hand a command to the owner; the future holds its answer or one of `core.errors`. Never blocks."""
        future: Future[object] = Future()
        self._jobs.put(lambda: self._put(command, future))
        return future

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called on the viewer's thread: what the open sessions hold, then what is written."""
        listening = _Listening(listener)
        self._jobs.put(lambda: self._listening.append(listening))
        return lambda: self._jobs.put(lambda: self._forget(listening))

    def stop(self) -> None:
        """End looking; the owner goes on. Repeating it is harmless."""
        self._ending.set()
        self._thread.join(2.0)
        self._history.close()

    # --- the thread ---

    def _live(self) -> None:
        looks = 0
        while not self._ending.wait(_LOOK_EVERY_S):
            while not self._jobs.empty():
                self._jobs.get()()
            try:
                self._tell_news()
                self._collect_answers()
            except StoreError:
                pass  # the database is being written or moved at this moment: the next look is soon
            looks += 1
            if looks % _OWNER_EVERY == 0:
                self._look_for_the_owner()
        self._give_up()

    def _put(self, command: Command, future: Future[object]) -> None:
        try:
            if holder_of(self._data_dir) is None:
                raise _owner_ended()
            self._waiting[self._table.put(command)] = future
        except ObraError as error:
            future.set_exception(error)

    def _forget(self, listening: _Listening) -> None:
        if listening in self._listening:
            self._listening.remove(listening)

    def _collect_answers(self) -> None:
        if not self._waiting or not self._table.changed():
            return
        for number, future in tuple(self._waiting.items()):
            try:
                answer = self._table.answer_of(number)
            except StoreError as error:
                del self._waiting[number]
                future.set_exception(error)
                continue
            if answer is not None:
                del self._waiting[number]
                future.set_exception(answer.error) if answer.error else future.set_result(answer.value)

    def _tell_news(self) -> None:
        if not self._listening:
            return
        is_open = {session for session, _ in self._history.open_sessions()}
        for listening in tuple(self._listening):
            for session in sorted(is_open | set(listening.told)):
                self._tell(listening, session)

    def _tell(self, listening: _Listening, session: SessionId) -> None:
        last = self._history.last_seq(session)
        if session not in listening.told:
            past = [record for record in self._history.session_records(session) if record.seq <= last]
            listening.told[session] = last
            if past:
                listening.listener(past)
        while listening.told[session] < last:
            page = self._history.records(session, after=listening.told[session], limit=_PAGE)
            if not page:
                return
            listening.told[session] = page[-1].seq
            listening.listener(page)

    def _look_for_the_owner(self) -> None:
        alone = holder_of(self._data_dir) is None
        if alone and not self._alone:
            self._give_up()
            self._owner_gone()
        self._alone = alone

    def _give_up(self) -> None:
        for future in self._waiting.values():
            future.set_exception(_owner_ended())
        self._waiting.clear()


def _owner_ended() -> StoreError:
    return StoreError("The Obra that was at work has ended.", fix="Take over, or start Obra again.")


class ViewerReader:
    """Reads beside somebody else's engine."""

    def __init__(self, history: SqlHistory, data_dir: Path) -> None:
        self._history = history
        self._data_dir = data_dir

    def files_of(
        self, attempt: AttemptId, path: str, since: AttemptId | Head | None = None
    ) -> tuple[str | None, str | None]:
        return self._past(attempt).files_of(attempt, path, since)

    def changes_since(self, attempt: AttemptId, earlier: AttemptId | Head) -> Diff:
        return self._past(attempt).changes_since(attempt, earlier)

    def work_so_far(self, session: SessionId, copy_path: str) -> Diff:
        return self._past_of(session).work_so_far(copy_path)

    def _past(self, attempt: AttemptId) -> PastWork:
        return self._past_of(self._history.attempt(attempt).summary.session)

    def _past_of(self, session: SessionId) -> PastWork:
        from pathlib import Path

        from obra_tui.evidence.sandbox import Sandbox
        from obra_tui.evidence.workspace import GitWorkspace

        project = Path(self._history.session(session).summary.project)
        sandbox = Sandbox(data_dir=self._data_dir)
        return PastWork(self._history, GitWorkspace(project=project, data_dir=self._data_dir, sandbox=sandbox))

    def next_prompt(self, gate: GateId, note: str, chosen: tuple[Finding, ...]) -> str:
        from obra_tui.core.model import Decision, DecisionKind
        from obra_tui.engine.prompts import changes_prompt

        attempt = self._history.gate(gate).attempt
        decision = Decision(kind=DecisionKind.CHANGES, by="", note=note, chosen=chosen)
        return changes_prompt(attempt.summary.number + 1, decision, attempt.checks, ())


def words_of(holder: Holder | None) -> str:
    return f"pid {holder.pid}" if holder else "another Obra"

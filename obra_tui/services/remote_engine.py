"""The engine of another process: a read replica of its journal, and the command table between the two.

`RemoteEngine` is the side of a viewer or a command line, `serve_commands` the side of the owner. One thread reads the
journal as it grows, sends commands, collects answers and notices when the owner is gone.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from obra_tui.core.commands import Command
from obra_tui.core.errors import ObraError, StoreError
from obra_tui.core.events import Record
from obra_tui.store.commands import CommandAnswer, CommandTable
from obra_tui.store.history import SqlHistory
from obra_tui.store.labels import LABELS
from obra_tui.store.ownership import holder_of

if TYPE_CHECKING:
    from obra_tui.core.ids import SessionId

Handle = Callable[[Command], Awaitable[object]]
Listener = Callable[[Sequence[Record]], None]

_LOOK_EVERY_S = 0.1
_OWNER_EVERY = 10
"""Polls between two checks that the owner is still there."""
_PAGE = 500


class _Listening(Struct):
    """One listener, and the last record of each session that it got."""

    listener: Listener
    sent: dict[SessionId, int] = field(default_factory=dict)


class RemoteEngine:
    """Implements `core.ports.Engine` without an engine: read replica and command queue."""

    def __init__(self, data_dir: Path, database: str | Path, on_owner_gone: Callable[[], None] = lambda: None) -> None:
        self._data_dir = data_dir
        self._history = SqlHistory(database, labels=data_dir / LABELS)
        self._table = CommandTable(data_dir)
        self._on_owner_gone = on_owner_gone
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: dict[int, Future[object]] = {}
        self._listening: list[_Listening] = []
        self._ending = threading.Event()
        self._alone = False
        self._thread = threading.Thread(target=self._loop, name="obra-remote-engine", daemon=True)
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
        """Have `listener` called on the thread of this object: what the open sessions hold, then what is written."""
        listening = _Listening(listener)
        self._jobs.put(lambda: self._listening.append(listening))
        return lambda: self._jobs.put(lambda: self._forget(listening))

    def stop(self) -> None:
        """End looking; the owner goes on. Repeating it is harmless."""
        self._ending.set()
        self._thread.join(2.0)
        self._history.close()

    # --- the thread ---

    def _loop(self) -> None:
        looks = 0
        while not self._ending.wait(_LOOK_EVERY_S):
            while not self._jobs.empty():
                self._jobs.get()()
            try:
                self._send_news()
                self._collect_answers()
            except StoreError:
                pass  # the database is being written or moved at this moment: the next look is soon
            looks += 1
            if looks % _OWNER_EVERY == 0:
                self._check_owner()
        self._fail_waiting()

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

    def _send_news(self) -> None:
        if not self._listening:
            return
        is_open = {session for session, _ in self._history.open_sessions()}
        for listening in tuple(self._listening):
            for session in sorted(is_open | set(listening.sent)):
                self._send(listening, session)

    def _send(self, listening: _Listening, session: SessionId) -> None:
        last = self._history.last_seq(session)
        if session not in listening.sent:
            past = [record for record in self._history.session_records(session) if record.seq <= last]
            listening.sent[session] = last
            if past:
                listening.listener(past)
        while listening.sent[session] < last:
            page = self._history.records(session, after=listening.sent[session], limit=_PAGE)
            if not page:
                return
            listening.sent[session] = page[-1].seq
            listening.listener(page)

    def _check_owner(self) -> None:
        alone = holder_of(self._data_dir) is None
        if alone and not self._alone:
            self._fail_waiting()
            self._on_owner_gone()
        self._alone = alone

    def _fail_waiting(self) -> None:
        for future in self._waiting.values():
            future.set_exception(_owner_ended())
        self._waiting.clear()


def _owner_ended() -> StoreError:
    return StoreError("The Obra that was at work has ended.", fix="Take over, or start Obra again.")


# --- the owner's side ----------------------------------------------------------------------------


async def serve_commands(table: CommandTable, handle: Handle) -> None:
    """Carry out the commands of other processes, until cancelled. Polls the file, reads it when it changed."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            if table.changed():
                for number, command in table.take():
                    table.answer(number, await _carry_out(command, handle))
        except StoreError:
            # Unreadable or unwritable now: the sender gets no answer, and the work here goes on.
            continue


async def _carry_out(command: Command, handle: Handle) -> CommandAnswer:
    try:
        return CommandAnswer(value=await handle(command))
    except ObraError as error:
        return CommandAnswer(error=error)

"""The orchestrator in a background thread with a loop of its own.

Everything that is slow to import (SDK, database, HTTP) is imported by `build`,
which runs in this thread, so that the screen is there before it. This module
loads nothing of the engine itself, for the same reason.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from msgspec import Struct

from obra_tui.core.errors import StoreError
from obra_tui.system.process import watch_without_threads

if TYPE_CHECKING:
    from obra_tui.core.commands import Command
    from obra_tui.core.events import Record
    from obra_tui.engine.orchestrator import Orchestrator

P = ParamSpec("P")
T = TypeVar("T")
Listener = Callable[[Sequence["Record"]], None]

_STOP_LIMIT_S = 10.0


class Assembly(Struct, frozen=True, kw_only=True):
    """An orchestrator, how to close what it was built from, and what else runs on its loop while it lives."""

    orchestrator: "Orchestrator"
    close: Callable[[], Awaitable[None]]
    beside: Callable[[], Coroutine[None, None, None]] | None = None


class EngineThread:
    """Thread-safe door to the orchestrator: commands in, records out."""

    def __init__(self, build: Callable[[], Awaitable[Assembly]]) -> None:
        self._build = build
        self._ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._orchestrator: Orchestrator | None = None
        self._ending: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._main, name="obra-engine", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether commands are taken."""
        return self._thread.is_alive() and self._loop is not None and not self._loop.is_closed()

    @property
    def outage(self) -> StoreError | None:
        """Why nothing can be written at present; for any thread."""
        return self._orchestrator.store_error if self._orchestrator else None

    def watch_store(self, watcher: Callable[[StoreError | None], None]) -> None:
        """Have `watcher` called on the engine's thread when nothing can be written any more, and when it can again."""
        assert self._orchestrator is not None
        self.ask(self._orchestrator.watch_store, watcher)

    def start(self) -> None:
        """Start the thread and return when it takes commands. Raises what `build` raised."""
        self._thread.start()
        self._ready.result()

    def submit(self, command: "Command") -> "Future[object]":
        """Hand over a command; the future holds its answer or one of `core.errors`. Never blocks."""
        assert self._loop is not None
        assert self._orchestrator is not None
        return asyncio.run_coroutine_threadsafe(self._orchestrator.handle(command), self._loop)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called on the engine's thread: once with what is there, then with each written batch."""
        loop, orchestrator = self._loop, self._orchestrator
        assert loop is not None
        assert orchestrator is not None

        unsubscribe = self.ask(orchestrator.subscribe, listener)
        return lambda: None if loop.is_closed() else _later(loop, unsubscribe)

    def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `question` on the engine's loop and return its answer; blocks, so never from the screen's loop."""
        assert self._loop is not None

        async def on_loop() -> T:
            return question(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result()

    def stop(self) -> None:
        """End all runs, close everything and wait for the thread. Repeating it is harmless."""
        if self._loop is not None and self._ending is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(_STOP_LIMIT_S)

    def _main(self) -> None:
        watch_without_threads()
        try:
            asyncio.run(self._live())
        except BaseException as fault:
            if self._ready.done():
                raise
            self._ready.set_exception(fault)

    async def _live(self) -> None:
        assembly = await self._build()
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        self._orchestrator = assembly.orchestrator
        beside = None
        try:
            self._orchestrator.start()
            beside = asyncio.create_task(assembly.beside()) if assembly.beside else None
            self._ready.set_result(None)
            await self._ending.wait()
        finally:
            if beside is not None:
                beside.cancel()
            await self._end(self._orchestrator, assembly)

    async def _end(self, orchestrator: "Orchestrator", assembly: Assembly) -> None:
        """Stop and close; the lock is released and Claude Code ended also when nothing can be written any more."""
        try:
            with contextlib.suppress(
                StoreError
            ):  # it was told when it was met; what was not written is found next time
                await orchestrator.stop()
        finally:
            await assembly.close()


def _later(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(call)

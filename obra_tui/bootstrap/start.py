"""The first commands of a run request: open or find the session, start the run with its tasks."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from obra_tui.core.commands import Command, OpenSession, Resume, StartRun
from obra_tui.core.errors import StoreError, Unwritable
from obra_tui.core.ids import SessionId
from obra_tui.core.model import SessionKind
from obra_tui.system.gc_tuning import loaded

if TYPE_CHECKING:
    from obra_tui.bootstrap.run_request import RunRequest
    from obra_tui.core.ports import Engine

_RETRY_S = 1.0
"""Interval of retries while the disk is full or the database is away."""


OnWaiting = Callable[[StoreError], None]
"""Called with the error that a command waits for."""


def enter_session(engine: Engine, request: RunRequest, on_waiting: OnWaiting | None = None) -> SessionId:
    """Return the session to work in; a new one has no tasks yet. Raises `ObraError`.

    Disk full or database away: retries every second if `on_waiting` is given, else raises.
    """
    threading.Thread(target=_load_ahead, name="obra-load-ahead", daemon=True).start()
    if request.resume:
        return SessionId(request.resume)
    assert request.plan is not None
    command = OpenSession(
        kind=SessionKind.STANDALONE if request.is_standalone else SessionKind.MILESTONE,
        title=request.plan.title,
        plan_source=absolute_source(request.plan.source),
    )
    return cast(SessionId, _submit(engine, command, on_waiting))


def start_work(
    engine: Engine, session: SessionId, request: RunRequest, by: str, on_waiting: OnWaiting | None = None
) -> None:
    """Begin with the tasks, or go on after an interruption. Raises `ObraError` for an unknown or closed session."""
    if request.resume:
        _submit(engine, Resume(session=session, by=by, fork=request.fork), on_waiting)
    tasks = request.plan.tasks if request.plan is not None and not request.resume else ()
    _submit(engine, StartRun(session=session, close_when_done=True, tasks=tasks, by=by), on_waiting)


def start_work_in_thread(engine: Engine, session: SessionId, request: RunRequest, by: str) -> None:
    """`start_work` for a screen: returns once the work has begun or has to wait, which the screen shows by itself."""
    begun: Future[None] = Future()

    def work() -> None:
        try:
            start_work(engine, session, request, by, on_waiting=lambda error: _resolve(begun))
            _resolve(begun)
        except BaseException as error:  # noqa: BLE001 - the edge of a thread
            _resolve(begun, error)

    threading.Thread(target=work, name="obra-start-work", daemon=True).start()
    begun.result()


def _resolve(begun: Future[None], error: BaseException | None = None) -> None:
    """Resolve the future once; later errors reach the screen through the engine."""
    if begun.done():
        return
    if error is None:
        begun.set_result(None)
    else:
        begun.set_exception(error)


def _submit(engine: Engine, command: Command, on_waiting: OnWaiting | None) -> object:
    """Return the answer. A command refused as `Unwritable` has changed nothing, so it is safe to retry."""
    while True:
        try:
            return engine.submit(command).result()
        except Unwritable as error:
            if on_waiting is None or not error.passes:
                raise
            on_waiting(error)
        time.sleep(_RETRY_S)
        while (outage := engine.outage) is not None:
            if not (isinstance(outage, Unwritable) and outage.passes):
                raise outage
            time.sleep(_RETRY_S)


def absolute_source(source: str) -> str:
    """Return the absolute path of a plan file; a source that is no file is returned as it is."""
    path = Path(source)
    return str(path.absolute()) if source and path.is_file() else source


def _load_ahead() -> None:
    """Import what the first attempt needs while the session is written and the copy is made.

    Import errors are raised again, and reported, where the module is used.
    """
    with suppress(OSError, ImportError):
        importlib.import_module("obra_tui.agents.claude_code").warm_up()
        importlib.import_module("obra_tui.judge.client")
        loaded()

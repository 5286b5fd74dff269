"""The first commands of a start: open or find the session, add the tasks, begin."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import cast

from obra_tui.bootstrap.run_request import Order
from obra_tui.core.commands import AddTasks, Command, OpenSession, Resume, StartRun
from obra_tui.core.errors import StoreError, Unwritable
from obra_tui.core.ids import SessionId
from obra_tui.core.ports import Engine
from obra_tui.system.gc_tuning import loaded

_LOOK_S = 1.0
"""How often it is looked whether writing works again."""


Waiting = Callable[[StoreError], None]
"""Hears why a command waits."""


def enter_session(engine: Engine, order: Order, waiting: Waiting | None = None) -> SessionId:
    """Return the session to work in; a new one has no tasks yet. Raises `ObraError`.

    While nothing can be written for want of space, or of the database's server, it is waited for if somebody hears
    of it by `waiting`.
    """
    threading.Thread(target=_load_ahead, name="obra-load-ahead", daemon=True).start()
    if order.resume:
        return SessionId(order.resume)
    assert order.plan is not None
    opened = OpenSession(kind=order.kind, title=order.plan.title, plan_source=full_path(order.plan.source))
    return cast(SessionId, _handed_over(engine, opened, waiting))


def start_work(engine: Engine, session: SessionId, order: Order, by: str, waiting: Waiting | None = None) -> None:
    """Add the tasks and begin, or go on after an interruption. Raises `ObraError` for an unknown or closed session."""
    if order.resume:
        _handed_over(engine, Resume(session=session, by=by, fork=order.fork), waiting)
    elif order.plan is not None:
        _handed_over(engine, AddTasks(session=session, tasks=order.plan.tasks), waiting)
    _handed_over(engine, StartRun(session=session, close_when_done=True), waiting)


def start_work_beside(engine: Engine, session: SessionId, order: Order, by: str) -> None:
    """As `start_work`, for a screen, which says itself why nothing goes on: what must wait does so in a thread."""
    begun: Future[None] = Future()

    def work() -> None:
        try:
            start_work(engine, session, order, by, waiting=lambda error: _tell(begun))
            _tell(begun)
        except BaseException as error:  # noqa: BLE001 - the edge of a thread
            _tell(begun, error)

    threading.Thread(target=work, name="obra-start-work", daemon=True).start()
    begun.result()


def _tell(begun: "Future[None]", error: BaseException | None = None) -> None:
    """What comes after the first word was told to the screen by the engine itself."""
    if begun.done():
        return
    if error is None:
        begun.set_result(None)
    else:
        begun.set_exception(error)


def _handed_over(engine: Engine, command: Command, waiting: Waiting | None) -> object:
    """Return the answer. What was refused because nothing could be written has changed nothing: it is asked again."""
    while True:
        try:
            return engine.submit(command).result()
        except Unwritable as error:
            if waiting is None or not error.passes:
                raise
            waiting(error)
        time.sleep(_LOOK_S)
        while (outage := engine.outage) is not None:
            if not (isinstance(outage, Unwritable) and outage.passes):
                raise outage
            time.sleep(_LOOK_S)


def full_path(source: str) -> str:
    """Return the path of a plan file as it is found from any folder; what is no file is named as it is."""
    path = Path(source)
    return str(path.absolute()) if source and path.is_file() else source


def _load_ahead() -> None:
    """Load what the first attempt needs, while the session is written, the copy is made and Claude Code starts.

    What cannot be loaded now, for want of open files perhaps, is told of by whoever needs it.
    """
    import importlib

    with suppress(OSError, ImportError):
        from obra_tui.agents.claude_code import warm_up

        warm_up()
        importlib.import_module("obra_tui.judge.client")
        loaded()

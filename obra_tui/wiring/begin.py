"""The first commands of a start: open or find the session, add the tasks, begin."""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol, cast

from obra_tui.core.collector import loaded
from obra_tui.core.commands import AddTasks, Command, OpenSession, Resume, StartRun
from obra_tui.core.ids import SessionId
from obra_tui.wiring.work import Order


class Engine(Protocol):
    def submit(self, command: Command) -> "Future[object]": ...


def enter_session(engine: Engine, order: Order) -> SessionId:
    """Return the session to work in; a new one has its tasks. Raises `ObraError`."""
    threading.Thread(target=_load_ahead, name="obra-load-ahead", daemon=True).start()
    if order.resume:
        return SessionId(order.resume)
    assert order.plan is not None
    plan = order.plan
    opened = OpenSession(kind=order.kind, title=plan.title, plan_source=full_path(plan.source))
    session = cast(SessionId, engine.submit(opened).result())
    engine.submit(AddTasks(session=session, tasks=plan.tasks)).result()
    return session


def full_path(source: str) -> str:
    """Return the path of a plan file as it is found from any folder; what is no file is named as it is."""
    path = Path(source)
    return str(path.absolute()) if source and path.is_file() else source


def start_work(engine: Engine, session: SessionId, order: Order, by: str) -> None:
    """Begin, or go on after an interruption. Raises `ObraError` for an unknown or closed session."""
    if order.resume:
        engine.submit(Resume(session=session, by=by, fork=order.fork)).result()
    engine.submit(StartRun(session=session, close_when_done=True)).result()


def _load_ahead() -> None:
    """Load what the first attempt needs, while the session is written, the copy is made and Claude Code starts."""
    import importlib

    from obra_tui.agents.claude_code import warm_up

    warm_up()
    importlib.import_module("obra_tui.judge.client")
    loaded()

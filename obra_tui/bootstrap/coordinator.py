"""The coordinator as a program: an engine whose work is done by workers, open until it is ended.

People watch and decide from the app, the command line and `obra fleet`; they hand commands over as to any other Obra.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.fleet import refuse_without_fleet
from obra_tui.bootstrap.start import enter_session, start_work
from obra_tui.bootstrap.terminal_guard import interrupt_on_signals
from obra_tui.core.commands import Resume, StartRun
from obra_tui.core.errors import Unwritable
from obra_tui.core.events import TaskAdded
from obra_tui.headless.follow import print_waiting, text_lines
from obra_tui.system.user import person

if TYPE_CHECKING:
    from obra_tui.bootstrap.run_request import RunRequest
    from obra_tui.config.load import Settings
    from obra_tui.core.events import Record

_LOOK_S = 1.0


def run_coordinator(settings: Settings, request: RunRequest, output: TextIO, *, resume: bool = False) -> int:
    """Coordinate until ended by a signal; the work is kept. Raises `ObraError` when it cannot begin."""
    refuse_without_fleet(settings)
    interrupt_on_signals()
    handle = EngineHandle(settings, request)
    handle.start()
    records: queue.SimpleQueue[Sequence[Record]] = queue.SimpleQueue()
    handle.engine.subscribe(records.put)
    try:
        if resume:
            _go_on(handle)
        if request.plan is not None:
            session = enter_session(handle.engine, request, print_waiting)
            start_work(handle.engine, session, request, person(), print_waiting)
        with suppress(KeyboardInterrupt):
            _print(handle, records, output)
    finally:
        handle.stop()
        handle.finish_plan()
    return 0


def _go_on(handle: EngineHandle) -> None:
    """Go on with what an earlier coordinator of this project had begun."""
    for session, _ in handle.engine.ask(handle.parts.orchestrator.open_sessions):
        handle.engine.submit(Resume(session=session, by="coordinator")).result()
        handle.engine.submit(StartRun(session=session, close_when_done=True)).result()


def _print(handle: EngineHandle, records: queue.SimpleQueue[Sequence[Record]], output: TextIO) -> None:
    """Print what happens, each line with the key of its task, until interrupted. Raises what ends the coordinator."""
    keys: dict[str, str] = {}
    redact = handle.redaction()
    while True:
        try:
            batch = records.get(timeout=_LOOK_S)
        except queue.Empty:
            outage = handle.engine.outage
            if outage is not None and not (isinstance(outage, Unwritable) and outage.passes):
                raise outage from None
            continue
        for record in batch:
            if isinstance(record.event, TaskAdded):
                keys[record.event.spec.id] = record.event.spec.key
            key = keys.get(record.task or "", "")
            lines = (line for clean in redact(record) for line in text_lines(clean))
            output.writelines(f"{f'{key}: ' if key else ''}{line.strip()}\n" for line in lines)
        output.flush()

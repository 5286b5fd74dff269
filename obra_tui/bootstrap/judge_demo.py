"""A month of two judges in ten minutes: the work is there, and day by day a person's answers and an exam come in.

The engine, the journal and the rules are the real ones; what they make of the answers is told as on any day.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from obra_tui.bootstrap.engine import EngineHandle
from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.core.commands import RecordJudging
from obra_tui.core.errors import ObraError
from obra_tui.core.ids import new_id
from obra_tui.evidence.copies import make_private
from obra_tui.rehearsal import load_scenario, materialise
from obra_tui.rehearsal.judge_month import DAYS, NAME, days, past_work
from obra_tui.services.models import real_models

if TYPE_CHECKING:
    from obra_tui.config.load import Settings

_DAY_S = 20.0
"""So long a day takes at the usual pace: a month is ten minutes."""


def make_project(data_dir: Path) -> Path:
    """Make the repository that the month is told about."""
    make_private(data_dir)
    return materialise(load_scenario("calculator"), data_dir / "rehearsals" / f"{NAME}-{new_id('')}")


def month_handle(settings: Settings, project: Path) -> EngineHandle:
    """Return an engine that is not started yet; no model is asked for anything."""
    return EngineHandle(
        settings, RunRequest(project=project, attended=True), lambda: replace(real_models(settings), rehearsal=NAME)
    )


class Month:
    """Plays the days one after the other, in a thread of its own."""

    def __init__(self, handle: EngineHandle, *, pace: float, on_day: Callable[[int], None] = lambda _: None) -> None:
        self._handle = handle
        self._pause = pace * _DAY_S
        self._on_day = on_day
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._play, name="obra-month", daemon=True)
        self.problem: ObraError | None = None

    def start(self) -> None:
        """Write the month's work, then begin with its first day."""
        began = time.time() - DAYS * 86_400.0
        self._handle.parts.journal.append(tuple(past_work(str(self._handle.project), began)))
        self._thread.start()

    def wait(self) -> None:
        self._thread.join()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=5.0)

    def _play(self) -> None:
        for day in days():
            command = RecordJudging(title=f"Day {day.number} of {DAYS}", events=day.events, rehearsal=NAME)
            try:
                self._handle.engine.submit(command).result()
            except ObraError as error:
                self.problem = error
                return
            self._on_day(day.number)
            if self._stopped.wait(self._pause):
                return

"""What the screens read on request: from the database and from git. Blocking, for worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId, GateId
from obra_tui.core.model import Finding

if TYPE_CHECKING:
    from obra_tui.wiring.engine import Plant


class PlantReader:
    """Reads beside a running engine."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def files_of(self, attempt: AttemptId, path: str) -> tuple[str | None, str | None]:
        diff = self._plant.parts.history.attempt(attempt).diff
        if diff is None:
            return None, None
        return asyncio.run(self._plant.parts.workspace.files_of(diff, path))

    def next_prompt(self, gate: GateId, note: str, chosen: tuple[Finding, ...]) -> str:
        return self._plant.engine.ask(self._plant.parts.orchestrator.next_prompt, gate, note, chosen)

    def attempt_records(self, attempt: AttemptId) -> Sequence[Record]:
        found: list[Record] = []
        while True:
            page = self._plant.parts.history.attempt_records(attempt, after=found[-1].seq if found else 0)
            if not page:
                return found
            found.extend(page)

"""What the screens read on request: from the database and from git. Blocking, for worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from obra_tui.core.errors import UnknownId
from obra_tui.core.events import Record
from obra_tui.core.ids import AttemptId, GateId, SessionId
from obra_tui.core.model import Diff, Finding
from obra_tui.ui.ports import HEAD, Head

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.core.records.history import History
    from obra_tui.evidence.workspace import GitWorkspace


class PastWork:
    """The files of attempts, from what the history says of them and from git."""

    def __init__(self, history: History, workspace: GitWorkspace) -> None:
        self._history = history
        self._workspace = workspace

    def files_of(
        self, attempt: AttemptId, path: str, since: AttemptId | Head | None = None
    ) -> tuple[str | None, str | None]:
        diff = self._history.attempt(attempt).diff
        if diff is None:
            return None, None
        if since is not None:
            diff = replace(diff, base_commit=self._base(since))
        return asyncio.run(self._workspace.files_of(diff, path))

    def _base(self, since: AttemptId | Head) -> str:
        return asyncio.run(self._workspace.head()) if since == HEAD else self._diff_of(AttemptId(since)).tree

    def changes_since(self, attempt: AttemptId, earlier: AttemptId | Head) -> Diff:
        if earlier == HEAD:
            return asyncio.run(self._workspace.changes_from_head(self._diff_of(attempt)))
        return asyncio.run(self._workspace.changes_between(self._diff_of(AttemptId(earlier)), self._diff_of(attempt)))

    def work_so_far(self, copy_path: str) -> Diff:
        return asyncio.run(self._workspace.look_at(copy_path))

    def _diff_of(self, attempt: AttemptId) -> Diff:
        diff = self._history.attempt(attempt).diff
        if diff is None:
            raise UnknownId(
                f"Attempt {attempt} left no work to compare with.", fix="Compare with the base of the task."
            )
        return diff


class PlantReader:
    """Reads beside a running engine."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def files_of(
        self, attempt: AttemptId, path: str, since: AttemptId | Head | None = None
    ) -> tuple[str | None, str | None]:
        return self._past.files_of(attempt, path, since)

    def changes_since(self, attempt: AttemptId, earlier: AttemptId | Head) -> Diff:
        return self._past.changes_since(attempt, earlier)

    def work_so_far(self, session: SessionId, copy_path: str) -> Diff:
        return self._past.work_so_far(copy_path)

    @property
    def _past(self) -> PastWork:
        return PastWork(self._plant.parts.history, self._plant.parts.workspace)

    def next_prompt(self, gate: GateId, note: str, chosen: tuple[Finding, ...]) -> str:
        return self._plant.engine.ask(self._plant.parts.orchestrator.next_prompt, gate, note, chosen)

    def attempt_records(self, attempt: AttemptId) -> Sequence[Record]:
        found: list[Record] = []
        while True:
            page = self._plant.parts.history.attempt_records(attempt, after=found[-1].seq if found else 0)
            if not page:
                return found
            found.extend(page)

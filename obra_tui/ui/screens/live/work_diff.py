"""The diff of the work while somebody is at it: read whenever the copy stands still, shown where the judge will be.

It follows what changed last until a person moves in it; then it stays where they are, also when the file changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record, ToolFinished
from obra_tui.core.model import Diff
from obra_tui.ui.services import AppServices, services_of
from obra_tui.ui.state import AttemptView, TaskView
from obra_tui.ui.view.diff_view import file_diffs
from widgets.diff.diff_pane import DiffPane
from widgets.diff.patch import FileDiff, patch_rows

STILL_S = 1.5
"""So long after Claude's last tool call the copy is read."""
APART_S = 3.0
"""From the end of one reading to the next."""
_TITLE = "Work so far"


class WorkDiff(DiffPane):
    """Knows which copy it shows, when that was read last, and whether a person wants to see it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._followed: TaskView | None = None
        self._is_working = False
        self._changed_at: float | None = None
        """When the copy may have changed last; None when that was read."""
        self._read_at = float("-inf")
        self._is_reading = False
        self._wish: bool | None = None
        """What the person asked for; None = while Claude works and there is something to see."""

    def on_mount(self) -> None:
        """An empty box until something was read."""
        super().on_mount()
        self.border_title = _TITLE

    @property
    def services(self) -> AppServices:
        return services_of(self.app)

    @property
    def is_wanted(self) -> bool:
        """It belongs on the screen now."""
        return self._is_working and bool(self.files) if self._wish is None else self._wish

    # -- what the screen calls -----------------------------------------------------------------

    def follow_work(self, task: TaskView | None, attempt: AttemptView | None, records: Sequence[Record]) -> None:
        """Take what happened to the task on screen; `attempt` is the one that is shown of it."""
        if (task.id if task else None) != (self._followed.id if self._followed else None):
            self.show(())
            self._changed_at = self.services.clock.now() - STILL_S
        working = bool(task and task.copy_path and attempt and attempt.id == task.latest and attempt.claude_running)
        if working != self._is_working and self._wish:
            self._wish = None
        self._followed, self._is_working = task, working
        mine = task and any(record.task == task.id and isinstance(record.event, ToolFinished) for record in records)
        if mine:
            self._changed_at = self.services.clock.now()

    def tick(self, now: float) -> None:
        """Read the copy when it stands still and was not read since it changed."""
        task, backend = self._followed, self.services.backend
        if task is None or backend is None or not task.copy_path or not (self._is_working or self._wish):
            return
        still = self._changed_at is not None and now - self._changed_at >= STILL_S
        if still and not self._is_reading and now - self._read_at >= APART_S:
            self._is_reading, self._changed_at = True, None
            reader, soon = backend.reader, self.services.call_soon

            def read() -> None:
                try:
                    soon(partial(self._take, task, reader.work_so_far(task.session, task.copy_path)))
                except ObraError as refused:
                    soon(partial(self._fail, refused))

            self.run_worker(read, thread=True, exit_on_error=False, group="work")

    def toggle(self) -> bool:
        """Show it, or not; returns what holds now."""
        self._wish = not self.is_wanted
        if self._wish and self._changed_at is None:
            self._changed_at = self.services.clock.now() - STILL_S
        return self._wish

    # -- what was read -------------------------------------------------------------------------

    def _end_reading(self) -> bool:
        self._is_reading, self._read_at = False, self.services.clock.now()
        return self.is_attached and bool(self.children)

    def _fail(self, refused: ObraError) -> None:
        if self._end_reading():
            self.border_subtitle = f"not read: {refused}"[:80]

    def _take(self, task: TaskView, diff: Diff) -> None:
        if not self._end_reading() or self._followed is None or self._followed.id != task.id:
            return
        files = file_diffs(diff.patch, diff.files)
        added, removed = (sum(getattr(file, name) for file in files) for name in ("added", "removed"))
        self.border_subtitle = f"{len(files)} file{'' if len(files) == 1 else 's'} +{added} −{removed}"
        before = {file.path: file.patch for file in self.files}
        changed = [file for file in files if before.get(file.path) != file.patch]
        if not changed and len(files) == len(before):
            return
        if self.has_pseudo_class("focus-within") or not changed:
            self._stay(files)
        else:
            self._show_change(files, changed[-1], before.get(changed[-1].path, ""))

    def _stay(self, files: Sequence[FileDiff]) -> None:
        """The same file at the same line, as far as they are still there."""
        place = self.place()
        paths = [file.path for file in files]
        index = paths.index(place[0]) if place and place[0] in paths else 0
        self.show(files, index)
        if place and place[1] > 1 and place[0] in paths:
            self.jump(*place)

    def _show_change(self, files: Sequence[FileDiff], file: FileDiff, earlier: str) -> None:
        """The file that changed last, at the first line that is new."""
        self.show(files, list(files).index(file))
        rows = patch_rows(file.patch)
        known = set(earlier.split("\n"))
        fresh = (n for n, at in sorted(rows.places.items()) if rows.rows[at][11] + rows.rows[at][13:] not in known)
        line = next(fresh, 0)
        if earlier and line:
            self.jump(file.path, line)

"""Which two states of the files a gate's diff compares: the work with the base of its task, an attempt, or HEAD.

Comparisons with another base are read in worker threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from obra_tui.core.errors import ObraError
from obra_tui.core.model import Diff
from obra_tui.ui.ports import HEAD, Head
from obra_tui.ui.services import AppServices
from obra_tui.ui.view.review import GateReview

if TYPE_CHECKING:
    from obra_tui.core.ids import AttemptId


class DiffBase:
    """Begins at the base of the task; only that comparison is what an answer is bound to."""

    def __init__(
        self, in_thread: Callable[[Callable[[], None]], None], on_base: Callable[[], None], on_title: Callable[[], None]
    ) -> None:
        """`on_base` is called when another comparison is there, `on_title` when only its name is another one."""
        self._in_thread = in_thread
        self._on_base = on_base
        self._on_title = on_title
        self.review: GateReview | None = None
        self.since: AttemptId | Head | None = None
        """The other base; None = the base of the task."""
        self._compared: Diff | None = None
        self._coming: AttemptId | Head | None = None

    @property
    def has_other_base(self) -> bool:
        return self._compared is not None

    @property
    def diff(self) -> Diff | None:
        if self._compared is not None:
            return self._compared
        return self.review.attempt.diff if self.review else None

    @property
    def title(self) -> str:
        if self._coming is not None:
            return f"Diff · comparing with {self._name_of(self._coming)}…"
        return f"Diff since {self._name_of(self.since)}"

    @property
    def next_title(self) -> str:
        return f"since {self._name_of(self._base_after(self.since))}"

    def start(self, review: GateReview) -> None:
        """Compare this work with the base of its task."""
        self.review, self._compared, self.since, self._coming = review, None, None, None

    def switch(self, services: AppServices) -> None:
        """From the base of the task to the attempt before, to what is checked out, and back."""
        review, backend = self.review, services.backend
        if review is None:
            return
        following = self._base_after(self.since)
        if following is None:
            self._take(None, None)
        elif backend is not None:
            self._coming = following
            self._on_title()
            reader, soon = backend.reader, services.call_soon

            def read() -> None:
                try:
                    diff = reader.changes_since(review.attempt.id, following)
                except ObraError as refused:
                    soon(partial(self._refused, services, refused))
                else:
                    soon(partial(self._compared_with, services, review, following, diff))

            self._in_thread(read)

    def _base_after(self, base: AttemptId | Head | None) -> AttemptId | Head | None:
        before = self.review.earlier[-1].attempt.id if self.review and self.review.earlier else None
        if base is None and before is not None:
            return before
        return None if base == HEAD else HEAD

    def _refused(self, services: AppServices, refused: ObraError) -> None:
        self._coming = None
        self._on_title()
        services.notify(str(refused), problem=True)

    def _compared_with(self, services: AppServices, review: GateReview, since: AttemptId | Head, diff: Diff) -> None:
        """Show it, unless other work came meanwhile."""
        if self.review is None or self.review.gate.binding != review.gate.binding:
            return
        if since == HEAD and review.attempt.diff is not None and diff.base_commit == review.attempt.diff.base_commit:
            services.notify("Your checkout stands where the task began: the diff is the same.")
            self._take(None, None)
        else:
            self._take(since, diff)

    def _take(self, since: AttemptId | Head | None, diff: Diff | None) -> None:
        self.since, self._compared, self._coming = since, diff, None
        self._on_base()

    def _name_of(self, base: AttemptId | Head | None) -> str:
        if base is None:
            return "the base of the task"
        if base == HEAD:
            commit = self._compared.base_commit[:8] if self._compared and self.since == HEAD else ""
            return f"HEAD of your checkout ({commit})" if commit else "HEAD of your checkout"
        return f"attempt {self.review.earlier[-1].attempt.number}" if self.review else "the attempt before"

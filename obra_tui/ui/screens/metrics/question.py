"""What the Metrics screen asks the history for, and the answer as blind mode lets it be seen. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from obra_tui.core.errors import ObraError
from obra_tui.core.records.history import History
from obra_tui.core.records.metrics import BY, By, MetricsReport, Scope
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.view.blinding import FIGURES, redact_metrics

DAY_S = 86_400.0
RANGES: tuple[tuple[str, int | None], ...] = (
    ("last 7 days", 7),
    ("last 30 days", 30),
    ("last 90 days", 90),
    ("all time", None),
)


class MetricsQuestion:
    """A range of time, a grouping, and what was counted of them."""

    def __init__(self, screen: ObraScreen, on_answer: Callable[[], None]) -> None:
        self._screen = screen
        self._on_answer = on_answer
        self._range = 1
        self.by: By = "day"
        self.with_rehearsals = False
        self.note = "counting…"
        """Why there is no answer yet."""
        self.hidden: frozenset[str] = frozenset()
        """Figures that blind mode keeps back."""
        self.whole: MetricsReport | None = None
        self.before: MetricsReport | None = None
        """The same range of time, one earlier."""
        self.grouped: MetricsReport | None = None
        self._counted: tuple[MetricsReport, MetricsReport, MetricsReport | None] | None = None
        self._asked: Scope | None = None

    @property
    def range_name(self) -> str:
        return RANGES[self._range][0]

    # -- asking --------------------------------------------------------------------------------

    def step_range(self, step: int) -> None:
        self._range = max(0, min(len(RANGES) - 1, self._range + step))
        self.ask()

    def next_group(self) -> None:
        self.by = BY[(BY.index(self.by) + 1) % len(BY)]
        self.ask()

    def toggle_rehearsals(self) -> None:
        self.with_rehearsals = not self.with_rehearsals
        self.ask()

    def ask(self) -> None:
        backend = self._screen.services.backend
        if backend is not None:
            self._asked = self._scope()
            work = partial(self._read, backend.history, self._asked, self.by, RANGES[self._range][1])
            self._screen.run_worker(work, thread=True, exit_on_error=False, group="metrics")

    def _scope(self) -> Scope:
        days = RANGES[self._range][1]
        now = float(int(self._screen.services.clock.now()))
        return Scope(since=0.0 if days is None else now - days * DAY_S, rehearsal=self.with_rehearsals)

    def _read(self, history: History, scope: Scope, by: By, days: int | None) -> None:
        """In a worker thread; what draws plots is imported here, too, and not by those who never look at figures."""
        import widgets.plot  # noqa: F401

        services = self._screen.services
        try:
            whole = history.measure(scope)
            grouped = history.measure(replace(scope, by=by))
            earlier = replace(scope, since=scope.since - days * DAY_S, until=scope.since) if days else None
            before = history.measure(earlier) if earlier else None
        except ObraError as refused:
            services.call_soon(partial(self._refused, refused))
        else:
            services.call_soon(partial(self._take, whole, grouped, before))

    def _refused(self, refused: ObraError) -> None:
        self.note = str(refused)
        if self._screen.ready:
            self._screen.draw(())

    def _take(self, whole: MetricsReport, grouped: MetricsReport, before: MetricsReport | None) -> None:
        """An answer to an earlier question is no longer wanted."""
        if self._screen.ready and whole.scope == self._asked and grouped.scope.by == self.by:
            self._counted, self.note = (whole, grouped, before), ""
            self._on_answer()

    # -- the answer ----------------------------------------------------------------------------

    def redact(self) -> bool:
        """Take what was counted, but for what blind mode keeps back now; false when nothing was counted yet."""
        if self._counted is None:
            return False
        kept = self._screen.services.blinded
        self.hidden = FIGURES if kept.attempts else frozenset()
        self.whole, self.grouped, self.before = (
            measured and redact_metrics(measured, kept) for measured in self._counted
        )
        return True

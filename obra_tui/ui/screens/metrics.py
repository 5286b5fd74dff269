"""Metrics: figures with what they rest on, as bars over time or as a plain table of the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.history import History
from obra_tui.core.measures import BY, DEFINITIONS, SMALL, By, Figure, Group, Measured, Scope, basis, shown
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.statusline import Part
from obra_tui.ui.words import Tone
from widgets.lines import LogLine, Span
from widgets.log_pane import LogPane

DAY_S = 86_400.0
RANGES: tuple[tuple[str, float | None], ...] = (("7 days", 7), ("30 days", 30), ("90 days", 90), ("all time", None))
_BARS = (("score", "median score", 1.0), ("pass_rate", "pass rate", 1.0), ("cost_per_accepted", "cost per task", None))
_WIDTH = 30


class MetricsScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("metrics")

    def __init__(self) -> None:
        super().__init__()
        self._range = 1
        self._by: By = "day"
        self._rehearsal = False
        self._as_table = False
        self._explained = False
        self._measured: tuple[Measured, Measured] | None = None
        self._note = "counting…"
        self._asked: tuple[Scope, By] | None = None

    def compose_body(self) -> ComposeResult:
        yield LogPane(id="figures", follow=False)

    def on_mount(self) -> None:
        self.query_one("#figures").focus()
        self._rehearsal = bool(self.desk.launch.rehearsal)
        self._load()

    def on_screen_resume(self) -> None:
        if self.ready:
            self._load()

    def _scope(self, by: By) -> Scope:
        days = RANGES[self._range][1]
        since = 0.0 if days is None else self.desk.clock.now() - days * DAY_S
        return Scope(since=since, by=by, rehearsal=self._rehearsal)

    def _load(self) -> None:
        backend = self.desk.backend
        if backend is not None:
            scopes = (self._scope(""), self._scope(self._by))
            self._asked = (scopes[0], self._by)
            work = partial(self._read, backend.history, scopes)
            self.run_worker(work, thread=True, exit_on_error=False, group="metrics")

    def _read(self, history: History, scopes: tuple[Scope, Scope]) -> None:
        """In a worker thread."""
        try:
            whole, grouped = history.measure(scopes[0]), history.measure(scopes[1])
        except ObraError as refused:
            self.desk.soon(partial(self._refused, refused))
        else:
            self.desk.soon(partial(self._take, whole, grouped))

    def _refused(self, refused: ObraError) -> None:
        self._note = str(refused)
        if self.ready:
            self.draw(())

    def _take(self, whole: Measured, grouped: Measured) -> None:
        """An answer to an earlier question is no longer wanted."""
        if self.ready and (whole.scope, grouped.scope.by) == self._asked:
            self._measured, self._note = (whole, grouped), ""
            self._show()

    def _show(self) -> None:
        pane = self.query_one("#figures", LogPane)
        pane.clear()
        pane.border_title = "Figures"
        if self._measured is not None:
            whole, grouped = self._measured
            pane.extend(list(_figures(whole.groups[0], explained=self._explained)))
            pane.extend(list(_table(grouped) if self._as_table else _charts(grouped)))
        self.draw(())

    def draw(self, records: Sequence[Record]) -> None:
        attempts = self._measured[0].groups[0]["attempts"].of if self._measured else 0
        self.show_status(
            Part(text="METRICS", strong=True),
            Part(text=RANGES[self._range][0]),
            Part(text=f"by {self._by}" if self._by else "together"),
            Part(text=f"n={attempts} attempts"),
            Part(text="with rehearsals" if self._rehearsal else "", tone=Tone.ASK),
            Part(text=self._note, tone=Tone.MUTED),
        )

    # -- keys ----------------------------------------------------------------------------------

    def action_shorter(self) -> None:
        self._set_range(self._range - 1)

    def action_longer(self) -> None:
        self._set_range(self._range + 1)

    def _set_range(self, index: int) -> None:
        self._range = max(0, min(len(RANGES) - 1, index))
        self._load()

    def action_group(self) -> None:
        self._by = BY[(BY.index(self._by) + 1) % len(BY)]
        self._load()

    def action_rehearsals(self) -> None:
        self._rehearsal = not self._rehearsal
        self._load()

    def action_as_table(self) -> None:
        self._as_table = not self._as_table
        self._show()

    def action_explain(self) -> None:
        self._explained = not self._explained
        self._show()

    def action_go_back(self) -> None:
        self.desk.show("live")


def _figures(group: Group, *, explained: bool) -> Iterator[LogLine]:
    for definition in DEFINITIONS:
        figure = group[definition.name]
        few = figure.value is not None and figure.of < SMALL and figure.unit not in ("count", "usd")
        note = "  few cases" if few else ""
        yield LogLine(f"{definition.title:<31}{shown(figure):>10}   {basis(figure)}{note}", key=definition.name)
        if explained:
            yield LogLine(f"    {definition.text}", style="dim", hang="    ")
            if definition.line:
                yield LogLine(f"    rows: {definition.line}", style="dim")


def _charts(measured: Measured) -> Iterator[LogLine]:
    for name, title, top in _BARS:
        yield LogLine(f"{title}, by {measured.scope.by or 'all'}", style="heading")
        figures = [(group.name or "all", group[name]) for group in measured.groups]
        highest = top or max((figure.value or 0.0 for _, figure in figures), default=0.0)
        yield from (_bar(label, figure, highest) for label, figure in figures)


def _bar(label: str, figure: Figure, highest: float) -> LogLine:
    """A bar that begins at 0; a figure of a few cases is drawn with dots."""
    share = 0.0 if figure.value is None or not highest else min(1.0, figure.value / highest)
    bar = ("▬" if figure.of >= SMALL else "·") * round(share * _WIDTH)
    text = f"{label[-24:]:<25}{bar:<{_WIDTH}} {shown(figure):>8}  n={figure.of}"
    return LogLine(text, spans=(Span(25, 25 + len(bar), "ok"),))


def _table(measured: Measured) -> Iterator[LogLine]:
    for group in measured.groups:
        yield LogLine(group.name or "all", style="heading")
        yield from _figures(group, explained=False)

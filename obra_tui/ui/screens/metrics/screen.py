"""Metrics: figures with what they rest on, over time or by what one likes, down to the rows behind each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.records.history import History
from obra_tui.core.records.metrics import BY, By, MetricsReport, Scope, as_csv, rows_line
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.metrics.rows import (
    GAP,
    HIDDEN,
    TITLES,
    curve_of,
    figure_row,
    hidden_row,
    meaning,
    rows_of_table,
)
from obra_tui.ui.view.blinding import FIGURES, redact_metrics
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.lines import LogLine
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

if TYPE_CHECKING:
    from widgets.plot import Plot

DAY_S = 86_400.0
RANGES: tuple[tuple[str, int | None], ...] = (
    ("last 7 days", 7),
    ("last 30 days", 30),
    ("last 90 days", 90),
    ("all time", None),
)
SCORE = "score"


_BLIND = "blind: no scores while work is undecided"


class MetricsScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("metrics")

    def __init__(self) -> None:
        super().__init__()
        self._range = 1
        self._by: By = "day"
        self._rehearsal = False
        self._as_table = False
        self._with_sql = False
        self._counted: tuple[MetricsReport, MetricsReport, MetricsReport | None] | None = None
        self._hidden: frozenset[str] = frozenset()
        self._whole: MetricsReport | None = None
        self._before: MetricsReport | None = None
        self._grouped: MetricsReport | None = None
        self._note = "counting…"
        self._asked: Scope | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="metrics"):
            yield ChoiceList(id="figures", wrap=False)
            yield Vertical(id="plots")
        yield LogPane(id="meaning", follow=False)
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self.query_one("#figures").focus()
        self._rehearsal = bool(self.services.launch.rehearsal)
        self._load()

    def on_screen_resume(self) -> None:
        if self.ready:
            self._load()

    def on_resize(self) -> None:
        """Plots need room; without it, each row has its own small course."""
        if self.ready:
            self._show()

    # -- reading -------------------------------------------------------------------------------

    def _scope(self) -> Scope:
        days = RANGES[self._range][1]
        now = float(int(self.services.clock.now()))
        return Scope(since=0.0 if days is None else now - days * DAY_S, rehearsal=self._rehearsal)

    def _load(self) -> None:
        backend = self.services.backend
        if backend is not None:
            self._asked = self._scope()
            work = partial(self._read, backend.history, self._asked, self._by, RANGES[self._range][1])
            self.run_worker(work, thread=True, exit_on_error=False, group="metrics")

    def _read(self, history: History, scope: Scope, by: By, days: int | None) -> None:
        """In a worker thread; what draws plots is imported here, too, and not by those who never look at figures."""
        import widgets.plot  # noqa: F401

        try:
            whole = history.measure(scope)
            grouped = history.measure(replace(scope, by=by))
            earlier = replace(scope, since=scope.since - days * DAY_S, until=scope.since) if days else None
            before = history.measure(earlier) if earlier else None
        except ObraError as refused:
            self.services.call_soon(partial(self._refused, refused))
        else:
            self.services.call_soon(partial(self._take, whole, grouped, before))

    def _refused(self, refused: ObraError) -> None:
        self._note = str(refused)
        if self.ready:
            self.draw(())

    def _take(self, whole: MetricsReport, grouped: MetricsReport, before: MetricsReport | None) -> None:
        """An answer to an earlier question is no longer wanted."""
        if self.ready and whole.scope == self._asked and grouped.scope.by == self._by:
            self._counted, self._note = (whole, grouped, before), ""
            self._show()

    # -- showing -------------------------------------------------------------------------------

    def _show(self) -> None:
        """Show what was counted, but for what blind mode keeps back now."""
        if self._counted is None:
            return
        kept = self.services.blinded
        self._hidden = FIGURES if kept.attempts else frozenset()
        self._whole, self._grouped, self._before = (
            measured and redact_metrics(measured, kept) for measured in self._counted
        )
        assert self._grouped is not None
        listed = self.query_one("#figures", ChoiceList)
        listed.border_title = f"Table by {self._by or 'nothing'}" if self._as_table else "Figures"
        listed.set_rows(list(rows_of_table(self._grouped, self._hidden)) if self._as_table else self._rows())
        self._show_plots()
        self._show_meaning()
        self.draw(())

    def _rows(self) -> list[LogLine]:
        assert self._whole is not None and self._grouped is not None
        before = self._before.groups[0] if self._before else None
        return [
            hidden_row(figure)
            if figure.name in self._hidden
            else figure_row(
                figure,
                before[figure.name] if before else None,
                [group[figure.name] for group in self._grouped.groups],
                sparks=self.has_class("-narrow"),
            )
            for figure in self._whole.groups[0].figures
        ]

    def _show_plots(self) -> None:
        place = self.query_one("#plots")
        self.set_class(self._as_table, "-table")
        place.display = not self._as_table and not self.has_class("-narrow")
        if not place.display or self._grouped is None:
            return
        chosen = self._chosen()[1]
        names = (SCORE, "cost_per_accepted" if chosen == SCORE else chosen)
        for which, name in zip(("first", "second"), names, strict=True):
            plot = self._plot(place, which)
            said = f"by {self._by}" if self._by else "all together"
            line = f"threshold {self._grouped.threshold:g}" if name == SCORE and self._grouped.threshold else ""
            said = HIDDEN if name in self._hidden else said
            plot.show(curve_of(self._grouped, name), f"{TITLES[name].title}, {said}", line)

    def _plot(self, place: Widget, which: str) -> Plot:
        from widgets.plot import Plot

        found = place.query(f"#{which}").results(Plot)
        plot = next(found, None)
        if plot is None:
            plot = Plot(id=which, ascii=self.services.launch.ascii_glyphs)
            place.mount(plot)
        return plot

    def _chosen(self) -> tuple[str, str]:
        """The group and the figure under the cursor."""
        group, _, name = self.query_one("#figures", ChoiceList).highlighted.rpartition(GAP)
        return (group, name or SCORE) if self._as_table else ("", name or "pass_rate")

    def _show_meaning(self) -> None:
        pane = self.query_one("#meaning", LogPane)
        measured = self._grouped if self._as_table else self._whole
        group, name = self._chosen()
        found = next((item for item in measured.groups if item.name == group), None) if measured else None
        pane.clear()
        self.set_class(self._with_sql, "-with-sql")
        if measured is not None and found is not None:
            pane.border_title = "What it means"
            window = f"{RANGES[self._range][0]}{', rehearsals too' if self._rehearsal else ''}"
            pane.extend(
                list(
                    meaning(measured, group, found[name], window, with_sql=self._with_sql, hidden=name in self._hidden)
                )
            )

    def draw(self, records: Sequence[Record]) -> None:
        attempts = self._whole.groups[0]["attempts"].of if self._whole else 0
        self.show_status(
            StatusPart(text="METRICS", strong=True),
            StatusPart(text=RANGES[self._range][0]),
            StatusPart(text=f"by {self._by}" if self._by else "all together"),
            StatusPart(text=f"n={attempts} attempts"),
            StatusPart(text="with rehearsals" if self._rehearsal else "", tone=Tone.ASK),
            StatusPart(text=self._note, tone=Tone.MUTED),
            StatusPart(text=_BLIND if self._hidden else "", tone=Tone.WARN, urgent=True),
        )

    # -- keys ----------------------------------------------------------------------------------

    @on(ChoiceList.Highlighted, "#figures")
    def _moved(self) -> None:
        self._show_plots()
        self._show_meaning()

    @on(ChoiceList.Picked, "#figures")
    def _picked(self) -> None:
        self.action_drill()

    def action_drill(self) -> None:
        """Show the rows behind the figure in the history."""
        measured = self._grouped if self._as_table else self._whole
        group, name = self._chosen()
        found = next((item for item in measured.groups if item.name == group), None) if measured else None
        if measured is not None and found is not None:
            self.services.navigator.search_history(rows_line(measured.scope, group, found[name]))

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
        self._with_sql = not self._with_sql
        self._show_meaning()

    def action_save(self) -> None:
        """Ask where the numbers go."""
        if self._grouped is None:
            return
        day = datetime.fromtimestamp(self.services.clock.now()).strftime("%Y-%m-%d")
        folder = Path(self.services.launch.data_dir) / "exports"
        suggestion = str(folder / f"metrics-{self._by or 'all'}-{day}.csv")
        self.query_one(MessageLine).ask("Write as CSV to", self._save, text=suggestion)

    def _save(self, path: str) -> None:
        if path and self._grouped is not None:
            work = partial(self._write, Path(path).expanduser(), as_csv(self._grouped))
            self.run_worker(work, thread=True, exit_on_error=False, group="csv")

    def _write(self, path: Path, text: str) -> None:
        """In a worker thread; never over a file that exists."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            self.services.call_soon(
                partial(self.services.notify, f"{path}: not written ({error.strerror}).", problem=True)
            )
        else:
            self.services.call_soon(partial(self.services.notify, f"Wrote {path}"))

    def action_go_back(self) -> None:
        self.services.navigator.show("live")

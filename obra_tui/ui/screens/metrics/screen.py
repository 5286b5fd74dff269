"""Metrics: figures with what they rest on, over time or by what one likes, down to the rows behind each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from obra_tui.core.events import Record
from obra_tui.core.records.metrics import Metric, MetricsReport, as_csv, rows_line
from obra_tui.ui.bindings import bindings
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.metrics.question import MetricsQuestion
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
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.services import AppServices
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.lines import LogLine
from widgets.lists.choice_list import ChoiceList
from widgets.log_view.view import LogPane

if TYPE_CHECKING:
    from widgets.plot import Plot

SCORE = "score"
_BLIND = "blind: no scores while work is undecided"


class MetricsScreen(ObraScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("metrics")

    def __init__(self) -> None:
        super().__init__()
        self.as_table = False
        self.with_sql = False
        self.question = MetricsQuestion(self, self.show)
        self._keys = MetricsKeys(self)
        self.add_part(self._keys)

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="metrics"):
            yield ChoiceList(id="figures", wrap=False)
            yield Vertical(id="plots")
        yield LogPane(id="meaning", follow=False)
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        self.query_one("#figures").focus()
        self.question.with_rehearsals = bool(self.services.launch.rehearsal)
        self.question.ask()

    def on_screen_resume(self) -> None:
        if self.ready:
            self.question.ask()

    def on_resize(self) -> None:
        """Plots need room; without it, each row has its own small course."""
        if self.ready:
            self.show()

    # -- showing -------------------------------------------------------------------------------

    def show(self) -> None:
        """Show what was counted, but for what blind mode keeps back now."""
        question = self.question
        if not question.redact() or question.grouped is None:
            return
        listed = self.query_one("#figures", ChoiceList)
        listed.border_title = f"Table by {question.by or 'nothing'}" if self.as_table else "Figures"
        listed.set_rows(list(rows_of_table(question.grouped, question.hidden)) if self.as_table else self._rows())
        self._show_plots()
        self.show_meaning()
        self.draw(())

    def _rows(self) -> list[LogLine]:
        assert self.question.whole is not None and self.question.grouped is not None
        before = self.question.before.groups[0] if self.question.before else None
        return [
            hidden_row(figure)
            if figure.name in self.question.hidden
            else figure_row(
                figure,
                before[figure.name] if before else None,
                [group[figure.name] for group in self.question.grouped.groups],
                sparks=self.has_class("-narrow"),
            )
            for figure in self.question.whole.groups[0].figures
        ]

    def _show_plots(self) -> None:
        place = self.query_one("#plots")
        self.set_class(self.as_table, "-table")
        place.display = not self.as_table and not self.has_class("-narrow")
        grouped, hidden = self.question.grouped, self.question.hidden
        if not place.display or grouped is None:
            return
        chosen = self.chosen()[1]
        names = (SCORE, "cost_per_accepted" if chosen == SCORE else chosen)
        for which, name in zip(("first", "second"), names, strict=True):
            plot = self._plot(place, which)
            said = f"by {self.question.by}" if self.question.by else "all together"
            line = f"threshold {grouped.threshold:g}" if name == SCORE and grouped.threshold else ""
            said = HIDDEN if name in hidden else said
            plot.show(curve_of(grouped, name), f"{TITLES[name].title}, {said}", line)

    def _plot(self, place: Widget, which: str) -> Plot:
        from widgets.plot import Plot

        found = place.query(f"#{which}").results(Plot)
        plot = next(found, None)
        if plot is None:
            plot = Plot(id=which, ascii=self.services.launch.ascii_glyphs)
            place.mount(plot)
        return plot

    def chosen(self) -> tuple[str, str]:
        """The group and the figure under the cursor."""
        group, _, name = self.query_one("#figures", ChoiceList).highlighted.rpartition(GAP)
        return (group, name or SCORE) if self.as_table else ("", name or "pass_rate")

    def measured(self) -> MetricsReport | None:
        """The report that is listed."""
        return self.question.grouped if self.as_table else self.question.whole

    def chosen_figure(self) -> Metric | None:
        measured, (group, name) = self.measured(), self.chosen()
        found = next((item for item in measured.groups if item.name == group), None) if measured else None
        return found[name] if found else None

    def show_meaning(self) -> None:
        pane = self.query_one("#meaning", LogPane)
        measured, (group, name), found = self.measured(), self.chosen(), self.chosen_figure()
        pane.clear()
        self.set_class(self.with_sql, "-with-sql")
        if measured is not None and found is not None:
            pane.border_title = "What it means"
            window = f"{self.question.range_name}{', rehearsals too' if self.question.with_rehearsals else ''}"
            pane.extend(
                list(
                    meaning(measured, group, found, window, with_sql=self.with_sql, hidden=name in self.question.hidden)
                )
            )

    def draw(self, records: Sequence[Record]) -> None:
        attempts = self.question.whole.groups[0]["attempts"].of if self.question.whole else 0
        self.show_status(
            StatusPart(text="METRICS", strong=True),
            StatusPart(text=self.question.range_name),
            StatusPart(text=f"by {self.question.by}" if self.question.by else "all together"),
            StatusPart(text=f"n={attempts} attempts"),
            StatusPart(text="with rehearsals" if self.question.with_rehearsals else "", tone=Tone.ASK),
            StatusPart(text=self.question.note, tone=Tone.MUTED),
            StatusPart(text=_BLIND if self.question.hidden else "", tone=Tone.WARN, urgent=True),
        )

    @on(ChoiceList.Highlighted, "#figures")
    def _moved(self) -> None:
        self._show_plots()
        self.show_meaning()

    @on(ChoiceList.Picked, "#figures")
    def _picked(self) -> None:
        self._keys.action_drill()


class MetricsKeys(ScreenPart):
    """Other questions, other ways to show the answer, and what is behind a figure."""

    def __init__(self, screen: MetricsScreen) -> None:
        self._screen = screen
        self._question = screen.question

    def action_drill(self) -> None:
        """Show the rows behind the figure in the history."""
        measured, figure, (group, _) = self._screen.measured(), self._screen.chosen_figure(), self._screen.chosen()
        if measured is not None and figure is not None:
            self._screen.services.navigator.search_history(rows_line(measured.scope, group, figure))

    def action_shorter(self) -> None:
        self._question.step_range(-1)

    def action_longer(self) -> None:
        self._question.step_range(1)

    def action_group(self) -> None:
        self._question.next_group()

    def action_rehearsals(self) -> None:
        self._question.toggle_rehearsals()

    def action_as_table(self) -> None:
        self._screen.as_table = not self._screen.as_table
        self._screen.show()

    def action_explain(self) -> None:
        self._screen.with_sql = not self._screen.with_sql
        self._screen.show_meaning()

    def action_save(self) -> None:
        """Ask where the numbers go."""
        if self._question.grouped is None:
            return
        services = self._screen.services
        day = datetime.fromtimestamp(services.clock.now()).strftime("%Y-%m-%d")
        folder = Path(services.launch.data_dir) / "exports"
        suggestion = str(folder / f"metrics-{self._question.by or 'all'}-{day}.csv")
        self._screen.query_one(MessageLine).ask("Write as CSV to", self._save, text=suggestion)

    def _save(self, path: str) -> None:
        if path and self._question.grouped is not None:
            work = partial(_write, self._screen.services, Path(path).expanduser(), as_csv(self._question.grouped))
            self._screen.run_worker(work, thread=True, exit_on_error=False, group="csv")

    def action_go_back(self) -> None:
        self._screen.services.navigator.show("live")


def _write(services: AppServices, path: Path, text: str) -> None:
    """In a worker thread; never over a file that exists."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        services.call_soon(partial(services.notify, f"{path}: not written ({error.strerror}).", problem=True))
    else:
        services.call_soon(partial(services.notify, f"Wrote {path}"))

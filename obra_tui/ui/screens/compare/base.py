"""What comparing two attempts and comparing two sessions have in common: sides, blindness and the winner."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.records.compare import Comparison
from obra_tui.ui.ports import Archive, Winner
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.compare.lines import number_lines
from obra_tui.ui.screens.history_query import HistoryReader
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.log_view.view import LogPane


def by_chance() -> bool:
    return random.random() < 0.5


class ComparingScreen(ObraScreen):
    """Two sides by their ids, A first. Blind: nobody is told which is which until a winner is picked."""

    tab = "history"

    def __init__(self, a: str, b: str, shuffle: Callable[[], bool] = by_chance) -> None:
        """`shuffle` says whether A and B change places when the comparison becomes blind."""
        super().__init__()
        self.ids = (a, b)
        self.is_blind = False
        self.reading = HistoryReader(self)
        self.add_part(ComparisonKeys(self, shuffle))

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="compare"):
            yield from self.compose_difference()
            yield LogPane(id="numbers", follow=False)
        yield MessageLine(id="message")

    def compose_difference(self) -> ComposeResult:
        """Override: what stands beside the numbers."""
        yield from ()

    def on_mount(self) -> None:
        self.query_one("#numbers").border_title = "A and B"
        self.load()

    # -- what a comparison is made of ----------------------------------------------------------

    def load(self) -> None:
        """Override: read both sides."""

    def comparison(self) -> Comparison | None:
        """Override: A against B as they stand now, without what blindness hides."""
        return None

    def show(self) -> None:
        """Show the present comparison; override for what stands beside the numbers."""
        made = self.comparison()
        if made is not None:
            numbers = self.query_one("#numbers", LogPane)
            numbers.clear()
            numbers.extend(list(number_lines(made)))
        self.draw(())

    def sides(self, made: Comparison) -> str:
        """Who they are, for the status line; override to say it shorter."""
        return f"A {made.a} ↔ B {made.b}"

    def about(self) -> Sequence[StatusPart]:
        """Override: what else the status line says."""
        return ()

    def draw(self, records: Sequence[Record]) -> None:
        made = self.comparison()
        doing, problem = self.reading.doing, self.reading.problem
        if made is None:
            self.show_status(
                StatusPart(text="COMPARE", strong=True),
                StatusPart(text=doing),
                StatusPart(text=problem, tone=Tone.FAIL, shrinks=True),
            )
            return
        other = any("bases" in warning for warning in made.warnings)
        base = StatusPart(text="different bases", tone=Tone.WARN) if other else StatusPart(text="same base")
        self.show_status(
            StatusPart(text="COMPARE", strong=True),
            StatusPart(text=self.sides(made) if not self.is_blind else "A ↔ B", strong=True, shrinks=True),
            StatusPart(text="") if self.is_blind else base,
            *self.about(),
            StatusPart(text="blind: who is who is hidden" if self.is_blind else "", tone=Tone.ASK),
            StatusPart(text=doing, tone=Tone.MUTED),
        )

    def turn_round(self) -> None:
        """A and B change places."""
        self.ids = (self.ids[1], self.ids[0])
        self.turned()

    def turned(self) -> None:
        """Override: A and B changed places."""
        self.show()


class ComparisonKeys(ScreenPart):
    """Hides who is who, and takes what the person says is better."""

    def __init__(self, screen: ComparingScreen, shuffle: Callable[[], bool]) -> None:
        self._screen = screen
        self._shuffle = shuffle

    def check_action(self, action: str) -> bool | None:
        """Letters are text while somebody writes what to find."""
        return action != "pick_winner" or not self._screen.query_one(MessageLine).display

    def action_blind(self) -> None:
        """Hide who did it and how it scored, with the sides in an order that nobody knows."""
        self._screen.is_blind = not self._screen.is_blind
        if self._screen.is_blind and self._shuffle():
            self._screen.turn_round()
        else:
            self._screen.show()

    def action_swap(self) -> None:
        self._screen.turn_round()

    def action_next_pane(self) -> None:
        self._screen.focus_next()

    def action_leave(self) -> None:
        self._screen.dismiss(None)

    # -- the winner ----------------------------------------------------------------------------

    def action_pick_winner(self) -> None:
        from obra_tui.ui.screens.compare.winner_dialog import WinnerDialog

        made = self._screen.comparison()
        if made is None:
            return
        hidden = "Which it is, is told afterwards."
        names = (hidden, hidden) if self._screen.is_blind else (made.a, made.b)
        self._screen.app.push_screen(WinnerDialog(*names), self._picked)

    def _picked(self, answer: tuple[Winner, str] | None) -> None:
        archive = self._screen.services.backend.archive if self._screen.services.backend else None
        if answer is not None and archive is not None:
            work = partial(self._keep, archive, self._screen.ids, answer, self._screen.is_blind)
            self._screen.run_worker(work, thread=True, exit_on_error=False)

    def _keep(self, archive: Archive, ids: tuple[str, str], answer: tuple[Winner, str], blind: bool) -> None:
        """In a worker thread."""
        winner, note = answer
        try:
            archive.prefer(*ids, winner, note, blind=blind)
        except ObraError as refused:
            self._screen.services.call_soon(partial(self._screen.services.notify, str(refused), problem=True))
        else:
            self._screen.services.call_soon(partial(self._kept, winner))

    def _kept(self, winner: Winner) -> None:
        """Who decided without knowing may know now."""
        self._screen.is_blind = False
        made = self._screen.comparison()
        words = {"equal": "Equal", "neither": "Neither of the two"}
        if made is not None:
            words |= {"a": f"A, {made.a}, is better", "b": f"B, {made.b}, is better"}
        self._screen.services.notify(f"Kept: {words[winner]}.")
        if self._screen.ready:
            self._screen.show()

"""Replay: the Live screen, fed by the journal instead of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize
from textual.widgets import Input

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.ids import SessionId
from obra_tui.core.records.history import History
from obra_tui.core.records.replay import Stop
from obra_tui.ui.bindings import bindings
from obra_tui.ui.connection.view_store import ViewStore
from obra_tui.ui.screens.base import ObraScreen
from obra_tui.ui.screens.live.focus import TaskFocus
from obra_tui.ui.screens.live.panes import LivePaneKeys, LivePanes
from obra_tui.ui.screens.live.player import Player
from obra_tui.ui.screens.live.screen import IN_MAXIMIZED_VIEW
from obra_tui.ui.screens.message_line import MessageLine
from obra_tui.ui.screens.parts import ScreenPart
from obra_tui.ui.services import AppServices
from obra_tui.ui.state import ViewState
from obra_tui.ui.view.format import duration
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.bars.status_line import StepStrip

TICK_S = 0.05
PAGE = 2_000
MOST_RECORDS = 500_000


class _Then:
    """A clock that stands where the replay is."""

    at = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class _ReplayServices:
    """The services of the app, with a view of its own that nothing live reaches."""

    def __init__(self, services: AppServices, session: SessionId) -> None:
        self._services = services
        self.view_store = ViewStore()
        self.clock = _Then()
        self.session = session
        self.phase = "reading…"

    @property
    def view(self) -> ViewState:
        """The replay's own; what it was at that time, and not what it is now."""
        return self.view_store.view

    def __getattr__(self, name: str) -> object:
        return getattr(self._services, name)


class ReplayScreen(ObraScreen):
    """The panes of Live, told the past."""

    tab = "history"
    BINDINGS: ClassVar[list[BindingType]] = bindings("replay")
    ALLOW_IN_MAXIMIZED_VIEW = IN_MAXIMIZED_VIEW

    def __init__(self, session: SessionId) -> None:
        super().__init__()
        self._session = session
        self._own: _ReplayServices | None = None
        self._focus = TaskFocus()
        self._panes = LivePanes(self, self._focus)
        self.playback = Playback(self, self._tell, self._start_over)
        self.add_part(LivePaneKeys(self, self._panes, self._focus))
        self.add_part(self.playback)

    @property
    def services(self) -> AppServices:
        if self._own is None:
            self._own = _ReplayServices(super().services, self._session)
        return cast("AppServices", self._own)

    def compose_body(self) -> ComposeResult:
        yield StepStrip(ascii=self.services.launch.ascii_glyphs, id="steps")
        yield self._panes
        yield MessageLine(id="message")

    def on_mount(self) -> None:
        backend = self.services.backend
        if backend is not None:
            self.run_worker(partial(self._read, backend.history), thread=True, exit_on_error=False)
        self.set_interval(TICK_S, self.playback.pass_time)

    def _read(self, history: History) -> None:
        """In a worker thread."""
        found: list[Record] = []
        try:
            while len(found) < MOST_RECORDS:
                page = history.records(self._session, found[-1].seq if found else 0, PAGE)
                found.extend(page)
                if len(page) < PAGE:
                    break
        except ObraError as refused:
            self.services.call_soon(partial(self._refused, refused))
        else:
            self.services.call_soon(partial(self.playback.start, tuple(found)))

    def _refused(self, refused: ObraError) -> None:
        self.services.phase = str(refused)
        if self.ready:
            self.tick()

    def _tell(self, records: Sequence[Record]) -> None:
        if self._own is not None:
            self._own.clock.at = records[-1].at
        self.services.view_store.apply(records)

    def _start_over(self) -> None:
        self.services.view_store.reset()
        self._panes.forget_drawn()
        self.draw(())

    def draw(self, records: Sequence[Record]) -> None:
        self._panes.keep_back()
        self._focus.update(self.services)
        self._panes.draw(records)
        self.tick()

    def tick(self) -> None:
        now = self.services.clock.now()
        session = self.services.view.newest_session
        rehearsal = self.services.rehearsal_part(session.rehearsal if session else "")
        self.show_status(rehearsal, *self.playback.status_parts(), *self._focus.status_parts(self.services, now))
        self.query_one("#steps", StepStrip).show(self._focus.steps(now))
        self._panes.tick(now)

    def on_resize(self, event: Resize) -> None:
        """The third column comes and goes with the width."""
        if self.ready:
            self.call_after_refresh(self.tick)

    def action_leave(self) -> None:
        self.dismiss(None)


class Playback(ScreenPart):
    """Plays the records to a screen, and answers the keys of the player."""

    def __init__(
        self, screen: ObraScreen, tell: Callable[[Sequence[Record]], None], start_over: Callable[[], None]
    ) -> None:
        self._screen = screen
        self._tell_screen = tell
        self._start_over = start_over
        self.player = Player(())
        self._note = ""

    def start(self, records: Sequence[Record]) -> None:
        if self._screen.ready:
            self.player = Player(records)
            self.player.playing = True
            self._screen.refresh_bindings()

    def pass_time(self) -> None:
        if self.player.playing and self._screen.is_current:
            self._tell(self.player.pass_time(TICK_S))

    def status_parts(self) -> tuple[StatusPart, ...]:
        player = self.player
        state = "end" if player.over and player.records else "playing" if player.playing else "held"
        here = f"{player.position}/{len(player.records)}"
        at = f"{duration(player.time)} of {duration(player.length)}"
        return (
            StatusPart(text="REPLAY", tone=Tone.ASK, strong=True, urgent=True),
            StatusPart(text=f"{state} {player.speed}× {at} · record {here}", urgent=True),
            StatusPart(text=self._note, tone=Tone.WARN),
        )

    def _tell(self, records: Sequence[Record]) -> None:
        if records:
            self._tell_screen(records)
            if self.player.over:
                self._screen.refresh_bindings()

    # -- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str) -> bool | None:
        """A space is a space while somebody writes what to find."""
        return action != "play" or not isinstance(self._screen.focused, Input)

    def action_play(self) -> None:
        if self.player.over:
            self.action_rewind()
        self.player.playing = not self.player.playing
        self._screen.tick()

    def action_speed(self) -> None:
        self.player.faster()
        self._screen.tick()

    def action_step(self) -> None:
        self._hold()
        self._tell(self.player.step())
        self._screen.tick()

    def action_next_gate(self) -> None:
        self._jump("gate")

    def action_next_error(self) -> None:
        self._jump("error")

    def action_next_edit(self) -> None:
        self._jump("edit")

    def _jump(self, stop: Stop) -> None:
        self._hold()
        records = self.player.jump(stop)
        self._note = "" if records else f"no more {stop}"
        self._tell(records)
        self._screen.tick()

    def _hold(self) -> None:
        self.player.playing = False
        self._note = ""

    def action_finish(self) -> None:
        self._hold()
        self._tell(self.player.finish())
        self._screen.tick()

    def action_rewind(self) -> None:
        self.player.rewind()
        self._start_over()

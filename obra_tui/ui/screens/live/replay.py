"""Replay: the Live screen, fed by the journal instead of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, cast

from textual.binding import BindingType

from obra_tui.core.errors import ObraError
from obra_tui.core.events import Record
from obra_tui.core.ids import SessionId
from obra_tui.core.records.history import History
from obra_tui.core.records.replay import Stop
from obra_tui.ui.bindings import bindings
from obra_tui.ui.connection.view_store import ViewStore
from obra_tui.ui.screens.live.player import Player
from obra_tui.ui.screens.live.screen import LiveScreen
from obra_tui.ui.services import AppServices
from obra_tui.ui.state import ViewState
from obra_tui.ui.view.format import duration
from obra_tui.ui.view.status_words import Tone
from obra_tui.ui.view.statusline import StatusPart

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


class ReplayScreen(LiveScreen, inherit_bindings=False):
    BINDINGS: ClassVar[list[BindingType]] = bindings("replay")

    def __init__(self, session: SessionId) -> None:
        super().__init__()
        self._session = session
        self._player = Player(())
        self._own: _ReplayServices | None = None
        self._note = ""

    @property
    def services(self) -> AppServices:
        if self._own is None:
            self._own = _ReplayServices(super().services, self._session)
        return cast("AppServices", self._own)

    def on_mount(self) -> None:
        backend = self.services.backend
        if backend is not None:
            self.run_worker(partial(self._read, backend.history), thread=True, exit_on_error=False)
        self.set_interval(TICK_S, self._pass_time)

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
            self.services.call_soon(partial(self._take, tuple(found)))

    def _refused(self, refused: ObraError) -> None:
        self.services.phase = str(refused)
        if self.ready:
            self.tick()

    def _take(self, records: Sequence[Record]) -> None:
        if self.ready:
            self._player = Player(records)
            self._player.playing = True
            self.refresh_bindings()

    # -- playing -------------------------------------------------------------------------------

    def _pass_time(self) -> None:
        if self._player.playing and self.is_current:
            self._tell(self._player.pass_time(TICK_S))

    def _tell(self, records: Sequence[Record]) -> None:
        if not records:
            return
        if self._own is not None:
            self._own.clock.at = records[-1].at
        self.view_store.apply(records)
        if self._player.over:
            self.refresh_bindings()

    def _status_parts(self, now: float) -> tuple[StatusPart, ...]:
        player = self._player
        state = "end" if player.over and player.records else "playing" if player.playing else "held"
        here = f"{player.position}/{len(player.records)}"
        at = f"{duration(player.time)} of {duration(player.length)}"
        session = self.services.view.newest_session
        lead = (
            self.rehearsal_part(session.rehearsal if session else ""),
            StatusPart(text="REPLAY", tone=Tone.ASK, strong=True, urgent=True),
            StatusPart(text=f"{state} {player.speed}× {at} · record {here}", urgent=True),
            StatusPart(text=self._note, tone=Tone.WARN),
        )
        return (*lead, *super()._status_parts(now))

    def _draw_banner(self) -> None:
        """Nothing of the past waits for anybody."""
        from widgets.bars.status_line import Banner

        self.query_one("#banner", Banner).clear()

    # -- keys ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A space is a space while somebody writes what to find."""
        return action != "play" or not self._writes()

    def _writes(self) -> bool:
        from textual.widgets import Input

        return isinstance(self.focused, Input)

    def action_play(self) -> None:
        if self._player.over:
            self.action_rewind()
        self._player.playing = not self._player.playing
        self.tick()

    def action_speed(self) -> None:
        self._player.faster()
        self.tick()

    def action_step(self) -> None:
        self._hold()
        self._tell(self._player.step())
        self.tick()

    def action_next_gate(self) -> None:
        self._jump("gate")

    def action_next_error(self) -> None:
        self._jump("error")

    def action_next_edit(self) -> None:
        self._jump("edit")

    def _jump(self, stop: Stop) -> None:
        self._hold()
        records = self._player.jump(stop)
        self._note = "" if records else f"no more {stop}"
        self._tell(records)
        self.tick()

    def _hold(self) -> None:
        self._player.playing = False
        self._note = ""

    def action_finish(self) -> None:
        self._hold()
        self._tell(self._player.finish())
        self.tick()

    def action_rewind(self) -> None:
        self._player.rewind()
        self.view_store.reset()
        self._drawn = None
        self.draw(())

    def action_leave(self) -> None:
        self.dismiss(None)

"""A widget that failed takes its screen with it, not the app: the screen is opened again, and a file says why.

What fails again and again is not held up: then the app ends in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual._context import active_message_pump
from textual.screen import Screen
from textual.widget import Widget

from obra_tui.ui.screens.index import SCREENS

if TYPE_CHECKING:
    from obra_tui.ui.app import ObraApp

MOST = 3
WITHIN_S = 30.0


class Recovery:
    """Knows how often a screen was opened again."""

    def __init__(self, app: ObraApp) -> None:
        self._app = app
        self._times: list[float] = []

    def take(self, error: Exception) -> bool:
        """Return whether the app can go on; then the screen of the widget that failed is on its way out."""
        now = self._app.clock.monotonic()
        self._times = [at for at in self._times if now - at < WITHIN_S]
        screen = _failed_screen()
        if screen is None or self._app.desk is None or len(self._times) >= MOST:
            return False
        self._times.append(now)
        path = self._app.save_crash(error, f"in {type(screen).__name__}")
        self._app.call_later(self._open_again, screen, str(path))
        return True

    def _open_again(self, broken: Screen[Any], path: str) -> None:
        self._replace(broken)
        self._app.tell(f"This screen had an error in Obra itself and was opened again. Details: {path}", problem=True)

    def _replace(self, broken: Screen[Any]) -> None:
        app = self._app
        for mode, stack in tuple(app._screen_stacks.items()):
            if broken not in stack:
                continue
            if stack[0] is not broken:
                if stack[-1] is broken and mode == app.current_mode:
                    app.pop_screen()
                return
            self._replace_mode(mode)

    def _replace_mode(self, mode: str) -> None:
        """Nothing is waited for: this runs on the app's own queue, which the screens need to come and go."""
        app = self._app
        seen = mode == app.current_mode
        if seen:
            app.switch_mode("first")
        app.remove_mode(mode)
        app.add_mode(mode, SCREENS[mode])
        if seen:
            app.switch_mode(mode)


def _failed_screen() -> Screen[Any] | None:
    """The screen of the widget whose message was being handled."""
    pump = active_message_pump.get(None)
    if isinstance(pump, Screen):
        return pump
    if isinstance(pump, Widget) and pump.is_attached:
        return pump.screen
    return None

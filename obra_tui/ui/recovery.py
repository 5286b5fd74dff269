"""Errors in Obra's own screen: the screen of a failed widget is opened again, and a file says why.

After `MOST` errors within `WITHIN_S` seconds the app ends in order, with one sentence and never a traceback. A crash
file names the source line of every frame but no value of any variable: those may hold secrets.
"""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.screen import Screen
from textual.widget import Widget

from obra_tui.ui.screens.registry import MAIN_SCREENS, mode_of
from widgets.textual_private import active_message_pump

if TYPE_CHECKING:
    from obra_tui.core.ports import Clock

SaveCrash = Callable[[BaseException, str], "Path | None"]
MOST = 3
WITHIN_S = 30.0


class Recovery:
    """Knows how often a screen was opened again."""

    def __init__(self, app: App[Any], clock: Clock, save: SaveCrash, notify: Callable[[str], None]) -> None:
        """`save` writes a crash file and returns its path."""
        self._app = app
        self._clock = clock
        self._save = save
        self._notify = notify
        self._times: list[float] = []

    def take(self, error: Exception) -> bool:
        """Return whether the app can go on; then the screen of the widget that failed is on its way out."""
        now = self._clock.monotonic()
        self._times = [at for at in self._times if now - at < WITHIN_S]
        screen = _failed_screen()
        if screen is None or len(self._times) >= MOST:
            return False
        self._times.append(now)
        path = self._save(error, f"in {type(screen).__name__}")
        self._app.call_later(self._open_again, screen, str(path))
        return True

    def _open_again(self, broken: Screen[Any], path: str) -> None:
        self._replace(broken)
        self._notify(f"This screen had an error in Obra itself and was opened again. Details: {path}")

    def _replace(self, broken: Screen[Any]) -> None:
        mode = mode_of(broken)
        if mode:
            self._replace_mode(mode)
        elif broken is self._app.screen:
            self._app.pop_screen()

    def _replace_mode(self, mode: str) -> None:
        """Nothing is waited for: this runs on the app's own queue, which the screens need to come and go."""
        app = self._app
        seen = mode == app.current_mode
        if seen:
            app.switch_mode("first")
        app.remove_mode(mode)
        app.add_mode(mode, MAIN_SCREENS[mode])
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


def save_crash(error: BaseException, folder: Path, version: str, what: str = "") -> Path | None:
    """Write what happened to a private file of its own; None when the disk refuses."""
    text = "\n".join(
        (
            f"Obra {version or '?'} on Python {platform.python_version()}, {platform.platform()}",
            time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            what,
            "",
            "".join(_frames(error)),
        )
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns() % 10_000:04}.txt"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return None
    return path


def _frames(error: BaseException) -> list[str]:
    """Return the traceback with its source lines, without the values of variables."""
    summary = traceback.TracebackException.from_exception(error, capture_locals=False)
    return list(summary.format(chain=True))


def crash_sentence(path: Path | None) -> str:
    where = f" Details, without any of your data: {path}" if path else " The details could not be written to disk."
    return (
        "Obra's screen stopped because of an error in Obra itself."
        f"{where}\nNothing that was decided or recorded is lost; start obra again to go on."
    )

"""A screen that takes no key until nobody has been typing for a moment.

A person who types a word while a question opens must not answer it by accident: every key is swallowed, and
starts the clock again, until there was a pause.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.timer import Timer

if TYPE_CHECKING:
    from textual.screen import Screen

    _Screen = Screen[object]
else:
    # Textual takes the style rules of the first base that is a screen: a mixin must not be one.
    _Screen = object

DELAY = 0.35


class Arming:
    """The clock: armed after `delay` seconds without a key."""

    def __init__(self, delay: float = DELAY, clock: Callable[[], float] = time.monotonic) -> None:
        self._delay = delay
        self._clock = clock
        self._quiet_since = clock()
        self._armed = False

    def open(self) -> None:
        """The question was (again) put on screen."""
        self._armed = False
        self._quiet_since = self._clock()

    @property
    def remaining(self) -> float:
        """Seconds of silence still needed."""
        return 0.0 if self._armed else max(0.0, self._quiet_since + self._delay - self._clock())

    @property
    def armed(self) -> bool:
        """Keys are taken; once armed it stays so until opened again."""
        if not self._armed and self.remaining == 0.0:
            self._armed = True
        return self._armed

    def key(self) -> bool:
        """A key came: false when it must be swallowed."""
        if self.armed:
            return True
        self._quiet_since = self._clock()
        return False


class ArmedScreen(_Screen):
    """Mix in before Screen or ModalScreen; `on_armed_changed` tells the legend."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    ARMED_FOCUS: ClassVar[str] = "*"
    """What to focus once armed (a selector; empty for nothing)."""
    ARMING_DELAY: ClassVar[float] = DELAY
    _arming: Arming | None = None
    _arming_timer: Timer | None = None
    _told_armed = False

    def make_arming(self) -> Arming:
        """The clock to use; a test overrides it."""
        return Arming(self.ARMING_DELAY)

    @property
    def arming(self) -> Arming:
        """The clock of this screen."""
        if self._arming is None:
            self._arming = self.make_arming()
        return self._arming

    @property
    def is_armed(self) -> bool:
        """Whether keys are taken."""
        return self.arming.armed

    def on_armed_changed(self, armed: bool) -> None:
        """Override: dim or light up the legend."""

    def on_screen_resume(self) -> None:
        """Shown, or shown again after something on top of it went away."""
        self.arming.open()
        self.set_focus(None)
        self._tell_armed(False, always=True)
        self._wait_for_silence()

    def arm_again(self) -> None:
        """What is asked about has changed: keys are swallowed until there was silence, and the legend says so."""
        self.arming.open()
        self._tell_armed(False)
        self._wait_for_silence()

    def _wait_for_silence(self) -> None:
        if self._arming_timer is not None:
            self._arming_timer.stop()
        self._arming_timer = self.set_timer(max(0.01, self.arming.remaining), self._check_silence)

    def _check_silence(self) -> None:
        if self.arming.armed:
            self._tell_armed(True)
        else:
            self._wait_for_silence()

    def _tell_armed(self, armed: bool, always: bool = False) -> None:
        if armed == self._told_armed and not always:
            return
        self._told_armed = armed
        if armed and self.ARMED_FOCUS and self.focused is None:
            self.focus_next(self.ARMED_FOCUS)
        self.on_armed_changed(armed)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Every key of this screen is dead (and drawn so) until it is armed."""
        if not self.arming.armed:
            return None
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Swallow keys before they reach a binding, and wait for silence again."""
        if not self.arming.key():
            event.stop()
            event.prevent_default()
            self._wait_for_silence()

    def on_paste(self, event: events.Paste) -> None:
        """A pasted text is typing too."""
        if not self.arming.key():
            event.stop()
            event.prevent_default()
            self._wait_for_silence()

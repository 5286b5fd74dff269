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


class KeyGuard:
    """Waits for silence on a screen, and tells when keys are taken."""

    def __init__(self, screen: ArmedScreen, arming: Arming) -> None:
        self._screen = screen
        self._arming = arming
        self._timer: Timer | None = None
        self._has_told = False
        """What was told last: keys are taken."""

    @property
    def is_armed(self) -> bool:
        """Keys are taken."""
        return self._arming.armed

    def start(self, *, anew: bool = False) -> None:
        """Swallow keys until there was silence; `anew` when the legend may be another one."""
        self._arming.open()
        self._tell(False, always=anew)
        self._wait()

    def swallow(self, event: events.Event) -> None:
        """Stop a key or a pasted text before it reaches a binding, and wait for silence again."""
        if not self._arming.key():
            event.stop()
            event.prevent_default()
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._screen.set_timer(max(0.01, self._arming.remaining), self.check)

    def check(self) -> None:
        """Tell that keys are taken, or wait on."""
        if self._arming.armed:
            self._tell(True)
        else:
            self._wait()

    def _tell(self, armed: bool, always: bool = False) -> None:
        if armed == self._has_told and not always:
            return
        self._has_told = armed
        screen = self._screen
        if armed and screen.ARMED_FOCUS and screen.focused is None:
            screen.focus_next(screen.ARMED_FOCUS)
        screen.on_armed_changed(armed)
        screen.refresh_bindings()


class ArmedScreen(_Screen):
    """Mix in before Screen or ModalScreen; `on_armed_changed` tells the legend."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    ARMED_FOCUS: ClassVar[str] = "*"
    """What to focus once armed (a selector; empty for nothing)."""
    ARMING_DELAY: ClassVar[float] = DELAY
    _guard: KeyGuard | None = None

    def make_arming(self) -> Arming:
        """The clock to use; a test overrides it."""
        return Arming(self.ARMING_DELAY)

    @property
    def guard(self) -> KeyGuard:
        """What decides whether this screen takes keys."""
        if self._guard is None:
            self._guard = KeyGuard(self, self.make_arming())
        return self._guard

    def on_armed_changed(self, armed: bool) -> None:
        """Override: dim or light up the legend."""

    def on_screen_resume(self) -> None:
        """Shown, or shown again after something on top of it went away."""
        self.set_focus(None)
        self.guard.start(anew=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Every key of this screen is dead (and drawn so) until it is armed."""
        if not self.guard.is_armed:
            return None
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key | events.Paste) -> None:
        """A key may be part of a word that was begun before the question came; a pasted text is typing too."""
        self.guard.swallow(event)

    on_paste = on_key

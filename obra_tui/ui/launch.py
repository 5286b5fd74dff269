"""How the screen is started and why it was left: all that the first paint needs to know of either."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct, field

ScreenName = Literal["live", "tasks", "gates", "history", "metrics", "setup", "judge"]


class LaunchOptions(Struct, frozen=True, kw_only=True):
    """How this start of the program was asked for."""

    project: str
    """Absolute path of the person's repository."""
    person: str
    """`person:<login>`: who answers gates and questions here."""
    data_dir: str
    """Crash files go to `crashes/` in it."""
    version: str = ""
    rehearsal: str = ""
    """Name of the scenario; REHEARSAL is shown from the first paint on."""
    first_screen: ScreenName = "live"
    theme: str = "obra-cb-dark"
    keys: Mapping[str, str] = field(default_factory=dict)
    """`[keys]` of the settings: binding id → keys."""
    ascii_glyphs: bool = False
    mouse: bool = True
    reduce_motion: bool = False
    notify: Literal["auto", "bell", "off"] = "auto"
    guides: Callable[[], Mapping[str, str]] = dict
    """Reads the guides, for a thread: name → Markdown."""
    notify_command: str = ""
    """Shell command of the person's own that is run when something waits or has finished."""
    stall_seconds: float = 120.0
    review_grace_s: float = 0.35
    """How long every key is swallowed after a review or a permission prompt opened."""


class UiResult(Struct, frozen=True, kw_only=True):
    """What `ObraApp.run()` returns: why the screen was left, for the caller's exit code."""

    reason: Literal["quit", "crashed"] = "quit"
    crash_file: str = ""

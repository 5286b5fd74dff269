"""What the parts of the screen need of those that own them, as protocols.

`Host` is the app, `Services` is `services.AppServices`. Actions and the navigator know these two and no concrete owner,
so that nothing imports upwards, not even for a type.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from obra_tui.core.ids import GateId, QuestionId, SessionId
    from obra_tui.core.ports import Clock
    from obra_tui.ui.connection.commands import CommandSender
    from obra_tui.ui.connection.view_store import ViewStore
    from obra_tui.ui.launch import LaunchOptions
    from obra_tui.ui.ports import Backend, Doctor, OpenBackend
    from obra_tui.ui.state import ViewState


class Host(Protocol):
    """The app: threads, the terminal, and screens by their names in `screens.registry`."""

    launch: LaunchOptions
    clock: Clock
    doctor: Doctor
    open_demo: OpenBackend | None
    overrides: dict[str, str]
    """Keys of the settings, by binding id."""

    @property
    def has_focus(self) -> bool:
        """The terminal's window has the focus, as far as it says so."""
        ...

    @property
    def front_screen(self) -> object: ...

    @property
    def gate_shown(self) -> GateId | None:
        """The gate that the screen on top is about."""
        ...

    @property
    def question_shown(self) -> QuestionId | None:
        """The question of Claude Code that the screen on top asks."""
        ...

    def show(self, name: str) -> None:
        """Switch to one of the main screens."""
        ...

    def open_screen(
        self, name: str, *arguments: object, on_result: Callable[[Any], None] | None = None, replace: bool = False
    ) -> None:
        """Open a screen or a dialog on top, or with `replace` in place of the one on top."""
        ...

    def call_after_refresh(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> bool: ...
    def in_thread(self, work: Callable[[], None], group: str) -> None: ...
    def call_soon(self, call: Callable[[], None]) -> None:
        """Call on the screen's thread; may be called from any thread."""
        ...

    def show_notice(self, text: str, *, problem: bool = False, for_s: float | None = None) -> None: ...
    def show_notices_on(self, screen: Any) -> None:
        """Show on a screen what was told last, as long as it is of use."""
        ...

    def save_crash(self, error: BaseException, what: str) -> Path | None: ...
    def write_sequence(self, text: str) -> None: ...
    def copy_to_clipboard(self, text: str) -> None: ...
    def key_name(self, key: str) -> str: ...
    def press_key(self, key: str) -> None: ...
    def refresh_bindings(self) -> None: ...
    def suspend(self) -> AbstractContextManager[None]: ...
    def leave(self) -> None: ...


class Services(Protocol):
    """What actions need: the view, commands to the engine, and words to the person."""

    @property
    def launch(self) -> LaunchOptions: ...
    @property
    def view(self) -> ViewState: ...
    @property
    def view_store(self) -> ViewStore: ...
    @property
    def commands(self) -> CommandSender: ...
    @property
    def backend(self) -> Backend | None: ...
    @property
    def session(self) -> SessionId | None: ...
    @property
    def is_working(self) -> bool: ...
    def open(self, open_backend: OpenBackend) -> None: ...
    def key_label(self, key_id: str) -> str: ...
    def notify(self, text: str, *, problem: bool = False, for_s: float | None = None) -> None: ...
    def copy(self, text: str, what: str = "") -> None: ...
    def call_soon(self, call: Callable[[], None]) -> None: ...
    def in_thread(self, work: Callable[[], None]) -> None: ...


class Suspendable(Protocol):
    """What can hand the terminal to another program for a while."""

    def suspend(self) -> AbstractContextManager[None]: ...

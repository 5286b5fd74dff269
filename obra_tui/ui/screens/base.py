"""What every full screen has: the status line on top, the key line below, and a view that it draws when it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Resize
from textual.geometry import Size
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from obra_tui.core.events import STREAMED, Record, TextDropped, TextFinished, ToolFinished, ToolStarted, UsageReported
from obra_tui.ui.screens.key_line import KeyLine
from obra_tui.ui.screens.parts import ScreenPart, add_part
from obra_tui.ui.services import AppServices, services_of
from obra_tui.ui.view.status_words import CONTENT_STYLES, Tone
from obra_tui.ui.view.statusline import StatusPart
from widgets.bars.notice_line import NoticeLine, ScreenTab
from widgets.bars.status_line import StatusItem, StatusLine
from widgets.fast_compositor import FastScreen

if TYPE_CHECKING:
    from obra_tui.core.ids import GateId


_TALK = (*STREAMED, TextDropped, TextFinished, ToolStarted, ToolFinished, UsageReported)
"""What comes all the time while Claude works, and changes nothing that a key could do."""

LEAST_OF_A_TITLE = 9
"""Cells: the key of a task, and the beginning of its title."""
LEAST = Size(60, 16)
"""Below this the panes would show nothing that can be read."""

NARROW, SHORT = 100, 30
"""Below so many columns and rows the style sheet has the classes `-narrow` and `-short`."""


def is_small(size: Size) -> bool:
    """There is room for one pane at a time."""
    return size.width < NARROW and size.height < SHORT


TABS = {
    "live": "Live",
    "tasks": "Tasks",
    "gates": "Gates",
    "history": "History",
    "metrics": "Metrics",
    "setup": "Setup",
}


class ObraScreen(FastScreen[object]):
    """Draws only while it is on top; catches up when it comes back."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    ready = False
    """Its widgets are there."""
    mode = ""
    """The name of a main screen in `registry.MAIN_SCREENS`; empty for one that is opened on top."""
    tab = ""
    """The main screen that it belongs to when it is opened on top of any."""
    has_missed = False
    """Something happened while another screen was in front; a screen that only adds what is new starts afresh then."""
    gate_shown: GateId | None = None
    """The gate that the screen is about, if it is about one: undoing means that one first."""
    _unwatch: Callable[[], None] | None = None

    def __init__(self) -> None:
        super().__init__()
        self._parts: dict[str, ScreenPart] = {}

    @property
    def services(self) -> AppServices:
        return services_of(self.app)

    def add_part(self, part: ScreenPart) -> None:
        """Let a part answer its keys."""
        add_part(self._parts, self, part)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        part = self._parts.get(action)
        return True if part is None else part.check_action(action)

    def compose(self) -> ComposeResult:
        yield StatusLine(id="status")
        yield from self.compose_body()
        yield NoticeLine(id="notice")
        yield KeyLine(id="keys")
        yield Static(id="too-small")

    def compose_body(self) -> ComposeResult:
        yield from ()

    def draw(self, records: Sequence[Record]) -> None:
        """Show the present view; `records` is what came since, empty when everything may have changed."""

    def tick(self) -> None:
        """A second passed while something is running."""

    def on_mount(self) -> None:
        """Called after that of the subclass: Textual calls the handler of every class."""
        self.ready = True
        self.services.show_notices_on(self)
        self._unwatch = self.services.view_store.subscribe(self._changed)
        self.draw(())

    @on(Resize)
    def _measured(self, event: Resize) -> None:
        """Say what is needed rather than draw what cannot be read."""
        width, height = event.size
        small = width < LEAST.width or height < LEAST.height
        self.set_class(small, "-too-small")
        if small:
            need = f"{LEAST.width}×{LEAST.height} needed, you have {width}×{height}."
            self.query_one("#too-small", Static).update(Content(f"{need} Nothing stops meanwhile."))

    def on_unmount(self) -> None:
        self.ready = False
        if self._unwatch is not None:
            self._unwatch()

    def on_screen_resume(self) -> None:
        if self.ready:
            self.services.show_notices_on(self)
            self.draw(())
            self.has_missed = False

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker of this screen that failed must not do so in silence."""
        failed = event.worker.error
        if failed is not None and event.state is WorkerState.ERROR:
            self.services.report_error(failed, "in the background")

    def _changed(self, records: Sequence[Record]) -> None:
        if self.is_current:
            self.draw(records)
            if not records or any(not isinstance(record.event, _TALK) for record in records):
                self.refresh_bindings()
        else:
            self.has_missed = True

    def show_status(self, *parts: StatusPart) -> None:
        """Fill the status line; the rehearsal stands first on every screen."""
        lead = (*self.services.lead_parts(), *_not_started(self))
        width = self.size.width
        shown = [_line_part(part, 0, width) for part in lead]
        shown.extend(_line_part(part, index, width) for index, part in enumerate(parts))
        self.query_one("#status", StatusLine).show(shown)
        self.query_one(NoticeLine).show_places(_places(self))

    def on_notice_line_pressed(self, message: NoticeLine.Pressed) -> None:
        self.services.navigator.show(message.name)


def _not_started(screen: ObraScreen) -> Sequence[StatusPart]:
    """Why a screen that reads the store stays empty; Live tells it in full."""
    services = screen.services
    if not services.failure or screen.app.current_mode == "live":
        return ()
    return (StatusPart(text=f"could not start: {services.key_label('app.show_live')} says why", tone=Tone.FAIL),)


def _places(screen: ObraScreen) -> list[ScreenTab]:
    services, here = screen.services, screen.tab or screen.app.current_mode
    waiting = len(services.view.waiting_gates)
    labels = {"gates": f"Gates({waiting})"} if waiting else {}
    return [
        ScreenTab(services.key_label(f"app.show_{name}"), labels.get(name, label), name, here=name == here)
        for name, label in TABS.items()
    ]


def _line_part(part: StatusPart, index: int, width: int) -> StatusItem:
    room = max(20, width * 2 // 5)
    text = f"{part.text[: room - 1]}…" if part.shrinks and len(part.text) > room else part.text
    least = LEAST_OF_A_TITLE if part.shrinks else 0
    return StatusItem(text, priority=0 if part.urgent else index, style=_style(part), least=least)


def _style(part: StatusPart) -> str:
    colour = CONTENT_STYLES[part.tone]
    return f"bold {colour}".strip() if part.strong else colour

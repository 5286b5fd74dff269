"""Every private name of Textual that the project uses, each with its reason.

Textual is pinned exactly because of this module. A test looks for each name in the installed Textual, and for private
names that are used anywhere else. What can be done with public names is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from textual._border import get_box
from textual._compositor import Compositor, CompositorUpdate
from textual._context import active_message_pump
from textual.geometry import Region
from textual.screen import Screen, ScreenResultType
from textual.strip import Strip
from textual.widget import Widget

__all__ = [
    "PRIVATE_NAMES",
    "Compositor",
    "CompositorUpdate",
    "FrameTimer",
    "PrivateName",
    "ScheduledScreen",
    "active_message_pump",
    "dirty_regions",
    "get_box",
    "mark_dirty",
    "mark_widget",
    "may_paint",
    "paint_frame",
    "render_border_row",
]


class PrivateName(NamedTuple):
    """A name without a promise: where Textual has it, and what it is needed for."""

    owner: str
    """A module, or a class as ``module:Class``."""
    name: str
    reason: str


_COMPOSITOR, _SCREEN = "textual._compositor:Compositor", "textual.screen:Screen"
_WIDGET, _APP = "textual.widget:Widget", "textual.app:App"

PRIVATE_NAMES = (
    PrivateName("textual._compositor", "Compositor", "fast_compositor paints only changed rows of the front widget"),
    PrivateName(_COMPOSITOR, "_dirty_regions", "the regions that changed since the last frame"),
    PrivateName(_SCREEN, "_compositor", "a screen has no public way to be given a compositor"),
    PrivateName(_SCREEN, "_update_timer", "a frame is painted as soon as possible, not on a beat of 60 a second"),
    PrivateName(_SCREEN, "_on_timer_update", "what a frame consists of: layout, scrolling, painting, callbacks"),
    PrivateName(_SCREEN, "_dirty_widgets", "a pane reports its changed rows without three messages"),
    PrivateName(_APP, "_batch_count", "nothing is painted within `batch_update`"),
    PrivateName(_APP, "_exit", "a frame that is due while the app ends must not be painted"),
    PrivateName(_WIDGET, "_set_dirty", "marks rows as changed without the message that `refresh` sends"),
    PrivateName(_WIDGET, "_styles_cache", "renders a border row as Textual would"),
    PrivateName("textual._border", "get_box", "the border cells left and right of a row"),
    PrivateName("textual._context", "active_message_pump", "whose message was being handled when an error was raised"),
    PrivateName(_APP, "_driver", "writes a terminal notification (OSC sequence)"),
    PrivateName(_APP, "_handle_exception", "a widget that fails takes its screen with it, not the app"),
    PrivateName(_APP, "_fatal_error", "replaces the report that prints the values of variables"),
    PrivateName(_APP, "_exception", "the error that the crash file is about"),
    PrivateName(_APP, "_exit_renderables", "the sentence that is printed after the screen is gone"),
    PrivateName(_APP, "_return_value", "the result of a run that crashed"),
    PrivateName(_APP, "_close_messages_no_wait", "ends the app after an error without its report"),
)
"""At most twenty."""


def dirty_regions(compositor: Compositor) -> list[Region]:
    """Take the regions that changed since the last call."""
    regions = list(compositor._dirty_regions)
    compositor._dirty_regions.clear()
    return regions


def mark_dirty(widget: Widget, regions: Sequence[Region]) -> None:
    """Mark regions of a widget as changed, without a message to the screen."""
    widget._set_dirty(*regions)


def render_border_row(widget: Widget, y: int) -> Strip:
    """Render one row of a widget's border, with its titles, as Textual would."""
    row = Region(0, y, widget.outer_size.width, 1)
    widget._styles_cache.set_dirty(row)
    return widget._styles_cache.render_widget(widget, row)[0]


class FrameTimer(Protocol):
    """Stands in for the timer of a screen."""

    def resume(self) -> None:
        """Something changed."""

    def pause(self) -> None:
        """Everything is painted."""


class ScheduledScreen(Screen[ScreenResultType]):
    """A screen whose compositor and timer are given by a subclass."""

    def install(self, compositor: Compositor, timer: FrameTimer) -> None:
        """Use these; call it in `__init__`."""
        self._compositor = compositor
        self._frame_timer = timer

    @property
    def _update_timer(self) -> FrameTimer:  # type: ignore[override]
        return self._frame_timer


def may_paint(screen: Screen[ScreenResultType]) -> bool:
    """Whether it is the current screen, and nothing holds painting back."""
    return screen.is_current and not screen.app._batch_count


def mark_widget(screen: Screen[ScreenResultType], widget: Widget) -> None:
    """Note that the widget has regions that are marked as dirty."""
    screen._dirty_widgets.add(widget)


def paint_frame(screen: Screen[ScreenResultType]) -> None:
    """Lay out and paint what changed, unless the app is about to end."""
    if not screen.app._exit:
        screen._on_timer_update()

"""What Textual's stylesheet says about a widget, as the plain values a row painter needs."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual._border import get_box
from textual.color import Color
from textual.style import Style as TextualStyle
from textual.widget import Widget

from .painting import Chrome
from .palette import Palette

_PALETTES: dict[tuple[str, Color, Color], Palette] = {}


def palette_of(widget: Widget) -> Palette:
    """The palette for a widget's theme and ground; shared, because theme variables are slow to make."""
    base = widget.visual_style
    key = (widget.app.theme, base.foreground or Color(0, 0, 0), base.background or Color(0, 0, 0))
    palette = _PALETTES.get(key)
    if palette is None:
        if len(_PALETTES) > 32:
            _PALETTES.clear()
        palette = _PALETTES[key] = Palette(widget.app.theme_variables, base.rich_style)
    return palette


def chrome_of(widget: Widget) -> Chrome:
    """The cells left and right of the text, as Textual would draw them."""
    styles = widget.styles
    _, ground = widget.background_colors
    blank = Segment(" ", widget.visual_style.rich_style)
    bar, track = styles.scrollbar_color.rich_color, styles.scrollbar_background.rich_color
    bar_style = Style(color=bar, bgcolor=track)
    return Chrome(
        left=(*_edge(widget, styles.border_left, 0), *[blank] * styles.padding.left),
        right=(*[blank] * styles.padding.right, *_edge(widget, styles.border_right, 2)),
        bar=(blank, Segment(" ", bar_style), Segment("█", bar_style)),
        filters=tuple(widget.get_line_filters()),
        background=ground,
    )


def _edge(widget: Widget, side: tuple[str, Color], index: int) -> tuple[Segment, ...]:
    kind, colour = side
    if not kind:
        return ()
    under, ground = widget.background_colors
    inner, outer = TextualStyle(background=under + ground), TextualStyle(background=under)
    edge = TextualStyle(foreground=under + colour)
    return (get_box(kind, inner, outer, edge)[1][index],)

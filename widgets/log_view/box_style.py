"""What Textual's stylesheet says about a widget, as the plain values a row painter needs."""

from __future__ import annotations

from functools import partial

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.style import Style as TextualStyle
from textual.widget import Widget

from widgets.log_view.painter import BoxStyle
from widgets.palette import Palette
from widgets.textual_private import get_box

_PALETTES: dict[tuple[object, ...], Palette] = {}
_STYLE_FILTERS = "textual.filter"


def palette_of(widget: Widget) -> Palette:
    """The palette for a widget's theme and ground; shared, because theme variables are slow to make."""
    base = widget.visual_style
    _, ground = widget.background_colors
    filters = tuple(f for f in widget.get_line_filters() if _changes_only_styles(f))
    key = (widget.app.theme, base.foreground, base.background, ground, *map(id, filters))
    palette = _PALETTES.get(key)
    if palette is None:
        if len(_PALETTES) > 32:
            _PALETTES.clear()
        last = partial(_filtered, filters, ground)
        palette = _PALETTES[key] = Palette(widget.app.theme_variables, base.rich_style, last)
    return palette


def _changes_only_styles(line_filter: LineFilter) -> bool:
    """Textual's own filters look at one style at a time, so they can run once for each style."""
    return type(line_filter).__module__ == _STYLE_FILTERS


def _filtered(filters: tuple[LineFilter, ...], ground: Color, style: Style) -> Style:
    segments = [Segment("x", style)]
    for line_filter in filters:
        segments = line_filter.apply(segments, ground)
    return segments[0].style or style


def box_style_of(widget: Widget) -> BoxStyle:
    """The cells left and right of the text, as Textual would draw them."""
    styles = widget.styles
    _, ground = widget.background_colors
    blank = Segment(" ", widget.visual_style.rich_style)
    bar, track = styles.scrollbar_color.rich_color, styles.scrollbar_background.rich_color
    bar_style = Style(color=bar, bgcolor=track)
    filters = widget.get_line_filters()
    style_filters = [f for f in filters if _changes_only_styles(f)]

    def shown(*segments: Segment) -> tuple[Segment, ...]:
        made = list(segments)
        for line_filter in style_filters:
            made = line_filter.apply(made, ground)
        return tuple(made)

    none, rail, thumb = shown(blank, Segment(" ", bar_style), Segment("█", bar_style))
    return BoxStyle(
        left=shown(*_edge(widget, styles.border_left, 0), *[blank] * styles.padding.left),
        right=shown(*[blank] * styles.padding.right, *_edge(widget, styles.border_right, 2)),
        bar=(none, rail, thumb),
        filters=tuple(f for f in filters if not _changes_only_styles(f)),
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

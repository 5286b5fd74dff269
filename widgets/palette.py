"""Style names of a pane to terminal styles, taken from the theme of the app.

A theme may override any name with a variable ``pane-<name>``. No widget is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color


class Look(NamedTuple):
    """How a style name is drawn: theme variables for ink and ground, the ground's strength, attributes."""

    ink: str = ""
    ground: str = ""
    strength: float = 1.0
    attributes: str = ""
    fade: float = 0.0


LOOKS: Mapping[str, Look] = {
    "text": Look(),
    "dim": Look(fade=0.4),
    "time": Look(fade=0.5),
    "tool": Look("text-accent"),
    "output": Look(fade=0.25),
    "warn": Look("text-warning"),
    "error": Look("text-error", attributes="bold"),
    "ok": Look("text-success"),
    "result": Look("text-primary", attributes="bold"),
    "person": Look("text-secondary", attributes="bold"),
    "gate": Look("text-accent", attributes="bold"),
    "running": Look("text-warning"),
    "heading": Look("text-primary", attributes="bold"),
    "strong": Look(attributes="bold"),
    "emph": Look(attributes="italic"),
    "strike": Look(attributes="strike"),
    "code": Look("text-accent"),
    "codeblock": Look(),
    "quote": Look(fade=0.3, attributes="italic"),
    "link": Look("text-primary", attributes="underline"),
    "bullet": Look("text-primary"),
    "rule": Look(fade=0.6),
    "tok-keyword": Look("text-accent"),
    "tok-string": Look("text-success"),
    "tok-number": Look("text-warning"),
    "tok-comment": Look(fade=0.45, attributes="italic"),
    "tok-name": Look("text-primary"),
    "tok-operator": Look("text-secondary"),
    "added": Look("text-success", "success", 0.12),
    "removed": Look("text-error", "error", 0.14),
    "added-code": Look("", "success", 0.12),
    "removed-code": Look("", "error", 0.14),
    "changed-word": Look(attributes="bold underline"),
    "hunk": Look("text-primary", fade=0.1),
    "file": Look("text-primary", "primary", 0.25, "bold"),
    "cursor": Look(ground="primary", strength=0.35),
    "cursor-idle": Look(ground="primary", strength=0.15),
    "match": Look(ground="warning", strength=0.35),
    "match-now": Look("background", "warning", 0.95, "bold"),
    "selection": Look(ground="primary", strength=0.55),
}
"""Every style name a line may use."""


_MOST_STYLES = 2_000


class Palette:
    """Styles by name over one base style (the pane's own ink and ground)."""

    def __init__(
        self, variables: Mapping[str, str], base: Style, last: Callable[[Style], Style] = lambda style: style
    ) -> None:
        """`last` turns every finished style into what the terminal can show (no colour, no system colours)."""
        self._plain = base
        self._last = last
        self.base = last(base)
        self._variables = variables
        self._ink = _colour_of(base.color, Color.parse("#ffffff"))
        self._ground = _colour_of(base.bgcolor, Color.parse("#000000"))
        self._styles: dict[str | Style, Style] = {"": self.base}
        self._overlays: dict[str, Style] = {}
        self._covered: dict[tuple[Style, str], Style] = {}

    def style(self, name: str | Style) -> Style:
        """The full style (ground included) of one or more names, or of a style of the caller's own."""
        found = self._styles.get(name)
        if found is None:
            if len(self._styles) > _MOST_STYLES:
                self._styles.clear()
            found = self._styles[name] = self._last(self._combined(name))
        return found

    def over(self, style: Style, name: str) -> Style:
        """A style with another one laid over it: the cursor, a match, a selection."""
        found = self._covered.get((style, name))
        if found is None:
            if len(self._covered) > _MOST_STYLES:
                self._covered.clear()
            found = self._covered[style, name] = self._last(style + self._overlay(name))
        return found

    def _overlay(self, name: str) -> Style:
        """Only what a name changes."""
        found = self._overlays.get(name)
        if found is None:
            found = self._overlays[name] = self._look(name)
        return found

    def _combined(self, name: str | Style) -> Style:
        if isinstance(name, Style):
            return self._plain + name
        style = self._plain
        for word in name.split():
            style += self._overlay(word)
        return style

    def _look(self, name: str) -> Style:
        look = LOOKS.get(name)
        if look is None:
            return Style.null()
        ink = self._variable(f"pane-{name}") or (self._variable(look.ink) if look.ink else None)
        if look.fade:
            ink = (ink or self._ink).blend(self._ground, look.fade)
        ground = self._variable(look.ground) if look.ground else None
        if ground is not None and look.strength < 1:
            ground = self._ground.blend(ground, look.strength)
        return Style(
            color=None if ink is None else ink.rich_color,
            bgcolor=None if ground is None else ground.rich_color,
            bold=True if "bold" in look.attributes else None,
            italic=True if "italic" in look.attributes else None,
            underline=True if "underline" in look.attributes else None,
            strike=True if "strike" in look.attributes else None,
        )

    def _variable(self, name: str) -> Color | None:
        value = self._variables.get(name, "")
        if not value or value.startswith(("auto", "initial", "transparent")):
            return None
        return self._ground + Color.parse(value) if not value.startswith("ansi") else Color.parse(value)


def _colour_of(colour: object, fallback: Color) -> Color:
    if not isinstance(colour, RichColor) or colour.is_default:
        return fallback
    return Color.from_rich_color(colour)

"""Two themes from the Okabe–Ito palette, which people with any common colour blindness can tell apart."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.theme import Theme

PASS, WARN, FAIL = "#56B4E9", "#E69F00", "#D55E00"
GATE, RUNNING, CALM = "#CC79A7", "#F0E442", "#0072B2"

OBRA_DARK = Theme(
    name="obra-cb-dark",
    dark=True,
    primary="#56B4E9",
    secondary="#009E73",
    accent=GATE,
    success=PASS,
    warning=WARN,
    error=FAIL,
    foreground="#E6E6E6",
    background="#101418",
    surface="#161B21",
    panel="#1F262E",
    variables={"pane-running": RUNNING, "border": "#56B4E9", "footer-key-foreground": WARN},
)

OBRA_LIGHT = Theme(
    name="obra-cb-light",
    dark=False,
    primary="#0072B2",
    secondary="#00664B",
    accent="#9A3F73",
    success="#0072B2",
    warning="#8A5A00",
    error="#B04A00",
    foreground="#1B1F23",
    background="#FAFAF7",
    surface="#F2F2EE",
    panel="#E4E4DF",
    variables={"pane-running": "#6B5E00", "border": "#0072B2", "footer-key-foreground": "#8A5A00"},
)

DEFAULT_THEME = OBRA_DARK.name


def register(app: App[Any]) -> None:
    """Make both themes known to an app."""
    app.register_theme(OBRA_DARK)
    app.register_theme(OBRA_LIGHT)

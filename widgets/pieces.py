"""Small helpers to build one-line contents from untrusted pieces. Never parses markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual.content import Content

from .text import clean_line
from .wrapping import clip


def piece(text: str, style: str = "") -> Content:
    """A piece of text as it is, made safe, in one style."""
    return Content.styled(clean_line(text), style)


def joined(pieces: Iterable[Content]) -> Content:
    """Pieces one after another."""
    return Content("").join(list(pieces))


def column(text: str, width: int, style: str = "", right: bool = False) -> Content:
    """A piece cut or filled to exactly `width` cells."""
    shown = clip(clean_line(text), width)
    fill = " " * (width - cell_len(shown))
    return Content.styled(fill + shown if right else shown + fill, style)


def cut(content: Content, width: int) -> Content:
    """At most `width` cells, with an ellipsis when something is missing."""
    return content.truncate(max(0, width), ellipsis=True) if content.cell_length > width else content

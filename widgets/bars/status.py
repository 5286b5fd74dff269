"""The words for a state: a glyph, an ASCII mark, a word and a colour, so that colour never speaks alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class StateLook(NamedTuple):
    """How one state is written."""

    glyph: str
    ascii: str
    word: str
    style: str


STATES: Mapping[str, StateLook] = {
    "pass": StateLook("✓", "[ok]", "pass", "$text-success"),
    "fail": StateLook("✗", "[XX]", "fail", "$text-error"),
    "warn": StateLook("!", "[!!]", "warn", "$text-warning"),
    "running": StateLook("●", "[>>]", "running", "$text-warning"),
    "waiting": StateLook("·", "[..]", "waiting", "$foreground 60%"),
    "gate": StateLook("?", "[??]", "gate", "$text-accent"),
    "held": StateLook("‖", "[||]", "held", "$foreground 60%"),
    "stopped": StateLook("■", "[##]", "stopped", "$text-warning"),
    "skipped": StateLook("–", "[--]", "skipped", "$foreground 60%"),
    "none": StateLook("–", "[--]", "none", "$foreground 60%"),
}

UNKNOWN = StateLook("?", "[??]", "unknown", "$foreground 60%")


def status(state: str) -> StateLook:
    """The words for a state; an unknown one is shown as unknown, never as good."""
    return STATES.get(state, UNKNOWN)


def mark(state: str, ascii: bool = False) -> str:
    """The glyph of a state, or its ASCII mark."""
    found = status(state)
    return found.ascii if ascii else found.glyph

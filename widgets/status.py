"""The words for a state: a glyph, an ASCII mark, a word and a colour, so that colour never speaks alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Status(NamedTuple):
    """How one state is written."""

    glyph: str
    ascii: str
    word: str
    style: str


STATES: Mapping[str, Status] = {
    "pass": Status("✓", "[ok]", "pass", "$text-success"),
    "fail": Status("✗", "[XX]", "fail", "$text-error"),
    "warn": Status("!", "[!!]", "warn", "$text-warning"),
    "running": Status("●", "[>>]", "running", "$text-warning"),
    "waiting": Status("·", "[..]", "waiting", "$foreground 60%"),
    "gate": Status("?", "[??]", "gate", "$text-accent"),
    "held": Status("‖", "[||]", "held", "$foreground 60%"),
    "stopped": Status("■", "[##]", "stopped", "$text-warning"),
    "skipped": Status("–", "[--]", "skipped", "$foreground 60%"),
    "none": Status("–", "[--]", "none", "$foreground 60%"),
}

UNKNOWN = Status("?", "[??]", "unknown", "$foreground 60%")


def status(state: str) -> Status:
    """The words for a state; an unknown one is shown as unknown, never as good."""
    return STATES.get(state, UNKNOWN)


def mark(state: str, ascii: bool = False) -> str:
    """The glyph of a state, or its ASCII mark."""
    found = status(state)
    return found.ascii if ascii else found.glyph

"""Reads values out of frames without trusting their shape: a later program may send anything under any name. Pure."""

import math
from collections.abc import Mapping
from typing import Any

Frame = Mapping[str, Any]


def mapping(value: object) -> Frame:
    """Return the object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Frame]:
    """Return the objects of a list."""
    if not isinstance(value, list):
        return []
    if len(value) == 1 and isinstance(value[0], dict):
        return value  # as nearly every message has it
    return [item for item in value if isinstance(item, dict)]


def string(value: object) -> str:
    """Return the text, or an empty one."""
    return value if isinstance(value, str) else ""


def strings(value: object) -> list[str]:
    """Return the texts of a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def number(value: object) -> float | None:
    """Return a finite number, or nothing; true and false are none."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if known and math.isfinite(value) else None  # type: ignore[arg-type]


def count(value: object) -> int:
    """Return a whole number, or 0."""
    return int(number(value) or 0)


def texts(content: object) -> list[str]:
    """Return the texts of a message's text blocks."""
    return [string(block.get("text")) for block in objects(content) if block.get("type") == "text"]

"""Nested lists."""

from typing import Any


def flatten(items: list[Any]) -> list[Any]:
    """Return the items of nested lists in one list, in order."""
    flat: list[Any] = []
    for item in items:
        flat.extend(flatten(item) if isinstance(item, list) else [item])
    return flat

"""Slices of lists."""

from typing import TypeVar

Item = TypeVar("Item")


def in_chunks(items: list[Item], size: int) -> list[list[Item]]:
    """Return the items in lists of at most `size`; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]

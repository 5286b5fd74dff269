"""What is due."""

from collections.abc import Iterable

from todo.store import Item


def due_until(items: Iterable[Item], day: str) -> list[Item]:
    """Return the items that are not done and due on `day` or before it, earliest first."""
    return sorted((item for item in items if not item["done"] and item["due"] <= day), key=lambda item: item["due"])

"""Values out of JSON that a forge sent, whatever is missing in it."""

from typing import Any


def value(item: Any, *names: str) -> Any:
    for name in names:
        item = item.get(name) if isinstance(item, dict) else None
    return item


def text(item: Any, *names: str) -> str:
    found = value(item, *names)
    return found if isinstance(found, str) else ""


def number(item: Any, *names: str) -> int:
    found = value(item, *names)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0

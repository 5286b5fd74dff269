"""The list in a file."""

import json
from pathlib import Path
from typing import Any

Item = dict[str, Any]


def load(file: str | Path) -> list[Item]:
    """Return the items of a file; a file that is not there is an empty list."""
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []


def save(file: str | Path, items: list[Item]) -> None:
    """Write the items into a file."""
    Path(file).write_text(json.dumps(items, indent=1, ensure_ascii=False), encoding="utf-8")


def add_item(items: list[Item], text: str, due: str) -> list[Item]:
    """Return the items with one more at the end."""
    return [*items, {"text": text, "due": due, "done": False}]

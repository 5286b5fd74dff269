"""Keys of a screen that are answered by an object of its own, beside the screen's class.

A screen owns its widgets and the order in which they are drawn; what a group of keys needs beyond that belongs to a
part. Knows nothing of what any part does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

_PREFIX = "action_"


class ScreenPart:
    """Answers a key by a method `action_NAME`, as a screen does; give it to `add_part`."""

    def check_action(self, action: str) -> bool | None:
        """Override: true = the key is there, None = it is shown but dead, false = it is not there."""
        return True

    def actions(self) -> Mapping[str, Callable[..., object]]:
        """Return what answers each action, by its name."""
        names = (name for name in dir(self) if name.startswith(_PREFIX))
        return {name.removeprefix(_PREFIX): getattr(self, name) for name in names}


def add_part(parts: dict[str, ScreenPart], owner: object, part: ScreenPart) -> None:
    """Let a part answer its keys: Textual looks for `action_NAME` on the screen or the app that has the binding."""
    for name, method in part.actions().items():
        parts[name] = part
        setattr(owner, f"{_PREFIX}{name}", method)

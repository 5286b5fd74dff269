"""The key table as Textual's bindings."""

from textual.binding import Binding, BindingType

from obra_tui.ui.keys import Key, of_scope


def bindings(scope: str) -> list[BindingType]:
    """Return the bindings of one screen, each with its id, so that `[keys]` reaches it."""
    return [_binding(key) for key in of_scope(scope)]


def _binding(key: Key) -> Binding:
    return Binding(key.keys, key.action, key.label, show=key.show, priority=key.priority, id=key.id)

"""Opening a session that is there already: it was stored, and whoever asked for it never heard.

The answer was lost with the connection, or the start was cut short before the first task. Asked for again, it is begun
instead of standing in the way; one that has tasks, or was opened by other rules, is nobody else's.
"""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from obra_tui.core.events import SessionOpened
from obra_tui.core.ids import SessionId
from obra_tui.engine.work import SessionWork


def begun_before(
    wanted: SessionOpened, sessions: Iterable[SessionWork], given_up: Collection[SessionId]
) -> SessionId | None:
    """Return the open session without tasks that `wanted` would be again.

    Two sessions of the same plan file are the same; of others only the one that was `given_up`.
    """
    for work in sessions:
        empty = not work.closed and not work.tasks
        known = bool(wanted.plan_source) or work.id in given_up
        if empty and known and _rules(work.opened) == _rules(wanted):
            return work.id
    return None


def _rules(opened: SessionOpened) -> SessionOpened:
    """What was asked for, without what every session has of its own."""
    return replace(opened, branch="", versions=())

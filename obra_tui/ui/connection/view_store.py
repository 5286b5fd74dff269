"""The view and the records behind it, with subscribers that are called after every change.

For the screen's thread only. Live and replay feed it through `apply`.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from obra_tui.core.events import Record
from obra_tui.core.ids import TaskId
from obra_tui.ui.connection.replay_buffer import ReplayBuffer
from obra_tui.ui.state import ViewState, apply_all

Subscriber = Callable[[Sequence[Record]], None]


class ViewStore:
    def __init__(self) -> None:
        self.view = ViewState()
        self.replay_buffer = ReplayBuffer()
        self.undrawn: Counter[TaskId] = Counter()
        """Records of a task that came too fast to be drawn, until a screen has said so."""
        self._subscribers: list[Subscriber] = []

    def apply(self, records: Sequence[Record], passed: Sequence[Record] = ()) -> None:
        """Update view and buffer, then call every subscriber once; `passed` came before and is only counted."""
        self.view = apply_all(apply_all(self.view, passed), records)
        self.undrawn.update(record.task for record in passed if record.task is not None)
        self.replay_buffer.add(records)
        self.publish(records)

    def reset(self) -> None:
        """Start afresh, as when another engine is watched."""
        self.view = ViewState()
        self.replay_buffer.clear()
        self.undrawn.clear()
        self.publish(())

    def publish(self, records: Sequence[Record]) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber(records)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` after every change; returns an unsubscribe function."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber) if subscriber in self._subscribers else None

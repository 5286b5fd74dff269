"""What the screens share: the view, the tapes, and who wants to know when they change.

Lives on the screen's thread alone. Live and replay feed it through `take`.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from obra_tui.core.events import Record
from obra_tui.core.ids import TaskId
from obra_tui.ui.connection.replay_buffer import Tapes
from obra_tui.ui.state import ViewState, apply_all

Watcher = Callable[[Sequence[Record]], None]


class Hub:
    def __init__(self) -> None:
        self.view = ViewState()
        self.tapes = Tapes()
        self.undrawn: Counter[TaskId] = Counter()
        """What came too fast to be drawn, until somebody says so."""
        self._watchers: list[Watcher] = []

    def take(self, records: Sequence[Record], passed: Sequence[Record] = ()) -> None:
        """Bring view and tapes up to date, then tell everybody once; `passed` came before and is only counted."""
        self.view = apply_all(apply_all(self.view, passed), records)
        self.undrawn.update(record.task for record in passed if record.task is not None)
        self.tapes.add(records)
        self.tell(records)

    def forget(self) -> None:
        """Start afresh, as when another engine is watched."""
        self.view = ViewState()
        self.tapes.clear()
        self.undrawn.clear()
        self.tell(())

    def tell(self, records: Sequence[Record]) -> None:
        for watcher in tuple(self._watchers):
            watcher(records)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` after every change; returns the way out."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

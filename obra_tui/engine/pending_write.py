"""A batch that is being written in a thread of its own, while the loop reads what comes next.

In a burst a write takes as long as reading what it writes, and SQLite and the disk need no Python for most of it. One
batch at a time: the order stays, and no more than one waits in memory beside what is being gathered. Knows nothing of
why a batch is written now.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from msgspec import Struct

from obra_tui.core.events import Record


class Written(Struct, frozen=True, kw_only=True):
    """What was written, and when that began and ended."""

    records: Sequence[Record]
    began: float
    ended: float


class UnderWay:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="obra-journal")
        self._writing: Future[Written] | None = None
        self.records: Sequence[Record] = ()
        """What is under way, or none."""

    def __bool__(self) -> bool:
        return self._writing is not None

    def begin(
        self, records: Sequence[Record], write: Callable[[], None], ended: Callable[["Future[Written]"], None]
    ) -> None:
        """Call `write`, which writes `records`; `ended` is called in the other thread, whatever became of it."""
        assert self._writing is None
        self.records = records
        self._writing = self._threads.submit(_timed, records, write)
        self._writing.add_done_callback(ended)

    def is_about(self, writing: "Future[Written]") -> bool:
        """Whether it is this one that is under way still: nobody has fetched what became of it."""
        return self._writing is writing

    def fetch(self) -> Written:
        """Wait until it is written. Raises what `write` raised: then `records` are for the caller to keep."""
        assert self._writing is not None
        writing, self._writing = self._writing, None
        return writing.result()


def _timed(records: Sequence[Record], write: Callable[[], None]) -> Written:
    began = time.monotonic()
    write()
    return Written(records=records, began=began, ended=time.monotonic())

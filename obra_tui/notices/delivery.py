"""A thread that delivers notices: it waits a moment for others of the same batch, and tries a failed channel again.

The engine's listener only puts records into a queue, so a slow or dead service costs a run nothing but the last moment.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from time import monotonic

from msgspec import Struct

from obra_tui.core.events import Record
from obra_tui.notices.channels import Channel
from obra_tui.notices.notice import ChannelMessage, Notice, NoticeReader, message_of

BATCH_S = 2.0
"""How long the first notice of a batch waits for others."""
RETRIES_S = (5.0, 30.0, 120.0)
"""Waits before a failed message is tried again; after the last one it is given up, which was said at the first."""
CLOSE_S = 10.0
"""Longest wait at the end of a run for what was not sent yet."""


class _Due(Struct):
    channel: Channel
    message: ChannelMessage
    at: float
    tries: int = 0


class Delivery:
    """Takes records from any thread until `close`."""

    def __init__(
        self,
        channels: Sequence[Channel],
        reader: NoticeReader,
        on_problem: Callable[[str], None],
        *,
        batch_s: float = BATCH_S,
        retries_s: Sequence[float] = RETRIES_S,
    ) -> None:
        """`on_problem` is called in the thread of delivery, once when a channel begins to fail."""
        self._channels = channels
        self._reader = reader
        self._on_problem = on_problem
        self._batch_s = batch_s
        self._retries_s = retries_s
        self._records: queue.SimpleQueue[tuple[Sequence[Record], bool] | None] = queue.SimpleQueue()
        self._due: list[_Due] = []
        self._failing: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="obra-notices", daemon=True)
        self._thread.start()

    def take(self, records: Sequence[Record], *, is_seen: bool = False) -> None:
        """Returns at once. What a person looks at (`is_seen`) is no news, but tells what the tasks are called."""
        self._records.put((records, is_seen))

    def close(self, limit_s: float = CLOSE_S) -> None:
        """Send what is left, each message once, and wait at most `limit_s` for it."""
        self._records.put(None)
        self._thread.join(limit_s)

    def _work(self) -> None:
        ended = False
        while not ended:
            notices, ended = self._next(self._wait_for_retry())
            if notices and not ended:
                more, ended = self._rest_of_batch()
                notices += more
            if notices:
                message = message_of(notices)
                self._due += (_Due(channel, message, monotonic()) for channel in self._channels)
            self._send(everything=ended)

    def _wait_for_retry(self) -> float | None:
        return max(0.0, min(due.at for due in self._due) - monotonic()) if self._due else None

    def _next(self, wait_s: float | None) -> tuple[list[Notice], bool]:
        """Return the notices of the next records, none if nothing came within `wait_s`; and whether this is the end."""
        try:
            item = self._records.get(timeout=wait_s)
        except queue.Empty:
            return [], False
        if item is None:
            return [], True
        records, is_seen = item
        notices = self._reader.read(records)
        return [] if is_seen else list(notices), False

    def _rest_of_batch(self) -> tuple[list[Notice], bool]:
        until = monotonic() + self._batch_s
        found: list[Notice] = []
        while (left := until - monotonic()) > 0:
            more, ended = self._next(left)
            found += more
            if ended:
                return found, True
        return found, False

    def _send(self, *, everything: bool) -> None:
        now = monotonic()
        ready = [due for due in self._due if everything or due.at <= now]
        self._due = [due for due in self._due if due not in ready]
        for due in ready:
            problem = due.channel.send(due.message)
            if not problem:
                self._failing.discard(due.channel.name)
                continue
            self._failed(due, problem)

    def _failed(self, due: _Due, problem: str) -> None:
        name = due.channel.name
        if name not in self._failing:
            self._failing.add(name)
            self._on_problem(f"A notice by {name} failed: {problem.rstrip('.')}. Try it with `obra notify test`.")
        if due.tries < len(self._retries_s):
            due.at = monotonic() + self._retries_s[due.tries]
            due.tries += 1
            self._due.append(due)

"""Questions to the history in worker threads: only the answer to the newest one is taken.

What is being read, and why it could not be, are words for the status line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from obra_tui.core.errors import ObraError

if TYPE_CHECKING:
    from obra_tui.core.events import Record
    from obra_tui.core.records.history import History
    from obra_tui.ui.ports import Archive
    from obra_tui.ui.screens.base import ObraScreen

T = TypeVar("T")
PAGE = 1_000
MOST_RECORDS = 20_000


class HistoryReader:
    """One per screen; lives on the screen's thread."""

    def __init__(self, screen: ObraScreen, doing: str = "reading…") -> None:
        """`doing` is said until the first answer is there."""
        self._screen = screen
        self._asked = 0
        self.doing = doing
        self.problem = ""

    def ask(self, doing: str, question: Callable[[History], T], take: Callable[[T], None]) -> bool:
        """Let `question` be answered; `take` gets the answer on the screen's thread. False when there is no history."""
        backend = self._screen.services.backend
        if backend is None:
            return False
        self.doing = doing
        self._asked += 1
        work = partial(self._read, backend.history, question, take, self._asked)
        self._screen.run_worker(work, thread=True, exit_on_error=False, group="reading")
        return True

    def _read(self, history: History, question: Callable[[History], T], take: Callable[[T], None], asked: int) -> None:
        """In a worker thread."""
        soon = self._screen.services.call_soon
        try:
            answer = question(history)
        except ObraError as refused:
            soon(partial(self._ended, asked, str(refused), lambda: None))
        else:
            soon(partial(self._ended, asked, "", partial(take, answer)))

    def _ended(self, asked: int, problem: str, take: Callable[[], None]) -> None:
        """An answer to an earlier question is no longer wanted, nor is any when the screen is gone."""
        if asked != self._asked or not self._screen.ready:
            return
        self.doing, self.problem = "", problem
        take()
        self._screen.draw(())
        self._screen.refresh_bindings()


def with_archive(screen: ObraScreen, work: Callable[[Archive], T], take: Callable[[T], None]) -> None:
    """Do something with the archive in a worker thread; `take` gets the answer on the screen's thread."""
    backend = screen.services.backend
    archive = backend.archive if backend else None
    if archive is None:
        screen.services.notify("Obra is still starting; try again in a moment.", problem=True)
        return
    _in_thread(screen, lambda: work(archive), take)


def with_history(screen: ObraScreen, work: Callable[[History], T], take: Callable[[T], None]) -> None:
    """The same with the history."""
    backend = screen.services.backend
    if backend is not None:
        _in_thread(screen, lambda: work(backend.history), take)


def _in_thread(screen: ObraScreen, work: Callable[[], T], take: Callable[[T], None]) -> None:
    services = screen.services

    def run() -> None:
        try:
            answer = work()
        except ObraError as refused:
            services.call_soon(partial(services.notify, str(refused), problem=True))
        else:
            services.call_soon(lambda: take(answer) if screen.ready else None)

    screen.run_worker(run, thread=True, exit_on_error=False, group="archive")


def all_records(page: Callable[[int, int], Sequence[Record]]) -> list[Record]:
    """Read page after page, to a limit that no pane would hold."""
    found: list[Record] = []
    while len(found) < MOST_RECORDS:
        records = page(found[-1].seq if found else 0, PAGE)
        found.extend(records)
        if len(records) < PAGE:
            break
    return found

"""An engine without a thread: plays the records it is given and remembers what it was asked for."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

from obra_tui.core.commands import Command
from obra_tui.core.errors import StoreError
from obra_tui.core.events import Record

Answer = Callable[[Command], object]


class FakeEngine:
    """`answers` maps a command class to what `submit` answers with: a value, an error, or a function of it."""

    def __init__(self, known: Iterable[Record] = (), answers: dict[type, object] | None = None) -> None:
        self.known = list(known)
        self.answers = answers or {}
        self.submitted: list[Command] = []
        self.listeners: list[Callable[[Sequence[Record]], None]] = []
        self.stopped = 0

    @property
    def outage(self) -> StoreError | None:
        return None

    def submit(self, command: Command) -> "Future[object]":
        self.submitted.append(command)
        future: Future[object] = Future()
        answer = self.answers.get(type(command))
        if callable(answer):
            answer = answer(command)
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future

    def subscribe(self, listener: Callable[[Sequence[Record]], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        if self.known:
            listener(tuple(self.known))
        return lambda: self.listeners.remove(listener) if listener in self.listeners else None

    def stop(self) -> None:
        self.stopped += 1

    def play(self, records: Iterable[Record]) -> None:
        """Tell the listeners, as the engine's thread would."""
        batch = tuple(records)
        self.known.extend(batch)
        for listener in tuple(self.listeners):
            listener(batch)

    def asked(self, kind: type) -> list[Command]:
        return [command for command in self.submitted if isinstance(command, kind)]

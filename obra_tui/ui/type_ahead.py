"""Keys in turn: each one finds the screen as the key before it left it.

Textual hands a key to whoever has the focus at that moment and goes on to the next key. What the first one asks for,
a field to write in or another screen, comes some messages later; so of `/` and a word typed in one go the word would
move the list behind the field, or worse. Here a key waits until the one before it was taken.
"""

from __future__ import annotations

import asyncio
from collections import deque

from textual.app import App, ReturnType
from textual.events import Event, Key, Paste
from textual.message import Message

_LOOKS, _LOOK_S = 20, 0.05
"""So often it is looked whether a key was taken; then the next one goes on whatever became of it, for a widget hangs.
Not one long wait: while the whole app is held up, by an import perhaps, nobody could have taken the key."""


class _Taken(Message, bubble=True):
    """Goes behind a key the whole way that a key goes."""

    def __init__(self, turn: int) -> None:
        super().__init__()
        self.turn = turn


class TypeAhead(App[ReturnType]):
    """An app in which keys are taken one after the other."""

    _turn = 0
    """Counts the keys; odd while one of them is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self._behind: deque[Key | Paste] = deque()

    @property
    def taking_a_key(self) -> bool:
        """One is on its way, and others wait."""
        return self._turn % 2 == 1

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste):
            await super().on_event(event)
        elif event.is_forwarded:  # everybody was asked, and it is the app's own; who asked may be gone after it
            turn = self._turn
            await super().on_event(event)
            self.call_later(self._look_in_front, turn)
        elif self.taking_a_key:
            self._behind.append(event)
        else:
            await self._hand_on(event)

    async def _hand_on(self, event: Key | Paste) -> None:
        self._turn += 1
        turn = self._turn
        self._wait(turn, _LOOKS)
        self._screen_of_key = self.screen
        first = self.focused or self.screen
        await super().on_event(event)
        first.post_message(_Taken(turn))

    def _wait(self, turn: int, looks: int) -> None:
        if turn != self._turn:
            return
        if looks == 0:
            self.call_later(self._next, turn)
        else:
            asyncio.get_running_loop().call_later(_LOOK_S, self._wait, turn, looks - 1)

    def on__taken(self, message: _Taken) -> None:
        """Everybody on the way was asked. What they asked of the app is done first, which comes by the same queue."""
        self.call_later(self._look_in_front, message.turn)

    def _look_in_front(self, turn: int) -> None:
        screen = self.screen
        if screen is self._screen_of_key:
            self.call_later(self._next, turn)
        else:  # it has to be put together, and to say where keys go in it
            screen.call_later(self.call_later, self._next, turn)

    async def _next(self, turn: int) -> None:
        if turn != self._turn or not self.taking_a_key:
            return
        self._turn += 1
        if self._behind:
            await self._hand_on(self._behind.popleft())

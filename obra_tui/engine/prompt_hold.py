"""A prompt that waits for a person before Claude gets it: read, perhaps changed, and sent exactly as it then is."""

import asyncio

from msgspec.structs import replace

from obra_tui.core.errors import NotAllowed
from obra_tui.core.events import PromptHeld, PromptWithdrawn
from obra_tui.core.model import ConversationReason
from obra_tui.engine.attempt_start import Start
from obra_tui.engine.task_journal import TaskEntries
from obra_tui.engine.work import TaskWork


class PromptDesk:
    """Where the prompts of one task wait; at most one at a time."""

    def __init__(self, task: TaskWork, entries: TaskEntries) -> None:
        self._task = task
        self._entries = entries
        self._waiting: asyncio.Future[tuple[str, str]] | None = None

    async def offer(self, start: Start) -> Start:
        """Return the start with the words that a person sent; cancelled, the prompt is withdrawn."""
        self._waiting = asyncio.get_running_loop().create_future()
        first = start.reason is ConversationReason.FIRST
        self._entries.commit_now(PromptHeld(text=start.prompt, kind="task" if first else "retry"))
        try:
            text, by = await self._waiting
        except asyncio.CancelledError:
            self._entries.commit_now(PromptWithdrawn())
            raise
        finally:
            self._waiting = None
        return replace(start, prompt=text, by=by)

    def send(self, text: str, by: str) -> None:
        """Let the held prompt go with these words. Raises `NotAllowed` when there is none, or nothing to say."""
        if self._waiting is None or self._waiting.done():
            raise not_held(self._task)
        if not text.strip():
            raise NotAllowed("The prompt is empty.", fix="Write what Claude shall do, or stop the run.")
        self._waiting.set_result((text, by))


def not_held(task: TaskWork) -> NotAllowed:
    return NotAllowed(
        f"No prompt of {task.spec.key} is held at the moment.",
        fix="It was sent or withdrawn; ask for the next one to be held.",
    )

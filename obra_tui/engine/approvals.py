"""Questions of Claude Code that wait for a person.

A question is a future here and two events in the journal. Stopping a run
withdraws its questions; nothing is ever allowed by a time-out.
"""

import asyncio

from msgspec import Struct

from obra_tui.core.errors import UnknownId
from obra_tui.core.events import PermissionAnswered, PermissionAsked
from obra_tui.core.ids import AttemptId, QuestionId, SessionId, TaskId
from obra_tui.core.model import PermissionAnswer, PermissionQuestion, PermissionVerdict
from obra_tui.engine.outbox import Outbox

_UNATTENDED = PermissionAnswer(
    verdict=PermissionVerdict.DENY,
    by="unattended",
    note="Nobody is there to allow this. Do the task without it.",
)
_WITHDRAWN = PermissionAnswer(verdict=PermissionVerdict.DENY, by="policy", note="The run was stopped.")


class Asker(Struct, frozen=True, kw_only=True):
    """Who asks: the place of the question in the journal."""

    session: SessionId
    task: TaskId
    attempt: AttemptId


class Questions:
    def __init__(self, outbox: Outbox, *, attended: bool) -> None:
        self._outbox = outbox
        self._attended = attended
        self._open: dict[QuestionId, asyncio.Future[PermissionAnswer]] = {}

    async def ask(self, asker: Asker, question: PermissionQuestion) -> PermissionAnswer:
        self._write(asker, PermissionAsked(question=question))
        answer = _WITHDRAWN
        try:
            answer = await self._wait(question.id) if self._attended else _UNATTENDED
        finally:
            self._open.pop(question.id, None)
            self._write(asker, PermissionAnswered(question_id=question.id, title=question.title, answer=answer))
        return answer

    def answer(self, question: QuestionId, answer: PermissionAnswer) -> None:
        """Settle a question. Raises `UnknownId` when it is not open: answered before, or withdrawn."""
        waiting = self._open.pop(question, None)
        if waiting is None or waiting.done():
            raise UnknownId(
                f"Question {question} is not open.", fix="It was answered before or its run ended; nothing was changed."
            )
        waiting.set_result(answer)

    async def _wait(self, question: QuestionId) -> PermissionAnswer:
        future: asyncio.Future[PermissionAnswer] = asyncio.get_running_loop().create_future()
        self._open[question] = future
        return await future

    def _write(self, asker: Asker, event: PermissionAsked | PermissionAnswered) -> None:
        self._outbox.commit(asker.session, [(asker.task, asker.attempt, event)])

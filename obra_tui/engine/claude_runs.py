"""Claude Code at work on one task: started, listened to, and started again where that helps.

Knows nothing of what the work is worth.
"""

import asyncio
from collections.abc import Coroutine, Sequence

from msgspec import Struct

from obra_tui.core.budget import left, smallest
from obra_tui.core.errors import ImplementerError, ObraError
from obra_tui.core.events import ClaudeEnded, Event, ProblemCleared, ProblemRaised, PromptSent
from obra_tui.core.ids import AttemptId
from obra_tui.core.model import (
    Budget,
    ConversationReason,
    ImplementRequest,
    ImplementResult,
    Outcome,
    Remedy,
    WorkCopy,
)
from obra_tui.core.ports import Conversation
from obra_tui.engine.approvals import Asker, Asking, Questions
from obra_tui.engine.attempt_start import AttemptStart, continued, fresh
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.schedule import over_budget
from obra_tui.engine.signals import Interrupted
from obra_tui.engine.task_journal import TaskJournal
from obra_tui.engine.work import SessionWork, TaskWork


class Unreachable(ObraError):
    """Claude Code cannot be used at present: login, network or account. Costs no attempt."""

    def __init__(self, code: str, what: str, *, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.code = code


class Repairs(Struct):
    """Restarts that were spent on one prompt: each kind is tried once."""

    fresh: bool = False
    broken: bool = False


class ClaudeRunner:
    """The runs of Claude Code for one task, one after the other."""

    def __init__(
        self,
        *,
        ports: Ports,
        config: EngineConfig,
        entries: TaskJournal,
        session: SessionWork,
        task: TaskWork,
        questions: Questions,
    ) -> None:
        self._ports = ports
        self._config = config
        self._entries = entries
        self._session = session
        self._task = task
        self._questions = questions
        self._conversation: Conversation | None = None
        self._repairs = Repairs()
        self._retry_now = asyncio.Event()

    @property
    def running(self) -> bool:
        return self._conversation is not None

    async def send(self, text: str) -> bool:
        """Hand text to the running turn; False when there is none."""
        conversation = self._conversation
        return conversation is not None and await conversation.send(text)

    async def interrupt(self) -> None:
        if self._conversation is not None:
            await self._conversation.interrupt()

    def retry_now(self) -> None:
        """Do not wait for a usage limit any longer."""
        self._retry_now.set()

    def refuse_overspent(self) -> None:
        """Start no call that would cost more than was allowed."""
        over = over_budget(self._config, self._session, self._task)
        if over:
            raise Unreachable("budget", " ".join(over), fix="Going on with the run begins the budget anew.")

    async def converse(
        self, start: AttemptStart, attempt: AttemptId, copy: WorkCopy, begun: Sequence[tuple[AttemptId | None, Event]]
    ) -> ImplementResult:
        """Say the prompt and return how the run ended. Raises `Unreachable` when none could be started.

        That the attempt has `begun` is written with the prompt.
        """
        first = start.reason is ConversationReason.FIRST
        prompt = PromptSent(text=start.prompt, kind="task" if first else "retry", by=start.by)
        self._entries.commit(*begun, (attempt, prompt))
        request = self._request(start, attempt, copy)
        try:
            conversation = await self._ports.implementer.start(
                request, self._entries.emit(attempt), self._asking(attempt)
            )
        except ImplementerError as error:
            raise Unreachable("claude", str(error)) from error
        return await self._follow(conversation, attempt)

    def _request(self, start: AttemptStart, attempt: AttemptId, copy: WorkCopy) -> ImplementRequest:
        return ImplementRequest(
            task=self._task.spec.id,
            attempt=attempt,
            prompt=start.prompt,
            cwd=copy.path,
            claude_session=start.claude_session,
            reason=start.reason,
            parent=start.parent,
            budget=self._allowance(),
        )

    def _allowance(self) -> Budget:
        task, session, config = self._task, self._session, self._config
        return smallest(
            (
                task.spec.budget,
                left(task.spec.budget, task.spent),
                left(config.task_budget, task.spent),
                left(config.session_budget, session.spent),
            )
        )

    async def _follow(self, conversation: Conversation, attempt: AttemptId) -> ImplementResult:
        self._conversation = conversation
        try:
            result = await conversation.finished()
        except asyncio.CancelledError:
            await conversation.stop()
            self._entries.commit((attempt, ClaudeEnded(result=await conversation.finished())))
            raise
        finally:
            self._conversation = None
            await conversation.stop()
        self._entries.commit((attempt, ClaudeEnded(result=result)))
        return result

    async def restart(self, start: AttemptStart, result: ImplementResult) -> AttemptStart | None:
        """Return how to go on when the run did not come to its end, None when there is work to look at."""
        repairs = self._repairs
        match result.outcome:
            case Outcome.LIMITED:
                await self._wait_for_limit(result)
                return continued(result.claude_session)
            case Outcome.RESUME_BROKEN if not repairs.fresh:
                repairs.fresh = True
                return fresh(self._task, start)
            case Outcome.TRANSPORT_BROKEN if not repairs.broken:
                repairs.broken = True
                return continued(result.claude_session)
            case Outcome.AUTH:
                raise Unreachable("auth", result.detail)
            case Outcome.REFUSED:
                return self._after_refusal(start, result)
            case Outcome.TRANSPORT_BROKEN | Outcome.RESUME_BROKEN:
                raise Unreachable("unreachable", result.detail)
            case Outcome.KILLED:
                raise Interrupted(result.detail)
            case _:
                self._repairs = Repairs()
                return None

    def _after_refusal(self, start: AttemptStart, result: ImplementResult) -> AttemptStart:
        """Return a fresh start where one helps. What is refused for good is of this task alone: others go on."""
        match result.remedy:
            case Remedy.FRESH if not self._repairs.fresh:
                self._repairs.fresh = True
                return fresh(self._task, start)
            case Remedy.FRESH | Remedy.TASK:
                raise Interrupted(result.detail)
            case Remedy.PERSON:
                raise Unreachable("account", result.detail)
            case _:
                raise Unreachable("unreachable", result.detail)

    async def _wait_for_limit(self, result: ImplementResult) -> None:
        """Wait until the usage limit resets, or until somebody says `retry_now`."""
        clock = self._ports.clock
        wait_s = max(1.0, (result.until or clock.now() + 300.0) - clock.now())
        if wait_s > self._config.wait_for_limit_s:
            raise Unreachable("limited", result.detail)
        self._entries.tell_session(
            ProblemRaised(
                code="limited",
                text=result.detail,
                fix="It goes on by itself after the reset; resume tries at once.",
                until=clock.now() + wait_s,
            )
        )
        self._retry_now.clear()
        await _first(clock.sleep(wait_s), self._retry_now.wait())
        self._entries.tell_session(ProblemCleared(code="limited"))

    def _asking(self, attempt: AttemptId) -> Asking:
        asker = Asker(session=self._session.id, task=self._task.spec.id, attempt=attempt)
        return Asking(self._questions, asker, self._session, self._entries)


async def _first(*waits: Coroutine[object, object, object]) -> None:
    """Return when the first of `waits` is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Claude Code at a worker, as the engine's `Implementer`.

The engine sees one conversation, whoever has it: when its worker dies, another one goes on from the files that were
stored last, and says so. Must not know how a worker runs Claude Code.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import assert_never

from msgspec.structs import replace

from obra_tui.core.errors import ImplementerError, ObraError, StoreError, WorkspaceError
from obra_tui.core.events import ClaudeNoticed, ClaudeStarted, Event
from obra_tui.core.ids import TaskId, new_id
from obra_tui.core.json_form import EVENT_CLASSES, from_text, to_text
from obra_tui.core.model import ConversationReason, ImplementRequest, ImplementResult, Outcome, PermissionAnswer
from obra_tui.core.ports import AskPermission, Conversation, Emit
from obra_tui.fleet.board import WHOEVER, BoardLine, JobStanding
from obra_tui.fleet.dispatch import FINAL, Dispatcher, JobChange
from obra_tui.fleet.jobs import (
    AddedRules,
    AnsweredQuestion,
    Code,
    ImplementStage,
    JobState,
    LineKind,
    MessageKind,
    NewJob,
    Nothing,
    RaisedQuestion,
    Sent,
    StageKind,
    TextForClaude,
    Used,
)

_STOP_S = 2.0
"""How long the worker is waited for when the conversation is stopped."""
_SEND_S = 5.0
_BEGINS = (ConversationReason.FIRST, ConversationReason.FRESH)


class FleetImplementer:
    """Hands conversations with Claude Code to workers."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._running: set[FleetConversation] = set()

    async def start(self, request: ImplementRequest, emit: Emit, ask: AskPermission) -> Conversation:
        try:
            conversation = await self._put(request, emit, ask)
        except (StoreError, WorkspaceError) as error:
            raise ImplementerError(error.what, where=error.where, fix=error.fix) from error
        if isinstance(conversation, FleetConversation):
            self._running.add(conversation)
            conversation.begin(lambda: self._running.discard(conversation))
        return conversation

    async def close(self) -> None:
        await asyncio.gather(*(conversation.stop() for conversation in tuple(self._running)))
        await self._dispatcher.close()

    async def _put(self, request: ImplementRequest, emit: Emit, ask: AskPermission) -> "FleetConversation | Lost":
        dispatcher, labels = self._dispatcher, self._dispatcher.options.labels
        able = {worker.name for worker in await dispatcher.workers_for(StageKind.IMPLEMENT, labels)}
        target = ""
        if request.reason not in _BEGINS:
            target = await dispatcher.board.holder_of(request.parent or request.claude_session)
            if target not in able:
                return Lost(request, target)
        if not able:
            emit(ClaudeNoticed(level="warning", text=_nobody(labels)))
        stage = ImplementStage(
            request=request, opening=await self._opening(request), rules=tuple(sorted(ask.standing()))
        )
        code = await dispatcher.code_of(request.cwd)
        job = NewJob(
            id=new_id("j"),
            kind=StageKind.IMPLEMENT,
            task=request.task,
            attempt=request.attempt,
            stage=to_text(stage),
            code=code,
            labels=labels,
            target=target,
            conversation=request.claude_session,
        )
        await dispatcher.board.put(job)
        return FleetConversation(dispatcher, job.id, request, emit, ask, brought=code.blob)

    async def _opening(self, request: ImplementRequest) -> str:
        """Return what the task's first conversation was told; it is said again to whoever goes on in a new one."""
        if request.reason in _BEGINS:
            return request.prompt
        first = await self._dispatcher.board.first_stage(TaskId(request.task))
        return from_text(ImplementStage, first).opening if first else request.prompt


def _nobody(labels: tuple[str, ...]) -> str:
    wanted = f" with the labels {', '.join(labels)}" if labels else ""
    return f"No worker{wanted} is there yet that implements: this waits until one is started (obra worker)."


class Lost:
    """A conversation that cannot be gone on with: the worker that has it is not there. The engine begins a new one."""

    def __init__(self, request: ImplementRequest, worker: str) -> None:
        who = f"The worker {worker}" if worker else "The worker"
        self._result = ImplementResult(
            outcome=Outcome.RESUME_BROKEN,
            claude_session=request.claude_session,
            detail=f"{who} that has this conversation is not at work; its files were kept.",
        )

    async def finished(self) -> ImplementResult:
        return self._result

    async def send(self, text: str) -> bool:
        return False

    async def interrupt(self) -> None:
        """Nothing runs."""

    async def stop(self) -> None:
        """Nothing runs."""


class FleetConversation:
    """One run of Claude Code, at one worker after the other if need be."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        job: str,
        request: ImplementRequest,
        emit: Emit,
        ask: AskPermission,
        *,
        brought: str,
    ) -> None:
        self._dispatcher = dispatcher
        self._job = job
        self._request = request
        self._emit = emit
        self._ask = ask
        self._epoch = 0
        """Of the worker that was heard last."""
        self._worker = ""
        self._conversation = request.claude_session
        self._cause = ""
        """Why it was ended from here."""
        self._rules = ask.standing()
        self._brought = brought
        """The bundle whose files are in the copy here."""
        self._questions: dict[str, asyncio.Task[None]] = {}
        self._sent: dict[str, asyncio.Future[bool]] = {}
        self._following: asyncio.Task[ImplementResult] | None = None
        self._bringing: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    def begin(self, on_end: Callable[[], None]) -> None:
        self._following = asyncio.create_task(self._follow(), name=f"fleet: {self._job}")
        self._following.add_done_callback(lambda _: on_end())

    # --- the port ---

    async def finished(self) -> ImplementResult:
        assert self._following is not None
        return await asyncio.shield(self._following)

    async def send(self, text: str) -> bool:
        ident = new_id("m")
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._sent[ident] = taken
        try:
            await self._dispatcher.board.tell(
                self._job, self._epoch, MessageKind.TEXT, TextForClaude(id=ident, text=text)
            )
            async with asyncio.timeout(_SEND_S):
                return await taken
        except (StoreError, TimeoutError):
            return False
        finally:
            self._sent.pop(ident, None)

    async def interrupt(self) -> None:
        await self._end(MessageKind.INTERRUPT, "Claude was interrupted.")

    async def stop(self) -> None:
        if self._following is None or self._following.done():
            return
        await self._end(MessageKind.STOP, "The run was stopped.")
        await asyncio.wait((self._following,), timeout=_STOP_S)
        if not self._following.done():
            await self._dispatcher.withdraw(self._job)
            self._following.cancel()
            await asyncio.wait((self._following,))

    async def _end(self, how: MessageKind, cause: str) -> None:
        """Tell whoever has the job; one that nobody has yet is withdrawn."""
        self._cause = self._cause or cause
        if not self._epoch:
            await self._dispatcher.withdraw(self._job)
            return
        with contextlib.suppress(StoreError):  # its worker ends it by itself when its lease has run
            await self._dispatcher.board.tell(self._job, WHOEVER, how, Nothing())

    # --- following ---

    async def _follow(self) -> ImplementResult:
        try:
            async for change in self._dispatcher.changes(self._job):
                await self._take_in(change)
                if change.standing.state in FINAL:
                    last = change.standing
            return await self._result(last)
        except asyncio.CancelledError:
            return self._killed(self._cause or "The run was stopped.")
        finally:
            for question in self._questions.values():
                question.cancel()
            for waiting in self._sent.values():
                if not waiting.done():
                    waiting.set_result(False)

    async def _take_in(self, change: JobChange) -> None:
        standing = change.standing
        for line in change.lines:
            self._take_line(line)
        if standing.state is JobState.RUNNING and standing.epoch != self._epoch:
            self._begin_epoch(standing)
        if standing.state is JobState.WAITING and self._epoch:
            self._lose_worker()
        if standing.state is JobState.RUNNING:
            self._look_for_files(standing.code)
            await self._tell_rules()

    def _begin_epoch(self, standing: JobStanding) -> None:
        self._epoch, self._worker = standing.epoch, standing.worker

    def _lose_worker(self) -> None:
        """Nobody has the job just now; another worker will."""
        text = f"The worker {self._worker} is gone; another one goes on in a new conversation, from what was stored."
        self._emit(ClaudeNoticed(level="warning", text=text))
        self._epoch = 0
        for question in self._questions.values():
            question.cancel()
        if self._cause:  # nobody need go on
            self._ending = asyncio.create_task(self._dispatcher.withdraw(self._job))

    def _take_line(self, line: BoardLine) -> None:
        if line.epoch > self._epoch:
            self._epoch = line.epoch
        match line.kind:
            case LineKind.ASKED:
                asked = from_text(RaisedQuestion, line.body)
                self._questions[asked.question.id] = asyncio.create_task(self._put_question(asked, line.epoch))
            case LineKind.UNASKED:
                if question := self._questions.pop(from_text(TextForClaude, line.body).id, None):
                    question.cancel()
            case LineKind.USED:
                used = from_text(Used, line.body)
                self._ask.used(used.pattern, used.title)
            case LineKind.SENT:
                sent = from_text(Sent, line.body)
                waiting = self._sent.get(sent.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(sent.was_taken)
            case _:
                self._emit(self._seen_from_here(from_text(EVENT_CLASSES[line.kind], line.body)))

    def _seen_from_here(self, event: Event) -> Event:
        """The program is at work in another folder, on another host."""
        if not isinstance(event, ClaudeStarted):
            return event
        self._conversation = event.claude_session
        return replace(event, cwd=self._request.cwd)

    async def _put_question(self, asked: RaisedQuestion, epoch: int) -> None:
        answer: PermissionAnswer = await self._ask(asked.question)
        with contextlib.suppress(StoreError):  # asked again by whoever goes on
            body = AnsweredQuestion(question=asked.question.id, answer=answer)
            await self._dispatcher.board.tell(self._job, epoch, MessageKind.ANSWER, body)

    async def _tell_rules(self) -> None:
        standing = self._ask.standing()
        if standing != self._rules:
            self._rules = standing
            with contextlib.suppress(StoreError):
                body = AddedRules(patterns=tuple(sorted(standing)))
                await self._dispatcher.board.tell(self._job, self._epoch, MessageKind.RULES, body)

    # --- files ---

    def _look_for_files(self, code: Code | None) -> None:
        """Bring what was stored meanwhile into the copy here, so that a person sees it; the newest alone counts."""
        if code is None or code.blob == self._brought or (self._bringing and not self._bringing.done()):
            return
        self._bringing = asyncio.create_task(self._bring_for_the_eye(code))

    async def _bring_for_the_eye(self, code: Code) -> None:
        with contextlib.suppress(ObraError):  # what counts is brought at the end, and told if that fails
            await self._bring(code)

    async def _bring(self, code: Code) -> None:
        await self._dispatcher.bring(self._request.cwd, code)
        self._brought = code.blob
        await self._dispatcher.board.brought(self._job)

    # --- the end ---

    async def _result(self, standing: JobStanding) -> ImplementResult:
        if self._bringing is not None:
            await asyncio.wait((self._bringing,))
        try:
            if standing.code is not None and standing.code.blob != self._brought:
                await self._bring(standing.code)
        except ObraError as error:
            return self._killed(f"The work of {standing.worker} could not be taken. {error}")
        match standing.state:
            case JobState.ENDED:
                return from_text(ImplementResult, standing.result or "")
            case JobState.WITHDRAWN | JobState.LOST:
                return self._killed(self._cause or "Another coordinator withdrew this work.")
            case JobState.WAITING | JobState.RUNNING:
                raise AssertionError(f"job {self._job} is not final")
            case _:
                assert_never(standing.state)

    def _killed(self, why: str) -> ImplementResult:
        return ImplementResult(outcome=Outcome.KILLED, claude_session=self._conversation, detail=why)

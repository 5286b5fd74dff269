"""How a worker carries out a claimed job: one stage, from its files to its result.

Everything is done by the ports of the other rooms, exactly as on a machine alone; new is only where code comes from and
where results go. Must not know how jobs are delivered, or anything of leases.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec.structs import replace

from obra_tui.core.errors import ImplementerError, ObraError, StoreError, WorkspaceError
from obra_tui.core.events import Event
from obra_tui.core.ids import ClaudeSessionId, new_id
from obra_tui.core.json_form import from_text, to_text
from obra_tui.core.model import (
    ConversationReason,
    ImplementRequest,
    ImplementResult,
    Outcome,
    PermissionAnswer,
    PermissionQuestion,
    Remedy,
    WorkCopy,
)
from obra_tui.core.ports import Conversation
from obra_tui.fleet.desk import Desk, JobMessage
from obra_tui.fleet.jobs import (
    AddedRules,
    AnsweredQuestion,
    CheckStage,
    Claim,
    Code,
    ImplementStage,
    JudgeStage,
    LineKind,
    MessageKind,
    RaisedQuestion,
    Sent,
    StageKind,
    TextForClaude,
    Used,
)
from obra_tui.fleet.ports import ProjectTools, Tools
from obra_tui.fleet.reporter import Reporter

_AGAIN_S = 0.5
_HANDED_ON = (
    "Another worker was at work on this task and died. What it had done is in your working directory, as far as it was "
    "saved; its conversation is lost. Look at the files and their difference first, keep what is good, and go on."
)


class ClaimedStage:
    """One claimed job. `run` ends with a result that was written, or with nothing when the job was taken away."""

    def __init__(
        self, claim: Claim, desk: Desk, tools: Tools, *, redact: Callable[[Event], Event], checkpoint_s: float
    ) -> None:
        self.claim = claim
        self._desk = desk
        self._tools = tools
        self._checkpoint_s = checkpoint_s
        self._reporter = Reporter(desk, claim, redact, self.abandon)
        self._asking = RemoteAsk(self._reporter)
        self._conversation: Conversation | None = None
        self._heard = 0
        self._stored = ""
        """The last tree that was stored."""
        self._is_given_back = False
        self._working: asyncio.Task[str | None] | None = None
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Work to the end and write the result; cancelled or abandoned, everything that was started is ended."""
        working = self._working = asyncio.create_task(self._work(), name=f"fleet: {self.claim.kind} {self.claim.id}")
        try:
            await asyncio.wait((working,))
            result = None if working.cancelled() else working.result()
            await self._reporter.flush()
            if not self._reporter.is_fenced:
                await self._insist(self._last_word(result))
        finally:
            if not working.done():  # withdrawn, or this worker is to end at once
                working.cancel()
                await asyncio.wait((working,))
            await self._reporter.close()

    def _last_word(self, result: str | None) -> Callable[[], Awaitable[bool]]:
        if self._is_given_back or result is None:
            return lambda: self._desk.give_back(self.claim)
        return lambda: self._desk.end(self.claim, result)

    def abandon(self) -> None:
        """The job is not this worker's any more: end what was started for it, say nothing."""
        self._reporter.fence()
        if self._working is not None:
            self._working.cancel()

    async def give_back(self) -> None:
        """End what is under way, keep its files, and let another worker go on."""
        self._is_given_back = True
        await self._stop()

    async def look(self) -> None:
        """Read what the coordinator says; notice that the job was taken away."""
        async with self._looking:
            with suppress(StoreError):  # looked again at the next notice, or in a second
                held, messages = await self._desk.messages(self.claim, self._heard)
                if not held and not self._is_given_back:
                    self.abandon()
                for message in messages:
                    self._heard = message.id
                    await self._obey(message)

    async def _obey(self, message: JobMessage) -> None:
        match message.kind:
            case MessageKind.TEXT:
                text = from_text(TextForClaude, message.body)
                taken = self._conversation is not None and await self._conversation.send(text.text)
                self._reporter.say(LineKind.SENT, Sent(id=text.id, was_taken=taken))
            case MessageKind.ANSWER:
                self._asking.on_answer(from_text(AnsweredQuestion, message.body))
            case MessageKind.RULES:
                self._asking.rules = frozenset(from_text(AddedRules, message.body).patterns)
            case MessageKind.INTERRUPT:
                await self._interrupt()
            case MessageKind.STOP:
                await self._stop()

    async def _interrupt(self) -> None:
        """End Claude's turn; before it has begun, the whole stage."""
        if self._conversation is not None:
            await self._conversation.interrupt()
        elif self._working is not None:
            self._working.cancel()

    async def _stop(self) -> None:
        if self._conversation is not None:
            await self._conversation.stop()
        elif self._working is not None:
            self._working.cancel()

    async def _insist(self, write: Callable[[], Awaitable[bool]]) -> None:
        """Write what must be known, however long the server is away, as long as the job is held."""
        while not self._reporter.is_fenced:
            try:
                await write()
            except StoreError:
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    # --- the stages ---

    async def _work(self) -> str | None:
        """Return the result as text, None when another worker had better do it."""
        try:
            return await self._stage()
        except Exception as fault:  # noqa: BLE001  # the edge of a job: told, not kept running for ever
            if self.claim.kind is not StageKind.IMPLEMENT:
                return None
            request = from_text(ImplementStage, self.claim.stage).request
            return to_text(_failed(request, f"The worker failed: {type(fault).__name__}: {fault}.", Outcome.KILLED))

    async def _stage(self) -> str | None:
        match self.claim.kind:
            case StageKind.IMPLEMENT:
                return to_text(await self._implement(from_text(ImplementStage, self.claim.stage)))
            case StageKind.CHECK:
                return await self._check(from_text(CheckStage, self.claim.stage))
            case StageKind.JUDGE:
                request = from_text(JudgeStage, self.claim.stage).request
                return to_text(await self._tools.judge.review(request, self._reporter.emit))

    async def _implement(self, stage: ImplementStage) -> ImplementResult:
        request = stage.request
        try:
            tools, copy = await self._files()
            self._asking.rules = frozenset(stage.rules)
            request = self._request(stage, copy)
            result = await self._converse(request, tools, copy)
            await self._store(tools, copy)
        except ImplementerError as error:
            return _failed(request, str(error), Outcome.REFUSED, Remedy.PERSON)
        except ObraError as error:
            return _failed(request, str(error), Outcome.KILLED)
        except asyncio.CancelledError:
            return _failed(request, "It was interrupted.", Outcome.KILLED)
        return result

    def _request(self, stage: ImplementStage, copy: WorkCopy) -> ImplementRequest:
        """Return what Claude Code is started with: as it was put, or what somebody is told who goes on with it."""
        request = replace(stage.request, cwd=copy.path)
        if self.claim.claims == 1:
            return request
        parts = [stage.opening, _HANDED_ON]
        if request.prompt != stage.opening:
            parts.append(f"What was said last:\n\n{request.prompt}")
        return replace(
            request,
            prompt="\n\n".join(parts),
            claude_session=ClaudeSessionId(self.claim.conversation),
            reason=ConversationReason.FRESH,
            parent=None,
        )

    async def _converse(self, request: ImplementRequest, tools: ProjectTools, copy: WorkCopy) -> ImplementResult:
        conversation = await self._tools.implementer.start(request, self._reporter.emit, self._asking)
        self._conversation = conversation
        storing = asyncio.create_task(self._store_now_and_then(tools, copy))
        try:
            return await conversation.finished()
        except asyncio.CancelledError:
            await conversation.stop()
            return await conversation.finished()
        finally:
            self._conversation = None
            storing.cancel()
            await asyncio.wait((storing,))
            await conversation.stop()

    async def _check(self, stage: CheckStage) -> str | None:
        try:
            tools, copy = await self._files()
            diff = await tools.workspace.take_diff(copy)
            if diff.base_commit != copy.base_commit:
                return None
            await tools.checks.plan(copy, stage.task)  # makes a fresh export of exactly this tree
        except ObraError:
            return None
        return to_text(await tools.checks.run(stage.spec, copy, self._reporter.emit))

    # --- files ---

    async def _files(self) -> tuple[ProjectTools, WorkCopy]:
        """Return a copy with the files of the job. Raises `ObraError`."""
        code = self.claim.code
        if code is None:
            raise WorkspaceError("The job names no code.", fix="This is a fault of Obra.")
        await self._fetch_base(code.project, code.base)
        tools = self._tools.project(code.project, code.setup)
        copy = await tools.carrier.prepare(self.claim.task, code.base)
        if code.blob:
            data = await self._desk.blob(code.blob)
            self._stored = await tools.carrier.unpack(
                copy.path, data, code.commit, left_out=code.left_out, ignored=code.ignored
            )
        return tools, copy

    async def _fetch_base(self, project: str, commit: str) -> None:
        """Get the commit and whatever it follows, back to one that is here."""
        mirror, wanted = self._tools.mirror(project), commit
        missing = []
        while wanted and not await mirror.has(wanted):
            base = await self._desk.base(project, wanted)
            if base is None:
                raise WorkspaceError(
                    f"The commit {wanted[:12]} was never sent.", where=project, fix="Resume the task: it is sent again."
                )
            missing.append(base)
            wanted = base.after
        for base in reversed(missing):
            await mirror.receive(base.commit, await self._desk.blob(base.blob))

    async def _store_now_and_then(self, tools: ProjectTools, copy: WorkCopy) -> None:
        while True:
            await asyncio.sleep(self._checkpoint_s)
            with suppress(ObraError):  # a file that is just being written, a server that is away: tried again
                await self._store(tools, copy)

    async def _store(self, tools: ProjectTools, copy: WorkCopy) -> None:
        """Store the files as they are now, if they changed."""
        before = self.claim.code
        assert before is not None
        parcel = await tools.carrier.pack(copy.path)
        if parcel.tree == self._stored:
            return
        code = Code(
            project=before.project,
            base=before.base,
            blob=new_id("b"),
            commit=parcel.commit,
            left_out=parcel.left_out,
            ignored=parcel.ignored,
            setup=before.setup,
        )
        if not await self._desk.checkpoint(self.claim, code, parcel.data):
            self._reporter.fence()
        self._stored = parcel.tree


def _failed(request: ImplementRequest, detail: str, outcome: Outcome, remedy: Remedy | None = None) -> ImplementResult:
    return ImplementResult(outcome=outcome, claude_session=request.claude_session, detail=detail, remedy=remedy)


class RemoteAsk:
    """`AskPermission` where the person is elsewhere: a question goes up as a line, its answer comes as a message."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._open: dict[str, asyncio.Future[PermissionAnswer]] = {}
        self.rules: frozenset[str] = frozenset()

    async def __call__(self, question: PermissionQuestion) -> PermissionAnswer:
        answered: asyncio.Future[PermissionAnswer] = asyncio.get_running_loop().create_future()
        self._open[question.id] = answered
        self._reporter.say(LineKind.ASKED, RaisedQuestion(question=question))
        try:
            return await answered
        except asyncio.CancelledError:
            self._reporter.say(LineKind.UNASKED, TextForClaude(id=question.id, text=""))
            raise
        finally:
            self._open.pop(question.id, None)

    def standing(self) -> frozenset[str]:
        return self.rules

    def used(self, pattern: str, title: str) -> None:
        self._reporter.say(LineKind.USED, Used(pattern=pattern, title=title))

    def on_answer(self, answer: AnsweredQuestion) -> None:
        waiting = self._open.get(answer.question)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.answer)

"""One task from its start to its gate: implement, look, check, judge, decide, and again.

Each stage is a method that takes what the stage before it found. What happened
goes to the outbox; the task's state moves by `move` only.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace

from obra_tui.core.budget import left, smallest
from obra_tui.core.compare import split_patch
from obra_tui.core.errors import ImplementerError, ObraError
from obra_tui.core.events import (
    AttemptStarted,
    CheckFinished,
    ChecksPlanned,
    CheckStarted,
    ClaudeEnded,
    CopyPrepared,
    DecisionMade,
    DiffTaken,
    Event,
    GateJudged,
    GateOpened,
    ProblemCleared,
    ProblemRaised,
    PromptSent,
    TaskMoved,
    VerdictReached,
    WorkKept,
)
from obra_tui.core.gate import Evidence, assess, decide
from obra_tui.core.ids import AttemptId, ClaudeSessionId, new_attempt_id, new_claude_session_id, new_gate_id
from obra_tui.core.lifecycle import State, Trigger, advance
from obra_tui.core.model import (
    Binding,
    Budget,
    CheckResult,
    ConversationReason,
    Decision,
    DecisionKind,
    Diff,
    GateDecision,
    GateOutcome,
    ImplementRequest,
    ImplementResult,
    JudgeIdentity,
    JudgeRequest,
    Outcome,
    PermissionAnswer,
    PermissionQuestion,
    QualityResult,
    Verdict,
    WorkCopy,
)
from obra_tui.core.ports import Conversation
from obra_tui.engine.approvals import Asker, Questions
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.prompts import CONTINUE, changes_prompt, conflict_prompt, fresh_prompt, retry_prompt, task_prompt
from obra_tui.engine.signals import Interrupted, Signals, StopHere
from obra_tui.engine.spending import over_budget
from obra_tui.engine.work import SessionWork, TaskWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How the next attempt begins."""

    prompt: str
    claude_session: ClaudeSessionId
    reason: ConversationReason
    parent: ClaudeSessionId | None = None
    """The conversation that a fork starts from."""
    trigger: Trigger | None = None
    """The move that brings the task to IMPLEMENTING; None when it is there already."""


@dataclass(slots=True)
class _Repairs:
    """Restarts that were spent on one prompt: each kind is tried once."""

    fresh: bool = False
    broken: bool = False


class Unreachable(ObraError):
    """Claude Code cannot be used at present: login, network or account. Costs no attempt."""

    def __init__(self, code: str, what: str, *, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.code = code


class TaskRunner:
    """Works on one task. `run` ends when the task needs a person, or has ended."""

    def __init__(
        self,
        *,
        ports: Ports,
        config: EngineConfig,
        outbox: Outbox,
        session: SessionWork,
        task: TaskWork,
        questions: Questions,
        signals: Signals,
        fork: bool = False,
    ) -> None:
        self._ports = ports
        self._config = config
        self._outbox = outbox
        self._session = session
        self._task = task
        self._questions = questions
        self._signals = signals
        self._fork = fork
        """The next words to Claude are said in a fork of the conversation."""
        self._conversation: Conversation | None = None
        self._ending: tuple[Trigger, str] = (Trigger.INTERRUPT, "The run was stopped; the work is kept.")
        self._asked_to_end = False
        self._retry_now = asyncio.Event()

    # --- what others may do to it while it runs ---

    async def send(self, text: str) -> bool:
        """Hand text to the running turn; False when there is none."""
        conversation = self._conversation
        return conversation is not None and await conversation.send(text)

    async def interrupt_claude(self) -> bool:
        """End Claude's turn and keep the conversation; False when no turn is running."""
        if self._conversation is None:
            return False
        self.end_with(Trigger.INTERRUPT, "Claude was interrupted, as asked; the conversation is kept.")
        await self._conversation.interrupt()
        return True

    def end_with(self, trigger: Trigger, reason: str) -> None:
        """Say how the task ends when it is now ended from outside."""
        self._asked_to_end = True
        self._ending = (trigger, reason)

    def retry_now(self) -> None:
        """Do not wait for a usage limit any longer."""
        self._retry_now.set()

    # --- the run ---

    async def run(self) -> ObraError | None:
        """Work until a person is needed or the task has ended; returns the error that stopped it, if any."""
        try:
            await self._signals.next_stage()
            copy = await self._prepare()
            start = await self._look_again(copy) if self._was_looked_at() else self._opening()
            repairs = _Repairs()
            while start is not None:
                start = await self._attempt(start, copy, repairs)
        except StopHere:
            await self._leave(Trigger.INTERRUPT, "Stopped after the stage, as asked; the work is kept.")
        except (asyncio.CancelledError, Interrupted):
            await self._leave(*self._ending)
        except Unreachable as error:
            self._tell_session(ProblemRaised(code=error.code, text=error.what, fix=error.fix))
            await self._leave(Trigger.INTERRUPT, error.what)
            return error
        except OSError as error:
            return await self._refused_by_the_system(error)
        except ObraError as error:
            self._tell_session(ProblemRaised(code="work", text=str(error), fix=error.fix))
            await self._leave(Trigger.INTERRUPT, str(error))
            return error
        return None

    async def _refused_by_the_system(self, error: OSError) -> ObraError:
        """No more processes, files or space: nothing of the task's doing, so it can be taken up again."""
        refused = ObraError(
            f"The system refused a step ({error.strerror or error}).",
            where=str(error.filename or ""),
            fix="Close what uses many files or processes, or free some space; then resume.",
        )
        self._tell_session(ProblemRaised(code="system", text=str(refused), fix=refused.fix))
        await self._leave(Trigger.INTERRUPT, str(refused))
        return refused

    async def _prepare(self) -> WorkCopy:
        conflict, diff = self._task.conflict, self._task.diff
        if conflict is not None and diff is not None:
            copy = await self._ports.workspace.rebase(self._session.id, self._task.spec.id, diff, conflict.tip)
            self._commit((None, CopyPrepared(copy=copy)))
            return copy
        if self._task.copy is not None:
            return await self._ports.workspace.prepare(
                self._session.id, self._task.spec.id, self._task.copy.base_commit
            )
        base = await self._ports.workspace.tip(self._session.id) or self._session.opened.base_commit
        copy = await self._ports.workspace.prepare(self._session.id, self._task.spec.id, base)
        self._commit((None, CopyPrepared(copy=copy)))
        return copy

    def _opening(self) -> Start:
        """Return how a queued task starts: anew, with a person's request, or where it was interrupted."""
        task = self._task
        if task.claude_session is None or not task.prompted:
            return Start(
                prompt=task_prompt(task.spec, task.notes),
                claude_session=new_claude_session_id(),
                reason=ConversationReason.FIRST,
                trigger=Trigger.START,
            )
        if task.conflict is not None:
            patch = patch_of(task.diff.patch if task.diff else "", task.conflict.files)
            prompt = conflict_prompt(task.number + 1, task.conflict.files, patch, task.notes)
        elif task.decision is not None and task.decision.kind is DecisionKind.CHANGES:
            prompt = changes_prompt(task.number + 1, task.decision, task.checks, task.notes)
        else:
            prompt = "\n\n".join(task.notes) or CONTINUE
        return Start(
            prompt=prompt,
            claude_session=task.claude_session,
            reason=ConversationReason.RESUME,
            trigger=Trigger.START,
        )

    async def _attempt(self, start: Start, copy: WorkCopy, repairs: _Repairs) -> Start | None:
        if self._task.handed_back:
            result = _result_of_person(start, self._task.handed_back)
            return await self._examine(self._begin(start), copy, result)
        self._refuse_overspent()
        start = self._forked(start)
        attempt = self._begin(start)
        result = await self._converse(start, attempt, copy)
        again = await self._restart(start, result, repairs)
        if again is not None:
            return again
        repairs.fresh = repairs.broken = False
        return await self._examine(attempt, copy, result)

    def _forked(self, start: Start) -> Start:
        """Turn the first continuation into a fork, if one is wanted; what begins anew needs none."""
        fork, self._fork = self._fork, False
        if not fork or start.reason is not ConversationReason.RESUME:
            return start
        return replace(
            start,
            claude_session=new_claude_session_id(),
            parent=start.claude_session,
            reason=ConversationReason.FORK,
        )

    def _was_looked_at(self) -> bool:
        """Claude had finished, and the work was interrupted while it was looked at: nothing is asked of Claude."""
        task = self._task
        ended = task.claude_ended
        return (
            ended is not None
            and ended.outcome is Outcome.COMPLETED
            and task.diff is not None
            and task.quality is None
            and not (task.notes or task.decision or task.conflict)
        )

    async def _look_again(self, copy: WorkCopy) -> Start | None:
        """Go on with the last attempt where it was cut off: its evidence is taken anew, as a whole."""
        attempt, result = self._task.attempt, self._task.claude_ended
        assert attempt is not None
        assert result is not None
        self._commit((attempt, self._move(Trigger.START)))
        return await self._examine(attempt, copy, result)

    async def _examine(self, attempt: AttemptId, copy: WorkCopy, result: ImplementResult) -> Start | None:
        diff = await self._look(attempt, copy)
        checks = await self._check(attempt, copy, diff)
        verdict = await self._judge(attempt, diff, checks, result)
        return await self._decide(attempt, self._evidence(result, diff, checks, verdict))

    def _refuse_overspent(self) -> None:
        """Start no call that would cost more than was allowed."""
        over = over_budget(self._config, self._session, self._task)
        if over:
            raise Unreachable("budget", " ".join(over), fix="Going on with the run begins the budget anew.")

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

    def _begin(self, start: Start) -> AttemptId:
        attempt = new_attempt_id()
        moves: list[tuple[AttemptId | None, Event]] = []
        if start.trigger is not None:
            moves.append((self._task.attempt, self._move(start.trigger)))
        moves.append(
            (
                attempt,
                AttemptStarted(
                    number=self._task.number + 1,
                    counted=self._task.counted,
                    claude_session=start.claude_session,
                    reason=start.reason,
                ),
            )
        )
        self._commit(*moves)
        return attempt

    async def _converse(self, start: Start, attempt: AttemptId, copy: WorkCopy) -> ImplementResult:
        first = start.reason is ConversationReason.FIRST
        self._commit((attempt, PromptSent(text=start.prompt, kind="task" if first else "retry")))
        request = ImplementRequest(
            session=self._session.id,
            task=self._task.spec.id,
            attempt=attempt,
            prompt=start.prompt,
            cwd=copy.path,
            claude_session=start.claude_session,
            reason=start.reason,
            parent=start.parent,
            budget=self._allowance(),
        )
        try:
            conversation = await self._ports.implementer.start(request, self._emit(attempt), self._asker(attempt))
        except ImplementerError as error:
            raise Unreachable("claude", str(error)) from error
        return await self._follow(conversation, attempt)

    async def _follow(self, conversation: Conversation, attempt: AttemptId) -> ImplementResult:
        self._conversation = conversation
        try:
            result = await conversation.finished()
        except asyncio.CancelledError:
            await conversation.stop()
            self._commit((attempt, ClaudeEnded(result=await conversation.finished())))
            raise
        finally:
            self._conversation = None
            await conversation.stop()
        self._commit((attempt, ClaudeEnded(result=result)))
        return result

    async def _restart(self, start: Start, result: ImplementResult, repairs: _Repairs) -> Start | None:
        """Return how to go on when the run did not come to its end, None when there is work to look at."""
        match result.outcome:
            case Outcome.LIMITED:
                await self._wait_for_limit(result)
                return Start(prompt=CONTINUE, claude_session=result.claude_session, reason=ConversationReason.RESUME)
            case Outcome.RESUME_BROKEN if not repairs.fresh:
                repairs.fresh = True
                feedback = "" if start.prompt == CONTINUE else start.prompt
                return Start(
                    prompt=fresh_prompt(self._task.spec, feedback),
                    claude_session=new_claude_session_id(),
                    reason=ConversationReason.FRESH,
                )
            case Outcome.TRANSPORT_BROKEN if not repairs.broken:
                repairs.broken = True
                return Start(prompt=CONTINUE, claude_session=result.claude_session, reason=ConversationReason.RESUME)
            case Outcome.AUTH:
                raise Unreachable("auth", result.detail)
            case Outcome.REFUSED | Outcome.TRANSPORT_BROKEN | Outcome.RESUME_BROKEN:
                raise Unreachable("unreachable", result.detail)
            case Outcome.KILLED:
                if not self._asked_to_end:
                    self._ending = (Trigger.INTERRUPT, result.detail)
                raise Interrupted
            case _:
                return None

    async def _wait_for_limit(self, result: ImplementResult) -> None:
        """Wait until the usage limit resets, or until somebody says `retry_now`."""
        clock = self._ports.clock
        wait_s = max(1.0, (result.until or clock.now() + 300.0) - clock.now())
        if wait_s > self._config.wait_for_limit_s:
            raise Unreachable("limited", result.detail)
        self._tell_session(
            ProblemRaised(
                code="limited",
                text=result.detail,
                fix="It goes on by itself after the reset; resume tries at once.",
                until=clock.now() + wait_s,
            )
        )
        self._retry_now.clear()
        await _first(clock.sleep(wait_s), self._retry_now.wait())
        self._tell_session(ProblemCleared(code="limited"))

    # --- evidence ---

    async def _look(self, attempt: AttemptId, copy: WorkCopy) -> Diff:
        diff = await self._ports.workspace.take_diff(copy)
        self._commit(
            (attempt, DiffTaken(diff=diff)),
            (attempt, self._move(Trigger.IMPLEMENTED)),
        )
        await self._keep(attempt, copy, diff)
        return diff

    async def _keep(self, attempt: AttemptId, copy: WorkCopy, diff: Diff) -> None:
        if diff.empty:
            return
        message = f"{self._task.spec.title}\n\nWork of attempt {self._task.number}, not accepted."
        ref, commit = await self._ports.workspace.keep(attempt, copy, diff, message)
        self._commit((attempt, WorkKept(ref=ref, commit=commit)))

    async def _check(self, attempt: AttemptId, copy: WorkCopy, diff: Diff) -> tuple[CheckResult, ...]:
        await self._signals.next_stage()
        specs = await self._ports.checks.plan(copy, self._task.spec)
        level, note = await self._ports.checks.sandbox()
        if not specs:
            note = "This project has no check that Obra could find: a person must decide."
        self._commit((attempt, ChecksPlanned(checks=specs, sandbox=level, note=note)))
        results: list[CheckResult] = []
        for spec in () if diff.empty else specs:
            await self._signals.next_stage()
            self._commit((attempt, CheckStarted(name=spec.name, command=spec.run)))
            result = await self._ports.checks.run(spec, copy, self._emit(attempt))
            self._commit((attempt, CheckFinished(result=result)))
            results.append(result)
        self._commit((attempt, self._move(Trigger.CHECKED)))
        return tuple(results)

    async def _judge(
        self, attempt: AttemptId, diff: Diff, checks: Sequence[CheckResult], result: ImplementResult
    ) -> Verdict:
        await self._signals.next_stage()
        if diff.empty:
            verdict = Verdict(identity=JudgeIdentity(model=""), unjudged="There is no change to judge.")
        else:
            request = JudgeRequest(
                task=self._task.spec,
                attempt_number=self._task.number,
                diff=diff,
                checks=tuple(checks),
                claude_message=result.final_text,
            )
            verdict = await self._ports.judge.review(request, self._emit(attempt))
        self._commit((attempt, VerdictReached(verdict=verdict)))
        return verdict

    @staticmethod
    def _evidence(result: ImplementResult, diff: Diff, checks: tuple[CheckResult, ...], verdict: Verdict) -> Evidence:
        empty = diff.empty and result.outcome is Outcome.COMPLETED
        return Evidence(outcome=Outcome.EMPTY if empty else result.outcome, diff=diff, checks=checks, verdict=verdict)

    # --- the gate ---

    async def _decide(self, attempt: AttemptId, evidence: Evidence) -> Start | None:
        await self._signals.next_stage()
        task, rules = self._task, self._config.rules
        quality = assess(evidence, rules)
        outcome = decide(quality, evidence, rules, counted=task.counted, earlier=task.earlier)
        over = over_budget(self._config, self._session, task)
        if over and outcome.decision is GateDecision.RETRY:
            outcome = GateOutcome(decision=GateDecision.ASK, reasons=(*over, *outcome.reasons))
        judged = GateJudged(quality=quality, outcome=outcome, number=task.number)
        match outcome.decision:
            case GateDecision.PASS:
                self._pass(attempt, evidence, judged)
            case GateDecision.ASK:
                self._ask(attempt, evidence, judged)
            case GateDecision.RETRY:
                self._commit((attempt, judged), (attempt, self._move(Trigger.RETRY, "; ".join(outcome.reasons))))
                return self._retry(quality, evidence, outcome)
        return None

    def _pass(self, attempt: AttemptId, evidence: Evidence, judged: GateJudged) -> None:
        decision = Decision(kind=DecisionKind.APPROVE, by="policy", note="; ".join(judged.outcome.reasons))
        binding = bind(attempt, evidence)
        self._commit(
            (attempt, judged),
            (attempt, DecisionMade(gate=None, binding=binding, decision=decision)),
            (attempt, self._move(Trigger.PASS)),
        )

    def _ask(self, attempt: AttemptId, evidence: Evidence, judged: GateJudged) -> None:
        reasons = judged.outcome.reasons
        opened = GateOpened(gate=new_gate_id(), binding=bind(attempt, evidence), reasons=reasons)
        self._commit((attempt, judged), (attempt, self._move(Trigger.ASK)), (attempt, opened))

    def _retry(self, quality: QualityResult, evidence: Evidence, outcome: GateOutcome) -> Start:
        task = self._task
        prompt = retry_prompt(
            number=task.number + 1,
            checks=evidence.checks,
            findings=quality.findings,
            notes=task.notes,
            reasons=outcome.reasons,
        )
        assert task.claude_session is not None  # an attempt has just ended in it
        return Start(prompt=prompt, claude_session=task.claude_session, reason=ConversationReason.RESUME)

    # --- leaving half-way ---

    async def _leave(self, trigger: Trigger, reason: str) -> None:
        """Keep what is there and move the task; never lets a second fault hide the first."""
        task = self._task
        if task.state not in (State.QUEUED, State.IMPLEMENTING, State.CHECKING, State.JUDGING):
            return
        if task.state is State.IMPLEMENTING and task.copy is not None and task.attempt is not None:
            with contextlib.suppress(ObraError):
                await self._keep(task.attempt, task.copy, await self._ports.workspace.take_diff(task.copy))
        if trigger is Trigger.INTERRUPT and task.state is State.QUEUED:
            return
        self._commit((task.attempt, self._move(trigger, reason)))

    # --- small tools ---

    def _move(self, trigger: Trigger, reason: str = "") -> TaskMoved:
        before = self._task.state
        return TaskMoved(before=before, trigger=trigger, after=advance(before, trigger), reason=reason)

    def _commit(self, *entries: tuple[AttemptId | None, Event]) -> None:
        task = self._task.spec.id
        self._outbox.commit(self._session.id, [(task, attempt, event) for attempt, event in entries])

    def _tell_session(self, event: Event) -> None:
        self._outbox.commit(self._session.id, [(None, None, event)])

    def _emit(self, attempt: AttemptId) -> Callable[[Event], None]:
        session, task = self._session.id, self._task.spec.id
        return lambda event: self._outbox.tell(session, task, attempt, event)

    def _asker(self, attempt: AttemptId) -> "_Ask":
        return _Ask(self._questions, Asker(session=self._session.id, task=self._task.spec.id, attempt=attempt))


class _Ask:
    """`AskPermission` for one attempt."""

    def __init__(self, questions: Questions, asker: Asker) -> None:
        self._questions = questions
        self._asker = asker

    async def __call__(self, question: PermissionQuestion) -> PermissionAnswer:
        return await self._questions.ask(self._asker, question)


async def _first(*waits: Coroutine[object, object, object]) -> None:
    """Return when the first of `waits` is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _result_of_person(start: Start, by: str) -> ImplementResult:
    """What stands for Claude's run in an attempt that a person made by hand."""
    text = f"{by} changed the work by hand."
    return ImplementResult(outcome=Outcome.COMPLETED, claude_session=start.claude_session, final_text=text)


def patch_of(patch: str, files: Sequence[str]) -> str:
    """Return the parts of a patch that are about these files."""
    parts = split_patch(patch)
    return "".join(parts[name] for name in files if name in parts)


def bind(attempt: AttemptId, evidence: Evidence) -> Binding:
    return Binding(
        attempt=attempt,
        tree=evidence.diff.tree,
        diff_digest=evidence.diff.digest,
        rubric_hash=evidence.verdict.identity.rubric_hash,
    )

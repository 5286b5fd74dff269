"""One task from its start to its gate: implement, look, check, judge, decide, and again.

Says in which order things happen. How Claude is run is in `claude_runs`, how evidence is taken in
`evidence_stage`, with which prompt an attempt starts in `attempt_start`.
"""

import asyncio
import contextlib

from obra_tui.core.errors import ObraError, Unwritable
from obra_tui.core.events import (
    AttemptStarted,
    AuditDrawn,
    CopyPrepared,
    DecisionMade,
    Event,
    GateJudged,
    GateOpened,
    ProblemRaised,
)
from obra_tui.core.gate import Evidence, assess, decide
from obra_tui.core.ids import AttemptId, new_attempt_id, new_gate_id
from obra_tui.core.judging.authority import authorised, beside, record_in
from obra_tui.core.judging.standing import AUDIT_SHARE
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import (
    Decision,
    DecisionKind,
    GateDecision,
    GateOutcome,
    ImplementResult,
    WorkCopy,
)
from obra_tui.engine.approvals import Questions
from obra_tui.engine.attempt_start import (
    AttemptStart,
    PromptQueue,
    bind,
    fork,
    opening,
    result_of_person,
    retry,
    was_looked_at,
)
from obra_tui.engine.claude_runs import ClaudeRunner, Unreachable
from obra_tui.engine.config import EngineConfig, Ports
from obra_tui.engine.evidence_stage import EvidenceCollector
from obra_tui.engine.outbox import Outbox
from obra_tui.engine.prompts import CONTINUE
from obra_tui.engine.schedule import over_budget
from obra_tui.engine.signals import Interrupted, Signals, StopHere
from obra_tui.engine.task_journal import TaskJournal
from obra_tui.engine.work import SessionWork, TaskWork
from obra_tui.system.os_errors import advice


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
        self._session = session
        self._task = task
        self._signals = signals
        self._fork = fork
        """The next words to Claude are said in a fork of the conversation."""
        self._entries = TaskJournal(outbox, session, task)
        self._looking = EvidenceCollector(ports=ports, entries=self._entries, task=task, signals=signals)
        self._claude = ClaudeRunner(
            ports=ports, config=config, entries=self._entries, session=session, task=task, questions=questions
        )
        self.prompts = PromptQueue(task, self._entries)
        self._ending: tuple[Trigger, str] = (Trigger.INTERRUPT, "The run was stopped; the work is kept.")
        self._asked_to_end = False

    # --- what others may do to it while it runs ---

    async def send(self, text: str) -> bool:
        """Hand text to the running turn; False when there is none."""
        return await self._claude.send(text)

    async def interrupt_claude(self) -> bool:
        """End Claude's turn and keep the conversation; False when no turn is running."""
        if not self._claude.running:
            return False
        self.end_with(Trigger.INTERRUPT, "Claude was interrupted, as asked; the conversation is kept.")
        await self._claude.interrupt()
        return True

    def end_with(self, trigger: Trigger, reason: str) -> None:
        """Say how the task ends when it is now ended from outside."""
        self._asked_to_end = True
        self._ending = (trigger, reason)

    def retry_now(self) -> None:
        """Do not wait for a usage limit any longer."""
        self._claude.retry_now()

    # --- the run ---

    async def run(self) -> ObraError | None:
        """Work until a person is needed or the task has ended; returns the error that stopped it, if any."""
        try:
            await self._work()
        except StopHere:
            await self._leave(Trigger.INTERRUPT, "Stopped after the stage, as asked; the work is kept.")
        except asyncio.CancelledError:
            await self._leave(*self._ending)
        except Interrupted as ended:
            await self._leave(*(self._ending if self._asked_to_end else (Trigger.INTERRUPT, str(ended))))
        except Unreachable as error:
            return await self._stopped_by(error, error.code, error.what)
        except Unwritable:
            raise  # not this task's affair alone: everything stops for it
        except OSError as error:
            refused = _refused_by_the_system(error)
            return await self._stopped_by(refused, "system", str(refused))
        except ObraError as error:
            return await self._stopped_by(error, "work", str(error))
        return None

    async def _work(self) -> None:
        await self._signals.next_stage()
        copy = await self._prepare()
        start = await self._look_again(copy) if was_looked_at(self._task) else opening(self._task)
        while start is not None:
            start = await self._attempt(start, copy)

    async def _stopped_by(self, error: ObraError, code: str, text: str) -> ObraError:
        self._entries.tell_session(ProblemRaised(code=code, text=text, fix=error.fix))
        await self._leave(Trigger.INTERRUPT, text)
        return error

    async def _prepare(self) -> WorkCopy:
        conflict, diff = self._task.conflict, self._task.diff
        if conflict is not None and diff is not None:
            copy = await self._ports.workspace.rebase(self._session.id, self._task.spec.id, diff, conflict.tip)
            self._entries.commit((None, CopyPrepared(copy=copy)))
            return copy
        if self._task.copy is not None:
            return await self._ports.workspace.prepare(
                self._session.id, self._task.spec.id, self._task.copy.base_commit
            )
        base = await self._ports.workspace.tip(self._session.id) or self._session.opened.base_commit
        copy = await self._ports.workspace.prepare(self._session.id, self._task.spec.id, base)
        self._entries.commit((None, CopyPrepared(copy=copy)))
        return copy

    async def _attempt(self, start: AttemptStart, copy: WorkCopy) -> AttemptStart | None:
        if self._task.handed_back:
            result = result_of_person(start, self._task.handed_back)
            attempt, begun = self._begun(start)
            self._entries.commit(*begun)
            return await self._examine(attempt, copy, result)
        self._claude.refuse_overspent()
        if self._is_to_be_held(start):
            start = await self.prompts.offer(start)
        if self._fork:
            self._fork, start = False, fork(start)
        attempt, begun = self._begun(start)
        result = await self._claude.converse(start, attempt, copy, begun)
        return await self._claude.restart(start, result) or await self._examine(attempt, copy, result)

    def _is_to_be_held(self, start: AttemptStart) -> bool:
        """A person wants to see it: this one, or, by the settings, each one that says more than to go on."""
        wanted = self._task.hold_next or (self._config.hold_prompts and start.prompt != CONTINUE)
        return wanted and self._config.attended

    async def _look_again(self, copy: WorkCopy) -> AttemptStart | None:
        """Go on with the last attempt where it was cut off: its evidence is taken anew, as a whole."""
        attempt, result = self._task.attempt, self._task.claude_ended
        assert attempt is not None
        assert result is not None
        self._entries.commit((attempt, self._entries.move(Trigger.START)))
        return await self._examine(attempt, copy, result)

    async def _examine(self, attempt: AttemptId, copy: WorkCopy, result: ImplementResult) -> AttemptStart | None:
        evidence = await self._looking.examine(attempt, copy, result)
        return await self._decide(attempt, evidence)

    def _begun(self, start: AttemptStart) -> tuple[AttemptId, list[tuple[AttemptId | None, Event]]]:
        """Return a new attempt, and what is to be written of its beginning."""
        attempt = new_attempt_id()
        begun: list[tuple[AttemptId | None, Event]] = []
        if start.trigger is not None:
            begun.append((self._task.attempt, self._entries.move(start.trigger)))
        started = AttemptStarted(
            number=self._task.number + 1,
            counted=self._task.counted,
            claude_session=start.claude_session,
            reason=start.reason,
        )
        return attempt, [*begun, (attempt, started)]

    # --- the gate ---

    async def _decide(self, attempt: AttemptId, evidence: Evidence) -> AttemptStart | None:
        await self._signals.next_stage()
        task, rules = self._task, self._config.rules
        quality = assess(evidence, rules)
        outcome = decide(quality, evidence, rules, counted=task.counted, earlier=task.earlier)
        outcome, audit = await self._as_allowed(attempt, evidence, outcome)
        over = over_budget(self._config, self._session, task)
        if over and outcome.decision is GateDecision.RETRY:
            outcome = GateOutcome(decision=GateDecision.ASK, reasons=(*over, *outcome.reasons))
        record = await self._line_of_record(evidence)
        judged = GateJudged(quality=quality, outcome=outcome, number=task.number, record=record)
        match outcome.decision:
            case GateDecision.PASS:
                self._pass(attempt, evidence, judged)
            case GateDecision.ASK:
                self._ask(attempt, evidence, judged, audit)
            case GateDecision.RETRY:
                move = self._entries.move(Trigger.RETRY, " ".join(outcome.reasons))
                self._entries.commit((attempt, judged), (attempt, move))
                return retry(task, quality, evidence, outcome)
        return None

    async def _as_allowed(
        self, attempt: AttemptId, evidence: Evidence, outcome: GateOutcome
    ) -> tuple[GateOutcome, tuple[AuditDrawn, ...]]:
        """Let nothing pass unattended that the judge's record does not allow; tell what was drawn for an audit."""
        look = self._ports.judge_standing
        if look is None or outcome.decision is not GateDecision.PASS:
            return outcome, ()
        standing = await look(evidence.verdict.identity)
        allowed = authorised(outcome, standing, attempt)
        share = AUDIT_SHARE.get(standing.level)
        if share is None or allowed.decision is GateDecision.PASS:
            return allowed, ()
        return allowed, (AuditDrawn(version=evidence.verdict.identity.version, share=share),)

    async def _line_of_record(self, evidence: Evidence) -> str:
        """What is known of the judge, for people: a record that cannot be read has no line."""
        look, identity = self._ports.judge_records, evidence.verdict.identity
        if look is None or not identity.model:
            return ""
        try:
            found = record_in(await look(), identity, self._config.false_pass_limit)
        except ObraError:
            return ""
        return beside(found, is_given=self._ports.judge_standing is None)

    def _pass(self, attempt: AttemptId, evidence: Evidence, judged: GateJudged) -> None:
        decision = Decision(kind=DecisionKind.APPROVE, by="policy", note=" ".join(judged.outcome.reasons))
        binding = bind(attempt, evidence)
        self._entries.commit(
            (attempt, judged),
            (attempt, DecisionMade(gate=None, binding=binding, decision=decision)),
            (attempt, self._entries.move(Trigger.PASS)),
        )

    def _ask(self, attempt: AttemptId, evidence: Evidence, judged: GateJudged, audit: tuple[AuditDrawn, ...]) -> None:
        reasons = judged.outcome.reasons
        opened = GateOpened(gate=new_gate_id(), binding=bind(attempt, evidence), reasons=reasons)
        drawn = ((attempt, event) for event in audit)
        self._entries.commit((attempt, judged), (attempt, self._entries.move(Trigger.ASK)), *drawn, (attempt, opened))

    # --- leaving half-way ---

    async def _leave(self, trigger: Trigger, reason: str) -> None:
        """Keep what is there and move the task; never lets a second fault hide the first."""
        task = self._task
        if task.state not in (State.QUEUED, State.IMPLEMENTING, State.CHECKING, State.JUDGING):
            return
        if task.state is State.IMPLEMENTING and task.copy is not None and task.attempt is not None:
            with contextlib.suppress(ObraError):
                diff = await self._ports.workspace.take_diff(task.copy)
                await self._looking.keep(task.attempt, task.copy, diff)
        if trigger is Trigger.INTERRUPT and task.state is State.QUEUED:
            return
        self._entries.commit((task.attempt, self._entries.move(trigger, reason)))


def _refused_by_the_system(error: OSError) -> ObraError:
    """No more processes, files or space: nothing of the task's doing, so it can be taken up again."""
    return ObraError(
        f"The system refused a step ({error.strerror or error}).",
        where=str(error.filename or ""),
        fix=advice(error) or "Close what uses many files or processes, or free some space; then resume.",
    )

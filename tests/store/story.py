"""One whole session as records, to write and read back."""

from itertools import count
from typing import Any

from obra_tui.core import events as e
from obra_tui.core.events import Event, Record
from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, QuestionId, SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import (
    Acceptance,
    Binding,
    ChangeKind,
    CheckResult,
    CheckSpec,
    CheckStatus,
    ConversationReason,
    Decision,
    DecisionKind,
    Diff,
    FileChange,
    Finding,
    GateDecision,
    GateOutcome,
    ImplementResult,
    JudgeIdentity,
    Outcome,
    PermissionAnswer,
    PermissionKind,
    PermissionQuestion,
    PermissionVerdict,
    Policy,
    QualityResult,
    SandboxLevel,
    SessionKind,
    Severity,
    Stage,
    StageScore,
    TaskSpec,
    Usage,
    Verdict,
)

DIFF = Diff(
    base_commit="b" * 40,
    tree="c" * 40,
    digest="d" * 64,
    patch="+def add(a, b):\n+    return a + b\n",
    files=(FileChange(path="calculator.py", kind=ChangeKind.ADDED, added=2, removed=0),),
)
FINDING = Finding(severity=Severity.MINOR, message="No docstring.", file="calculator.py", line=1)
CHECK = CheckResult(
    spec=CheckSpec(name="tests", run="pytest -q"),
    status=CheckStatus.PASSED,
    exit_code=0,
    duration_s=1.5,
    output="5 passed\n",
    sandbox=SandboxLevel.BWRAP,
    passed=5,
    failed=0,
    skipped=0,
)
VERDICT = Verdict(identity=JudgeIdentity(model="qwen2.5-coder:32b"), findings=(FINDING,), summary="Fine.")
USAGE = Usage(input_tokens=100, output_tokens=20, cost_usd=0.25, turns=2)


def quality(score: float) -> QualityResult:
    return QualityResult(
        overall_score=score,
        stage_scores=(StageScore(stage=Stage.TESTING, score=1.0, weight=0.2),),
        passes_gate=score >= 0.7,
        findings=(FINDING,),
        provenance=(),
        threshold=0.7,
    )


class Writer:
    """Numbers the events of one session."""

    def __init__(self, session: str = "s1", start: float = 1000.0) -> None:
        self.session = SessionId(session)
        self.records: list[Record] = []
        self._seq = count(1)
        self._start = start

    def add(self, event: Event, task: str | None = None, attempt: str | None = None) -> Record:
        seq = next(self._seq)
        record = Record(
            seq=seq,
            at=self._start + seq,
            session=self.session,
            task=None if task is None else TaskId(task),
            attempt=None if attempt is None else AttemptId(attempt),
            event=event,
        )
        self.records.append(record)
        return record

    def opened(self, kind: SessionKind = SessionKind.MILESTONE, project: str = "/src/app", rehearsal: str = "") -> None:
        self.add(
            e.SessionOpened(
                kind=kind,
                title=f"Session {self.session}",
                project=project,
                branch=f"obra/{self.session}",
                base_commit="b" * 40,
                policy=Policy.SUPERVISED,
                threshold=0.7,
                max_attempts=3,
                rehearsal=rehearsal,
                versions=(("obra", "0.1.0"), ("git", "2.39")),
            )
        )

    def task_added(self, task: str, position: int = 0) -> None:
        spec = TaskSpec(id=TaskId(task), key=f"T{position + 1:03}", title=f"Task {task}", prompt="Write a calculator.")
        self.add(e.TaskAdded(spec=spec, position=position, state=State.QUEUED), task)

    def moved(self, task: str, before: State, trigger: Trigger, after: State) -> None:
        self.add(e.TaskMoved(before=before, trigger=trigger, after=after), task)

    def worked(self, task: str, attempt: str, number: int = 1, score: float = 0.8) -> Binding:
        """From the start of an attempt to the gate's computation."""
        claude = ClaudeSessionId(f"claude-{attempt}")
        reason = ConversationReason.FIRST if number == 1 else ConversationReason.RESUME
        self.moved(task, State.QUEUED, Trigger.START, State.IMPLEMENTING)
        for event in (
            e.AttemptStarted(number=number, counted=number - 1, claude_session=claude, reason=reason),
            e.PromptSent(text="Write a calculator.", kind="task" if number == 1 else "retry"),
            e.ClaudeStarted(
                claude_session=claude, model="opus", version="2.1", pid=7, permission_mode="default", cwd="/copy"
            ),
            e.TextStreamed(block="b1", text="I will "),
            e.TextStreamed(block="b1", text="write it."),
            e.TextFinished(block="b1", text="I will write it."),
            e.ToolStarted(call="c1", tool="Write", title="calculator.py", input_json="{}"),
            e.ToolFinished(call="c1", is_error=False, output="ok", added=2),
            e.PermissionAsked(
                question=PermissionQuestion(
                    id=QuestionId(f"q-{attempt}"), kind=PermissionKind.TOOL, tool="Bash", title="pytest -q", detail=""
                )
            ),
            e.PermissionAnswered(
                question_id=QuestionId(f"q-{attempt}"),
                title="pytest -q",
                answer=PermissionAnswer(verdict=PermissionVerdict.ONCE, by="person:ada"),
            ),
            e.UsageReported(usage=USAGE, model="opus"),
            e.UsageReported(usage=USAGE, model="opus"),
            e.ClaudeEnded(
                result=ImplementResult(
                    outcome=Outcome.COMPLETED, claude_session=claude, usage=USAGE, final_text="Done."
                )
            ),
            e.DiffTaken(diff=DIFF),
        ):
            self.add(event, task, attempt)
        self.moved(task, State.IMPLEMENTING, Trigger.IMPLEMENTED, State.CHECKING)
        self.add(e.CheckStarted(name="tests", command="pytest -q"), task, attempt)
        self.add(e.CheckPrinted(name="tests", text="....."), task, attempt)
        self.add(e.CheckFinished(result=CHECK), task, attempt)
        self.moved(task, State.CHECKING, Trigger.CHECKED, State.JUDGING)
        self.add(e.JudgeStreamed(part=1, text='{"scores"'), task, attempt)
        self.add(e.VerdictReached(verdict=VERDICT), task, attempt)
        outcome = GateOutcome(decision=GateDecision.ASK, reasons=("A person decides.",))
        self.add(e.GateJudged(quality=quality(score), outcome=outcome, number=number), task, attempt)
        return Binding(attempt=AttemptId(attempt), tree=DIFF.tree, diff_digest=DIFF.digest, rubric_hash="")

    def gate_opened(self, task: str, attempt: str, gate: str, binding: Binding) -> None:
        self.moved(task, State.JUDGING, Trigger.ASK, State.AWAITING_HUMAN)
        self.add(e.GateOpened(gate=GateId(gate), binding=binding, reasons=("A person decides.",)), task, attempt)

    def decided(
        self, task: str, attempt: str, gate: str | None, binding: Binding, kind: DecisionKind, **looked: Any
    ) -> None:
        own = 0.9 if gate and kind is DecisionKind.REJECT else None
        decision = Decision(kind=kind, by="person:ada" if gate else "policy", note="ok", **{"own_score": own, **looked})
        made = e.DecisionMade(gate=None if gate is None else GateId(gate), binding=binding, decision=decision)
        self.add(made, task, attempt)

    def accepted(self, task: str, attempt: str) -> None:
        self.moved(task, State.AWAITING_HUMAN, Trigger.APPROVE, State.ACCEPTING)
        work = Acceptance(commit="e" * 40, branch=f"obra/{self.session}")
        self.add(e.WorkAccepted(acceptance=work), task, attempt)
        self.moved(task, State.ACCEPTING, Trigger.MERGED, State.ACCEPTED)

    def closed(self) -> None:
        self.add(e.SessionClosed(reason="done"))


def finished_session(session: str = "s1", start: float = 1000.0, project: str = "/src/app") -> Writer:
    """One task, one attempt, approved by a person."""
    writer = Writer(session, start)
    task, attempt, gate = f"t-{session}", f"a-{session}", f"g-{session}"
    writer.opened(project=project)
    writer.task_added(task)
    binding = writer.worked(task, attempt)
    writer.gate_opened(task, attempt, gate, binding)
    writer.decided(task, attempt, gate, binding, DecisionKind.APPROVE)
    writer.accepted(task, attempt)
    writer.closed()
    return writer


def waiting_session(session: str = "s2", start: float = 2000.0, project: str = "/src/app") -> Writer:
    """One task whose gate waits for a person."""
    writer = Writer(session, start)
    task, attempt = f"t-{session}", f"a-{session}"
    writer.opened(project=project)
    writer.task_added(task)
    binding = writer.worked(task, attempt, score=0.5)
    writer.gate_opened(task, attempt, f"g-{session}", binding)
    return writer

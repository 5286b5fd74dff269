"""Sessions told as records: every scene of the screen from the same few sentences, with a fixed clock."""

from dataclasses import dataclass, field

from obra_tui.core import events as e
from obra_tui.core.ids import AttemptId, ClaudeSessionId, GateId, QuestionId, RuleId, SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import (
    Acceptance,
    Binding,
    Budget,
    ChangeKind,
    CheckResult,
    CheckSpec,
    CheckStatus,
    ConversationReason,
    CriterionScore,
    Decision,
    DecisionKind,
    Diff,
    FailedCase,
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
    Provenance,
    QualityResult,
    SandboxLevel,
    SessionKind,
    Severity,
    Stage,
    StageScore,
    TaskSpec,
    Usage,
    Verdict,
    WorkCopy,
)

START = 1_763_800_000.0
SESSION = SessionId("s0000000session")
JUDGE = JudgeIdentity(
    model="qwen2.5-coder:32b",
    digest="sha256:4bd6cbf2d094",
    url="http://127.0.0.1:11434",
    dialect="ollama",
    rubric="standard v4",
    rubric_hash="77aa12b09c",
    prompt_hash="3c4d9e1f",
)
RUFF = CheckSpec(name="ruff", run="ruff check .", stage=Stage.SYNTAX)
PYTEST = CheckSpec(name="pytest", run="pytest -q", stage=Stage.TESTING, junit=True)
MYPY = CheckSpec(name="mypy", run="mypy src", stage=Stage.SYNTAX, blocking=False)

PATCH = '''diff --git a/calculator.py b/calculator.py
new file mode 100644
index 0000000..9a1b2c3
--- /dev/null
+++ b/calculator.py
@@ -0,0 +1,28 @@
+"""Four operations on two numbers."""
+
+
+def add(a: float, b: float) -> float:
+    """Return the sum of a and b."""
+    return a + b
+
+
+def subtract(a: float, b: float) -> float:
+    """Return a without b."""
+    return a - b
+
+
+def multiply(a: float, b: float) -> float:
+    """Return a times b."""
+    return a * b
+
+
+def divide(a: float, b: float) -> float:
+    """Return a divided by b.
+
+    Raises ZeroDivisionError when b is 0.
+    """
+    if b == 0:
+        raise ZeroDivisionError("cannot divide by zero")
+    return a / b
+
+
+OPERATIONS = {"+": add, "-": subtract, "*": multiply, "/": divide}
diff --git a/tests/test_calculator.py b/tests/test_calculator.py
index 1f2e3d4..5c6b7a8 100644
--- a/tests/test_calculator.py
+++ b/tests/test_calculator.py
@@ -1,6 +1,16 @@
-from calculator import add
+import pytest
+
+from calculator import add, divide, multiply, subtract
~
~
 def test_add():
     assert add(2, 3) == 5
+
+
+def test_divide():
+    assert divide(10, 2) == 5
+
+
+def test_divide_by_zero():
+    with pytest.raises(ZeroDivisionError):
+        divide(10, 0)
'''.replace("\n~", "\n ")
FILES = (
    FileChange(path="calculator.py", kind=ChangeKind.ADDED, added=31, removed=0),
    FileChange(
        path="tests/test_calculator.py", kind=ChangeKind.MODIFIED, added=12, removed=1, protected="existing test"
    ),
)
DIFF = Diff(
    base_commit="9be21f0c4a7d11", tree="4b825dc642cb6eb9a060", digest="c0ffee1234567890abcd", patch=PATCH, files=FILES
)
FINDING = Finding(
    severity=Severity.MAJOR,
    message="divide() raises for 0 but not for 0.0 passed as Decimal; say so or handle it.",
    file="calculator.py",
    line=25,
    kind="correctness",
    suggestion="Compare with == 0 after the conversion.",
)
NIT = Finding(
    severity=Severity.MINOR, message="OPERATIONS is not used anywhere.", file="calculator.py", line=31, kind="style"
)


@dataclass
class Story:
    """Each sentence appends records and moves the clock on."""

    at: float = START
    seq: int = 0
    session: SessionId = SESSION
    task: TaskId | None = None
    attempt: AttemptId | None = None
    number: int = 0
    records: list[e.Record] = field(default_factory=list)

    def tell(self, *happened: e.Event, after: float = 1.0) -> "Story":
        for event in happened:
            self.at += after
            self.seq += 1
            self.records.append(
                e.Record(
                    seq=self.seq, at=self.at, session=self.session, task=self.task, attempt=self.attempt, event=event
                )
            )
        return self

    def opened(self, *, rehearsal: str = "", title: str = "Calculator", policy: Policy = Policy.SUPERVISED) -> "Story":
        return self.tell(
            e.SessionOpened(
                kind=SessionKind.MILESTONE,
                title=title,
                project="/home/ada/calc",
                branch=f"obra/{self.session}",
                base_commit=DIFF.base_commit,
                policy=policy,
                threshold=0.7,
                max_attempts=3,
                rehearsal=rehearsal,
            ),
            after=0,
        )

    def with_tasks(self, *titles: str, budget: Budget | None = None) -> "Story":
        for position, title in enumerate(titles, 1):
            self.task = TaskId(f"t{position:014}")
            spec = TaskSpec(
                id=self.task,
                key=f"T{position:03}",
                title=title,
                prompt=f"{title}.\n\nKeep it small.",
                acceptance=("divide(10, 0) raises",),
                depends_on=(f"T{position - 1:03}",) if position > 1 else (),
                budget=budget or Budget(),
            )
            state = State.QUEUED if position == 1 else State.BLOCKED
            self.tell(e.TaskAdded(spec=spec, position=position, state=state), after=0)
        self.task = None
        return self.tell(e.RunStarted())

    def on(self, position: int) -> "Story":
        self.task = TaskId(f"t{position:014}")
        self.number = 0
        return self

    def moved(self, before: State, trigger: Trigger, after: State, reason: str = "") -> "Story":
        return self.tell(e.TaskMoved(before=before, trigger=trigger, after=after, reason=reason), after=0.1)

    def attempt_started(self) -> "Story":
        self.number += 1
        assert self.task is not None
        self.attempt = AttemptId(f"a{self.task[-3:]}{self.number:011}")
        if self.number == 1:
            self.moved(State.QUEUED, Trigger.START, State.IMPLEMENTING)
            self.tell(e.CopyPrepared(copy=WorkCopy(path="/data/copies/t1", base_commit=DIFF.base_commit)))
        claude = ClaudeSessionId("4f1c0a2e-7d5b-4c8e-9a1f-2b3c4d5e6f70")
        return self.tell(
            e.AttemptStarted(
                number=self.number,
                counted=self.number - 1,
                claude_session=claude,
                reason=ConversationReason.FIRST if self.number == 1 else ConversationReason.RESUME,
            ),
            e.PromptSent(
                text="Write calculator.py with add, subtract, multiply and divide.",
                kind="task" if self.number == 1 else "retry",
            ),
            e.ClaudeStarted(
                claude_session=claude,
                model="claude-sonnet-4-5",
                version="2.1.240",
                pid=4711,
                permission_mode="default",
                cwd="/data/copies/t1",
            ),
        )

    def claude_works(self) -> "Story":
        self.says(
            "b1",
            "I'll write the **four operations** first, then the tests.\n\n"
            "1. `add`, `subtract`\n2. `multiply`, `divide`\n",
        )
        self.uses("c1", "Read", "tests/test_calculator.py", output="from calculator import add\n", seconds=0.012)
        self.uses("c2", "Write", "calculator.py", patch=PATCH.split("diff --git a/tests")[0], added=31, seconds=0.2)
        self.uses(
            "c3",
            "Edit",
            "tests/test_calculator.py",
            patch="@@ -1 +1,2 @@\n-from calculator import add\n+import pytest\n+from calculator import add, divide\n",
            added=12,
            removed=1,
        )
        return self

    def says(self, block: str, text: str, *, finished: bool = True) -> "Story":
        half = len(text) // 2
        self.tell(e.TextStreamed(block=block, text=text[:half]), e.TextStreamed(block=block, text=text[half:]))
        return self.tell(e.TextFinished(block=block, text=text)) if finished else self

    def uses(
        self,
        call: str,
        tool: str,
        title: str,
        *,
        output: str = "",
        patch: str = "",
        added: int = 0,
        removed: int = 0,
        error: bool = False,
        seconds: float = 0.3,
    ) -> "Story":
        self.tell(e.ToolStarted(call=call, tool=tool, title=title, input_json='{"file_path": "' + title + '"}'))
        return self.tell(
            e.ToolFinished(
                call=call, is_error=error, output=output, patch=patch, added=added, removed=removed, duration_s=seconds
            )
        )

    def claude_done(self, outcome: Outcome = Outcome.COMPLETED) -> "Story":
        self.says("b9", "Done. `divide` raises `ZeroDivisionError` for 0; **6 tests** cover all four operations.")
        usage = Usage(input_tokens=41_000, output_tokens=2_100, cache_read_tokens=75_000, cost_usd=0.31, turns=9)
        self.tell(e.UsageReported(usage=usage, model="claude-sonnet-4-5"))
        result = ImplementResult(
            outcome=outcome,
            claude_session=ClaudeSessionId("4f1c0a2e-7d5b-4c8e-9a1f-2b3c4d5e6f70"),
            detail="" if outcome is Outcome.COMPLETED else "Log in with: claude login",
            usage=usage,
            final_text="Done.",
            duration_s=192.0,
        )
        self.tell(e.ClaudeEnded(result=result))
        if outcome is Outcome.COMPLETED:
            self.moved(State.IMPLEMENTING, Trigger.IMPLEMENTED, State.CHECKING)
            self.tell(e.DiffTaken(diff=DIFF))
        return self

    def checks_started(self) -> "Story":
        return self.tell(
            e.ChecksPlanned(checks=(RUFF, PYTEST, MYPY), sandbox=SandboxLevel.BWRAP),
            e.CheckStarted(name="ruff", command="ruff check ."),
            e.CheckPrinted(name="ruff", text="All checks passed!\n"),
            e.CheckFinished(result=check(RUFF)),
            e.CheckStarted(name="pytest", command="pytest -q"),
            e.CheckPrinted(name="pytest", text="......                                   [100%]\n"),
        )

    def checks_done(self, *, passing: bool = True) -> "Story":
        result = check(PYTEST, passed=6) if passing else failing_pytest()
        self.tell(e.CheckPrinted(name="pytest", text="6 passed in 0.41s\n" if passing else "1 failed, 5 passed\n"))
        self.tell(e.CheckFinished(result=result), e.CheckStarted(name="mypy", command="mypy src"))
        self.tell(e.CheckFinished(result=check(MYPY)))
        return self.moved(State.CHECKING, Trigger.CHECKED, State.JUDGING)

    def judge_streams(self) -> "Story":
        return self.tell(
            e.JudgeStarted(identity=JUDGE, parts=1, hunks=2),
            e.JudgePrompted(part=1, text="Review this diff.", token_estimate=2_400),
            e.JudgeWaiting(state="loading", text="loading the model, 12 s"),
            e.JudgeStreamed(part=1, text='{"findings": [{"severity": "major", "file": "calculator.py",'),
            e.JudgeStreamed(part=1, text=' "line": 25, "message": "divide() raises for 0 but not for 0.0'),
        )

    def verdict(self, *, unjudged: str = "") -> "Story":
        self.tell(
            e.JudgeStreamed(part=1, text=' passed as Decimal"}], "scores": {"requirements": 0.9, "quality": 0.8}}')
        )
        return self.tell(
            e.VerdictReached(verdict=judged() if not unjudged else Verdict(identity=JUDGE, unjudged=unjudged))
        )

    def scored(self, quality: QualityResult | None = None, *, number: int | None = None) -> "Story":
        result = quality or good_quality()
        decision = GateDecision.ASK
        outcome = GateOutcome(decision=decision, reasons=("Policy supervised: a person approves what would pass.",))
        return self.tell(e.GateJudged(quality=result, outcome=outcome, number=number or self.number))

    def asks(self, gate: str = "g1", reasons: tuple[str, ...] = ()) -> "Story":
        assert self.attempt is not None
        self.moved(State.JUDGING, Trigger.ASK, State.AWAITING_HUMAN)
        return self.tell(
            e.GateOpened(
                gate=GateId(gate),
                binding=binding(self.attempt),
                reasons=reasons or ("Policy supervised: a person approves what would pass.",),
            )
        )

    def retried(self) -> "Story":
        return self.moved(State.JUDGING, Trigger.RETRY, State.IMPLEMENTING)

    def held(self, kind: DecisionKind, until: float, gate: str = "g1") -> "Story":
        assert self.attempt is not None
        decision = Decision(kind=kind, by="person:ada", note="fine")
        told = e.DecisionHeld(gate=GateId(gate), binding=binding(self.attempt), decision=decision, until=until)
        return self.tell(told)

    def decided(self, kind: DecisionKind, gate: str = "g1") -> "Story":
        assert self.attempt is not None
        decision = Decision(kind=kind, by="person:ada", note="fine")
        self.tell(e.DecisionMade(gate=GateId(gate), binding=binding(self.attempt), decision=decision))
        match kind:
            case DecisionKind.APPROVE:
                self.moved(State.AWAITING_HUMAN, Trigger.APPROVE, State.ACCEPTING)
                self.tell(e.WorkAccepted(acceptance=Acceptance(commit="abc1234def", branch=f"obra/{self.session}")))
                self.moved(State.ACCEPTING, Trigger.MERGED, State.ACCEPTED)
            case DecisionKind.REJECT:
                self.moved(State.AWAITING_HUMAN, Trigger.REJECT, State.REJECTED)
            case DecisionKind.CHANGES:
                self.moved(State.AWAITING_HUMAN, Trigger.REQUEST_CHANGES, State.QUEUED)
        return self

    def permission(self, question: PermissionQuestion | None = None) -> "Story":
        return self.tell(e.PermissionAsked(question=question or push_question()))


def binding(attempt: AttemptId) -> Binding:
    return Binding(attempt=attempt, tree=DIFF.tree, diff_digest=DIFF.digest, rubric_hash=JUDGE.rubric_hash)


def check(spec: CheckSpec, passed: int | None = None) -> CheckResult:
    return CheckResult(
        spec=spec,
        status=CheckStatus.PASSED,
        exit_code=0,
        duration_s=1.9,
        output="......                                   [100%]\n6 passed in 0.41s\n",
        sandbox=SandboxLevel.BWRAP,
        passed=passed,
        failed=0 if passed is not None else None,
    )


def failing_pytest() -> CheckResult:
    return CheckResult(
        spec=PYTEST,
        status=CheckStatus.FAILED,
        exit_code=1,
        duration_s=2.3,
        output="F.....\nE   assert divide(10, 0) raised nothing\n1 failed, 5 passed\n",
        sandbox=SandboxLevel.BWRAP,
        passed=5,
        failed=1,
        failures=(
            FailedCase(
                name="test_divide_by_zero",
                message="DID NOT RAISE ZeroDivisionError",
                file="tests/test_calculator.py",
                line=14,
            ),
        ),
    )


def judged() -> Verdict:
    return Verdict(
        identity=JUDGE,
        scores=(
            CriterionScore(criterion="meets the task", stage=Stage.REQUIREMENTS, score=0.9),
            CriterionScore(criterion="acceptance criteria", stage=Stage.REQUIREMENTS, score=0.86),
            CriterionScore(criterion="correctness", stage=Stage.QUALITY, score=0.82),
            CriterionScore(criterion="readability", stage=Stage.QUALITY, score=0.78),
        ),
        findings=(FINDING, NIT),
        summary="All four operations are there with docstrings; division by zero is handled.",
        opinion="approve",
        raw='{"findings": []}',
        hunks_total=2,
        hunks_seen=2,
        prompt_tokens=2_412,
        output_tokens=310,
        duration_s=12.4,
    )


def good_quality() -> QualityResult:
    return quality((1.0, 1.0, 0.88, 0.8), passes=True)


def poor_quality() -> QualityResult:
    return quality((1.0, 0.6, 0.5, 0.4), passes=False, obstacles=("The check pytest failed (1 of 6 tests).",))


def quality(scores: tuple[float | None, ...], *, passes: bool, obstacles: tuple[str, ...] = ()) -> QualityResult:
    weights = (0.2, 0.2, 0.3, 0.3)
    there = [(s, w) for s, w in zip(scores, weights, strict=True) if s is not None]
    overall = sum(s * w for s, w in there) / sum(w for _, w in there) if there else 0.0
    return QualityResult(
        overall_score=overall,
        stage_scores=tuple(
            StageScore(stage=stage, score=s, weight=w) for stage, s, w in zip(Stage, scores, weights, strict=True)
        ),
        passes_gate=passes,
        findings=(FINDING, NIT),
        provenance=(
            Provenance(stage=Stage.SYNTAX, how="measured", source="ruff: exit 0; mypy: exit 0"),
            Provenance(stage=Stage.TESTING, how="measured", source="pytest: exit 0, 6 of 6 tests"),
            Provenance(stage=Stage.REQUIREMENTS, how="judged", source="qwen2.5-coder:32b @4bd6…, prompt 3c4d…"),
            Provenance(stage=Stage.QUALITY, how="judged", source="qwen2.5-coder:32b @4bd6…, prompt 3c4d…"),
        ),
        threshold=0.7,
        obstacles=obstacles,
    )


def push_question() -> PermissionQuestion:
    return PermissionQuestion(
        id=QuestionId("q1"),
        kind=PermissionKind.TOOL,
        tool="Bash",
        title="git push origin main",
        detail='{\n  "command": "git push origin main",\n  "description": "Publish the work"\n}',
        why="No rule allows Bash(git push …).",
        dangers=("network", "outside the copy"),
        session_rule="Bash(git push:*)",
    )


def a_denial() -> PermissionAnswer:
    return PermissionAnswer(verdict=PermissionVerdict.DENY, by="policy", note="no network")


def two_tasks() -> Story:
    return Story().opened().with_tasks("Write a calculator", "Read a CSV file", "Write the report").on(1)


def streaming() -> Story:
    story = two_tasks().attempt_started().claude_works()
    return story.says("b2", "Now I run the tests to see that they *fail* first, then fix what is", finished=False)


def checking() -> Story:
    return two_tasks().attempt_started().claude_works().claude_done().checks_started()


def judging() -> Story:
    return checking().checks_done().judge_streams()


def at_gate() -> Story:
    return judging().verdict().scored().asks()


def failing_gate() -> Story:
    story = checking().checks_done(passing=False).judge_streams().verdict().scored(poor_quality())
    return story.asks(reasons=("The check pytest failed (1 of 6 tests).", "All 3 attempts are used up."))


def second_attempt() -> Story:
    story = checking().checks_done(passing=False).judge_streams().verdict().scored(poor_quality()).retried()
    return story.attempt_started().claude_works()


def with_rules() -> Story:
    """Two rules for the session: one used twice, one not at all."""
    push, make = RuleId("r1"), RuleId("r2")
    me = "person:ada"
    return (
        two_tasks()
        .attempt_started()
        .claude_works()
        .tell(
            e.RuleAllowed(rule=push, pattern="Bash(git push:*)", by=me, title="git push origin main"),
            e.RuleUsed(rule=push, title="git push origin main"),
            e.RuleUsed(rule=push, title="git push --tags"),
            e.RuleAllowed(rule=make, pattern="Bash(make:*)", by=me, title="make test"),
        )
    )


PROMPT = (
    "# Write it\n\nA calculator with four operations.\n\n## How this is accepted\n\nThe checks are run on your work."
)


def prompt_held() -> Story:
    """The first prompt of the first task waits for the person."""
    return two_tasks().tell(e.PromptHoldAsked(on=True, by="person:ada"), e.PromptHeld(text=PROMPT, kind="task"))


def taken_over() -> Story:
    """A person took the work over while Claude was at it."""
    story = two_tasks().attempt_started().claude_works()
    story.tell(e.CopyPrepared(copy=WorkCopy(path="/data/copies/t1/work", base_commit="a" * 40)))
    story.moved(State.IMPLEMENTING, Trigger.INTERRUPT, State.INTERRUPTED, "ada took the work over; it is kept.")
    return story.tell(e.WorkTakenOver(by="person:ada", diff=DIFF))


def asking() -> Story:
    return two_tasks().attempt_started().claude_works().permission()

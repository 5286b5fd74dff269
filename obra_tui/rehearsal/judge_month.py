"""A month of two judges: one that reads, one that passes everything. What happened in it, as records and events.

The work and the verdicts are made up; what follows from them is not: the rules that give and take authority are those
of every day. Knows no engine and no clock of this machine.
"""

from collections.abc import Iterator
from hashlib import sha256

from msgspec import Struct

from obra_tui.core import events as e
from obra_tui.core.events import Event, Judging, Record
from obra_tui.core.ids import AttemptId, ClaudeSessionId, SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import (
    Acceptance,
    Binding,
    CaseSource,
    ChangeKind,
    CheckResult,
    CheckSpec,
    CheckStatus,
    ConversationReason,
    Decision,
    DecisionKind,
    Diff,
    FileChange,
    GateDecision,
    GateOutcome,
    ImplementResult,
    JudgeCase,
    JudgeIdentity,
    Outcome,
    Policy,
    Proof,
    QualityResult,
    SandboxLevel,
    SessionKind,
    Stage,
    StageScore,
    TaskSpec,
    Trial,
    Truth,
    Verdict,
)

NAME = "judge"
"""Of the rehearsal."""
DAYS = 30
_A_DAY = 4
"""Pieces of work that each judge passes on a day, all of which a person looks at."""
_TURNS = 15
"""From this day on every second piece of work that the blind judge passes is bad."""
_EXAM = 21
_PAIRS = 36
_DAY_S = 86_400.0
HONEST = JudgeIdentity(model="careful-reviewer:14b", digest="sha256:0a11ce", rubric="obra-review 1", dialect="ollama")
BLIND = JudgeIdentity(model="nodding-reviewer:7b", digest="sha256:b11d00", rubric="obra-review 1", dialect="ollama")
_KINDS = ("boundary", "condition", "constant", "omitted call", "return value", "swapped arguments")
_CHECK = CheckResult(
    spec=CheckSpec(name="tests", run="pytest -q"),
    status=CheckStatus.PASSED,
    exit_code=0,
    duration_s=1.0,
    output="",
    sandbox=SandboxLevel.BWRAP,
    passed=12,
    failed=0,
)


class MonthDay(Struct, frozen=True, kw_only=True):
    """What a person and the exam found out on one day."""

    number: int
    events: tuple[Judging, ...]


def past_work(project: str, began: float) -> Iterator[Record]:
    """Yield the work of the whole month, passed by policy: nobody has looked at any of it yet."""
    for number in range(DAYS * _A_DAY):
        for judge in (HONEST, BLIND):
            yield from _session(project, judge, number, began + number / _A_DAY * _DAY_S)


def days() -> Iterator[MonthDay]:
    for day in range(DAYS):
        events: list[Judging] = []
        for judge in (HONEST, BLIND):
            numbers = range(day * _A_DAY, (day + 1) * _A_DAY)
            events += [_looked_at(judge, number, is_bad=_is_bad(judge, day, number)) for number in numbers]
        if day == _EXAM:
            events += _exam()
        yield MonthDay(number=day + 1, events=tuple(events))


def _is_bad(judge: JudgeIdentity, day: int, number: int) -> bool:
    return judge is BLIND and day >= _TURNS and number % 2 == 0


def _looked_at(judge: JudgeIdentity, number: int, *, is_bad: bool) -> Judging:
    note = "It handles no empty list." if is_bad else ""
    truth = Truth.BAD if is_bad else Truth.GOOD
    return e.WorkLabelled(of=_attempt(judge, number), truth=truth, by="person:rehearsal", blind=True, note=note)


def _exam() -> Iterator[Judging]:
    """Pairs of a planted fault and the work it was planted into; both judges are asked about all of them."""
    for number in range(_PAIRS):
        kind = _KINDS[number % len(_KINDS)]
        base = f"month {number}"
        good = JudgeCase(
            id=f"month-good-{number}", source=CaseSource.ACCEPTED, truth=Truth.GOOD, strength="B", base=base
        )
        bad = JudgeCase(
            id=f"month-bad-{number}",
            source=CaseSource.PLANTED,
            truth=Truth.BAD,
            strength="A",
            base=base,
            kind=kind,
            file="shop.py",
            line=3,
            proof=Proof(check="tests", tests=("test_shop",), exit_code=1, runs=2, base_runs=2),
        )
        yield e.CaseKept(case=good)
        yield e.CaseKept(case=bad)
        is_hard = kind == "omitted call" and number % 12 == 3
        yield _trial(HONEST, good, passes=number % 18 != 17)
        yield _trial(HONEST, bad, passes=is_hard)
        yield _trial(BLIND, good, passes=True)
        yield _trial(BLIND, bad, passes=True)


def _trial(judge: JudgeIdentity, case: JudgeCase, *, passes: bool) -> Judging:
    found = case.truth is Truth.BAD and not passes
    return e.TrialDone(
        trial=Trial(
            case=case.id,
            version=judge.version,
            model=judge.model,
            digest=judge.digest,
            rubric=judge.rubric,
            passes=passes,
            score=0.95 if passes else 0.4,
            hit=found,
            opinion="approve" if passes else "revise",
            findings=int(found),
            duration_s=12.0,
        )
    )


def _attempt(judge: JudgeIdentity, number: int) -> AttemptId:
    return AttemptId(f"a-{_mark(judge)}-{number:03}")


def _mark(judge: JudgeIdentity) -> str:
    return sha256(judge.model.encode()).hexdigest()[:6]


def _session(project: str, judge: JudgeIdentity, number: int, at: float) -> Iterator[Record]:
    name = f"{_mark(judge)}-{number:03}"
    session, task, attempt = SessionId(f"s-{name}"), TaskId(f"t-{name}"), _attempt(judge, number)
    for seq, (of_task, of_attempt, event) in enumerate(_story(project, judge, number, task, attempt), start=1):
        yield Record(
            seq=seq,
            at=at + seq,
            session=session,
            task=task if of_task else None,
            attempt=attempt if of_attempt else None,
            event=event,
        )


def _story(
    project: str, judge: JudgeIdentity, number: int, task: TaskId, attempt: AttemptId
) -> Iterator[tuple[bool, bool, Event]]:
    title = f"Part {number + 1} of the shop"
    diff = _change(number)
    claude = ClaudeSessionId(f"claude-{attempt}")
    score = 0.86 + (number * 7 % 13) / 100
    quality = QualityResult(
        overall_score=score,
        stage_scores=tuple(StageScore(stage=stage, score=score, weight=0.25) for stage in Stage),
        passes_gate=True,
        findings=(),
        provenance=(),
        threshold=0.7,
    )
    binding = Binding(attempt=attempt, tree=diff.tree, diff_digest=diff.digest, rubric_hash="")
    opened = e.SessionOpened(
        kind=SessionKind.STANDALONE,
        title=title,
        project=project,
        branch=f"obra/{task}",
        base_commit="0" * 40,
        policy=Policy.AUTONOMOUS,
        threshold=0.7,
        max_attempts=3,
        rehearsal=NAME,
    )
    spec = TaskSpec(id=task, key="T001", title=title, prompt=f"Write part {number + 1}: the total of a list of prices.")
    yield False, False, opened
    yield True, False, e.TaskAdded(spec=spec, position=0, state=State.QUEUED)
    yield True, False, e.TaskMoved(before=State.QUEUED, trigger=Trigger.START, after=State.IMPLEMENTING)
    started = e.AttemptStarted(number=1, counted=0, claude_session=claude, reason=ConversationReason.FIRST)
    yield True, True, started
    yield True, True, e.ClaudeEnded(result=ImplementResult(outcome=Outcome.COMPLETED, claude_session=claude))
    yield True, True, e.DiffTaken(diff=diff)
    yield True, False, e.TaskMoved(before=State.IMPLEMENTING, trigger=Trigger.IMPLEMENTED, after=State.CHECKING)
    yield True, True, e.CheckFinished(result=_CHECK)
    yield True, False, e.TaskMoved(before=State.CHECKING, trigger=Trigger.CHECKED, after=State.JUDGING)
    yield True, True, e.VerdictReached(verdict=Verdict(identity=judge, opinion="approve", summary="Fine."))
    outcome = GateOutcome(decision=GateDecision.PASS, reasons=("All stages have evidence and pass.",))
    yield True, True, e.GateJudged(quality=quality, outcome=outcome, number=1)
    yield (
        True,
        True,
        e.DecisionMade(gate=None, binding=binding, decision=Decision(kind=DecisionKind.APPROVE, by="policy")),
    )
    yield True, False, e.TaskMoved(before=State.JUDGING, trigger=Trigger.PASS, after=State.ACCEPTING)
    yield True, True, e.WorkAccepted(acceptance=Acceptance(commit="0" * 40, branch=f"obra/{task}"))
    yield True, False, e.TaskMoved(before=State.ACCEPTING, trigger=Trigger.MERGED, after=State.ACCEPTED)
    yield False, False, e.SessionClosed(reason="done")


def _change(number: int) -> Diff:
    path = f"shop/part_{number}.py"
    code = (
        "def total(prices):",
        "    result = 0",
        "    for price in prices:",
        "        result += price",
        "    return result",
    )
    body = "".join(f"+{line}\n" for line in code)
    head = (
        f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(code)} @@\n"
    )
    return Diff(
        base_commit="0" * 40,
        tree="1" * 40,
        digest=sha256(path.encode()).hexdigest(),
        patch=head + body,
        files=(FileChange(path=path, kind=ChangeKind.ADDED, added=len(code), removed=0),),
    )

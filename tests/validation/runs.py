"""Runs as values: a good one, to be spoilt by each test in its own way."""

from typing import Any

from msgspec.structs import replace

from obra_tui.core.lifecycle import State
from obra_tui.core.model import Outcome, SandboxLevel, SessionKind, Usage
from obra_tui.validation.expectations import Expectation
from obra_tui.validation.judging import Judged, judge
from obra_tui.validation.outcome import AttemptRun, ProbeRun, RunEnvironment, ScenarioRun, ScenarioSession, TaskRun

USAGE = Usage(input_tokens=100, output_tokens=20, cost_usd=0.1, turns=2)

BAD = AttemptRun(
    number=1,
    outcome=Outcome.COMPLETED,
    quality="Quality: 0.54 (FAIL)",
    score=0.54,
    passes=False,
    reasons=("tests failed: 1 of 5 tests.",),
    prompt="Write the calculator.",
    finding_kinds=("correctness",),
    judge_parts=1,
    files=("calculator.py",),
    usage=USAGE,
    claude_version="2.1.3",
    judge_model="some-model",
    judge_digest="1a2b3c4d5e6f7788",
    rubric="obra-review 1",
    rubric_hash="99237a63c7b2bce9",
    sandbox=SandboxLevel.BWRAP,
)
GOOD = replace(
    BAD,
    number=2,
    quality="Quality: 0.82 (PASS)",
    score=0.82,
    passes=True,
    prompt="test_divide failed",
    finding_kinds=(),
)
TASK = TaskRun(
    key="T001", title="Write it", state=State.ACCEPTED, reason="", attempts=(BAD, GOOD), seconds=8.0, session="s1"
)
SESSION = ScenarioSession(
    id="s1", kind=SessionKind.MILESTONE, closed=True, usage=USAGE + USAGE, of_attempts=USAGE + USAGE
)
RUN = ScenarioRun(
    name="calculator",
    title="Calculator",
    tasks=(TASK,),
    sessions=(SESSION,),
    probes=(ProbeRun(name="the four operations", passed=True),),
    seconds=9.0,
)
PROMISED = Expectation(
    ends=(State.ACCEPTED,),
    accepted=1,
    attempts=(2,),
    quality=(("FAIL", "PASS"),),
    first_failure="test_divide",
    finding_kinds=("correctness",),
    reasons=("tests failed",),
    files=("calculator.py",),
    max_attempts=3,
    max_seconds=300,
    average_seconds=30,
)
ENVIRONMENT = RunEnvironment(
    versions=(("git", "2.43.0"),), system="Linux x86_64", claude_versions=("2.1.3",), sandboxes=("bwrap",)
)


def with_task(**changes: Any) -> ScenarioRun:
    return replace(RUN, tasks=(replace(TASK, **changes),))


def judged(run: ScenarioRun = RUN, promised: Expectation = PROMISED, *, scripted: bool = True, **more: Any) -> Judged:
    return judge(run, promised, more.get("kind", SessionKind.MILESTONE), more.get("baseline"), scripted=scripted)

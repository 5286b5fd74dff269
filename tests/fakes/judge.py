"""A judge that says what it was told to say, and remembers what it was asked."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from obra_tui.core.events import JudgePrompted, JudgeStarted, JudgeStreamed, JudgeWaiting
from obra_tui.core.model import (
    CriterionScore,
    Finding,
    JudgeIdentity,
    JudgeRequest,
    Severity,
    Stage,
    Verdict,
)
from obra_tui.core.ports import Emit

IDENTITY = JudgeIdentity(
    model="fake-qwen",
    digest="sha256:fa4e",
    url="http://127.0.0.1:0",
    dialect="ollama",
    rubric="fake 1",
    rubric_hash="1" * 64,
    prompt_hash="2" * 64,
)

Script = Verdict | Callable[[JudgeRequest], Verdict]


def approval(score: float = 0.9, *findings: Finding) -> Verdict:
    """A complete verdict that approves."""
    return Verdict(
        identity=IDENTITY,
        scores=(
            CriterionScore(criterion="fulfils_task", stage=Stage.REQUIREMENTS, score=score),
            CriterionScore(criterion="correctness", stage=Stage.QUALITY, score=score),
        ),
        findings=findings,
        summary="Does what was asked.",
        opinion="approve",
        raw='{"verdict": "approve"}',
        hunks_total=1,
        hunks_seen=1,
        prompt_tokens=1000,
        output_tokens=50,
    )


def objection(score: float = 0.4, *findings: Finding) -> Verdict:
    """A complete verdict that wants changes."""
    found = findings or (Finding(severity=Severity.MAJOR, message="Division by zero is not handled.", file="calc.py"),)
    return replace(approval(score, *found), opinion="revise", summary="Not yet.")


def silence(reason: str = "Ollama does not answer at http://127.0.0.1:11434. Start it with `ollama serve`.") -> Verdict:
    """No verdict."""
    return Verdict(identity=IDENTITY, unjudged=reason)


class FakeJudge:
    """Answers with `script` in turn and repeats the last one; without a script it approves everything.

    `hold` makes reviews wait until `release`, so that a test can look at a review that is going on.
    """

    def __init__(self, *script: Script) -> None:
        self.script = list(script) or [approval()]
        self.requests: list[JudgeRequest] = []
        self.cancelled = 0
        self.closed = 0
        self.asked = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def review(self, request: JudgeRequest, emit: Emit) -> Verdict:
        self.requests.append(request)
        verdict = self._next(request)
        emit(JudgeWaiting(state="connecting", text="The fake judge connects."))
        self.asked.set()
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if verdict.hunks_total:
            emit(JudgeStarted(identity=verdict.identity, parts=1, hunks=verdict.hunks_total))
            emit(JudgePrompted(part=1, text=request.diff.patch, token_estimate=len(request.diff.patch) // 3))
            emit(JudgeStreamed(part=1, text=verdict.raw))
        return verdict

    async def close(self) -> None:
        self.closed += 1

    def _next(self, request: JudgeRequest) -> Verdict:
        chosen = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return chosen(request) if callable(chosen) else chosen

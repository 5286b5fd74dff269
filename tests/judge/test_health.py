"""What doctor is told about the judge, with the command that helps."""

import socket
import subprocess
import sys

import pytest

from obra_tui.judge import JudgeConfig, probe
from tests.judge.server import DIGEST, MODEL, Reply, as_json, model_server, tags


async def probed(routes=(), patience_s=5.0, **more):
    async with model_server(Reply()) as server:
        server.routes |= dict(routes)
        return await probe(JudgeConfig(base_url=server.url, **more), patience_s)


async def test_a_ready_ollama_is_described_with_version_digest_and_memory():
    found = await probed()
    assert found.ready
    assert (found.version, found.digest, found.loaded, found.fix) == ("0.33.2", DIGEST, True, "")
    assert found.what == f"{MODEL} is there, in memory."


async def test_a_model_that_is_not_in_memory_is_ready_all_the_same():
    found = await probed({"/api/ps": as_json({"models": []})})
    assert found.ready and found.loaded is False


async def test_nobody_there_is_told_apart_and_answered_with_ollama_serve():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = await probe(JudgeConfig(base_url=f"http://127.0.0.1:{port}"))
    assert found.state == "not_running"
    assert "`ollama serve`" in found.fix


CASES = {
    "model_missing": ({"/api/tags": tags("other:1b")}, {}, f"`ollama pull {MODEL}`"),
    "loading": ({"/v1/models": as_json({"error": "Loading model"}, 503)}, {"dialect": "openai"}, "Wait"),
    "wrong_dialect": ({"/api/version": as_json({}, 404)}, {}, 'judge.dialect = "openai"'),
    "failing": ({"/api/tags": as_json({"error": "disk on fire"}, 500)}, {}, "log"),
}


@pytest.mark.parametrize(("state", "case"), CASES.items(), ids=CASES)
async def test_each_trouble_has_its_state_and_its_advice(state, case):
    routes, settings, advice = case
    found = await probed(routes, **settings)
    assert (found.state, found.ready) == (state, False)
    assert advice in found.fix and found.what.endswith(".")


async def test_a_web_page_is_no_model_server():
    page = Reply(chunks=[b"<html>Welcome</html>"], type="text/html")
    assert (await probed({"/api/version": page})).state == "wrong_dialect"


async def test_a_silent_server_does_not_keep_a_person_waiting():
    found = await probed({"/api/tags": Reply(hang=True)}, patience_s=0.3)
    assert found.state == "failing" and "within 0.3 s" in found.what


async def test_an_openai_server_is_described_without_what_it_cannot_say():
    found = await probed(dialect="openai")
    assert found.ready and (found.version, found.digest, found.loaded) == ("", "", None)


def test_importing_the_judge_loads_no_http():
    code = (
        "import sys, obra_tui.judge as judge; judge.QwenJudge(judge.JudgeConfig());"
        "print(sorted({'httpx', 'stamina', 'pydantic', 'unidiff', 'tenacity'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_model_that_does_not_fit_onto_the_card_is_said_and_one_that_others_loaded_otherwise():
    running = {"model": MODEL, "name": MODEL, "size": 1_000, "size_vram": 590, "context_length": 4096}
    found = await probed({"/api/ps": as_json({"models": [running]})}, num_ctx=16384)
    assert "41% of it runs on the CPU" in found.what
    assert "context of 4096 tokens" in found.what

"""A stage opens and closes as one thing."""

from __future__ import annotations

import socket
import threading

import pytest

from obra_tui.rehearsal import Fault, FaultKind, RehearsalServers, ScenarioError, load_scenario
from tests.rehearsal.speaking import ask, claude_request, user


def test_a_stage_gives_addresses_on_this_machine_and_a_model_that_says_what_it_is() -> None:
    with RehearsalServers.open("calculator", pace=0) as stage:
        assert stage.claude_base_url.startswith("http://127.0.0.1:")
        assert stage.judge_base_url.startswith("http://127.0.0.1:")
        assert "rehearsal" in stage.judge_model
        assert stage.scenario.name == "calculator"


def test_nothing_is_left_when_it_is_closed_even_twice() -> None:
    before = set(threading.enumerate())
    stage = RehearsalServers.open(load_scenario("csv"), pace=0)
    stage.close()
    stage.close()
    assert set(threading.enumerate()) == before
    for port in (stage.claude.port, stage.judge.port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)


def test_an_unknown_scenario_starts_nothing() -> None:
    before = set(threading.enumerate())
    with pytest.raises(ScenarioError):
        RehearsalServers.open("nothing")
    assert set(threading.enumerate()) == before


def test_faults_reach_the_server_they_are_meant_for() -> None:
    fault = Fault(kind=FaultKind.HTTP, status=503)
    with RehearsalServers.open("csv", pace=0, claude_faults=[fault], judge_faults=[fault]) as stage:
        assert ask(stage.claude, "/v1/messages", claude_request(user("go"))).status == 503
        assert ask(stage.claude, "/v1/messages", claude_request(user("go"))).status == 200
        body = {"model": stage.judge_model, "messages": []}
        assert [ask(stage.judge, "/api/chat", body).status for _ in range(2)] == [503, 200]


def test_many_stages_stand_side_by_side() -> None:
    with RehearsalServers.open("csv", pace=0) as one, RehearsalServers.open("stress", pace=0) as two:
        assert len({one.claude.port, one.judge.port, two.claude.port, two.judge.port}) == 4

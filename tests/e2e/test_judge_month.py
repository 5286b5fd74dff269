"""`obra demo judge`: a month of two judges, by the rules of every day."""

import json

import pytest

from tests.e2e.obra import obra

pytestmark = pytest.mark.e2e


def test_a_judge_that_reads_earns_authority_and_a_blind_one_loses_it_before_it_is_named(tmp_path):
    done = obra(tmp_path, "demo", "judge", "--headless", "--pace", "0")
    assert done.code == 0, done.err
    assert "careful-reviewer:14b has earned authority" in done.out
    assert "nodding-reviewer:7b has earned authority" in done.out
    assert "nodding-reviewer:7b lost authority: false passes came faster" in done.out
    assert "blind: 36 of 36 faults passed" in done.out
    assert "the clock" not in done.out


def test_what_is_told_of_it_is_json_for_programs_and_the_record_can_be_read_afterwards(tmp_path):
    done = obra(tmp_path, "demo", "judge", "--headless", "--pace", "0", "--json")
    assert [event["type"] for event in done.events] == ["standing_changed"] * len(done.events)
    assert {(event["before"], event["after"]) for event in done.events} == {(1, 4), (4, 1), (1, 0)}
    records = [json.loads(line) for line in obra(tmp_path, "judge", "--all", "--rehearsal", "--json").out.splitlines()]
    assert {item["model"]: item["level"] for item in records} == {"careful-reviewer:14b": 4, "nodding-reviewer:7b": 0}


def test_it_is_listed_with_the_rehearsals(tmp_path):
    assert obra(tmp_path, "demo", "list").out.startswith("judge")

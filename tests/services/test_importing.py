"""Claude Code's transcripts and those of its subagents, read on from where they were left, and never changed."""

import hashlib
import json

import pytest

from obra_tui.core.records.search import parse
from obra_tui.services.importing import import_into
from obra_tui.services.importing.transcripts import transcripts_in
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal

MAIN = "11111111-2222-4333-8444-555555555555"
USAGE = {"input_tokens": 10, "output_tokens": 5}


def line(kind, second, message, **more):
    at = f"2026-03-01T10:00:{second:02}Z"
    return {"type": kind, "sessionId": MAIN, "cwd": "/home/ada", "timestamp": at, "message": message, **more}


def said(message, text, second, model="claude-opus", **more):
    content = [{"type": "text", "text": text}]
    return line("assistant", second, {"id": message, "model": model, "usage": USAGE, "content": content}, **more)


def of_agent(message, text, second, **more):
    return said(message, text, second, "claude-haiku", isSidechain=True, agentId="a1b2", **more)


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in lines)


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "claude" / "projects" / "-home-ada"
    write(found / f"{MAIN}.jsonl", line("user", 0, {"content": "Look for zebras"}), said("m1", "I look.", 1))
    return found


@pytest.fixture
def data(tmp_path):
    journal, history = SqlJournal(tmp_path / "data" / "db"), SqlHistory(tmp_path / "data" / "db")
    yield journal, history
    journal.close()
    history.close()


def imported(data, folder, tmp_path):
    """Import everything below the folder; the sources must not change by it."""
    before = digests(folder)
    reads = list(import_into(data[0], tmp_path / "data" / "db", transcripts_in(folder)))
    assert digests(folder) == before
    return reads


def digests(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.jsonl")}


def the_attempt(data):
    (row,) = data[1].find(parse("is:imported", 0.0)).rows
    return data[1].attempt(row.attempt.id)


@pytest.mark.parametrize(
    "place",
    [f"{MAIN}/subagents/agent-a1b2.jsonl", f"{MAIN}/subagents/workflows/run-1/agent-a1b2.jsonl", "agent-a1b2.jsonl"],
)
def test_what_a_subagent_did_belongs_to_its_session_in_the_order_of_time(data, folder, tmp_path, place):
    call = {"type": "tool_use", "id": "c1", "name": "Grep", "input": {"pattern": "zebra"}}
    write(folder / f"{MAIN}.jsonl", said("m2", "There is one.", 9))
    told = {"id": "s1", "model": "claude-haiku", "usage": USAGE, "content": [call]}
    write(
        folder / place,
        line("user", 2, {"content": "You are a subagent"}, isSidechain=True, agentId="a1b2"),
        line("assistant", 3, told, isSidechain=True, agentId="a1b2"),
        of_agent("s1", "Found one.", 4),
    )
    (read,) = imported(data, folder, tmp_path)
    assert (read.outcome, read.passed_over) == ("imported", 0)
    records = data[1].attempt_records(the_attempt(data).summary.id)
    texts = [r.event.text for r in records if r.event.type == "text_finished"]
    assert texts == ["I look.", "[subagent a1b2] Found one.", "There is one."]
    (tool,) = [r.event for r in records if r.event.type == "tool_started"]
    assert (tool.tool, tool.parent) == ("Grep", "a1b2")
    prompts = [r.event.text for r in records if r.event.type == "prompt_sent"]
    assert prompts == ["Look for zebras"]


def test_usage_counts_once_for_each_message_in_all_files_and_each_time_they_are_read(data, folder, tmp_path):
    agent = folder / MAIN / "subagents" / "agent-a1b2.jsonl"
    write(agent, of_agent("s1", "One", 2), of_agent("s1", "Two", 3))
    imported(data, folder, tmp_path)
    assert (the_attempt(data).summary.usage.input_tokens, the_attempt(data).summary.usage.turns) == (20, 2)
    write(agent, of_agent("s1", "Three", 4), of_agent("s2", "Four", 5))
    write(folder / f"{MAIN}.jsonl", said("m1", "The same message goes on.", 6))
    (again,) = imported(data, folder, tmp_path)
    assert again.outcome == "continued"
    assert the_attempt(data).summary.usage.input_tokens == 30
    (unchanged,) = imported(data, folder, tmp_path)
    assert unchanged.outcome == "unchanged"
    assert [r.outcome for r in imported(data, folder, tmp_path)] == ["unchanged"]


def test_a_subagent_that_came_later_is_read_with_its_session(data, folder, tmp_path):
    imported(data, folder, tmp_path)
    write(folder / MAIN / "subagents" / "agent-zz.jsonl", of_agent("s9", "Late giraffe", 30))
    (again,) = imported(data, folder, tmp_path)
    assert again.outcome == "continued"
    assert len(data[1].find(parse("giraffe", 0.0)).rows) == 1
    assert len(data[1].sessions().rows) == 1


def test_a_cost_that_nobody_said_is_unknown_and_an_old_transcript_says_it_once(data, folder, tmp_path):
    imported(data, folder, tmp_path)
    usage = the_attempt(data).summary.usage
    assert (usage.known_cost, usage.cost_shown()) == (None, "–")
    write(folder / f"{MAIN}.jsonl", said("m5", "a", 7, costUSD=0.25), said("m5", "b", 8, costUSD=0.25))
    imported(data, folder, tmp_path)
    assert the_attempt(data).summary.usage.cost_shown() == "$0.25"


def test_damaged_lines_are_named_by_file_and_line(data, folder, tmp_path):
    main, agent = folder / f"{MAIN}.jsonl", folder / MAIN / "subagents" / "agent-a1b2.jsonl"
    write(main, "{{{", said("m2", "Fine.", 3), "[1]")
    write(agent, of_agent("s1", "Fine.", 4), '"cut')
    (read,) = imported(data, folder, tmp_path)
    assert read.damaged == (f"{main}:3", f"{main}:5", f"{agent}:2")
    assert read.passed_over == 3
    write(main, "}}}", said("m3", "Go on.", 9))
    (again,) = imported(data, folder, tmp_path)
    assert again.damaged == (f"{main}:6",)


def test_a_line_that_is_still_being_written_waits_for_the_next_time(data, folder, tmp_path):
    main = folder / f"{MAIN}.jsonl"
    whole = json.dumps(said("m2", "Late zebra", 5))
    with main.open("a") as file:
        file.write(whole[:40])
    assert imported(data, folder, tmp_path)[0].damaged == ()
    with main.open("a") as file:
        file.write(f"{whole[40:]}\n")
    assert imported(data, folder, tmp_path)[0].outcome == "continued"
    assert len(data[1].find(parse('"Late zebra"', 0.0)).rows) == 1


def test_a_transcript_that_was_written_anew_is_another_session(data, folder, tmp_path):
    imported(data, folder, tmp_path)
    main = folder / f"{MAIN}.jsonl"
    main.unlink()
    write(main, line("user", 0, {"content": "Something else"}), said("x1", "All right.", 1))
    assert imported(data, folder, tmp_path)[0].outcome == "imported"
    assert len(data[1].sessions().rows) == 2


def test_what_was_imported_by_an_earlier_version_is_read_on(data, folder, tmp_path):
    """Its state names one file only, at the top."""
    from obra_tui.services.importing import transcripts

    older = {"offset": 7, "head_bytes": 0, "head": ""}
    known = type("Known", (), {"state": {"first_prompt": True, **older}})()
    states = transcripts._states(known, folder / f"{MAIN}.jsonl")
    assert states[f"{MAIN}.jsonl"]["offset"] == 7

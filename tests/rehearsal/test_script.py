"""Scripts: which one, which turn, which answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from obra_tui.rehearsal.conversation import read_conversation
from obra_tui.rehearsal.script import Cue, Say, Script, ScriptError, Use, next_cue, parse_scripts
from tests.rehearsal.speaking import claude_request, result, said, used, user

HERE = Path(__file__).parent


def scripts(*names: str, **more: object) -> tuple[Script, ...]:
    turns = [
        {"replies": [{"say": "one"}, {"say": "two"}]},
        {"on": "feedback", "replies": [{"say": "zero", "only_if": "zero"}, {"say": "end"}]},
    ]
    tables = [{"name": name, "match": [f"Task {name}"], "turns": turns, **more} for name in names]
    return parse_scripts(tables, HERE)


def cue(told: tuple[Script, ...], *messages: dict) -> Cue:
    found = next_cue(told, read_conversation(claude_request(*messages), {}))
    assert found is not None
    return found


def text(found: Cue) -> str:
    return " ".join(b.text for b in found.response.blocks if isinstance(b, Say)).strip()


def test_the_marker_decides_before_the_title() -> None:
    assert cue(scripts("1", "2"), user("Task 1 [[script:2]]")).script == "2"


def test_a_title_is_found_as_a_whole_word_and_the_longest_one_wins() -> None:
    assert cue(scripts("1", "10"), user("Please do Task 10 now")).script == "10"


def test_the_only_script_needs_no_name() -> None:
    assert cue(scripts("1"), user("whatever")).script == "1"


def test_no_script_is_guessed_among_several() -> None:
    assert next_cue(scripts("1", "2"), read_conversation(claude_request(user("whatever")), {})) is None


def test_each_answer_leads_to_the_next_reply_and_after_the_last_there_is_an_end() -> None:
    talk = [user("Task 1")]
    heard = []
    for _ in range(3):
        heard.append(text(cue(scripts("1"), *talk)))
        talk += [used("t", "Read"), result("t")]
    assert heard == ["one", "two", "That is all I had to do here."]


def test_a_later_prompt_gets_the_feedback_turn_with_only_what_it_names() -> None:
    first = [user("Task 1"), said("one"), said("two")]
    assert text(cue(scripts("1"), *first, user("division by zero is wrong"))) == "zero"
    assert text(cue(scripts("1"), *first, user("something else is wrong"))) == "end"


def test_feedback_in_a_fresh_conversation_is_recognised_by_its_evidence() -> None:
    assert text(cue(scripts("1"), user("Task 1\nFAILED tests/test_a.py::test_zero"))) == "zero"


def test_prompts_of_another_task_before_the_marker_do_not_count() -> None:
    told = scripts("1", "2")
    found = cue(told, user("Task 1"), said("one"), user("fix it"), said("x"), user("Task 2"))
    assert (found.script, found.prompt_number, text(found)) == ("2", 1, "one")


def test_a_file_that_was_not_read_is_read_and_then_the_write_comes_again() -> None:
    told = parse_scripts([{"name": "w", "turns": [{"replies": [{"use": [{"write": "a", "content": "x"}]}]}]}], HERE)
    talk = [user("go"), used("t1", "Write", file_path="/r/a"), result("t1", "File has not been read yet.", error=True)]
    assert [b.tool for b in cue(told, *talk).response.blocks if isinstance(b, Use)] == ["Read"]
    talk += [used("t2", "Read", file_path="/r/a"), result("t2")]
    assert [b.tool for b in cue(told, *talk).response.blocks if isinstance(b, Use)] == ["Write"]


def test_a_word_in_between_is_answered_without_losing_the_place() -> None:
    found = cue(scripts("1"), user("Task 1"), used("t", "Read"), result("t", also=["Use tabs."]))
    assert text(found).startswith("You said: “Use tabs.”")
    assert text(found).endswith("two")


@pytest.mark.parametrize(
    "table",
    [
        {"turns": []},
        {"name": "x", "trun": []},
        {"name": "x", "turns": [{"on": "later"}]},
        {"name": "x", "turns": [{"replies": [{"says": "typo"}]}]},
        {"name": "x", "turns": [{"replies": [{"use": [{"wirte": "a"}]}]}]},
        {"name": "x", "turns": [{"replies": [{"fault": {"kind": "boredom"}}]}]},
    ],
)
def test_a_mistake_in_a_script_is_refused(table: dict) -> None:
    with pytest.raises(ScriptError):
        parse_scripts([table], HERE)

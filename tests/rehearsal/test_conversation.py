"""The place in a script is counted from the conversation alone."""

from __future__ import annotations

from obra_tui.rehearsal.conversation import RequestPrompts, read_conversation
from tests.rehearsal.speaking import claude_request, environment, result, said, used, user

REMINDER = "<system-reminder>\nRules of the house.\n</system-reminder>"


def read(*messages: dict) -> RequestPrompts:
    return read_conversation(claude_request(*messages), {"x-claude-code-session-id": "s1"})


def test_reminders_around_a_prompt_are_not_part_of_it() -> None:
    message = {"role": "user", "content": [{"type": "text", "text": t} for t in (REMINDER, "Do it.", REMINDER)]}
    assert [p.text for p in read(message).prompts] == ["Do it."]


def test_a_prompt_as_a_plain_string_is_read_too() -> None:
    assert read({"role": "user", "content": f"Do it.{REMINDER}"}).current.text == "Do it."


def test_tool_results_are_no_prompts_and_answers_are_counted_from_the_newest_prompt() -> None:
    talk = read(
        user("one"), used("t1", "Read"), result("t1"), said("done"), user("two"), used("t2", "Read"), result("t2")
    )
    assert [(p.text, p.answers) for p in talk.prompts] == [("one", 2), ("two", 1)]


def test_text_beside_a_tool_result_steers_the_running_turn() -> None:
    talk = read(user("one"), used("t1", "Read"), result("t1", also=["Use tabs."]))
    assert len(talk.prompts) == 1
    assert talk.current.steers == ("Use tabs.",)


def test_what_is_said_after_an_interruption_is_a_prompt_even_in_a_merged_message() -> None:
    halted = "[Request interrupted by user for tool use]"
    talk = read(user("one"), used("t1", "Bash"), result("t1", error=True, also=[halted, "two"]))
    assert [(p.text, p.interrupted) for p in talk.prompts] == [("one", True), ("two", False)]


def test_a_prompt_that_was_cut_short_is_one_with_the_prompt_that_takes_it_up_again() -> None:
    stopped = [user("mind zero"), said("I be"), user("[Request interrupted by user]"), user("again")]
    assert [(p.text, p.answers) for p in read(*stopped).since([True, False])] == [("mind zero\nagain", 0)]
    killed = [user("mind zero"), said("I be"), user("You were interrupted. Go on."), said("So")]
    assert [p.answers for p in read(*killed).since([True, False])] == [1]
    assert len(read(user("one"), said("done"), user("two")).since([True, False])) == 2


def test_what_claude_code_writes_in_the_persons_name_is_no_prompt() -> None:
    talk = read(user("one"), said("half"), user("Output token limit hit. Resume directly."))
    assert [(p.text, p.answers) for p in talk.prompts] == [("one", 1)]


def test_synthetic_answers_are_not_counted() -> None:
    assert read(user("one"), said("No response requested."), user("two")).prompts[0].answers == 0


def test_the_folder_is_the_newest_one_named_in_a_system_text() -> None:
    assert (
        read(user("one"), environment("/old place"), said("x"), environment("/new place"), user("two")).cwd
        == "/new place"
    )


def test_the_folder_may_stand_in_the_system_prompt() -> None:
    body = claude_request(user("one")) | {"system": [{"type": "text", "text": "Working directory: /repo"}]}
    assert read_conversation(body, {}).cwd == "/repo"


def test_a_refused_write_names_the_file_that_must_be_read_first() -> None:
    refused = result("t1", "File has not been read yet. Read it first before writing to it.", error=True)
    talk = read(user("one"), used("t1", "Write", file_path="/r/a.py"), refused)
    assert (talk.current.unread, talk.current.recoveries) == ("/r/a.py", 1)
    talk = read(user("one"), used("t1", "Write", file_path="/r/a.py"), refused, used("t2", "Read"), result("t2"))
    assert (talk.current.unread, talk.current.answers, talk.current.recoveries) == (None, 2, 1)


def test_a_request_without_sense_is_an_empty_conversation() -> None:
    body = {"messages": [1, {"role": "user"}, {"role": "user", "content": [1, {"type": "text"}]}]}
    assert read_conversation(body, {}).prompts == ()

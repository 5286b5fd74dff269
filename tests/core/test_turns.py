from obra_tui.core.events import ClaudeStarted, PromptSent, TextFinished, ToolStarted
from obra_tui.core.records.align import anonymise, pair_turns, turns
from tests.ui import stories


def story():
    return stories.second_attempt().records


def test_a_turn_begins_with_a_prompt_or_with_what_claude_says_and_none_is_lost():
    found = turns(story())
    assert [record for turn in found for record in turn] == list(story())
    for turn in found[1:]:
        assert isinstance(turn[0].event, PromptSent | TextFinished)


def test_prompts_stand_beside_prompts_though_one_side_said_more_before():
    short, long = turns(_only(1)), turns(_only(3))
    pairs = pair_turns(short, long)
    prompts = [[any(isinstance(r.event, PromptSent) for r in turn) for turn in pair] for pair in pairs]
    assert prompts == [[True, True], [False, False], [False, False], [True, True], [False, False]]
    assert [len(pair[0]) for pair in pairs] == [1, 1, 0, 1, 1]


def _only(said):
    """Two prompts; after the first one Claude says so many things."""
    kept = [record for record in story() if isinstance(record.event, PromptSent | TextFinished)]
    prompt = next(record for record in kept if isinstance(record.event, PromptSent))
    text = next(record for record in kept if isinstance(record.event, TextFinished))
    return [prompt, *[text] * (said if said < 3 else 2), prompt, text]


def test_what_tells_who_it_was_can_be_left_out():
    kept = anonymise(story())
    assert not any(isinstance(record.event, ClaudeStarted) for record in kept)
    assert any(isinstance(record.event, ToolStarted) for record in kept)


def test_nothing_that_is_left_tells_which_of_two_attempts_came_first():
    kept = [record.event for record in anonymise(story())]
    prompts = [event for event in kept if isinstance(event, PromptSent)]
    assert len(prompts) == sum(isinstance(record.event, PromptSent) for record in story())
    assert {(event.kind, event.by, event.text) for event in prompts} == {
        ("task", "obra", "Hidden: it would tell which of the two came first.")
    }
    assert not {type(event).__name__ for event in kept} & {"DiffTaken", "ClaudeEnded", "RetryScheduled", "WorkAccepted"}

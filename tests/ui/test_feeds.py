import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obra_tui.core import events as e
from obra_tui.core.model import CheckStatus, Outcome, SandboxLevel
from obra_tui.ui.feeds.claude import ClaudeFeed
from obra_tui.ui.feeds.lines import patch_lines, text_lines
from obra_tui.ui.feeds.validation import ValidationFeed, parse_partial
from tests.ui import stories
from tests.ui.test_state import records
from widgets.lines import LogLine

pytestmark = pytest.mark.quick


class FakePane:
    """Keeps lines as a pane does, without drawing any."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.streams: dict[str, str] = {}
        self.markdown: list[str] = []

    def append(self, line) -> None:
        self.lines.append(line if isinstance(line, LogLine) else LogLine(line))

    def extend(self, lines) -> None:
        for line in lines:
            self.append(line)

    def append_chunk(self, text, style="") -> None:
        self.append(text)

    def replace(self, key, line) -> bool:
        for index, old in enumerate(self.lines):
            if old.key == key:
                self.lines[index] = line
                return True
        return False

    def extend_detail(self, key, lines, cap=1_000) -> bool:
        return True

    def begin_stream(self, key, *, time="", glyph="", style="") -> None:
        self.streams[key] = ""

    def append_stream(self, key, text) -> None:
        self.streams[key] += text

    def end_stream(self, key) -> None:
        self.markdown.append(self.streams.pop(key))

    def drop_stream(self, key) -> None:
        self.streams.pop(key)

    def write_markdown(self, text, *, time="", glyph="", style="") -> None:
        self.markdown.append(text)

    def clear(self) -> None:
        self.__init__()

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    def line(self, start: str) -> LogLine:
        return next(line for line in self.lines if line.text.startswith(start))


def claude(story) -> FakePane:
    pane = FakePane()
    ClaudeFeed(pane).add(story.records)
    return pane


def validation(story, *, raw=False) -> FakePane:
    pane = FakePane()
    ValidationFeed(pane, raw=raw).add(story.records)
    return pane


def test_a_tool_card_says_what_came_of_it():
    pane = claude(stories.streaming())
    assert pane.line("Write").aside == "+31 −0  ok 200 ms"
    assert pane.line("Read").aside == "ok 12 ms"


def test_the_card_of_an_edit_opens_to_its_diff():
    detail = claude(stories.streaming()).line("Write").detail
    assert any(line.style == "added" and "def add" in line.text for line in detail)


def test_a_short_output_of_a_command_is_open_at_once():
    story = stories.two_tasks().attempt_started().uses("c", "Bash", "pytest -q", output="6 passed\n")
    card = claude(story).line("Bash")
    assert card.unfolded
    assert [line.text for line in card.detail] == ["6 passed"]


def test_a_subagents_call_is_indented():
    story = stories.two_tasks().attempt_started()
    story.tell(e.ToolStarted(call="s", tool="Grep", title="x", input_json="{}", parent="c1"))
    assert claude(story).line("Grep").lead == "└ "


def test_the_same_call_id_in_two_attempts_is_two_cards():
    story = (
        stories.two_tasks().attempt_started().uses("c1", "Read", "a.py").attempt_started().uses("c1", "Read", "b.py")
    )
    texts = claude(story).texts
    assert "Read   a.py" in texts
    assert "Read   b.py" in texts


def test_a_text_with_a_gap_is_written_anew():
    story = stories.two_tasks().attempt_started()
    story.tell(e.TextStreamed(block="b", text="He"), e.TextFinished(block="b", text="Hello"))
    assert claude(story).markdown == ["Hello"]


def test_a_text_that_never_streamed_is_written():
    story = stories.two_tasks().attempt_started().tell(e.TextFinished(block="b", text="Hello"))
    assert claude(story).markdown == ["Hello"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_result_line_of_its_own_word(outcome):
    line = claude(stories.two_tasks().attempt_started().claude_done(outcome)).line("result:")
    word = "success" if outcome is Outcome.COMPLETED else outcome.value.replace("_", " ")
    assert word in line.text
    assert line.glyph == ("■" if outcome is Outcome.COMPLETED else "✗")


def test_a_retry_names_status_and_delay():
    story = stories.two_tasks().attempt_started()
    story.tell(e.RetryScheduled(attempt=2, max_retries=10, delay_s=4, status=529, error="overloaded"))
    assert "API retry 2/10 in 4.0 s: 529 overloaded" in claude(story).texts


def test_checks_wait_run_and_end_in_one_line_each():
    story = stories.checking()
    pane = validation(story)
    assert pane.line("mypy").glyph == "·"
    assert pane.line("mypy").aside == "does not block"
    assert pane.line("pytest").aside == "running"
    assert [line.text for line in pane.line("pytest").detail] == ["......                                   [100%]"]
    story.checks_done()
    assert validation(story).line("pytest").aside == "passed 1.9 s"


def test_a_failed_check_is_open_with_its_failing_tests_on_top():
    card = validation(stories.failing_gate()).line("pytest")
    assert card.unfolded
    assert card.glyph == "✗"
    assert "test_divide_by_zero: DID NOT RAISE" in card.detail[1].text


def test_no_check_is_said_aloud():
    story = stories.two_tasks().attempt_started()
    story.tell(e.ChecksPlanned(checks=(), sandbox=SandboxLevel.NONE, note="Nothing was found to run."))
    assert "No check was found: nothing is measured." in validation(story).texts


def test_the_streaming_answer_is_one_card_that_folds_when_the_verdict_is_there():
    story = stories.judging()
    card = validation(story).line("answers")
    assert card.unfolded
    assert card.detail[0].text.startswith("major calculator.py:25")
    done = validation(story.verdict()).line("answer ·")
    assert not done.unfolded
    assert done.detail[0].text.startswith('{"findings"')


def test_the_raw_answer_is_shown_as_it_is():
    card = validation(stories.judging(), raw=True).line("answers")
    assert card.detail[0].text.startswith('{"findings"')


def test_unjudged_is_never_a_score():
    pane = validation(stories.judging().verdict(unjudged="Ollama did not answer"))
    assert "Unjudged: Ollama did not answer" in pane.texts
    assert not any(text.startswith("Verdict") for text in pane.texts)


def test_criteria_of_the_verdict_are_shown_from_zero_to_one():
    assert any(text.startswith("correctness      0.82") for text in validation(stories.at_gate()).texts)


def test_the_middle_of_a_long_text_is_cut_and_says_so():
    lines = text_lines("\n".join(str(n) for n in range(1000)), cap=10)
    assert [line.text for line in lines[:2]] == ["0", "1"]
    assert lines[5].text == "… 990 lines not shown here"
    assert lines[-1].text == "999"


def test_a_patch_keeps_its_signs():
    lines = patch_lines("@@ -1 +1 @@\n-old\n+new\n same")
    assert [(line.text, line.style) for line in lines] == [
        ("@@ -1 +1 @@", "hunk"),
        ("-old", "removed"),
        ("+new", "added"),
        (" same", "text"),
    ]


@settings(max_examples=100, deadline=None)
@given(records)
def test_no_sequence_of_records_breaks_a_feed(sequence):
    for feed in (ClaudeFeed(FakePane()), ValidationFeed(FakePane()), ValidationFeed(FakePane(), raw=True)):
        feed.add(sequence)
        feed.reset()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), json_values, max_size=5), st.floats(0, 1))
def test_any_beginning_of_an_answer_can_be_read(value, share):
    text = json.dumps(value)
    assert parse_partial(text) == value
    part = parse_partial(text[: int(len(text) * share)])
    assert part is None or isinstance(part, dict)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]",:\\abc1.e-tnu ', max_size=60))
def test_nonsense_is_read_as_far_as_it_makes_sense(text):
    parse_partial(text)


def test_a_half_written_finding_shows_what_is_there():
    assert parse_partial('{"findings": [{"severity": "major", "message": "di') == {
        "findings": [{"severity": "major", "message": "di"}]
    }
    assert parse_partial('{"findings": [{"severity": "ma", "li') == {"findings": [{"severity": "ma"}]}


def test_check_words_cover_every_status():
    from obra_tui.ui.view.status_words import CHECK

    assert set(CHECK) == set(CheckStatus)


def test_what_was_not_drawn_is_told_as_one_line():
    pane = FakePane()
    ClaudeFeed(pane).skip(1_200)
    assert pane.texts == ["… 1200 steps too fast to be shown, kept in the history"]


def test_what_copies_lack_stands_above_the_first_attempt():
    copy = stories.WorkCopy(path="/c", base_commit="b", lacks=("`.env` is not in a copy.", "Your clone is partial."))
    pane = claude(stories.streaming().tell(e.CopyPrepared(copy=copy)))
    line = pane.line("`.env`")
    assert line.style == "warn" and line.unfolded and [row.text for row in line.detail] == ["Your clone is partial."]


def test_how_long_a_check_took_before_stands_beside_it_while_it_runs():
    started = e.CheckStarted(name="pytest", command="pytest -q", expected_s=240.0)
    pane = FakePane()
    ValidationFeed(pane).add(stories.streaming().tell(started).records)
    assert pane.line("pytest").aside == "running, about 4:00"

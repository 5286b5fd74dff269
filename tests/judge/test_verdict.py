"""The strict parser: any text is a verdict or a sentence that says why not; a verdict is read as it was meant."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obra_tui.core.model import Severity
from obra_tui.judge.errors import AnswerUnusable
from obra_tui.judge.template import OPINIONS, Places, answer_schema, load_rubric
from obra_tui.judge.verdict import parse_answer
from tests.judge.story import answer, finding

pytestmark = pytest.mark.quick

RUBRIC = load_rubric()

TEXT = st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=40).filter(str.strip)
FINDING = st.fixed_dictionaries(
    {
        "file": st.sampled_from(["calculator.py", "ü.py"]),
        "line": st.none() | st.integers(1, 10**9),
        "severity": st.sampled_from([item.value for item in Severity]),
        "kind": st.sampled_from(RUBRIC.kinds),
        "message": TEXT,
        "suggestion": TEXT | st.just(""),
    }
)
ANSWER = st.fixed_dictionaries(
    {
        "findings": st.lists(FINDING, max_size=20),
        "scores": st.fixed_dictionaries({name: st.integers(0, 100) for name in RUBRIC.ids}),
        "summary": TEXT,
        "verdict": st.sampled_from(OPINIONS),
    }
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["findings", "scores", "x"]), inner),
    max_leaves=8,
)


def parsed(text, **more):
    """The opinion, or None; any other exception than `AnswerUnusable` fails the test."""
    try:
        return parse_answer(text, RUBRIC, **more)
    except AnswerUnusable as error:
        assert error.what
        return None


@given(st.text() | st.text(alphabet='{}[]",:0123456789.eE-+nulNatrfs<>/hikT \n\\'), st.booleans())
def test_any_text_is_a_verdict_or_an_unusable_answer(text, thoughts_allowed):
    parsed(text, thoughts_allowed=thoughts_allowed)


@given(ANSWER, st.sampled_from(["findings", "scores", "summary", "verdict"]), ANYTHING)
def test_any_value_in_any_place_is_a_verdict_or_an_unusable_answer(good, key, value):
    parsed(json.dumps(good | {key: value}))


@given(ANSWER, st.data())
def test_a_broken_off_verdict_is_none(good, data):
    text = json.dumps(good)
    assert parsed(text[: data.draw(st.integers(0, len(text) - 1))]) is None


@settings(max_examples=60)
@given(ANSWER, st.sampled_from(["", " \n"]), st.booleans())
def test_a_valid_answer_is_read_as_it_was_written(good, space, ascii_only):
    opinion = parse_answer(space + json.dumps(good, ensure_ascii=ascii_only) + space, RUBRIC)
    assert {item.criterion: round(item.score * 100) for item in opinion.scores} == good["scores"]
    assert opinion.opinion == good["verdict"]
    assert opinion.summary == good["summary"].strip().replace("\x7f", "␡")
    for found, meant in zip(opinion.findings, good["findings"], strict=True):
        assert (found.file, found.line, found.kind) == (meant["file"], meant["line"], meant["kind"])
        assert found.severity == ("blocker" if meant["kind"] == "injection" else meant["severity"])


def test_scores_are_ours_between_zero_and_one_with_stage_and_weight():
    scores = {item.criterion: item for item in parse_answer(answer(), RUBRIC).scores}
    assert (scores["tests"].score, scores["tests"].stage, scores["correctness"].weight) == (0.6, "quality", 2.0)
    assert scores["fulfils_task"].stage == "requirements"


def test_thoughts_are_passed_over_only_where_they_are_allowed_only_once_and_only_in_front():
    thinking = f"\n<think>approve!\n{{}}</think>\n{answer()}"
    assert parsed(thinking) is None
    assert parsed(thinking, thoughts_allowed=True) is not None
    assert parsed(answer() + "<think></think>", thoughts_allowed=True) is None
    assert parsed(f"<think>{answer()}", thoughts_allowed=True) is None
    assert parsed(f"<think></think><think></think>{answer()}", thoughts_allowed=True) is None


def test_what_cannot_be_stored_does_not_come_through():
    opinion = parse_answer(answer(summary="a\0b\ud800", findings=[finding(message="\x1b[2J")]), RUBRIC)
    assert opinion.summary == "a␀b?"
    assert opinion.findings[0].message == "␛[2J"


def test_a_line_without_a_file_is_refused():
    with pytest.raises(AnswerUnusable, match="has a line but no file"):
        parse_answer(answer(findings=[finding(file="", line=3)]), RUBRIC)


def test_names_of_very_many_files_are_no_part_of_the_grammar():
    schema = answer_schema(RUBRIC, Places(files=tuple(f"f{number}.py" for number in range(101))))
    assert "enum" not in schema["properties"]["findings"]["items"]["properties"]["file"]


def test_the_schema_asks_for_findings_first_and_the_verdict_last_and_forbids_the_rest():
    schema = answer_schema(RUBRIC)
    assert list(schema["properties"]) == ["findings", "scores", "summary", "verdict"] == schema["required"]
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]["scores"]["properties"]) == list(RUBRIC.ids)

"""The search line: any text is read, and what was read is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from obra_tui.core.records.search import (
    FIELDS,
    IS,
    Clause,
    Query,
    Word,
    complete,
    completed,
    completions,
    moment,
    parse,
    read_as,
)

NOW = 1_790_000_000.0

PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [*(f"{name}:" for name in FIELDS), '"', "-", ":", "=", "<", ">=", " ", "80", "7d", "\x00", "is:open"]
        ),
        st.text(max_size=6),
    ),
    max_size=12,
).map("".join)


@given(PIECES)
def test_any_text_is_read_and_said_back(line):
    query = parse(line, NOW)
    said = read_as(query)
    assert bool(said) == (not query.empty or bool(query.doubts))
    assert all(word.text.strip() == word.text and word.text for word in query.words)


@given(PIECES, st.integers(-3, 40))
def test_any_text_can_be_completed_and_the_rest_stays(line, cursor):
    for candidate in completions(line, cursor):
        changed, at = complete(line, cursor, candidate)
        assert changed[:at].rstrip().endswith(candidate)
        assert changed.endswith(line[max(0, cursor) :].lstrip(" ")) or cursor < 0


@given(st.sampled_from(IS), st.booleans())
def test_every_choice_is_understood_in_any_case(choice, unwanted):
    line = f"{'-' if unwanted else ''}IS:{choice.upper()}"
    assert parse(line, NOW).clauses == (Clause("is", choice, unwanted=unwanted),)


def test_the_whole_grammar_in_one_line():
    query = parse('retry -is:merged score:<80 cost:>1 "exact words" -unwanted check:pytest=fail file:src/a.py', NOW)
    assert query.words == (Word("retry"), Word("exact words", exact=True), Word("unwanted", unwanted=True))
    assert query.clauses == (
        Clause("is", "merged", unwanted=True),
        Clause("score", "<80", "<", 0.8),
        Clause("cost", ">1", ">", 1.0),
        Clause("check", "pytest", state="fail"),
        Clause("file", "src/a.py"),
    )


def test_a_score_is_a_share_or_a_percentage():
    assert [parse(f"score:{text}", NOW).clauses[0].number for text in ("<0.8", "<80", ">=80%", "1")] == [
        0.8,
        0.8,
        0.8,
        1,
    ]


@pytest.mark.parametrize("line", ['"', '""', "' \" -", "-", "::", ":", '"""', "-:", "\x00"])
def test_a_line_without_a_word_asks_for_nothing(line):
    assert parse(line, NOW) == Query()


@pytest.mark.parametrize("line", ["score:abc", "is:nothing", "since:tomorrowish", "check:pytest=green", "verdict:82"])
def test_a_clause_that_is_none_counts_as_text_and_is_said_so(line):
    query = parse(line, NOW)
    assert not query.clauses
    assert query.doubts == (line,)
    assert "read as text" in read_as(query)


def test_an_address_or_a_place_is_a_word():
    assert parse("https://x.test main.py:12", NOW).words == (Word("https://x.test"), Word("main.py:12"))


def test_quotes_hold_a_value_together():
    assert parse('task:"add retry"', NOW).clauses == (Clause("task", "add retry"),)


def test_an_open_quote_goes_to_the_end():
    assert parse('a "b c', NOW).words == (Word("a"), Word("b c", exact=True))


def test_ages_count_back_from_now():
    assert moment("7d", NOW) == NOW - 7 * 86_400
    assert moment("2h", NOW) == NOW - 7_200
    assert moment("2026-03-09", NOW) is not None
    assert moment("99999y", NOW) is not None
    assert moment("9999-99-99", NOW) is None


def test_an_absurd_age_can_still_be_said():
    assert parse("since:99999d", NOW).clauses
    assert read_as(parse("since:99999y", NOW))


def test_it_says_what_it_understood():
    query = parse('retry -is:merged score:<80 check:pytest=fail -"dead code" model:qwen', NOW)
    assert read_as(query) == (
        'with "retry…" and without exactly "dead code" and not (is merged) and score below 0.80 '
        'and check pytest ended in fail and model has "qwen"'
    )


def test_tab_completes_fields_then_values_then_known_names():
    assert completions("retry sc", 8) == ("score:",)
    assert completions("is:re", 5) == ("is:reverted", "is:rejected", "is:rehearsal")
    assert completions("-is:op", 6) == ("-is:open",)
    assert completions("model:q", 7, {"model": ["qwen2.5-coder:32b", "gpt"]}) == ("model:qwen2.5-coder:32b",)
    assert completions("project:/h", 10, {"project": ["/home/a b"]}) == ('project:"/home/a b"',)
    assert completions("check:pytest=f", 14) == ("check:pytest=fail",)
    assert completions("", 0) == ()


def test_completing_leaves_the_rest_of_the_line():
    assert complete("retry sc rest", 8, "score:") == ("retry score: rest", 12)
    assert complete("is:op", 5, "is:open") == ("is:open ", 8)


def test_a_query_is_a_value():
    assert replace(parse("a", NOW)) == parse("a", NOW + 1)


def test_tab_goes_as_far_as_all_candidates_agree():
    assert completed("x model:q", 9, {"model": ["qwen2.5:7b", "qwen2.5:32b"]})[:2] == ("x model:qwen2.5:", 16)
    assert completed("is:rej", 6) == ("is:rejected ", 12, ())
    assert completed("s", 1)[0::2] == ("s", ("score:", "session:", "since:"))
    assert completed("nothing", 7) == ("nothing", 7, ())


@given(PIECES, st.integers(-3, 40))
def test_tab_never_fails_and_leaves_what_follows(line, cursor):
    changed, at, _ = completed(line, cursor)
    assert 0 <= at <= len(changed) or (changed, at) == (line, cursor)

"""Rows hold every character that is seen, and none is wider than the pane."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.segments import breaks, clip, index_at

pytestmark = pytest.mark.quick

words = st.text(st.sampled_from("ab cdé漢字 👩-_/"), max_size=80)
widths = st.integers(8, 40)


@given(words, widths)
def test_no_row_is_wider_than_the_pane(text, width):
    assert all(cell_len(text[start:end]) <= width for start, end in breaks(text, width))


@given(words, widths, widths)
@example("______字 ", 8, 8)
def test_only_single_spaces_are_lost_at_the_ends_of_rows(text, width, first):
    rows = breaks(text, width, first)
    assert rows[0][0] == 0
    assert text[rows[-1][1] :] in ("", " ")
    for (_, end), (start, _) in pairwise(rows):
        assert text[end:start] in ("", " ")


def test_words_stay_whole_where_they_can():
    text = "the quick brown fox"
    assert [text[a:b] for a, b in breaks(text, 10)] == ["the quick", "brown fox"]


def test_a_word_longer_than_the_pane_is_cut():
    assert breaks("abcdefghijklmno", 10) == [(0, 10), (10, 15)]


def test_indented_code_is_not_broken_inside_its_indentation():
    text = "        averylongidentifier_that_does_not_fit"
    start, end = breaks(text, 20)[0]
    assert text[start:end].strip()


def test_an_empty_text_has_one_row():
    assert breaks("", 10) == [(0, 0)]


@given(words, st.integers(1, 20))
def test_clipped_text_fits(text, room):
    assert cell_len(clip(text, room)) <= room


def test_the_character_under_a_cell_is_found_in_wide_text():
    assert [index_at("a漢b", cell) for cell in range(5)] == [0, 1, 1, 2, 3]

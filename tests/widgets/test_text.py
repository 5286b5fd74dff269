"""No character that a terminal obeys, or an eye cannot see, passes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from widgets.samples import hostile
from widgets.text import SafeLineFilter, clean, clean_line, is_web_link, without_colours

pytestmark = pytest.mark.quick

nasty = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cc", "Cf", "Cs"]),
        st.sampled_from("\x1b\x9b\x07\r\n\t\u202e\u200b\u2066[]/@$"),
    )
)


DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
UNSEEN = "\xad\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2060\ufeff\U000e0041"


def harmless(text, also=""):
    """No control character, surrogate, change of direction or letter of no width."""
    return all(
        c in also
        or (
            unicodedata.category(c) not in ("Cc", "Cs")
            and unicodedata.bidirectional(c) not in DIRECTIONS
            and c not in UNSEEN
        )
        for c in text
    )


@given(nasty)
def test_cleaned_text_holds_no_control_or_format_character_but_newlines(text):
    assert harmless(clean(text), also="\n")


@given(nasty)
def test_cleaning_twice_changes_nothing_more(text):
    assert clean(clean(text)) == clean(text)


@given(nasty)
def test_a_cleaned_line_is_one_line(text):
    assert "\n" not in clean_line(text)


def test_harmful_characters_become_visible():
    assert clean("a\x1b[2Jb\x9bc\u202ed") == "a␛[2Jb<U+009B>c<U+202E>d"


def test_windows_newlines_become_newlines_and_tabs_are_expanded():
    assert clean("a\r\nb\tc") == "a\nb   c"


def test_ordinary_text_of_any_script_stays_as_it_is():
    text = "naïve 漢字 Ελληνικά ✓ ▸ é"
    assert clean(text) == text


@given(st.lists(nasty, max_size=4))
def test_the_line_filter_lets_nothing_harmful_through_and_keeps_the_width(texts):
    segments = [Segment(text) for text in texts]
    shown = SafeLineFilter().apply(segments, Color(0, 0, 0))
    assert harmless("".join(s.text for s in shown))
    if shown is not segments:
        assert sum(cell_len(s.text) for s in shown) == sum(cell_len(s.text) for s in segments)


def test_the_line_filter_leaves_harmless_segments_alone():
    segments = [Segment("✓ done"), Segment(" 漢字")]
    assert SafeLineFilter().apply(segments, Color(0, 0, 0)) is segments


@pytest.mark.parametrize("text", hostile())
def test_every_hostile_sample_is_made_harmless(text):
    assert harmless(clean(text), also="\n")


@pytest.mark.parametrize("url", ["http://a.b", "https://example.org/x?y=1#z", "http://127.0.0.1:80/"])
def test_web_addresses_are_links(url):
    assert is_web_link(url)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "file:///etc/passwd", "http://", "https://a b", "http://a\x1b]", "http://[", "", "data:x"],
)
def test_anything_else_is_no_link(url):
    assert not is_web_link(url)


def test_colour_sequences_can_be_dropped_before_cleaning():
    assert without_colours("\x1b[1;31mred\x1b[0m \x1b[2J") == "red \x1b[2J"

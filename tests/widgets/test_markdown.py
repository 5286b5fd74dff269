"""Markdown in pieces is drawn as the same text at once, and old blocks are never parsed again."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widgets.log_view import markdown
from widgets.log_view.markdown import MarkdownStream
from widgets.log_view.markdown_blocks import lines_of
from widgets.samples import MARKDOWN

pytestmark = pytest.mark.quick


def drawn(source, cuts=(), look_each_time=True):
    stream = MarkdownStream()
    edges = [0, *sorted({cut % (len(source) + 1) for cut in cuts}), len(source)]
    for start, end in pairwise(edges):
        stream.add(source[start:end])
        if look_each_time:
            _ = stream.lines
    stream.finish()
    return stream.lines


def shown(source, **options):
    return [line.lead + line.text for line in drawn(source, **options)]


def test_headings_lists_quotes_code_and_tables_are_drawn():
    assert shown(MARKDOWN) == [
        "## Plan",
        "",
        "I'll add a bounded retry around the HTTP call and keep the timeout configurable:",
        "",
        "1. read client.py",
        "2. retry only on connection errors",
        "   ◦ never on HTTP 4xx",
        "   ◦ at most four times",
        "3. run the tests",
        "",
        "  @retry(on=ConnectionError, attempts=4)",
        "  def chat(self, body: dict[str, object]) -> Answer:",
        '      """One request, one answer."""',
        "      return self.http.post(self.url, json=body)  # no timeout yet",
        "",
        "▌ A half-read stream must not be sent again.",
        "",
        "stage   │ before │ after",
        "────────┼────────┼──────",
        "tests   │ 0.40   │ 0.90",
        "quality │ 0.62   │ 0.86",
        "",
        "See the guide <https://example.org/retries> or https://example.org/plain.",
    ]


@given(st.lists(st.integers(0, len(MARKDOWN)), max_size=60))
@settings(max_examples=40, deadline=None)
def test_pieces_of_any_size_draw_the_same_lines_as_the_whole(cuts):
    assert [(line.lead, line.text) for line in drawn(MARKDOWN, cuts)] == [
        (line.lead, line.text) for line in drawn(MARKDOWN)
    ]


MARKS = "ab `*_#>-+1.|[]()!\n\t~=\\<&\x1b\u202e"


@given(st.text(st.sampled_from(MARKS), max_size=200), st.lists(st.integers(0, 200), max_size=9))
@settings(max_examples=150, deadline=None)
def test_any_text_in_any_pieces_is_drawn_without_a_fault(source, cuts):
    for line in drawn(source, cuts):
        assert "\n" not in line.text and "\x1b" not in line.text + line.lead


def test_a_finished_block_is_settled_and_not_parsed_again(monkeypatch):
    stream = MarkdownStream()
    stream.add("first paragraph\n\nsecond paragraph\n\nthird line\nof a paragraph")
    assert stream.lines[-1].text == "of a paragraph"
    assert stream.settled == 3
    parsed = []
    real = markdown._PARSER.parse
    monkeypatch.setattr(markdown._PARSER, "parse", lambda text: parsed.append(text) or real(text))
    stream.add(" one")
    assert stream.lines[-1].text == "of a paragraph one"
    assert parsed == ["third line\nof a paragraph one"]


def test_items_of_a_long_list_are_settled_one_by_one():
    stream = MarkdownStream()
    stream.add("".join(f"{i}. item\n" for i in range(1, 501)))
    assert [line.lead + line.text for line in stream.lines][-1] == "500. item"
    assert stream.settled > 490


def test_a_code_block_is_coloured_as_a_whole_when_it_closes():
    stream = MarkdownStream()
    stream.add('```python\nx = """\nin the string\n"""\n')
    open_line = stream.lines[1]
    stream.add("```\n")
    closed_line = stream.lines[1]
    assert open_line.spans == () or open_line.spans[0].style != "tok-string"
    assert closed_line.spans[0].style == "tok-string"


def test_a_very_long_code_block_settles_while_it_is_written():
    stream = MarkdownStream()
    stream.add("```python\n" + "x = 1\n" * 1000)
    assert len(stream.lines) == 1000
    assert stream.settled == 1000


def test_an_endless_block_is_cut_so_that_a_frame_stays_cheap():
    stream = MarkdownStream()
    stream.add("word " * 4000)
    assert len(stream.lines) >= 1
    assert stream._tail == ""


def test_time_and_glyph_stand_before_the_first_line_only():
    stream = MarkdownStream(time="10:00:00", glyph="»")
    stream.add("one\n\ntwo")
    first, _, last = stream.lines
    assert (first.time, first.glyph, first.lead) == ("10:00:00", "»", "")
    assert (last.time, last.lead) == ("", " " * 11)


def test_only_web_links_become_links_and_every_target_is_shown():
    (line,) = drawn("[a](https://x.org/) [b](javascript:evil) ![c](http://i.org/p)")
    assert line.text == "a <https://x.org/> [b](javascript:evil) [image: c] <http://i.org/p>"
    assert {span.link for span in line.spans} <= {"", "https://x.org/", "http://i.org/p"}


@pytest.mark.parametrize("html", ["<b>x</b>", "<script>alert(1)</script>"])
def test_html_is_shown_as_it_is_written(html):
    assert html in " ".join(shown(html))


def test_an_empty_stream_has_one_empty_line():
    assert len(drawn("")) == 1


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abZé全1 .,;:!?#+-=|()'\"/%$@{}\u00a0\u2003", min_size=1, max_size=30))
def test_a_line_of_prose_is_drawn_as_the_parser_would(source):
    parsed = lines_of(markdown._PARSER.parse("x" + source))
    assert drawn("x" + source) == parsed


def test_a_line_of_prose_is_not_parsed_at_all(monkeypatch):
    monkeypatch.setattr(markdown._PARSER, "parse", None)
    assert shown("I look at the parser first: it is the reason.") == ["I look at the parser first: it is the reason."]

"""Lines out of chunks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obra_tui.agents.transport import LineJoiner, parsed


@given(st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b"")), max_size=8), st.data())
def test_lines_come_whole_however_they_are_cut(lines, data):
    whole = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    joiner = LineJoiner(100)
    assert [line for chunk in chunks for line in joiner.push(chunk)] == lines


def test_a_line_over_the_limit_is_left_out_and_the_next_one_is_read():
    joiner = LineJoiner(10)
    assert joiner.push(b"short\n" + b"x" * 8) == [b"short"]
    assert not joiner.overflowed
    assert joiner.push(b"y" * 8) == []
    assert joiner.overflowed
    assert joiner.push(b"z" * 1000) == []
    assert joiner._parts == []
    assert joiner.push(b"end\nnext\n") == [b"next"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    ),
    st.booleans(),
)
def test_a_line_says_what_python_reads_in_it(value, ascii_only):
    line = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert parsed(line) == json.loads(line.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    "line", [rb'{"text": "half a \ud83d"}', b'{"text": "cut \xe2\x82"}', b'{"n": NaN, "big": 1e999}']
)
def test_a_line_with_half_a_character_is_not_lost(line):
    assert set(parsed(line)) == set(json.loads(line.decode("utf-8", "replace")))


def test_a_line_that_says_nothing_is_refused():
    with pytest.raises(ValueError, match="Expecting"):
        parsed(b'{"type": ')


def test_a_line_over_the_limit_within_a_chunk_is_left_out_too():
    joiner = LineJoiner(4)
    assert joiner.push(b"a\nlonger\nb\n") == [b"a", b"b"]
    assert joiner.overflowed

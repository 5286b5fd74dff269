"""Lines keep their numbers whatever is dropped before them or held below them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.lines import LogLine
from widgets.log_view.model import Document

pytestmark = pytest.mark.quick


def texts(document):
    return [entry if isinstance(entry, str) else entry.text for entry in document.entries]


def test_the_oldest_lines_go_over_the_cap():
    document = Document(cap=3)
    document.extend(["a", "b"])
    document.extend(["c", "d"])
    assert texts(document) == ["b", "c", "d"]
    assert document.first == 1


def test_a_batch_larger_than_the_cap_keeps_its_end():
    document = Document(cap=3)
    document.extend([str(i) for i in range(10)])
    assert texts(document) == ["7", "8", "9"]
    assert document[9] == "9"


def test_nothing_a_person_reads_is_dropped():
    document = Document(cap=3)
    document.extend(["a", "b", "c"])
    document.extend(["d", "e"], keep_from=1)
    assert texts(document) == ["b", "c", "d", "e"]


def test_lines_that_come_while_a_full_document_is_read_are_held_and_released_with_a_count():
    document = Document(cap=4)
    document.extend(["a", "b", "c", "d"])
    document.extend(["e", "f", "g", "h"], keep_from=0)
    document.extend([str(i) for i in range(6)], keep_from=0)
    assert document.held == 6
    assert len(document) == 8
    document.release()
    assert texts(document) == ["2", "3", "4", "5"]
    assert document.held == 0


def test_what_could_not_be_held_is_counted_in_a_line():
    document = Document(cap=4)
    document.extend(["a", "b", "c", "d"])
    document.extend([str(i) for i in range(4)], keep_from=0)
    document.extend([str(i) for i in range(7)], keep_from=0)
    document.release(2)
    assert "… 3 lines skipped on screen, kept in the record" in texts(document)


def test_a_line_is_found_by_its_key_until_it_is_dropped():
    document = Document(cap=2)
    document.extend([LogLine("a", key="k"), "b"])
    assert document.serial_of("k") == 0
    document.extend(["c"])
    assert document.serial_of("k") is None


def test_a_card_unfolds_its_detail_below_its_own_gutter():
    document = Document()
    document.extend([LogLine("run", time="10:00:00", glyph="▸", key="k", detail=(LogLine("out"),))])
    assert [line.glyph for line in document.lines(0)] == ["▸"]
    document.fold(0, True)
    card, detail = document.lines(0)
    assert card.glyph == "▾"
    assert detail.lead == " " * 11 + "│ "


def test_removing_an_entry_keeps_keys_below_it_right():
    document = Document()
    document.extend(["a", LogLine("b", key="k")])
    document.remove(0)
    assert document.serial_of("k") == 0


def test_an_endless_line_is_cut_with_a_note():
    document = Document()
    document.extend(["x" * 1_000_000])
    (line,) = document.lines(0)
    assert line.text.endswith("… 980,000 more characters")


@given(st.lists(st.integers(1, 7)), st.integers(1, 5))
def test_serials_always_name_the_same_line(batches, cap):
    document = Document(cap=cap)
    count = 0
    for size in batches:
        document.extend([f"new{count + i}" for i in range(size)])
        count += size
    for serial in range(document.first, document.end):
        assert document[serial] == f"new{serial}"
    assert len(document) <= 2 * cap

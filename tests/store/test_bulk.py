"""Many records at once: whatever their number, each is a row, in its place, and its words are found."""

import pytest

from obra_tui.core import events as e
from obra_tui.core.records.search import parse
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.store.story import Writer


@pytest.mark.parametrize("count", [1, 63, 64, 65, 256, 257, 1023, 1024, 1025, 2500])
def test_a_burst_of_any_size_is_stored_in_its_order_and_found(journal: SqlJournal, history: SqlHistory, count: int):
    story = Writer()
    story.opened()
    story.task_added("t1")
    story.worked("t1", "a1")
    journal.append(story.records)
    before = len(story.records)
    for number in range(count):
        silent = number % 3 == 1  # no words: it is in the table and not in the index
        story.add(e.TextFinished(block=f"x{number}", text="" if silent else f"all of it, part{number}"), "t1", "a1")
    journal.append(story.records[before:])
    assert journal.last_seq(story.session) == before + count
    assert history.session_records(story.session)[-count:] == tuple(story.records[before:])
    found = history.find(parse("part", 0.0), limit=count).rows
    assert [one.hit.seq for one in found if one.hit] == [
        before + 1 + number for number in reversed(range(count)) if number % 3 != 1
    ]

"""Finding words in everything that was stored."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obra_tui.core import events as e
from obra_tui.core.records.history import PageCursor, SearchHit
from obra_tui.core.records.search import parse
from obra_tui.store import database
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.search.words import excerpt, terms_of
from tests.store.story import Writer, finished_session, waiting_session


@pytest.fixture
def product(request: pytest.FixtureRequest) -> str:
    """A server where a test asks for one, by its own parameter or by that of `told`."""
    wanted = getattr(request.node, "callspec", None)
    return "postgresql" if wanted is not None and "postgresql" in wanted.params.values() else "sqlite"


def tell(*texts: str) -> Writer:
    story = Writer()
    story.opened()
    story.task_added("t1")
    story.worked("t1", "a1")
    for number, text in enumerate(texts):
        story.add(e.TextFinished(block=f"x{number}", text=text), "t1", "a1")
    return story


@pytest.fixture(params=["index", "reading", "postgresql"])
def told(request: pytest.FixtureRequest, journal: SqlJournal, history: SqlHistory, path: Path) -> SqlHistory:
    """With the index of SQLite, without any, and with the one of PostgreSQL."""
    journal.append(
        tell(
            "A bounded retry around the HTTP call",
            "The retry_count is kept, nothing else",
            "Ça marche: naïve façade",
            'He said "quoted things" and left',
            "100% of *everything* (and more) AND OR NOT NEAR",
        ).records
    )
    if request.param == "reading":
        journal.close()
        engine = database.writer_engine(path)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE search")
        engine.dispose()
    return history


def hits(history: SqlHistory, line: str) -> list[SearchHit]:
    """The records that a search line finds."""
    return [found.hit for found in history.find(parse(line, 0.0)).rows if found.hit]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("retry", 2),
        ("RETRY", 2),
        ("retry_count", 1),
        ("retry bounded", 1),
        ("retry -bounded", 1),
        ("retr", 2),
        ('"quoted things"', 1),
        ("100%", 1),
        ("nosuchword", 0),
        ("-retry", 0),
        ("", 0),
        ("%", 0),
        ('"', 0),
        ("\udc80", 0),
        ("retry\x00bounded", 1),
    ],
)
def test_words_are_found(told: SqlHistory, words: str, found: int) -> None:
    assert len(hits(told, words)) == found


def test_the_index_does_not_care_for_accents(journal: SqlJournal, history: SqlHistory) -> None:
    journal.append(tell("Ça marche: naïve façade").records)
    assert len(hits(history, "facade naive")) == 1


def test_a_hit_says_where_it_is_and_marks_the_words(told: SqlHistory) -> None:
    (found,) = hits(told, "bounded")
    assert (found.session, found.task, found.attempt, found.kind) == ("s1", "t1", "a1", "text_finished")
    assert (found.session_title, found.task_title) == ("Session s1", "Task t1")
    assert [found.line[start:end] for start, end in found.marks] == ["bounded"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("docstring", "gate_judged"),
        ("passed", "check_finished"),
        ("Fine", "verdict_reached"),
        ("ada", "decision_made"),
        ("return", "diff_taken"),
        ("Task t-s1", "task_added"),
    ],
)
def test_all_kinds_of_text_are_searched(journal: SqlJournal, history: SqlHistory, words: str, kind: str) -> None:
    journal.append(finished_session().records)
    assert kind in [hit.kind for hit in hits(history, words)]


def test_an_index_of_before_is_written_as_one_of_today(journal: SqlJournal, path: Path) -> None:
    journal.close()
    engine = database.writer_engine(path)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO search (search, rank) VALUES ('automerge', 4)")
    SqlJournal(path).close()
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT v FROM search_config WHERE k = 'automerge'").scalar() == 8
    engine.dispose()


def test_streamed_pieces_are_is_compareded(journal: SqlJournal, history: SqlHistory) -> None:
    journal.append(finished_session().records)
    assert [hit.kind for hit in hits(history, '"I will"')] == ["text_finished"]


def test_hits_come_newest_first_in_pages(journal: SqlJournal, history: SqlHistory) -> None:
    journal.append(tell(*(f"needle {number}" for number in range(7))).records)
    seen: list[str] = []
    mark: PageCursor | None = None
    while True:
        page = history.find(parse("needle", 0.0), mark, 3)
        seen += [found.hit.line for found in page.rows if found.hit]
        mark = page.next
        if mark is None:
            break
    assert seen == [f"needle {number}" for number in reversed(range(7))]


def test_a_search_can_be_narrowed(journal: SqlJournal, history: SqlHistory) -> None:
    journal.append(finished_session("s1", 1000.0, project="/src/one").records)
    journal.append(waiting_session("s2", 2000.0, project="/src/two").records)
    since = datetime.fromtimestamp(1500.0).isoformat()
    everywhere = {hit.session for hit in hits(history, "calculator")}
    assert everywhere == {"s1", "s2"}
    assert {hit.session for hit in hits(history, "calculator project:/src/one")} == {"s1"}
    assert {hit.session for hit in hits(history, f"calculator since:{since}")} == {"s2"}


def test_what_was_refused_is_not_found(journal: SqlJournal, history: SqlHistory) -> None:
    story = tell("needle")
    with pytest.raises(Exception, match="does not follow"):
        journal.append([*story.records, story.records[0]])
    assert hits(history, "needle") == []


@pytest.fixture(scope="module")
def any_history(tmp_path_factory: pytest.TempPathFactory) -> SqlHistory:
    path = tmp_path_factory.mktemp("any") / "obra.db"
    SqlJournal(path).append(finished_session().records)
    return SqlHistory(path)


@settings(max_examples=150, deadline=None)
@given(words=st.text(st.one_of(st.sampled_from('"*-()^:+ aNEAROT_\\\x00'), st.characters(codec="utf-8")), max_size=12))
def test_nothing_that_a_person_types_is_an_error(any_history: SqlHistory, words: str) -> None:
    any_history.find(parse(words, 0.0))
    line, marks = excerpt(words * 40, terms_of(parse(words + " a", 0.0).words))
    assert all(0 <= start <= end <= len(line) for start, end in marks)

"""A database on a server: made from nothing, brought up to date, pruned, and left alone when it is newer."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from obra_tui.core.errors import NewerDatabase
from obra_tui.core.records.search import parse
from obra_tui.store import retention
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.labels import LABELS, PINNED, Labels
from obra_tui.store.schema import SCHEMA, is_compared
from obra_tui.store.search.words import terms_of, ts_query, words_of
from obra_tui.store.tables import metadata
from tests.store.rebuild import rebuild
from tests.store.story import finished_session, waiting_session


@pytest.fixture
def url(postgresql):
    return postgresql.new_database()


@pytest.fixture
def engine(url):
    made = create_engine(url)
    yield made
    made.dispose()


def write(url, *stories):
    journal = SqlJournal(url)
    for story in stories:
        journal.append(story.records)
    journal.close()


def the_only(connection, statement):
    return connection.exec_driver_sql(statement).scalar_one()


def test_the_migrations_make_from_nothing_what_the_code_knows(postgresql):
    url = postgresql.empty_database()
    write(url, finished_session())
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_compared, "compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert the_only(connection, "SELECT version_num FROM alembic_version") == SCHEMA
    engine.dispose()


def test_what_was_stored_before_there_was_an_index_is_found_by_it(url, engine):
    write(url, finished_session())
    with engine.begin() as connection:
        before = the_only(connection, "SELECT count(*) FROM search")
        connection.exec_driver_sql("DROP TABLE search")
        connection.exec_driver_sql("ALTER TABLE acceptance DROP COLUMN reverted")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0006'")
    write(url)
    with engine.connect() as connection:
        assert the_only(connection, "SELECT count(*) FROM search") == before > 0
    history = SqlHistory(url)
    assert history.find(parse("calculator", 0.0)).rows
    history.close()


def test_a_newer_database_is_refused_and_left_as_it_is(url, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        token = the_only(connection, "SELECT token FROM fence")
    with pytest.raises(NewerDatabase, match=f"9999.*{SCHEMA}"):
        SqlJournal(url)
    with engine.connect() as connection:
        assert the_only(connection, "SELECT token FROM fence") == token


def test_pruning_takes_the_words_along_and_leaves_what_is_pinned_or_open(url, engine, tmp_path):
    write(url, finished_session("s1"), finished_session("s3", 3000.0), waiting_session("s2", 2000.0))
    labels = tmp_path / LABELS
    Labels(labels).add("s3", PINNED)
    plan = retention.plan(url, before=1e12, labels=labels)
    assert ([doomed.id for doomed in plan.sessions], plan.pinned, plan.open) == (["s1"], 1, 1)
    assert plan.size > 0
    assert retention.prune(url, plan, labels=labels) == 1
    with engine.connect() as connection:
        left = connection.exec_driver_sql("SELECT DISTINCT session FROM event ORDER BY 1").scalars().all()
        assert left == ["s2", "s3"]
        words = "SELECT count(*) FROM search JOIN event ON event.id = search.rowid WHERE session = 's1'"
        assert the_only(connection, words) == 0


def test_every_row_can_be_derived_anew(url, engine):
    write(url, finished_session(), waiting_session())
    history = SqlHistory(url)
    before = (history.sessions(), history.attempts(), history.find(parse("calculator", 0.0)))
    with engine.begin() as connection:
        rebuild(connection)
    assert (history.sessions(), history.attempts(), history.find(parse("calculator", 0.0))) == before
    history.close()


def test_the_words_of_a_text_are_those_of_the_other_index():
    assert words_of("Ça marche: naïve_façade/x.py 3.14") == "ca marche naive facade x py 3 14"
    assert words_of("a" * 5_000) == "a" * 200
    assert len(words_of("wort " * 200_000)) <= 300_000


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("retry", "(retry:*)"),
        ("retry_count", "(retry <-> count:*)"),
        ('"quoted things" -no', "(quoted <-> things) & !(no:*)"),
        ("x", "(x)"),
        ("-only", ""),
        ("' | & ! ( ) :* \\", ""),
    ],
)
def test_a_line_becomes_a_question_to_the_server(line, query):
    assert ts_query(terms_of(parse(line, 0.0).words)) == query

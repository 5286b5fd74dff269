"""A beginning of a word means the same whether the index collects its words or they are named."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from obra_tui.core.events import SteerQueued
from obra_tui.core.records.search import parse
from obra_tui.store.database import reader_engine
from obra_tui.store.search.index import MOST_WORDS, expand_prefixes
from obra_tui.store.search.words import Terms, fts_query
from tests.store.story import finished_session

SAID = (
    "The parser ends",
    "Two parsers end",
    "Parsing is over",
    "A sparse table",
    "parse_table(rows)",
    "Élan of parsérs",
)


@pytest.fixture
def reader(journal, history, path):
    writer = finished_session("s1", 1000.0)
    for text in (*SAID, *(f"many{number:03d}" for number in range(MOST_WORDS + 5))):
        writer.add(SteerQueued(text=text, by="person:ada", delivered=False))
    journal.append(writer.records)
    with reader_engine(path).connect() as connection:
        yield connection


def _spelled(reader, *words, exact=()):
    return expand_prefixes(reader, Terms(words, (), frozenset(exact)))


@pytest.mark.parametrize(
    ("typed", "words"),
    [("pars", ("parse", "parser", "parsers", "parsing")), ("Parser", ("parser", "parsers")), ("parsing", ("parsing",))],
)
def test_a_long_beginning_is_spelled_out(reader, typed, words):
    assert _spelled(reader, typed).spelled == {typed: words}


@pytest.mark.parametrize("typed", ["par", "parsérs", "parse_table", "many", "nowhere"])
def test_a_beginning_that_the_index_knows_better_stays_one(reader, typed):
    assert not _spelled(reader, typed).spelled
    assert fts_query(_spelled(reader, typed)).endswith(" *")


def test_a_phrase_is_not_spelled_out(reader):
    assert not _spelled(reader, "parser", exact=["parser"]).spelled


def test_both_ways_find_the_same_places(reader):
    for typed in ("pars", "parser", "parsing", "calculator"):
        named, collected = (fts_query(terms) for terms in (_spelled(reader, typed), Terms((typed,), (), frozenset())))
        assert named != collected
        places = [
            reader.exec_driver_sql("SELECT rowid FROM search WHERE search MATCH ?", (query,)).scalars().all()
            for query in (named, collected)
        ]
        assert places[0] and places[0] == places[1]


def test_the_search_line_takes_this_way(reader, history):
    assert len(history.find(parse("parser", 3000.0)).rows) == 3


def test_the_database_can_still_not_be_written(reader):
    _spelled(reader, "parser")
    with pytest.raises((OperationalError, sqlite3.OperationalError)):
        reader.exec_driver_sql("DELETE FROM event")

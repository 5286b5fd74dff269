"""The index for full-text search on PostgreSQL: one `tsvector` for each event that has words.

What is a word is decided here and not by the server, whose parser would take
paths and addresses for one word each; so the same line finds the same on every
database. Words are as SQLite's index has them: letters and digits, without
accents, in small letters.
"""

import re
import unicodedata

from obra_tui.store.search.words import Terms

CREATE = """
    CREATE TABLE search (
        rowid BIGINT PRIMARY KEY REFERENCES event (id) ON DELETE CASCADE,
        words TSVECTOR NOT NULL
    )"""
CREATE_INDEX = "CREATE INDEX ix_search_words ON search USING gin (words)"
EMPTY = "DELETE FROM search"
ADD = (
    "INSERT INTO search (rowid, words) "
    "SELECT id, to_tsvector('simple', :words) FROM event WHERE session = :session AND seq = :seq"
)

_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 200
_MOST_BYTES = 300_000
"""A tsvector may not be longer than a megabyte, with its places."""


def words_of(text: str) -> str:
    """Return the words of a text with spaces between them, as the index takes them."""
    found, left = [], _MOST_BYTES
    for match in _WORD.finditer(_plain(text)):
        word = match[0][:_LONGEST_WORD]
        left -= len(word.encode()) + 1
        if left < 0:
            break
        found.append(word)
    return " ".join(found)


def _plain(text: str) -> str:
    """In small letters and without accents."""
    apart = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in apart if not unicodedata.combining(char))


def ts_query(found: Terms) -> str:
    """Return the terms in the language of `to_tsquery`; empty when nothing is wanted."""
    wanted = [_term(text, found) for text in found.wanted]
    unwanted = [f"!({term})" for term in (_term(text, found) for text in found.unwanted) if term]
    return " & ".join([*(f"({term})" for term in wanted if term), *unwanted]) if any(wanted) else ""


def _term(text: str, found: Terms) -> str:
    words = words_of(text).split()
    beginning = "" if text in found.exact or not words or len(words[-1]) == 1 else ":*"
    return " <-> ".join(words) + beginning

"""Which words of the search index begin as a person typed.

SQLite answers the beginning of a word of more than three letters by collecting every place of every such word, which
for a common word takes longer the longer the history is. The words themselves are few and found at once; asked for by
name, the newest places come first and the rest is never looked at.
"""

from msgspec.structs import replace
from sqlalchemy import Connection

from obra_tui.store.search.words import INDEXED_BEGINNING, Terms

MOST = 40
"""A beginning of more words than this is left to SQLite."""
_LIST = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_words USING fts5vocab('main', 'search', 'instance')"
_NEXT = "SELECT term FROM temp.search_words WHERE term >= ? LIMIT 1"
_AFTER = "\x01"
"""What comes before anything that could follow a word."""


def spelled_out(connection: Connection, found: Terms) -> Terms:
    """Return the same terms, with the words that their long beginnings stand for. On a connection of SQLite."""
    long = [text for text in (*found.wanted, *found.unwanted) if _is_long(text) and text not in found.exact]
    if not long:
        return found
    _list_words(connection)
    words = {text: _words(connection, text.lower()) for text in long}
    return replace(found, spelled={text: some for text, some in words.items() if 0 < len(some) <= MOST})


def _is_long(text: str) -> bool:
    """Only what the index certainly keeps as it is typed: other alphabets are folded in ways of their own."""
    return len(text) > INDEXED_BEGINNING and text.isascii() and text.isalnum()


def _list_words(connection: Connection) -> None:
    """A list for this connection alone; the database itself is opened for reading and stays so."""
    connection.exec_driver_sql("PRAGMA query_only=OFF")
    try:
        connection.exec_driver_sql(_LIST)
    finally:
        connection.exec_driver_sql("PRAGMA query_only=ON")


def _words(connection: Connection, beginning: str) -> tuple[str, ...]:
    """The words that begin so, up to one more than is wanted; each step is one look into the index."""
    words: list[str] = []
    start = beginning
    while len(words) <= MOST:
        word = connection.exec_driver_sql(_NEXT, (start,)).scalar()
        if word is None or not word.startswith(beginning):
            break
        words.append(word)
        start = word + _AFTER
    return tuple(words)

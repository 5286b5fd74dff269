"""Full-text search, newest first.

The index (SQLite's FTS5, or a `tsvector` on PostgreSQL) holds words only; the
texts stay in their events. It is derived like every other row and can be made
anew. A SQLite built without FTS5 is searched by reading, which is slower.
"""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Select, column, func, inspect, literal_column, select, table, text

from obra_tui.core.errors import UnknownId
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.records.history import PageCursor, SearchHit
from obra_tui.store import tables as t
from obra_tui.store import write_path
from obra_tui.store.codec import decode
from obra_tui.store.lists import contains
from obra_tui.store.search.words import INDEXED_BEGINNING, Terms, excerpt, fts_query, text_of, ts_query, words_of
from obra_tui.store.write_path import Batch, run_for_rows

TABLE = "search"
_CREATE = f"""
    CREATE VIRTUAL TABLE {TABLE}
    USING fts5(words, content='', tokenize="unicode61 remove_diacritics 2", prefix='2 3')"""
_SERVER_CREATE = """
    CREATE TABLE search (
        rowid BIGINT PRIMARY KEY REFERENCES event (id) ON DELETE CASCADE,
        words TSVECTOR NOT NULL
    )"""
_SERVER_CREATE_INDEX = "CREATE INDEX ix_search_words ON search USING gin (words)"
_SERVER_EMPTY = "DELETE FROM search"
_SERVER_ADD = (
    "INSERT INTO search (rowid, words) "
    "SELECT id, to_tsvector('simple', :words) FROM event WHERE session = :session AND seq = :seq"
)
_ADD = f"INSERT INTO {TABLE} (rowid, words) VALUES (?, ?)"
_LAST = select(func.last_insert_rowid())
_ADD_ON_SERVER = text(_SERVER_ADD)
_EMPTY = f"INSERT INTO {TABLE} ({TABLE}) VALUES ('delete-all')"
_BATCH = 500
_LONGEST_NUMBER = 18
_PIECES = 8
"""So many pieces of the index, of about the same size, become one as it is written. At FTS5's own 4 whatever is written
to the index costs a fifth more; at 8 a word is found a twentieth of a millisecond later."""
_READ_PIECES = f"SELECT v FROM {TABLE}_config WHERE k = 'automerge'"
_SET_PIECES = f"INSERT INTO {TABLE} ({TABLE}, rank) VALUES ('automerge', {_PIECES})"

_index = table(TABLE, column("rowid"), column("words"))
_COLUMNS = (
    *(t.event.c[name] for name in ("id", "session", "task", "attempt", "seq", "at", "type", "body")),
    t.session.c.title.label("session_title"),
    t.task.c.title.label("task_title"),
)


# --- writing -------------------------------------------------------------------------------------


def create(connection: Connection) -> None:
    """Make the empty index where the database can have one."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_SERVER_CREATE)
        connection.exec_driver_sql(_SERVER_CREATE_INDEX)
    elif connection.exec_driver_sql("SELECT sqlite_compileoption_used('ENABLE_FTS5')").scalar():
        connection.exec_driver_sql(_CREATE)


def exists(connection: Connection) -> bool:
    """Say whether this database has the index."""
    return inspect(connection).has_table(TABLE)


def ready(connection: Connection) -> bool:
    """Say whether this database has the index; if so, it is from now on written as it should be."""
    if not exists(connection):
        return False
    if connection.dialect.name == "sqlite" and write_path.run(connection, _READ_PIECES).fetchone() != (_PIECES,):
        write_path.run(connection, _SET_PIECES)
    return True


def product(connection: Connection) -> str:
    """Return whose index this database has: `sqlite`, `postgresql`, or nothing."""
    return connection.dialect.name if exists(connection) else ""


def add(connection: Connection, batch: Batch) -> None:
    """Index records whose events were inserted just now, in this order and before anything else."""
    if not batch.words:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_ADD_ON_SERVER, [_on_server(batch.records[place], words) for place, words in batch.words])
        return
    first = write_path.value(connection, _LAST) - len(batch.rows) + 1
    # By their own ids: a statement that looked them up for itself would have the index write out what it has
    # gathered after every row, which costs three times as much as the words.
    run_for_rows(connection, _ADD, [(first + place, words) for place, words in batch.words])


def _on_server(record: Any, words: str) -> dict[str, Any]:
    return {"session": record.session, "seq": record.seq, "words": words_of(words)}


def fill(connection: Connection) -> None:
    """Make the whole index anew from the events."""
    on_server = connection.dialect.name == "postgresql"
    connection.exec_driver_sql(_SERVER_EMPTY if on_server else _EMPTY)
    event = t.event.c
    query = select(event.id, event.session, event.seq, event.type, event.body).where(~event.streamed)
    for rows in connection.execute(query).partitions(_BATCH):
        found = [(row, words) for row in rows if (words := text_of(decode(row.type, row.body)))]
        if on_server and found:
            connection.execute(_ADD_ON_SERVER, [_on_server(row, words) for row, words in found])
        elif found:
            connection.exec_driver_sql(_ADD, [(row.id, words) for row, words in found])


# --- beginnings of words -------------------------------------------------------------------------
#
# SQLite answers the beginning of a word of more than three letters by collecting every place of every such word, which
# for a common word takes longer the longer the history is. The words themselves are few and found at once; asked for by
# name, the newest places come first and the rest is never looked at.

MOST_WORDS = 40
"""A beginning of more words than this is left to SQLite."""
_LIST_WORDS = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_words USING fts5vocab('main', 'search', 'instance')"
_NEXT_WORD = "SELECT term FROM temp.search_words WHERE term >= ? LIMIT 1"
_FOLLOWING = "\x01"
"""What comes before anything that could follow a word."""


def expand_prefixes(connection: Connection, found: Terms) -> Terms:
    """Return the same terms, with the words that their long beginnings stand for. On a connection of SQLite."""
    long = [text for text in (*found.wanted, *found.unwanted) if _is_long(text) and text not in found.exact]
    if not long:
        return found
    _list_words(connection)
    words = {text: _words_beginning_with(connection, text.lower()) for text in long}
    return replace(found, spelled={text: some for text, some in words.items() if 0 < len(some) <= MOST_WORDS})


def _is_long(text: str) -> bool:
    """Only what the index certainly keeps as it is typed: other alphabets are folded in ways of their own."""
    return len(text) > INDEXED_BEGINNING and text.isascii() and text.isalnum()


def _list_words(connection: Connection) -> None:
    """A list for this connection alone; the database itself is opened for reading and stays so."""
    connection.exec_driver_sql("PRAGMA query_only=OFF")
    try:
        connection.exec_driver_sql(_LIST_WORDS)
    finally:
        connection.exec_driver_sql("PRAGMA query_only=ON")


def _words_beginning_with(connection: Connection, beginning: str) -> tuple[str, ...]:
    """The words that begin so, up to one more than is wanted; each step is one look into the index."""
    words: list[str] = []
    start = beginning
    while len(words) <= MOST_WORDS:
        word = connection.exec_driver_sql(_NEXT_WORD, (start,)).scalar()
        if word is None or not word.startswith(beginning):
            break
        words.append(word)
        start = word + _FOLLOWING
    return tuple(words)


# --- reading -------------------------------------------------------------------------------------


def query(wanted: Terms, after: PageCursor | None, limit: int, *, indexed: str) -> Select[Any]:
    """Return the statement for a page of events that hold all wanted terms, newest first."""
    hits = select(*_COLUMNS).join(t.session, t.session.c.id == t.event.c.session)
    hits = hits.outerjoin(t.task, t.task.c.id == t.event.c.task)
    order: ColumnElement[int] = t.event.c.id
    if indexed:
        order = _index.c.rowid
        hits = hits.join(_index, order == t.event.c.id).where(matching(wanted, indexed))
    else:
        hits = hits.where(~t.event.c.streamed, *(contains(t.event.c.body, term) for term in wanted.wanted))
        hits = hits.where(*(~contains(t.event.c.body, term) for term in wanted.unwanted))
    if after is not None:
        hits = hits.where(order < _number(after))
    return hits.order_by(order.desc()).limit(limit)


def matching(wanted: Terms, product: str) -> ColumnElement[bool]:
    """Return the condition on the index, in the language of its product."""
    if product == "postgresql":
        query = ts_query(wanted)
        return _index.c.words.op("@@")(func.to_tsquery(literal_column("'simple'"), query))
    return literal_column(TABLE).op("MATCH")(fts_query(wanted))


def hit(row: Any, wanted: Terms) -> SearchHit:
    """Return a row of `query` as people see it."""
    line, marks = excerpt(text_of(decode(row.type, row.body)), wanted)
    return SearchHit(
        session=SessionId(row.session),
        session_title=row.session_title,
        task=None if row.task is None else TaskId(row.task),
        task_title=row.task_title or "",
        attempt=None if row.attempt is None else AttemptId(row.attempt),
        seq=row.seq,
        at=row.at,
        kind=row.type,
        line=line,
        marks=marks,
    )


def rows_of_index() -> Any:
    """Return the index as a table with the column `rowid`: the ids of the events in it."""
    return _index


def _number(cursor: PageCursor) -> int:
    """Return the number of the event at which a page ended. Raises `UnknownId` for a cursor of another list."""
    if not cursor.id.isascii() or not cursor.id.isdecimal() or len(cursor.id) > _LONGEST_NUMBER:
        raise UnknownId(f"{cursor.id!r} is no place in this search.", fix="Begin the search again.")
    return int(cursor.id)

"""A database server that goes away, is cut off, is in the way, or is wanted by two."""

import threading
from time import monotonic

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine

from obra_tui.core import events as e
from obra_tui.core.errors import AlreadyOwned, ConfigError, OwnerChanged, StoreAway, Unwritable
from obra_tui.core.ports import StoredAfterAll
from obra_tui.core.records.search import parse
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.faults.proxy import Proxy
from tests.store.story import Writer, finished_session, waiting_session

SOON = 20.0


@pytest.fixture
def url(postgresql):
    return postgresql.new_database()


@pytest.fixture
def open_journal(request):
    def opened(url, **options):
        journal = SqlJournal(url, **options)
        request.addfinalizer(journal.close)
        return journal

    return opened


@pytest.fixture
def proxy(postgresql):
    made = Proxy(postgresql.socket)
    yield made
    made.close()


def through(proxy, url):
    """The same database, by way of the proxy."""
    return url.partition("?")[0].replace("@/", f"@127.0.0.1:{proxy.port}/") + "?connect_timeout=2"


def rows(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT session, seq FROM event ORDER BY id").all()
    engine.dispose()
    return [tuple(row) for row in found]


def lease_of(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        until = connection.exec_driver_sql("SELECT lease_until FROM fence").scalar_one()
    engine.dispose()
    return until


def within(seconds, condition):
    until = monotonic() + seconds
    while monotonic() < until:
        if condition():
            return True
    return False


def written(records):
    return [(record.session, record.seq) for record in records]


# --- away ------------------------------------------------------------------------------------------


@pytest.mark.fault(44)
def test_fault_44_while_the_server_is_away_nothing_is_stored_and_afterwards_everything_once(
    own_postgresql, open_journal
):
    url = own_postgresql.new_database()
    journal, records = open_journal(url), finished_session().records
    journal.append(records[:5])
    own_postgresql.stop()
    with pytest.raises(StoreAway, match="cannot be reached") as away:
        journal.append(records[5:9])
    assert away.value.passes
    assert "goes on by itself" in str(away.value)
    assert not journal.writable()
    own_postgresql.start()
    assert journal.writable()
    journal.append(records[5:])
    assert rows(url) == written(records)


@pytest.mark.fault(44)
def test_fault_44_a_reader_says_that_the_server_is_away_and_reads_again_when_it_is_back(own_postgresql, open_journal):
    url = own_postgresql.new_database()
    open_journal(url).append(finished_session().records)
    history = SqlHistory(url)
    assert history.sessions().rows
    own_postgresql.stop()
    with pytest.raises(StoreAway):
        history.sessions()
    own_postgresql.start()
    assert history.sessions().rows
    history.close()


@pytest.mark.fault(44)
@pytest.mark.parametrize("after", [False, True], ids=["before it was stored", "after it was stored"])
def test_fault_44_a_step_whose_answer_was_lost_is_stored_once(url, proxy, open_journal, after):
    journal, records = open_journal(through(proxy, url)), finished_session().records
    journal.append(records[:5])
    proxy.cut_at(b"COMMIT", after=after)
    with pytest.raises(StoreAway):
        journal.append(records[5:])
    journal.append(records[5:])
    assert rows(url) == written(records)
    assert journal.last_seq(records[0].session) == len(records)


@pytest.mark.fault(44)
def test_fault_44_a_step_whose_answer_was_lost_is_stored_once_with_what_came_later(url, proxy, open_journal):
    journal, records = open_journal(through(proxy, url)), finished_session().records
    journal.append(records[:5])
    proxy.cut_at(b"COMMIT", after=True)
    with pytest.raises(StoreAway):
        journal.append(records[5:9])
    assert journal.writable()
    journal.append(records[5:])
    assert rows(url) == written(records)


@pytest.mark.fault(44)
def test_fault_44_a_step_that_was_given_up_but_stored_is_told_and_never_overwritten(url, proxy, open_journal):
    story = waiting_session()
    journal = open_journal(through(proxy, url))
    journal.append(story.records)
    kept, other = story.add(e.Paused(by="person:ada")), e.Paused(by="person:bob")
    proxy.cut_at(b"COMMIT", after=True)
    with pytest.raises(StoreAway):
        journal.append([kept])
    with pytest.raises(StoredAfterAll, match="stored after all") as refused:
        journal.append([replace(kept, event=other)])
    assert refused.value.passes
    assert refused.value.records == (kept,)
    assert SqlHistory(url).session_records(story.session)[-1] == kept
    assert journal.last_seq(story.session) == kept.seq
    journal.append([replace(kept, seq=kept.seq + 1, event=other)])
    assert [record.event for record in SqlHistory(url).session_records(story.session)[-2:]] == [kept.event, other]


# --- in the way --------------------------------------------------------------------------------------


@pytest.mark.fault(46)
def test_fault_46_a_transaction_that_collides_is_done_again_as_a_whole_with_the_same_token(url, open_journal):
    story = waiting_session()
    journal = open_journal(url)
    journal.append(story.records)
    token, more = journal._token, [story.add(e.Paused(by="person:ada")), story.add(e.SessionClosed(reason="done"))]
    other = create_engine(url)
    with other.connect() as connection:
        connection.exec_driver_sql("SET deadlock_timeout = '20s'")  # the other one is to give in
        connection.exec_driver_sql("UPDATE session SET title = title")
        writing = threading.Thread(target=journal.append, args=(more,))
        writing.start()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        with other.execution_options(isolation_level="AUTOCOMMIT").connect() as looking:
            assert within(SOON, lambda: looking.exec_driver_sql(waits).scalar())
        connection.exec_driver_sql("UPDATE fence SET token = token")
        connection.commit()
    writing.join(SOON)
    other.dispose()
    assert rows(url) == written(story.records)
    assert journal._token == token


# --- two of them -------------------------------------------------------------------------------------


@pytest.mark.fault(45)
def test_fault_45_nobody_gets_the_right_to_write_while_somebody_else_has_it(url, open_journal):
    first = open_journal(url, holder="one, /data")
    with pytest.raises(AlreadyOwned, match="one, /data") as refused:
        SqlJournal(url, holder="two, /data")
    assert "ends in" in str(refused.value)
    first.append(finished_session().records)
    first.close()
    open_journal(url, holder="two, /data").append(waiting_session().records)


@pytest.mark.fault(45)
def test_fault_45_who_died_with_the_right_gets_it_back_at_once(url, open_journal):
    first = open_journal(url, holder="one, /data")
    first.append(finished_session().records)
    open_journal(url, holder="one, /data").append(waiting_session().records)
    with pytest.raises(OwnerChanged):
        first.append(waiting_session("s7").records)


@pytest.mark.fault(45)
def test_fault_45_the_right_is_renewed_without_any_write(url, open_journal):
    open_journal(url, holder="one", lease_s=3.0)
    ends = lease_of(url)
    assert within(SOON, lambda: lease_of(url) > ends)
    with pytest.raises(AlreadyOwned):
        SqlJournal(url, holder="two")


@pytest.mark.fault(45)
def test_fault_45_cut_off_from_the_server_the_old_one_stops_before_a_new_one_begins(url, proxy, open_journal):
    events = []
    stopped = threading.Event()

    def away(error):
        events.append("the old one stops")
        assert isinstance(error, StoreAway)
        stopped.set()

    records = finished_session().records
    old = open_journal(through(proxy, url), holder="one", away=away, lease_s=1.5)
    old.append(records[:5])
    proxy.swallow()
    met = []
    writing = threading.Thread(target=_append, args=(old, records[5:9], met))
    writing.start()
    new = _as_soon_as_possible(url, open_journal)
    events.append("the new one begins")
    assert stopped.is_set()
    assert events == ["the old one stops", "the new one begins"]
    writing.join(SOON)
    assert [type(error) for error in met] == [StoreAway]
    new.append(waiting_session().records)
    proxy.carry()
    assert old.writable()  # so that it is told for good:
    with pytest.raises(OwnerChanged):
        old.append(records[5:9])
    assert rows(url) == [*written(records[:5]), *written(waiting_session().records)]


@pytest.mark.fault(45)
def test_fault_45_cut_off_for_a_while_and_nobody_came_the_old_one_goes_on(url, proxy, open_journal):
    stopped = threading.Event()
    records = finished_session().records
    old = open_journal(through(proxy, url), holder="one", away=lambda error: stopped.set(), lease_s=0.9)
    old.append(records[:5])
    proxy.swallow()
    assert stopped.wait(SOON)
    proxy.carry()
    assert within(SOON, old.writable)
    old.append(records[5:])
    assert rows(url) == written(records)


def _append(journal, records, met):
    try:
        journal.append(records)
    except Unwritable as error:
        met.append(error)


def _as_soon_as_possible(url, open_journal):
    until = monotonic() + SOON
    while monotonic() < until:
        try:
            return open_journal(url, holder="two")
        except AlreadyOwned:
            continue
    raise AssertionError("the lease never ended")


# --- what is said ------------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_said_at_once():
    with pytest.raises(StoreAway, match="cannot be reached"):
        SqlJournal("postgresql+psycopg://obra:secret@127.0.0.1:9/obra")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://obra@localhost/obra", "cannot store in 'mysql'"),
        ("postgresql+nosuch://obra@localhost/obra", "cannot store in"),
        ("postgresql+psycopg2://obra@localhost/obra", "driver of this database is not installed"),
    ],
)
def test_an_address_that_cannot_be_used_is_explained(address, said):
    with pytest.raises(ConfigError, match=said) as refused:
        SqlJournal(address)
    assert "postgresql+psycopg://" in str(refused.value)


def test_no_password_is_ever_said():
    with pytest.raises(StoreAway) as refused:
        SqlHistory("postgresql+psycopg://obra:hunter2@127.0.0.1:9/obra").sessions()
    assert "hunter2" not in f"{refused.value!s}{refused.value!r}{refused.value.where}"


def test_text_that_no_database_takes_comes_back_as_it_was(url, open_journal):
    story = Writer()
    story.opened()
    story.task_added("t1")
    story.add(e.SteerQueued(text="nul \x00 and half \ud83d", by="person:ada\x00", delivered=True), "t1")
    open_journal(url).append(story.records)
    history = SqlHistory(url)
    assert history.session_records(story.session) == tuple(story.records)
    assert len(history.find(parse("half", 0.0)).rows) == 1
    history.close()

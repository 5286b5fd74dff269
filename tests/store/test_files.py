"""The database as a file: who may read it, what is refused, what survives."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.core.errors import NewerDatabase, StoreError
from obra_tui.core.events import ClaudeNoticed, Record
from obra_tui.core.ids import SessionId
from obra_tui.store import sqlite
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.schema import SCHEMA
from tests.store.story import Writer, finished_session


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_the_files_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        journal = SqlJournal(path)
        journal.append(finished_session().records)
    finally:
        os.umask(before)
    assert mode(path.parent) == 0o700
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["obra.db", "obra.db-shm", "obra.db-wal"]
    assert {mode(file) for file in files} == {0o600}
    journal.close()


def test_a_closed_database_is_one_file(journal: SqlJournal, path: Path) -> None:
    journal.append(finished_session().records)
    journal.close()
    assert [file.name for file in path.parent.iterdir()] == ["obra.db"]


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    story = finished_session()
    first = SqlJournal(path)
    first.append(story.records[:7])
    first.close()
    second = SqlJournal(path)
    assert second.last_seq(story.session) == 7
    second.append(story.records[7:])
    assert SqlHistory(path).last_seq(story.session) == len(story.records)


def test_a_database_can_be_named_by_its_address(path: Path) -> None:
    SqlJournal(f"sqlite:///{path}").append(finished_session().records)
    assert SqlHistory(path).sessions().rows


def test_every_commit_reaches_the_disk_and_readers_never_checkpoint(path: Path, journal: SqlJournal) -> None:
    writer, reader = sqlite.connect(path, "rw"), sqlite.connect(path, "ro")
    assert writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert writer.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert reader.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == 0
    with pytest.raises(sqlite.driver().OperationalError):
        reader.execute("DELETE FROM event")


# --- refused -------------------------------------------------------------------------------------


def refused(path: Path, match: str) -> None:
    """Opening fails with a place and advice, and changes nothing of the file."""
    before = path.read_bytes()
    with pytest.raises(StoreError, match=match) as caught:
        SqlJournal(path)
    assert caught.value.where == str(path)
    assert caught.value.fix
    assert path.read_bytes() == before


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "obra.db"
    path.touch()
    refused(path, "empty file")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "obra.db"
    path.write_bytes(b"hello\n" * 1000)
    refused(path, "no database")


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "obra.db"
    connection = sqlite.driver().connect(path)
    with connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    refused(path, "another program")


def test_a_damaged_header_is_refused(path: Path) -> None:
    SqlJournal(path).close()
    data = bytearray(path.read_bytes())
    data[0:16] = b"x" * 16
    path.write_bytes(data)
    refused(path, "no database")


def half_written(path: Path) -> None:
    """Leave a database as a power cut does in the one commit that takes it from its first journal to the log."""
    SqlJournal(path).close()
    live = path.with_name("live.db")
    path.rename(live)
    connection = sqlite.driver().connect(live, isolation_level=None)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("PRAGMA cache_size=1")
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE much AS SELECT randomblob(100000) AS noise")
    connection.execute("UPDATE much SET noise = randomblob(100000)")
    shutil.copy(live, path)
    shutil.copy(f"{live}-journal", f"{path}-journal")
    connection.close()


def test_a_commit_that_the_power_cut_in_half_is_taken_back_at_the_next_start(path: Path) -> None:
    half_written(path)
    SqlJournal(path).append(finished_session().records)
    assert len(SqlHistory(path).sessions().rows) == 1
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'much'").fetchone() == (0,)


def test_a_file_of_another_program_that_was_cut_in_half_is_left_as_it_is(path: Path) -> None:
    half_written(path)
    with path.open("r+b") as file:
        file.seek(68)
        file.write(b"Else")
    refused(path, "another program")


def test_a_damaged_page_is_named_when_it_is_met(path: Path) -> None:
    journal = SqlJournal(path)
    journal.append(finished_session().records)
    journal.close()
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 16] = b"\xff" * 16
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        SqlHistory(path).sessions()


def test_a_truncated_file_is_never_read_as_if_it_were_whole(path: Path) -> None:
    journal = SqlJournal(path)
    journal.append(finished_session().records)
    journal.close()
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(StoreError):
        SqlHistory(path).sessions()


def test_a_newer_database_is_refused_and_both_versions_are_named(path: Path) -> None:
    SqlJournal(path).close()
    connection = sqlite.driver().connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    refused(path, f"9999.*{SCHEMA}")
    with pytest.raises(NewerDatabase):
        SqlJournal(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        SqlJournal(tmp_path / "file" / "obra.db")


# --- faults --------------------------------------------------------------------------------------


def test_a_full_disk_is_said_in_plain_words_and_loses_nothing_before_it(journal: SqlJournal, path: Path) -> None:
    story = finished_session()
    journal.append(story.records[:5])
    _limit_pages(journal, 1)
    big = Writer()
    big.opened(project="x" * 5_000_000)
    with pytest.raises(StoreError, match="disk is full"):
        journal.append(
            [Record(seq=1, at=1.0, session=SessionId("s9"), task=None, attempt=None, event=big.records[0].event)]
        )
    assert journal.last_seq(SessionId("s9")) == 0
    _limit_pages(journal, 1_000_000)
    journal.append(story.records[5:])
    assert SqlHistory(path).last_seq(story.session) == len(story.records)


def _limit_pages(journal: SqlJournal, pages: int) -> None:
    with journal._engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def test_a_database_locked_by_another_program_is_said_to_be_locked(journal: SqlJournal, path: Path) -> None:
    with journal._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    other = sqlite.driver().connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    story = finished_session()
    with pytest.raises(StoreError, match="locked"):
        journal.append(story.records)
    other.execute("ROLLBACK")
    other.close()
    journal.append(story.records)


def test_a_writer_holds_the_database_from_its_first_step(journal: SqlJournal, path: Path) -> None:
    other = sqlite.connect(path, "rw")
    other.execute("PRAGMA busy_timeout=0")
    with journal._engine.begin(), pytest.raises(sqlite.driver().OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_row_of_a_later_version_does_not_stop_the_reading(journal: SqlJournal, path: Path) -> None:
    story = finished_session()
    journal.append(story.records)
    with journal._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE event SET type = 'invented_later', body = '{\"x\":1}' WHERE seq = 3")
    found = SqlHistory(path).session_records(story.session)
    assert isinstance(found[2].event, ClaudeNoticed)
    assert found[3] == story.records[3]


def test_a_row_that_cannot_be_read_is_named(journal: SqlJournal, path: Path) -> None:
    story = finished_session()
    journal.append(story.records)
    with journal._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE event SET body = '{}' WHERE seq = 3")
    with pytest.raises(StoreError, match="task_moved"):
        SqlHistory(path).session_records(story.session)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to anything")
def test_a_read_only_file_is_said_to_be_read_only(path: Path) -> None:
    SqlJournal(path).close()
    path.chmod(0o400)
    with pytest.raises(StoreError, match="read-only"):
        SqlJournal(path).append(finished_session().records)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("database or disk is full", "disk is full"),
        ("attempt to write a readonly database", "read-only"),
        ("disk I/O error", "could not be read"),
        ("database disk image is malformed", "damaged"),
        ("something new", "something new"),
    ],
)
def test_faults_are_put_into_plain_words(message: str, said: str) -> None:
    error = sqlite.plain_error(sqlite.driver().OperationalError(message), Path("/data/obra.db"))
    assert said in error.what
    assert error.where == "/data/obra.db"
    assert error.fix


def test_a_reader_in_the_middle_of_its_work_does_not_hold_the_writer_up(journal: SqlJournal, path: Path) -> None:
    story = finished_session()
    journal.append(story.records[:5])
    with journal._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    reader = sqlite.connect(path, "ro")
    reader.execute("BEGIN")
    count = "SELECT count(*) FROM event"
    assert reader.execute(count).fetchone()[0] == 5
    journal.append(story.records[5:])
    assert reader.execute(count).fetchone()[0] == 5
    reader.execute("COMMIT")
    assert reader.execute(count).fetchone()[0] == len(story.records)


_WRITE_UNTIL_KILLED = """
import sys
from pathlib import Path
from obra_tui.core.events import Record, TextFinished
from obra_tui.store.journal import SqlJournal
from tests.store.story import Writer
journal = SqlJournal(Path(sys.argv[1]))
story = Writer("s1")
story.opened()
journal.append(story.records)
for number in range(2, 100_000):
    journal.append([story.add(TextFinished(block=str(number), text="x" * 500))])
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 60])
def test_a_kill_while_writing_loses_nothing_that_was_acknowledged(path: Path, after: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _WRITE_UNTIL_KILLED, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert child.stdout is not None
    for _ in range(after):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    acknowledged = [int(line) for line in child.stdout.read().split()]
    child.wait()
    last = acknowledged[-1] if acknowledged else after + 1
    journal = SqlJournal(path)
    found = journal.last_seq(SessionId("s1"))
    assert found in {last, last + 1}
    records = SqlHistory(path).records(SessionId("s1"), limit=100_000)
    assert [record.seq for record in records] == list(range(1, found + 1))
    journal.close()


def test_a_kill_while_the_database_is_made_leaves_no_half_of_one(path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from obra_tui.store import schema\n"
        "make = schema.create_all\n"
        "schema.create_all = lambda c: (make(c), os.kill(os.getpid(), 9))\n"
        "schema.open_sqlite(Path(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -signal.SIGKILL
    assert not path.exists()
    journal = SqlJournal(path)
    journal.append(finished_session().records)
    journal.close()
    assert [file.name for file in path.parent.iterdir()] == ["obra.db"]

"""One owner of the data, whatever was done to the other one or to the lock."""

import signal
import subprocess
import sys

import psutil
import pytest

from obra_tui.core.errors import AlreadyOwned, OwnerChanged
from obra_tui.store import sqlite
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from obra_tui.store.ownership import LOCK_NAME, acquire, holder_of
from tests.store.story import finished_session

_WRITER = """
import sys
from pathlib import Path
from obra_tui.core.errors import OwnerChanged
from obra_tui.store.journal import SqlJournal
from obra_tui.store.ownership import acquire
from tests.store.story import finished_session
data = Path(sys.argv[1])
owner, journal, records = acquire(data), SqlJournal(data / "obra.db"), finished_session().records
journal.append(records[:5])
print("up", flush=True)
sys.stdin.readline()
try:
    journal.append(records[5:])
except OwnerChanged as error:
    print(f"refused: {error.what}", flush=True)
else:
    print("written", flush=True)
"""


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def writer(data):
    """An owner in a process of its own, which writes on when it is told to."""
    command = [sys.executable, "-c", _WRITER, str(data)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "up\n"
    yield child
    child.kill()
    child.communicate()


def freeze(process):
    process.send_signal(signal.SIGSTOP)
    while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
        pass


def go_on(process):
    process.send_signal(signal.SIGCONT)
    return process.communicate("\n", timeout=30)[0]


@pytest.mark.fault(13)
def test_fault_13_a_frozen_owner_is_still_the_owner_and_can_write_when_it_goes_on(data, writer):
    freeze(writer)
    with pytest.raises(AlreadyOwned, match=f"process {writer.pid}"):
        acquire(data)
    assert holder_of(data).pid == writer.pid
    assert go_on(writer) == "written\n"


@pytest.mark.fault(13)
def test_fault_13_a_frozen_owner_whose_lock_was_taken_away_cannot_write_any_more(data, writer):
    freeze(writer)
    (data / LOCK_NAME).unlink()
    story = finished_session()
    with acquire(data):
        journal = SqlJournal(data / "obra.db")
        assert journal.last_seq(story.session) == 5
        journal.append(story.records[5:])
        assert go_on(writer).startswith("refused: Another Obra took the data directory over")
        journal.close()
    history = SqlHistory(data / "obra.db")
    assert [record.seq for record in history.records(story.session)] == list(range(1, len(story.records) + 1))


@pytest.mark.fault(13)
@pytest.mark.fault(46)
def test_fault_13_the_token_is_checked_in_every_transaction(data):
    story = finished_session()
    old = SqlJournal(data / "obra.db")
    old.append(story.records[:3])
    new = SqlJournal(data / "obra.db")
    with pytest.raises(OwnerChanged) as caught:
        old.append(story.records[3:5])
    assert caught.value.exit_code == 7
    new.append(story.records[3:5])
    assert new.last_seq(story.session) == 5


@pytest.mark.fault(47)
def test_fault_47_of_many_that_race_for_the_directory_one_wins_each_time(data):
    code = (
        "import sys; from pathlib import Path; from obra_tui.store.ownership import acquire\n"
        "from obra_tui.core.errors import AlreadyOwned\n"
        "won = 0; inside = Path(sys.argv[1]) / 'inside'\n"
        "for _ in range(250):\n"
        "    try: owner = acquire(Path(sys.argv[1]))\n"
        "    except AlreadyOwned: continue\n"
        "    inside.open('x').close(); inside.unlink(); won += 1; owner.release()\n"
        "print(won)"
    )
    data.mkdir(mode=0o700)
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(data)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    outcomes = [(racer.communicate(timeout=60)[0], racer.returncode) for racer in racers]
    assert {code for _, code in outcomes} == {0}, "two were inside at once"
    assert sum(int(won) for won, _ in outcomes) > 0
    assert holder_of(data) is None


@pytest.mark.fault(43)
@pytest.mark.parametrize(
    ("version", "affected"),
    [((3, 6, 23), False), ((3, 40, 1), True), ((3, 44, 6), False), ((3, 50, 7), False), ((3, 51, 2), True),
     ((3, 51, 3), False), ((3, 53, 0), False)],
)  # fmt: skip
def test_fault_43_an_affected_sqlite_is_known_by_its_version(version, affected):
    assert sqlite.has_wal_reset_bug(version) is affected


@pytest.mark.fault(66)
def test_fault_66_the_data_of_an_owner_are_for_nobody_else(data):
    with acquire(data):
        SqlJournal(data / "obra.db").append(finished_session().records)
        assert {path.stat().st_mode & 0o077 for path in (data, *data.rglob("*"))} == {0}

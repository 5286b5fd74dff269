"""`python -m tests.faults.power_writer FOLDER [careless]`: writes step after step, and notes what was acknowledged.

With `careless` the database does not wait for the disk: the replay must see that.
"""

import os
import sys
from pathlib import Path

from obra_tui.core.events import TextFinished
from obra_tui.store import database
from obra_tui.store.journal import SqlJournal
from tests.store.story import finished_session, waiting_session

ACKS = "acks"
_LONG = 40
"""Steps with much text: enough that the side file is folded into the database while they are written."""


def records():
    """All steps, in the order in which they are written."""
    first, second = finished_session().records, waiting_session()
    for number in range(_LONG):
        words = " ".join(f"w{number}-{index * 7919 % 6007}" for index in range(2_000))
        second.add(TextFinished(block=f"b{number}", text=words), "t-s2", "a-s2")
    return [*first, *second.records]


def _do_not_wait():
    opened = database.connect

    def connect(path, mode):
        connection = opened(path, mode)
        connection.execute("PRAGMA synchronous=OFF")
        return connection

    database.connect = connect


def main(folder, careless=False):
    if careless:
        _do_not_wait()
    noted = os.open(folder / ACKS, os.O_WRONLY | os.O_CREAT, 0o600)
    steps = records()
    half = len(steps) // 3
    for part in (range(half), range(half, len(steps))):
        journal = SqlJournal(folder / "data" / "obra.db")
        for number in part:
            journal.append([steps[number]])
            os.write(noted, f"{number + 1}\n".encode())
        journal.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), careless=sys.argv[2:] == ["careless"])

"""`python -m tests.faults.burst_writer FOLDER`: events as fast as they can be stored; says what was told of them.

The outbox and the journal of the engine, an endless burst between them. Whatever is printed was told to a listener.
"""

import asyncio
import os
import sys
import time
from itertools import count
from pathlib import Path

from obra_tui.core.events import TextFinished
from obra_tui.engine.outbox import Outbox
from obra_tui.store.journal import SqlJournal
from tests.store.story import Writer

OF_A_BATCH = 300
"""Between two turns of the loop, as a full pipe brings them."""


class SystemTime:
    now = staticmethod(time.time)


async def main(folder):
    sys.setswitchinterval(0.0005)
    journal = SqlJournal(folder / "data" / "obra.db")
    story = Writer()
    story.opened()
    story.task_added("t1")
    story.worked("t1", "a1")
    journal.append(story.records)
    outbox = Outbox(journal, SystemTime(), _failed)
    outbox.subscribe(lambda records: os.write(1, f"{records[-1].seq}\n".encode()))
    for seq in count(len(story.records) + 1):
        outbox.emit(story.session, "t1", "a1", TextFinished(block=f"x{seq}", text=f"part{seq} of a burst"))
        if seq % OF_A_BATCH == 0:
            await asyncio.sleep(0)


def _failed(error):
    raise error


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

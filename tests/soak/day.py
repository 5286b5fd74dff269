"""One orchestrator with the real store works on session after session; time is the tests' own."""

import gc
import os
import shutil
import threading

import psutil

from obra_tui.core.events import SessionClosed
from obra_tui.core.gate import GateRules
from obra_tui.core.model import Policy, SessionKind
from obra_tui.store.history import SqlHistory
from obra_tui.store.journal import SqlJournal
from tests.scenarios.world import World, play, task


class _Store:
    """Both sides of the store as one, as the fakes have it."""

    def __init__(self, path):
        self._journal, self._history = SqlJournal(path), SqlHistory(path)

    def __getattr__(self, name):
        return getattr(self._journal if hasattr(self._journal, name) else self._history, name)


class LongWorld(World):
    """A world that forgets what it was told, as a screen does, and has time while the machine does other work."""

    patience_s = 300.0

    def _listen(self, records):
        self.told = [record for record in records if isinstance(record.event, SessionClosed)] or self.told
        self._news.set()


def held():
    """Return resident memory in MB, open files and threads of this process."""
    gc.collect()
    process = psutil.Process(os.getpid())
    return process.memory_info().rss / 2**20, process.num_fds(), threading.active_count()


async def work(root, attempts, *, say=lambda line: None):
    """Work on sessions of five tasks until there were `attempts`; return what is held after a fifth and at the end."""
    world = LongWorld(root, rules=GateRules(policy=Policy.AUTONOMOUS))
    world.journal = _Store(root / "data" / "obra.db")
    world.boot()
    done, early = 0, None
    while done < attempts:
        _empty(world, root / "copies")
        world.told = []
        await world.run(*(task(f"T{number}") for number in range(5)), kind=SessionKind.STANDALONE)
        await world.until(SessionClosed)
        world.clock.advance(600)
        done += 5
        if early is None and done >= attempts / 5:
            early = held()
        if done % 1000 == 0:
            say(f"{done} attempts: {held()}")
    await world.orchestrator.stop()
    return early, held()


def _empty(world, copies):
    """The fakes remember all that they were asked for; here they begin anew with every session."""
    shutil.rmtree(copies, ignore_errors=True)
    world.workspace.__init__(copies)
    world.implementer.__init__([play(f"x = {number}\n") for number in range(5)])
    world.checks.__init__()
    world.judge.__init__()
    world.clock.__init__(world.clock.now())

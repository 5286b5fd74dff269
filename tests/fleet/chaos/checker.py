"""Looks at what is left, from outside: PostgreSQL, git and the list of processes; nothing of Obra's code.

The promises of one machine (`tests.chaos.checker`), and those of epochs: one holder at a time, nothing written by
anybody but the holder, each job ended once by whoever held it, and every line of it in the journal, once.
"""

from collections import defaultdict

import psycopg

from tests.chaos.checker import orphans, promises

_CLOSED = {"taken_away", "given_back", "ended", "withdrawn"}


class Database:
    """A database as the checker of one machine asks for it."""

    def __init__(self, connection) -> None:
        self._connection = connection

    def execute(self, query, given=()):
        return self._connection.execute(query.replace("?", "%s"), given)


def broken(place, address):
    """Return what is wrong once everything has ended, in sentences; nothing if all is well."""
    with psycopg.connect(address) as connection:
        db = Database(connection)
        found = [*promises(db, place, finished=True), *_not_accepted(db), *epochs(db), *_journal(db)]
    return [*found, *orphans(place.root)]


def census(address):
    with psycopg.connect(address) as connection:
        count = dict(connection.execute("SELECT what, count(*) FROM fleet_epoch GROUP BY what").fetchall())
        (tasks,) = connection.execute("SELECT count(*) FROM task").fetchone()
        (lines,) = connection.execute("SELECT count(*) FROM fleet_event").fetchone()
    return {"tasks": tasks, "lines of workers": lines, **{f"jobs {what}": number for what, number in count.items()}}


def _not_accepted(db):
    rows = db.execute("SELECT id, state FROM task WHERE state <> 'accepted'").fetchall()
    return [f"task {task} ended as {state}" for task, state in rows]


def epochs(db):
    history = defaultdict(list)
    for job, epoch, what, at in db.execute("SELECT job, epoch, what, at FROM fleet_epoch ORDER BY id"):
        history[job].append((epoch, what, at))
    held, found = {}, []
    for job, steps in history.items():
        held[job], wrong = _holdings(job, steps)
        found += wrong
    return [*found, *_written_by_others(db, held), *_ended_by_others(db, held)]


def _holdings(job, steps):
    """Return when each epoch was held, and what is wrong with their order."""
    held, found, holder, last, ended = {}, [], None, 0, 0
    for epoch, what, at in steps:
        if what == "claimed":
            if holder is not None:
                found.append(f"job {job} was claimed in epoch {epoch} while epoch {holder} held it")
            if held and epoch < last + 2:
                found.append(f"job {job}: its epoch did not rise when it was taken away ({last}, then {epoch})")
            holder, last, held[epoch] = epoch, epoch, [at, None]
        elif what in _CLOSED:
            if what == "ended":
                ended += 1
                if holder != epoch:
                    found.append(f"job {job} was ended in epoch {epoch}, which did not hold it")
            if holder is not None:
                held[holder][1] = at
            holder = None
    if ended > 1:
        found.append(f"job {job} was ended {ended} times")
    return held, found


def _written_by_others(db, held):
    found = []
    for job, epoch, first, last in db.execute(
        "SELECT job, epoch, min(at), max(at) FROM fleet_event GROUP BY job, epoch"
    ):
        since, until = held[job].get(epoch, (None, None))
        if since is None or first < since:
            found.append(f"job {job}: lines of epoch {epoch}, which was never claimed or not yet")
        elif until is not None and last > until:
            found.append(f"job {job}: lines of epoch {epoch} were written {last - until} after it was over")
    return found


def _ended_by_others(db, held):
    found = []
    for job, state, result_epoch in db.execute("SELECT id, state, result_epoch FROM fleet_job"):
        if state in ("waiting", "running"):
            found.append(f"job {job} is still {state}")
        if state == "ended" and result_epoch != max(held[job], default=None):
            found.append(f"job {job} was ended by epoch {result_epoch}, not by its last holder")
    return found


def _journal(db):
    """What a worker reported of a job that came to its end stands in the journal: all of it, once, in order."""
    said = defaultdict(str)
    for attempt, body in db.execute(
        "SELECT j.attempt, e.body::json->>'text' FROM fleet_event e JOIN fleet_job j ON j.id = e.job"
        " WHERE e.kind = 'text_streamed' AND j.kind = 'implement' AND j.state = 'ended' ORDER BY j.id, e.epoch, e.seq"
    ):
        said[attempt] += body
    heard = defaultdict(str)
    for attempt, body in db.execute(
        "SELECT attempt, body::json->>'text' FROM event WHERE type = 'text_streamed' ORDER BY session, seq"
    ):
        heard[attempt] += body
    return [
        f"attempt {attempt}: the journal has {len(heard[attempt])} characters of {len(text)} that were reported"
        for attempt, text in said.items()
        if heard[attempt] != text
    ]

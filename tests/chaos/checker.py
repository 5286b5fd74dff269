"""Looks at what is left, from outside: SQLite, git and the list of processes; nothing of Obra's code.

`broken(place)` returns every promise that does not hold. Some hold at any
instant; the rest once everything that was begun has been finished.
"""

import json
import sqlite3
import subprocess
from collections import Counter, defaultdict

import psutil

FINAL = {"accepted", "rejected", "failed", "cancelled"}


def broken(place, *, finished):
    """Return what is wrong, in sentences; nothing if all is well."""
    with sqlite3.connect(f"file:{place.data / 'obra.db'}?mode=ro", uri=True) as db:
        found = [*promises(db, place, finished=finished), *_integrity(db)]
    return found + (orphans(place.data) if finished else [])


def promises(db, place, *, finished):
    """Return what is wrong with what is stored, whatever database it is in."""
    found = [*_gaps(db), *_lost(db, place), *_moves(db), *_doubled(db)]
    commits = _commits(place)
    found += _commits_against_records(db, commits)
    if finished:
        found += [*_unfinished(db), *_unrecorded(db, commits)]
        # The script of the real program writes the same in every task.
        found += [] if place.real else _files(db, place)
    return found


def census(place):
    """Return what there was to lose: attempts, those a kill interrupted, work taken in, records written."""
    with sqlite3.connect(f"file:{place.data / 'obra.db'}?mode=ro", uri=True) as db:
        count = Counter(kind for (kind,) in db.execute("select type from event"))
        cut = sum(body["trigger"] == "interrupt" for *_, body in _events(db, "task_moved"))
    return {
        "attempts": count["attempt_started"],
        "interrupted": cut,
        "accepted": count["work_accepted"],
        "records": count.total(),
    }


def _integrity(db):
    (answer,) = db.execute("pragma integrity_check").fetchone()
    return [] if answer == "ok" else [f"the database is damaged: {answer}"]


def _gaps(db):
    rows = db.execute("select session, count(*), min(seq), max(seq) from event group by session")
    return [f"session {s} has {n} records from {low} to {high}" for s, n, low, high in rows if (low, high) != (1, n)]


def _lost(db, place):
    """What a listener was told must be there: it was written before."""
    if not place.told.exists():
        return []
    known = {(session, seq): kind for session, seq, kind in db.execute("select session, seq, type from event")}
    told = [line.split() for line in place.told.read_text().splitlines()]
    return [f"record {s} {n} ({kind}) was told and is lost" for s, n, kind in told if known.get((s, int(n))) != kind]


def _events(db, kind):
    rows = db.execute("select session, task, attempt, body from event where type = ? order by session, seq", (kind,))
    return [(session, task, attempt, json.loads(body)) for session, task, attempt, body in rows]


def _moves(db):
    """Each move begins where the last one ended; the table of tasks says where the last one ended."""
    at, found = {}, []
    for session, task, _, body in _events(db, "task_moved"):
        if task in at and at[task] != body["before"]:
            found.append(f"task {task} of {session} moved from {body['before']} but was {at[task]}")
        at[task] = body["after"]
    states = dict(db.execute("select id, state from task"))
    return found + [
        f"task {t} is {states[t]} in its row and {s} by its records" for t, s in at.items() if states[t] != s
    ]


def _doubled(db):
    found = []
    for kind in ("work_accepted", "attempt_started"):
        per = Counter((task, attempt if kind == "attempt_started" else "") for _, task, attempt, _ in _events(db, kind))
        found += [f"{kind} of {key} is recorded {n} times" for key, n in per.items() if n > 1]
    decided = Counter(body["gate"] for _, _, _, body in _events(db, "decision_made") if body.get("gate"))
    return found + [f"gate {gate} was decided {n} times" for gate, n in decided.items() if n > 1]


def _commits(place):
    """Return [(branch, commit, attempt)] of all of Obra's branches."""
    log = subprocess.run(
        ["git", "-C", str(place.repo), "log", "--branches=obra/*", "--source",
         "--format=%S %H %(trailers:key=Obra-Attempt,valueonly,separator=%x20)"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [tuple(line.split()) for line in log.splitlines() if len(line.split()) == 3]


def _commits_against_records(db, commits):
    task_of = dict(db.execute("select id, task from attempt"))
    per_attempt = Counter(attempt for _, _, attempt in commits)
    found = [f"attempt {attempt} has {n} commits" for attempt, n in per_attempt.items() if n > 1]
    per_task = defaultdict(set)
    for _, _, attempt in commits:
        if attempt not in task_of:
            found.append(f"a commit names attempt {attempt}, which is not recorded")
        per_task[task_of.get(attempt)].add(attempt)
    found += [f"task {task} was taken in by {sorted(of)}" for task, of in per_task.items() if task and len(of) > 1]
    known = {commit for _, commit, _ in commits}
    for _, task, _, body in _events(db, "work_accepted"):
        if body["acceptance"]["commit"] not in known:
            found.append(f"task {task} is recorded as accepted in a commit that is on no branch")
    return found


def _unfinished(db):
    states = db.execute("select id, state from task").fetchall()
    found = [f"task {task} is still {state}" for task, state in states if state not in FINAL]
    taken_in = {task for _, task, _, _ in _events(db, "work_accepted")}
    return found + [
        f"task {task} is {state}, {'with' if task in taken_in else 'without'} work taken in"
        for task, state in states if (state == "accepted") != (task in taken_in)
    ]  # fmt: skip


def _unrecorded(db, commits):
    recorded = {attempt for _, _, attempt, _ in _events(db, "work_accepted")}
    return [f"commit {commit[:10]} on {branch} is accounted for by no acceptance"
            for branch, commit, attempt in commits if attempt not in recorded]  # fmt: skip


def _files(db, place):
    """What every accepted task made is on its branch, whole."""
    found = []
    for session, task, _, _ in _events(db, "work_accepted"):
        shown = subprocess.run(
            ["git", "-C", str(place.repo), "show", f"refs/heads/obra/{session}:work-{task}.txt"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if shown.stdout != f"{task}\n":
            found.append(f"the work of task {task} is not on the branch of {session}")
    return found


def orphans(folder):
    found = []
    for process in psutil.process_iter():
        try:
            owner = process.environ().get("OBRA_OWNER", "")
        except (psutil.Error, OSError):
            continue
        if str(folder) in owner:
            found.append(f"process {process.pid} ({process.name()}) was left behind")
    return found

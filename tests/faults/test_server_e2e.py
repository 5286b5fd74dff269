"""The whole program on a database server: it runs, and while the server is away it stands still and says so."""

import json
import subprocess
import sys
from collections import Counter
from time import monotonic

import psutil
import pytest

from obra_tui.core.records.metrics import Scope
from obra_tui.core.records.search import parse
from obra_tui.store import retention
from obra_tui.store.history import SqlHistory
from obra_tui.store.labels import LABELS, PINNED, Labels
from tests.e2e.obra import environment, obra, processes_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]
SOON = 60.0


def within(seconds, condition):
    until = monotonic() + seconds
    while monotonic() < until:
        if condition():
            return True
    return False


def claudes_of(home):
    return [process for process in processes_of(home) if _is_claude(process)]


def _is_claude(process):
    try:
        return "_bundled" in " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return False


@pytest.mark.fault(44)
def test_fault_44_the_run_stands_still_while_the_server_is_away_and_goes_on_without_hands(own_postgresql, tmp_path):
    url = own_postgresql.new_database()
    (tmp_path / "tmp").mkdir()
    told = tmp_path / "told"
    with told.open("w") as stderr:
        running = subprocess.Popen(
            [sys.executable, "-m", "obra_tui", "demo", "calculator", "--headless", "--json", "--pace", "0"],
            env=environment(tmp_path, OBRA_DATABASE__URL=url),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        events = []
        for line in running.stdout:
            events.append(json.loads(line))
            if events[-1]["type"] == "tool_started":
                break
        own_postgresql.stop()
        assert within(SOON, lambda: "cannot be reached" in told.read_text())
        assert within(SOON, lambda: not claudes_of(tmp_path))
        own_postgresql.start()
        events += [json.loads(line) for line in running.stdout]
        assert running.wait(SOON) == 0, told.read_text()
    finally:
        running.kill()
        running.wait()
    assert events[-1]["accepted"] == 1
    seen = Counter(event["seq"] for event in events if "seq" in event)
    assert set(seen.values()) == {1}
    assert "Traceback" not in told.read_text()
    what_is_stored(url, events[-1]["session"], tmp_path)


def what_is_stored(url, session, home):
    """Everything, once; it can be searched, measured and pruned, and the server's own tools are named for backups."""
    labels = home / "data" / LABELS
    history = SqlHistory(url, labels=labels)
    found = [record.seq for record in history.records(session, 0, 100_000)]
    assert found == list(range(1, len(found) + 1))
    rows = history.find(parse("divide is:rehearsal is:accepted", 0.0)).rows
    assert {row.session for row in rows} == {session}
    figures = history.measure(Scope(rehearsal=True)).groups[0]
    assert (figures["accepted"].value, figures["attempts"].value) == (1, events_of(history, session, "attempt_started"))
    Labels(labels).add(session, PINNED)
    assert [row.session for row in history.find(parse("is:pinned", 0.0)).rows][-1] == session
    assert retention.plan(url, before=1e12, labels=labels).pinned == 1
    history.close()
    backup = obra(home, "backup", str(home / "x"), OBRA_DATABASE__URL=url)
    assert (backup.code, "pg_dump --format=custom" in backup.err) == (2, True)


def events_of(history, session, kind):
    return sum(record.event.type == kind for record in history.records(session, 0, 100_000))

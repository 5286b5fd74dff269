"""The whole program on a database server: it runs, and while the server is away it stands still and says so."""

import json
import subprocess
import sys
from collections import Counter
from time import monotonic

import psutil
import pytest

from obra_tui.store.queries import SqlHistory
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
    history = SqlHistory(url)
    ((session, _),) = [(row.id, row) for row in history.sessions().rows]
    found = [record.seq for record in history.records(session, 0, 100_000)]
    history.close()
    assert found == list(range(1, len(found) + 1))
    seen = Counter(event["seq"] for event in events if "seq" in event)
    assert set(seen.values()) == {1}
    assert "Traceback" not in told.read_text()


def test_a_rehearsal_on_a_server_can_be_searched_measured_pinned_and_pruned(postgresql, tmp_path):
    on = {"OBRA_DATABASE__URL": postgresql.new_database()}
    ran = obra(tmp_path, "demo", "calculator", "--headless", "--json", "--pace", "0", **on)
    assert (ran.code, ran.summary["accepted"]) == (0, 1)
    session = ran.summary["session"]
    assert "Write the calculator" in obra(tmp_path, "search", "divide is:rehearsal", **on).out
    figures = {f["name"]: f for f in obra(tmp_path, "metrics", "--rehearsal", "--json", **on).events}
    assert (figures["attempts"]["value"], figures["accepted"]["value"]) == (2, 1)
    obra(tmp_path, "pin", session, **on)
    assert session in obra(tmp_path, "history", "is:pinned", "--json", **on).out
    assert "0 sessions would be deleted" in obra(tmp_path, "prune", "--older", "0d", "--dry-run", **on).out
    backup = obra(tmp_path, "backup", str(tmp_path / "x"), **on)
    assert (backup.code, "pg_dump --format=custom" in backup.err) == (2, True)

"""Two machines at one database server, and the cable of the first is cut while its agents are at work."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def no_networks():
    """Say why no networks of one's own can be made here; nothing when they can."""
    absent = [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)}: not on the PATH"
    cable = "ip link add cable-a type veth peer name cable-b"
    made = subprocess.run(["unshare", "-n", "-u", "sh", "-c", cable], capture_output=True, text=True, check=False)
    return f"no networks of one's own: {made.stderr[-100:]}" if made.returncode else ""


@pytest.mark.fault(45)
@pytest.mark.timeout(120)
def test_fault_45_agents_of_a_machine_that_is_cut_off_are_dead_before_another_machine_begins(postgresql, tmp_path):
    if reason := no_networks():
        pytest.skip(reason)
    database = postgresql.new_database().partition("@/")[2].partition("?")[0]
    words = [str(tmp_path), str(postgresql.socket), database]
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.faults.two_hosts", *words],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    at = json.loads(done.stdout)
    assert at["cut"] < at["old agents' last sign"] < at["new one begins"]
    assert at["old one stops"] < at["new one begins"]
    assert "took the data directory over" in at["old one is told"]

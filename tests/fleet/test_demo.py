"""The demonstration as a person starts it: real processes, scripted models, one worker killed on the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgresql import missing

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(600)]


def test_ten_tasks_are_accepted_although_a_worker_is_killed(tmp_path):
    if reason := missing():
        pytest.skip(f"no PostgreSQL server ({reason})")
    own = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "IS_SANDBOX": "1",
        "OBRA_DATA_DIR": str(tmp_path / "data"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "obra_tui", "fleet", "demo", "--pace", "0"],
        cwd=ROOT, env=own, capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "10 of 10 tasks accepted" in done.stdout
    assert "KILLED the worker" in done.stderr
    assert "0 jobs were taken away" not in done.stderr

"""A short campaign, and proof that the checker sees what it is there to see."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet.chaos.bugs import BUGS
from tests.postgresql import missing

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def chaos(tmp_path, *words):
    if reason := missing():
        pytest.skip(f"no PostgreSQL server ({reason})")
    own = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "IS_SANDBOX": "1", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.fleet.chaos", *words],
        cwd=ROOT, env=own, capture_output=True, text=True, timeout=880, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_nothing_is_lost_or_doubled_by_faults_at_random(tmp_path):
    code, said = chaos(tmp_path, "--faults", "10", "--seed", "7")
    assert code == 0, said


@pytest.mark.parametrize("bug", BUGS)
def test_the_checker_finds_what_was_put_in(tmp_path, bug):
    code, said = chaos(tmp_path, "--faults", "5", "--seed", "3", "--bug", bug)
    assert code == 1, said
    assert "FAULT" in said

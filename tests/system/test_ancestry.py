import os
import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.system.ancestry import is_started_by_obra

CODE = "from obra_tui.system.ancestry import is_started_by_obra; print(is_started_by_obra())"


def answer(*argv, **environment):
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), **environment}
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout.strip()


def test_a_process_that_carries_the_mark_was_started_by_obra():
    assert is_started_by_obra({"OBRA_ATTEMPT": "a1"})


@pytest.mark.skipif(sys.platform != "linux", reason="reads what the kernel of Linux tells")
def test_taking_the_mark_off_does_not_help_below_a_process_that_has_it():
    shell = f'env -u OBRA_ATTEMPT {sys.executable} -c "{CODE}"; true'
    assert answer("sh", "-c", shell, OBRA_ATTEMPT="a1") == "True"


def test_a_person_is_not_taken_for_obra(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "environ").write_bytes(b"HOME=/home/ada\0")
    (tmp_path / "7" / "stat").write_text("7 (a ) b) S 1 7 7")
    assert not is_started_by_obra({}, tmp_path, 7)
    assert not is_started_by_obra({}, tmp_path, 8)

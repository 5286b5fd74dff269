"""Short forms of the campaigns, and proof that the checker sees what it is there to see."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos import points

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

FOUND_BY = {
    "no_look_for_the_trailer": ("--points", "accepting.branch_moved"),
    "recovery_gives_up_what_is_being_accepted": ("--points", "accepting.branch_moved"),
    "one_transaction_for_each_record": ("--points", "within.moved_accepted"),
    "told_before_written": ("--kills", "25", "--seed", "2"),
}


def chaos(*words):
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.fault(1)
def test_fault_1_nothing_is_lost_or_doubled_by_kills_at_random():
    code, said = chaos("--kills", "8", "--seed", "7")
    assert code == 0, said


@pytest.mark.long
@pytest.mark.fault(1)
@pytest.mark.fault(3)
@pytest.mark.parametrize("half", [0, 1])
def test_fault_1_nothing_is_lost_or_doubled_by_a_kill_at_a_named_place(half):
    code, said = chaos("--points", ",".join(points.SOME[half::2]))
    assert code == 0, said


@pytest.mark.long
@pytest.mark.fault(2)
def test_fault_2_a_kill_in_the_recovery_changes_nothing_about_its_end():
    twice = [f"after.text_streamed+{second}" for second in points.IN_RECOVERY]
    twice += [f"accepting.branch_moved+{second}" for second in points.IN_SECOND_ACCEPTANCE]
    code, said = chaos("--points", ",".join(twice))
    assert code == 0, said


@pytest.mark.long
def test_the_checker_finds_what_is_not_swept():
    """Whether the killed agent had already left its process behind is a race: one of many kills shows it."""
    code, said = chaos("--bug", "nothing_is_swept", "--points", ",".join(["after.text_streamed"] * 12))
    assert code == 1, said
    assert "was left behind" in said


@pytest.mark.parametrize("bug", FOUND_BY)
def test_the_checker_finds_what_was_put_in(bug):
    code, said = chaos("--bug", bug, *FOUND_BY[bug])
    assert code == 1, said
    assert "FAULT" in said

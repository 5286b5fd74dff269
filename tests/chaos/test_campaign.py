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
    "nothing_is_swept": ("--endless", "--points", "after.text_streamed"),
    "acceptance_and_its_move_are_written_apart": ("--points", "planted.between"),
    "acceptance_is_recorded_before_it_is_done": ("--points", "after.work_accepted"),
    "a_number_is_left_out": ("--points", "after.task_added"),
    "rows_do_not_follow_their_records": ("--points", "after.moved_implementing"),
    "recovery_forgets_the_newest_session": ("--points", "after.copy_prepared"),
    "accepted_halfway_is_done_again": ("--points", "accepting.branch_moved"),
    "the_commit_holds_another_tree": ("--points", "after.diff_taken"),
    "the_commit_names_another_attempt": ("--points", "accepting.branch_moved"),
    "one_record_is_told_and_not_written": ("--points", "before.claude_ended"),
}

QUICK = (
    "no_look_for_the_trailer",
    "one_transaction_for_each_record",
    "nothing_is_swept",
    "the_commit_holds_another_tree",
)
"""Found in every run of the tests; the others in the long one."""


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


@pytest.mark.parametrize(
    "bug", [bug if bug in QUICK else pytest.param(bug, marks=pytest.mark.long) for bug in FOUND_BY]
)
def test_the_checker_finds_what_was_put_in(bug):
    code, said = chaos("--bug", bug, *FOUND_BY[bug])
    assert code == 1, said
    assert "FAULT" in said

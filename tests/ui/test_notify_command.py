"""A command of the person's own is told what waits, while they do not look."""

import os

from obra_tui.core.events import RunFinished
from obra_tui.notices.channels import run_command
from obra_tui.ui.notify import Notifications
from obra_tui.ui.state import ViewState, apply_all
from tests.ui import stories


def told(records, *, focused, channel="off"):
    said = []
    story = stories.at_gate()
    notices = Notifications(channel, lambda kind, words: said.append((kind, words)))
    view = apply_all(ViewState(), story.records)
    notices.of(records(story), view, story.at, focused)
    return said


def test_waiting_and_finished_are_told_apart_and_nothing_is_told_while_the_person_looks():
    assert told(lambda story: story.records, focused=False) == [("waiting", "waiting for you: gate T001")]
    done = RunFinished(accepted=3, rejected=0, failed=0, waiting=0, interrupted=0, blocked=0)
    assert told(lambda story: story.tell(done).records[-1:], focused=False) == [("finished", "finished")]
    assert told(lambda story: story.records, focused=True) == []


def test_the_words_reach_the_command_as_a_variable_and_never_as_code(tmp_path):
    out = tmp_path / "out"
    words = "waiting; touch /nowhere/x $(id)"
    assert run_command(f'printf "%s|%s" "$OBRA_NOTICE_KIND" "$OBRA_NOTICE" > {out}', "waiting", words) == ""
    assert out.read_text() == f"waiting|{words}"


def test_a_command_that_fails_or_hangs_is_named():
    assert "ended with 3: no such thing" in run_command("echo no such thing >&2; exit 3", "waiting", "x")
    assert "timed out" in run_command(f"exec sleep {60 + os.getpid() % 5}", "waiting", "x", limit_s=0.2)

"""A run without a screen tells a person who is somewhere else: a real web hook on loopback hears of it."""

import pytest

from tests.e2e.obra import obra
from tests.notices.web_hook import open_hook

pytestmark = pytest.mark.e2e


def test_a_gate_that_waits_and_the_end_of_the_run_are_told_and_no_code(tmp_path):
    with open_hook() as hook:
        ran = obra(tmp_path, "demo", "csv", "--headless", "--policy", "manual", OBRA_NOTIFY__CHANNELS=hook.address)
        said = []
        while not hook.came.empty():
            said.append(hook.came.get()["message"])
    assert ran.code == 3, ran.err
    text = "\n".join(said)
    assert "waits for your decision: obra review" in text
    assert "the run finished: 1 waiting for you" in text
    assert "def " not in text


def test_a_channel_that_is_not_there_is_said_and_changes_nothing(tmp_path):
    ran = obra(tmp_path, "demo", "csv", "--headless", OBRA_NOTIFY__CHANNELS="json://127.0.0.1:1/")
    assert ran.code == 0, ran.err
    assert "A notice by notify.channels number 1 (json) failed" in ran.err


def test_obra_notify_test_says_what_came_of_each_channel(tmp_path):
    with open_hook() as hook:
        addresses = f"{hook.address} json://127.0.0.1:1/"
        ran = obra(tmp_path, "notify", "test", OBRA_NOTIFY__CHANNELS=addresses)
    assert ran.code == 1
    assert "number 1 (json): sent" in ran.out
    assert "number 2 (json): the service could not be reached" in ran.out
    assert "dummy-password" not in ran.out + ran.err

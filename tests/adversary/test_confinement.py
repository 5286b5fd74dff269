"""The adversary's programs as tests: nothing of what is tried works, and the search can find something."""

import os
import random
import shutil
from pathlib import Path

import pytest

from obra_tui.rehearsal import ollama_server
from tests.adversary import forged_works, hidden_processes, reaching_out
from tests.adversary.more_works import FAILING
from tests.adversary.works import FORGED, HONEST

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap"),
    pytest.mark.timeout(600),
]


async def test_no_process_outlives_a_confined_attempt():
    left, _ = await hidden_processes.left_behind("required", random.randint(1, 90_000))
    hidden_processes.end(left)
    assert [way for way, found in left.items() if found] == []


async def test_unconfined_there_are_processes_that_the_search_finds():
    left, _ = await hidden_processes.left_behind("off", random.randint(1, 90_000))
    hidden_processes.end(left)
    assert any(left.values())


@pytest.mark.parametrize("closed", [False, True])
async def test_nothing_outside_is_read_or_changed(tmp_path_factory, closed):
    root = Path(os.path.realpath(tmp_path_factory.mktemp("o")))
    found = await reaching_out.worked(root, off=False, closed=closed)
    assert [way for way, did in found.items() if did] == []


async def test_unconfined_every_way_leads_somewhere(tmp_path_factory):
    root = Path(os.path.realpath(tmp_path_factory.mktemp("o")))
    found = await reaching_out.worked(root, off=True, closed=False)
    assert [way for way, did in found.items() if not did] == []


@pytest.mark.parametrize(("work", "wanted"), [(FORGED[0], False), (HONEST[0], True), (FAILING[0], False)])
def test_forged_and_failing_work_of_the_real_program_is_refused_and_honest_work_accepted(
    tmp_path, monkeypatch, work, wanted
):
    monkeypatch.setattr(ollama_server, "review", forged_works.approves)
    accepted, why = forged_works.with_claude(work, Path(os.path.realpath(tmp_path)))
    assert accepted is wanted
    assert wanted or why.endswith(".")


def test_who_believes_the_tests_of_the_accused_accepts_forged_work(tmp_path):
    assert forged_works.by_exit_code(FORGED[0], tmp_path)[0]
    assert not forged_works.by_exit_code(FAILING[0], tmp_path / "failing")[0]

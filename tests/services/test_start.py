"""The first commands of a start."""

from concurrent.futures import Future
from pathlib import Path
from time import monotonic

import pytest

from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.bootstrap.start import enter_session, start_work, start_work_in_thread
from obra_tui.core.commands import OpenSession, Resume, StartRun
from obra_tui.core.errors import DiskFull, UnknownId, Unwritable
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.model import Plan, TaskSpec
from tests.fakes.engine import FakeEngine

SESSION = SessionId("s1")
PROJECT = Path("/project")


def test_an_request_to_fork_reaches_the_engine():
    engine = FakeEngine()
    start_work(engine, SESSION, RunRequest(project=PROJECT, resume=SESSION, fork=True), "person:ada")
    assert engine.submitted == [
        Resume(session=SESSION, by="person:ada", fork=True),
        StartRun(session=SESSION, close_when_done=True, by="person:ada"),
    ]


FULL = DiskFull("The disk is full.", fix="Free at least 16 MB.")
PLAN = Plan(title="Plan", tasks=(TaskSpec(id=TaskId("t1"), key="T001", title="One", prompt="Do it."),))


class FullDisk(FakeEngine):
    """Refuses the `refusals`-th command and says for two looks that nothing can be written; then it can again."""

    def __init__(self, refused, error=FULL):
        super().__init__(answers={OpenSession: SESSION})
        self.refused, self.error, self.looks = refused, error, 0

    @property
    def outage(self):
        self.looks += 1
        return self.error if self.looks % 3 else None

    def submit(self, command):
        if len(self.submitted) == self.refused:
            self.refused = -1
            future = Future()
            future.set_exception(self.error)
            return future
        return super().submit(command)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("obra_tui.bootstrap.start._RETRY_S", 0.001)


def kinds(engine):
    return [type(command) for command in engine.submitted]


@pytest.mark.fault(35)
@pytest.mark.parametrize("refused", range(2))
def test_a_disk_that_is_full_at_the_very_start_is_waited_for_and_each_command_is_carried_out_once(refused):
    engine, heard, request = FullDisk(refused), [], RunRequest(project=PROJECT, plan=PLAN)
    session = enter_session(engine, request, heard.append)
    start_work(engine, session, request, "person:ada", heard.append)
    assert heard == [FULL]
    assert kinds(engine) == [OpenSession, StartRun]
    assert engine.submitted[-1].tasks == PLAN.tasks


@pytest.mark.fault(35)
def test_without_anybody_who_hears_of_it_a_full_disk_is_an_error():
    with pytest.raises(DiskFull):
        enter_session(FullDisk(0), RunRequest(project=PROJECT, plan=PLAN))


@pytest.mark.fault(37)
def test_a_fault_that_does_not_pass_is_not_waited_for():
    with pytest.raises(Unwritable):
        enter_session(
            FullDisk(0, Unwritable("The disk could not be read or written.")),
            RunRequest(project=PROJECT, plan=PLAN),
            print,
        )


@pytest.mark.fault(35)
def test_a_screen_is_shown_while_the_start_of_its_work_waits_for_space():
    class LongFull(FullDisk):
        outage = FULL

    engine = LongFull(0)
    start_work_in_thread(engine, SESSION, RunRequest(project=PROJECT, plan=PLAN), "person:ada")
    assert kinds(engine) == []
    engine.__class__ = FullDisk
    deadline = monotonic() + 10
    while not kinds(engine) and monotonic() < deadline:
        pass
    assert kinds(engine) == [StartRun]


def test_a_screen_hears_what_stands_in_the_way_of_its_work():
    with pytest.raises(UnknownId):
        start_work_in_thread(
            FakeEngine(answers={Resume: UnknownId("There is none.")}),
            SESSION,
            RunRequest(project=PROJECT, resume="s9"),
            "me",
        )

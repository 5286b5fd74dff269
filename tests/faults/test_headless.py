"""A run without a screen says when nothing can be recorded; no record can."""

import io

import pytest
from msgspec.structs import replace

from obra_tui.core.errors import DiskFull, Unwritable
from obra_tui.core.events import RunFinished
from obra_tui.core.ids import SessionId
from obra_tui.headless.follow import PrintOptions, follow
from tests.fakes.engine import FakeEngine
from tests.store.story import finished_session


class FailingEngine(FakeEngine):
    """Cannot record anything until somebody has looked `looks` times; then it tells the rest of a run."""

    def __init__(self, error, looks, rest=()):
        super().__init__()
        self.error, self.looks, self.rest = error, looks, rest

    @property
    def outage(self):
        self.looks -= 1
        if self.looks < 0 and self.rest:
            self.error, rest, self.rest = None, self.rest, ()
            self.play(rest)
        return self.error


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("obra_tui.headless.follow._LOOK_S", 0.001)


def whole_run():
    *before, closed = finished_session().records
    end = RunFinished(accepted=1, rejected=0, failed=0, waiting=0, interrupted=0, blocked=0)
    return (*before, replace(closed, event=end))


def run(engine):
    out = io.StringIO()
    records = whole_run()
    output = PrintOptions(as_json=False, stream=out, encode=str)
    return follow(engine, SessionId(records[0].session), output, lambda: None, "person:ada"), out.getvalue()


@pytest.mark.fault(35)
def test_fault_35_a_run_without_a_screen_waits_for_space_and_says_so_once(capsys):
    engine = FailingEngine(DiskFull("The disk is full.", fix="Free at least 16 MB."), 3, whole_run())
    code, out = run(engine)
    assert code == 0
    assert "tasks accepted" in out
    said = capsys.readouterr().err
    assert said.count("The disk is full. Free at least 16 MB.") == 1
    assert "it goes on by itself" in said


@pytest.mark.fault(37)
def test_fault_37_a_run_without_a_screen_ends_with_a_sentence_when_the_disk_fails():
    with pytest.raises(Unwritable, match="could not be read or written"):
        run(FailingEngine(Unwritable("The disk could not be read or written."), 9))

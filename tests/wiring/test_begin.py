"""The first commands of a start."""

from obra_tui.core.commands import Resume, StartRun
from obra_tui.core.ids import SessionId
from obra_tui.wiring.begin import start_work
from obra_tui.wiring.work import Order
from tests.fakes.engine import FakeEngine

SESSION = SessionId("s1")


def test_an_order_to_fork_reaches_the_engine():
    engine = FakeEngine()
    start_work(engine, SESSION, Order(resume=SESSION, fork=True), "person:ada")
    assert engine.submitted == [
        Resume(session=SESSION, by="person:ada", fork=True),
        StartRun(session=SESSION, close_when_done=True),
    ]

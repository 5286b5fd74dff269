import pytest

from obra_tui.core import commands as do
from obra_tui.core.gate import GateRules
from obra_tui.core.model import Policy, SessionKind
from tests.fakes.implementer import Play
from tests.scenarios.world import World, task

PLAYS = tuple(Play(writes={f"{name}.py": f"{name}\n"}) for name in "abcd")


@pytest.fixture
async def planned(tmp_path):
    """Three tasks that are not started yet."""
    world = World(tmp_path, plays=PLAYS, rules=GateRules(policy=Policy.AUTONOMOUS))
    world.session = await world.do(do.OpenSession(kind=SessionKind.MILESTONE, title="Plan"))
    await world.do(do.AddTasks(session=world.session, tasks=(task("T001"), task("T002"), task("T003"))))
    return world

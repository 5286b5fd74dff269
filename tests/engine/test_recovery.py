"""Taking up what was found half-way: quick, however much there is."""

import ast
from pathlib import Path

import pytest

from obra_tui.core.events import TaskMoved
from obra_tui.core.gate import GateRules
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Policy
from obra_tui.engine import work
from obra_tui.store.codec import EVENT_CLASSES
from tests.fakes.implementer import Play
from tests.scenarios.world import World, task
from tests.store.story import finished_session, waiting_session

HOLDS = Play(writes={"calc.py": "x\n"}, holds=True)


@pytest.mark.fault(1)
async def test_all_tasks_of_a_session_that_were_at_work_are_marked_in_one_step(tmp_path):
    world = World(tmp_path, plays=(HOLDS,) * 5, rules=GateRules(policy=Policy.AUTONOMOUS), jobs=5)
    await world.run(*(task(f"T{number}") for number in range(5)))
    await world.until(lambda event: event.type == "attempt_started", 5)
    before = len(world.journal.batches)
    await world.crash()
    (marked,) = world.journal.batches[before:]
    assert [record.event.after for record in marked] == [State.INTERRUPTED] * 5
    assert all(isinstance(record.event, TaskMoved) for record in marked)


@pytest.mark.parametrize("story", [finished_session(), waiting_session()], ids=["finished", "waiting"])
def test_what_is_not_read_to_rebuild_a_session_changes_nothing_about_it(story):
    read = [record for record in story.records if record.event.type not in work.NOT_FOLDED]
    assert len(read) < len(story.records)
    assert work.rebuild(story.session, read) == work.rebuild(story.session, story.records)


def test_nothing_that_folds_records_looks_for_the_types_that_are_not_read():
    """No `case` of the fold names one of them."""
    tree = ast.parse(Path(work.__file__).read_text("utf-8"))
    folded = {node.cls.id for node in ast.walk(tree) if isinstance(node, ast.MatchClass)}
    assert "UsageReported" in folded
    assert folded & {EVENT_CLASSES[name].__name__ for name in work.NOT_FOLDED} == set()

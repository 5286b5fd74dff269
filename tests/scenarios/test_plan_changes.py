"""A plan that is changed while it runs: only what was not started, and refused as a whole when it cannot be."""

import pytest
from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.errors import NotAllowed, PlanError
from obra_tui.core.events import AttemptStarted, RunStarted, TaskAdded
from obra_tui.core.lifecycle import State
from obra_tui.core.model import SessionKind
from tests.scenarios.world import ME, task


async def start(world):
    await world.do(do.StartRun(session=world.session))
    await world.finished()


def started(world):
    keys = {work.spec.id: key for key, work in world.work().by_key().items()}
    return [keys[record.task] for record in world.told if isinstance(record.event, AttemptStarted)]


def spec(world, key):
    return world.work().by_key()[key].spec


async def test_a_task_that_was_moved_is_begun_in_its_new_place(planned):
    await planned.do(do.MoveTask(task=planned.task_id("T003"), position=0, by=ME))
    await start(planned)
    assert started(planned) == ["T003", "T001", "T002"]
    await planned.crash()
    assert [item.spec.key for item in planned.orchestrator.plan_of(planned.session)] == ["T003", "T001", "T002"]


async def test_what_is_held_back_is_not_begun_until_it_is_released(planned):
    await planned.do(do.HoldTask(task=planned.task_id("T001"), by=ME))
    await start(planned)
    assert started(planned) == ["T002", "T003"]
    await planned.do(do.ReleaseTask(task=planned.task_id("T001"), by=ME))
    await planned.do(do.StartRun(session=planned.session))
    await planned.finished(2)
    assert started(planned) == ["T002", "T003", "T001"]


async def test_an_edited_task_is_told_to_claude_as_it_is_now(planned):
    changed = replace(spec(planned, "T001"), prompt="Write it in verse.", acceptance=("It rhymes",))
    await planned.do(do.EditTask(task=changed.id, spec=changed, by=ME))
    await start(planned)
    assert "Write it in verse." in planned.prompts()[0]
    assert "- It rhymes" in planned.prompts()[0]


async def test_a_new_dependency_makes_a_task_wait_and_a_circle_is_refused(planned):
    first = replace(spec(planned, "T001"), depends_on=("T003",))
    await planned.do(do.EditTask(task=first.id, spec=first, by=ME))
    assert planned.state("T001") is State.BLOCKED
    third = replace(spec(planned, "T003"), depends_on=("T001",))
    with pytest.raises(PlanError, match="in a circle"):
        await planned.do(do.EditTask(task=third.id, spec=third, by=ME))
    with pytest.raises(PlanError, match="no task of this session"):
        await planned.do(do.EditTask(task=third.id, spec=replace(third, depends_on=("T009",)), by=ME))
    await start(planned)
    assert started(planned) == ["T002", "T003", "T001"]


async def test_a_removed_task_is_gone_from_the_plan_and_is_kept_as_cancelled(planned):
    await planned.do(do.RemoveTask(task=planned.task_id("T002"), by=ME))
    assert [item.spec.key for item in planned.orchestrator.plan_of(planned.session)] == ["T001", "T003"]
    assert planned.state("T002") is State.CANCELLED
    await start(planned)
    assert started(planned) == ["T001", "T003"]


async def test_a_task_that_others_wait_for_is_not_removed(planned):
    third = replace(spec(planned, "T003"), depends_on=("T001",))
    await planned.do(do.EditTask(task=third.id, spec=third, by=ME))
    with pytest.raises(NotAllowed, match="T003 waits for it"):
        await planned.do(do.RemoveTask(task=planned.task_id("T001"), by=ME))


async def test_running_from_a_task_leaves_what_comes_before_it(planned):
    await planned.do(do.HoldTask(task=planned.task_id("T003"), by=ME))
    await planned.do(do.RunFrom(task=planned.task_id("T002"), by=ME))
    await planned.finished()
    assert started(planned) == ["T002", "T003"]
    assert planned.state("T001") is State.QUEUED


async def test_a_task_that_was_begun_cannot_be_changed_any_more(planned):
    await start(planned)
    for command in (
        do.MoveTask(task=planned.task_id("T001"), position=2, by=ME),
        do.HoldTask(task=planned.task_id("T001"), by=ME),
        do.RemoveTask(task=planned.task_id("T001"), by=ME),
        do.EditTask(task=planned.task_id("T001"), spec=spec(planned, "T001"), by=ME),
    ):
        with pytest.raises(NotAllowed, match="any more"):
            await planned.do(command)


async def test_several_changes_are_made_one_after_the_other_and_together(planned):
    third = replace(spec(planned, "T003"), depends_on=("T002",))
    changes = (
        do.EditTask(task=third.id, spec=third, by=ME),
        do.AddTasks(session=planned.session, tasks=(task("T004", depends_on=("T003",)),)),
        do.MoveTask(task=planned.task_id("T003"), position=0, by=ME),
        do.HoldTask(task=planned.task_id("T001"), by=ME),
    )
    before = len(planned.told)
    await planned.do(do.ChangePlan(session=planned.session, changes=changes))
    plan = planned.orchestrator.plan_of(planned.session)
    assert [item.spec.key for item in plan] == ["T003", "T001", "T002", "T004"]
    assert [item.held_back for item in plan] == [False, True, False, False]
    assert planned.state("T003") is State.BLOCKED
    assert len(planned.told) > before


async def test_of_several_changes_none_is_made_when_one_is_refused(planned):
    changes = (
        do.HoldTask(task=planned.task_id("T001"), by=ME),
        do.AddTasks(session=planned.session, tasks=(task("T002"),)),
    )
    before = len(planned.told)
    with pytest.raises(PlanError, match="T002 is there twice"):
        await planned.do(do.ChangePlan(session=planned.session, changes=changes))
    assert len(planned.told) == before
    assert not any(item.held_back for item in planned.orchestrator.plan_of(planned.session))


async def test_a_chain_is_removed_together_from_its_end(planned):
    third = replace(spec(planned, "T003"), depends_on=("T001",))
    await planned.do(do.EditTask(task=third.id, spec=third, by=ME))
    removals = tuple(do.RemoveTask(task=planned.task_id(key), by=ME) for key in ("T003", "T001"))
    await planned.do(do.ChangePlan(session=planned.session, changes=removals))
    assert [item.spec.key for item in planned.orchestrator.plan_of(planned.session)] == ["T002"]


async def test_a_key_is_free_again_when_its_task_was_taken_out_and_places_count_what_is_there(planned):
    await planned.do(do.RemoveTask(task=planned.task_id("T001"), by=ME))
    await planned.do(do.AddTasks(session=planned.session, tasks=(task("T001"),)))
    await planned.do(do.MoveTask(task=planned.task_id("T001"), position=1, by=ME))
    plan = planned.orchestrator.plan_of(planned.session)
    assert [item.spec.key for item in plan] == ["T002", "T001", "T003"]
    await start(planned)
    assert started(planned) == ["T002", "T001", "T003"]


async def test_tasks_that_wait_for_each_other_in_a_circle_are_not_added(planned):
    circle = (task("T004", depends_on=("T005",)), task("T005", depends_on=("T004",)))
    with pytest.raises(PlanError, match="in a circle"):
        await planned.do(do.AddTasks(session=planned.session, tasks=circle))


async def test_a_session_for_another_project_is_not_opened(planned):
    with pytest.raises(NotAllowed, match="works on /project"):
        await planned.do(do.OpenSession(kind=SessionKind.STANDALONE, title="Other", project="/elsewhere"))


async def test_a_start_brings_tasks_of_its_own_and_asked_again_brings_them_once(planned):
    start = do.StartRun(session=planned.session, tasks=(task("T004"),))
    await planned.do(start)
    await planned.do(start)
    await planned.finished()
    assert [event.spec.key for event in planned.events() if isinstance(event, TaskAdded)] == [
        "T001",
        "T002",
        "T003",
        "T004",
    ]
    assert planned.state("T004") is State.ACCEPTED


async def test_a_start_whose_tasks_are_refused_starts_nothing(planned):
    with pytest.raises(PlanError):
        await planned.do(do.StartRun(session=planned.session, tasks=(task("T001"),)))
    assert not [event for event in planned.events() if isinstance(event, RunStarted)]

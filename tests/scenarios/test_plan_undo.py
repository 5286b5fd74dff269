"""Changes of a plan are taken back from what is stored: step by step, by whoever asks, also after a restart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core import events as e
from obra_tui.core.errors import NotAllowed, ObraError, SessionClosedError
from obra_tui.core.ids import SessionId, new_task_id
from obra_tui.core.lifecycle import State
from obra_tui.core.model import Policy, SessionKind, TaskSpec
from obra_tui.engine.plan_undo import marked, taken_back
from obra_tui.engine.replanning import drafted, replanned, replanned_together, standing
from obra_tui.engine.work import rebuild
from tests.scenarios.world import ME, task


async def change(world, said, *changes):
    await world.do(do.ChangePlan(session=world.session, changes=changes, said=said, by=ME))


async def undo(world):
    return await world.do(do.UndoPlanChange(session=world.session, by=ME))


def plan(world):
    return [(item.spec.key, item.spec.title, item.held_back) for item in world.orchestrator.plan_of(world.session)]


async def test_each_change_is_taken_back_in_turn_and_said(planned):
    whole = plan(planned)
    await change(planned, "T001 held.", do.HoldTask(task=planned.task_id("T001"), by=ME))
    held = plan(planned)
    removals = (do.RemoveTask(task=planned.task_id(key), by=ME) for key in ("T001", "T002"))
    await change(planned, "T001, T002 taken out.", *removals)
    await change(planned, "T004 was added.", do.AddTasks(session=planned.session, tasks=(task("T004"),)))
    assert await undo(planned) == "T004 was added."
    assert await undo(planned) == "T001, T002 taken out."
    assert plan(planned) == held
    assert await undo(planned) == "T001 held."
    assert plan(planned) == whole


async def test_a_change_can_be_taken_back_after_a_crash(planned):
    whole = plan(planned)
    moved = do.MoveTask(task=planned.task_id("T003"), position=0, by=ME)
    await change(planned, "T003 moved.", moved, do.RemoveTask(task=planned.task_id("T002"), by=ME))
    await planned.crash()
    assert await undo(planned) == "T003 moved."
    assert plan(planned) == whole
    await planned.crash()
    with pytest.raises(NotAllowed, match="No change of this plan is left"):
        await undo(planned)


async def test_a_plan_as_it_was_given_at_first_is_no_change(planned):
    with pytest.raises(NotAllowed, match="No change of this plan is left"):
        await undo(planned)


async def test_what_claude_was_told_stays_and_the_refusal_names_the_change(planned):
    spec = planned.work().by_key()["T001"].spec
    edited = do.EditTask(task=spec.id, spec=replace(spec, title="Another"), by=ME)
    await change(planned, "T001 was changed.", edited)
    await planned.do(do.StartRun(session=planned.session))
    await planned.finished()
    before = len(planned.told)
    with pytest.raises(NotAllowed, match=r"This cannot be undone any more: T001 was changed\. T001 is accepted"):
        await undo(planned)
    assert len(planned.told) == before


async def test_a_task_that_was_begun_meanwhile_does_not_hinder_what_was_not(planned):
    await change(planned, "T003 held.", do.HoldTask(task=planned.task_id("T003"), by=ME))
    await planned.do(do.StartRun(session=planned.session))
    await planned.finished()
    assert planned.state("T003") is State.QUEUED
    await undo(planned)
    await planned.do(do.StartRun(session=planned.session))
    await planned.finished(2)
    assert planned.state("T003") is State.ACCEPTED


async def test_nothing_of_a_closed_session_is_taken_back(planned):
    await change(planned, "T003 held.", do.HoldTask(task=planned.task_id("T003"), by=ME))
    await planned.do(do.CloseSession(session=planned.session))
    with pytest.raises(SessionClosedError):
        await undo(planned)


# --- any changes in any order ---------------------------------------------------------------------

SESSION = SessionId("s1")
CHOICES = st.lists(
    st.tuples(st.sampled_from(("add", "edit", "hold", "release", "move", "remove")), st.integers(0, 9)),
    min_size=1,
    max_size=4,
)


def opened():
    event = e.SessionOpened(
        kind=SessionKind.MILESTONE,
        title="Plan",
        project="/p",
        branch="obra/s1",
        base_commit="c",
        policy=Policy.SUPERVISED,
        threshold=0.7,
        max_attempts=3,
    )
    return [e.Record(seq=1, at=0.0, session=SESSION, task=None, attempt=None, event=event)]


def written(records, events):
    last = records[-1].seq
    return [
        *records,
        *(
            e.Record(seq=last + number, at=0.0, session=SESSION, task=owner, attempt=None, event=event)
            for number, (owner, event) in enumerate(events, start=1)
        ),
    ]


def picture(records):
    return [
        (item.spec.key, item.spec.title, item.spec.depends_on, item.held_back)
        for item in standing(rebuild(SESSION, records))
    ]


def chosen(work, what, number):
    """A change that this number names, in a plan as it stands."""
    tasks = [item.spec for item in standing(work)]
    spec = tasks[number % len(tasks)] if tasks else None
    match what:
        case "add":
            key = f"T{len(work.tasks) + 1:03d}"
            after = (spec.key,) if spec and number % 3 == 0 else ()
            new = TaskSpec(id=new_task_id(), key=key, title=key, prompt="p", source="", depends_on=after)
            return do.AddTasks(session=SESSION, tasks=(new,))
        case _ if spec is None:
            return None
        case "edit":
            other = tasks[(number + 1) % len(tasks)].key
            after = (other,) if other != spec.key and number % 2 else ()
            return do.EditTask(task=spec.id, spec=replace(spec, title=f"new {number}", depends_on=after), by=ME)
        case "hold":
            return do.HoldTask(task=spec.id, by=ME)
        case "release":
            return do.ReleaseTask(task=spec.id, by=ME)
        case "move":
            return do.MoveTask(task=spec.id, position=(number * 7) % len(tasks), by=ME)
        case _:
            return do.RemoveTask(task=spec.id, by=ME)


def changed(records, choices):
    """The records after one change of several parts; what the plan refuses is left out of it."""
    work, changes = rebuild(SESSION, records), []
    for what, number in choices:
        draft, _ = drafted(work, changes)
        part = chosen(draft, what, number)
        if part is None:
            continue
        try:
            replanned_together(work, [*changes, part])
        except ObraError:
            continue
        changes.append(part)
    command = do.ChangePlan(session=SESSION, changes=tuple(changes), said="A change.", by=ME)
    return written(records, marked(replanned_together(work, changes), command))


@settings(max_examples=60, deadline=None)
@given(st.lists(CHOICES, min_size=1, max_size=4))
def test_whatever_was_changed_comes_back_exactly_step_by_step(steps):
    tasks = tuple(
        TaskSpec(id=new_task_id(), key=f"T00{n}", title=f"T00{n}", prompt="p", source="") for n in range(1, 5)
    )
    added = do.AddTasks(session=SESSION, tasks=tasks)
    records = written(opened(), replanned(rebuild(SESSION, opened()), added))
    pictures = []
    for choices in steps:
        before = picture(records)
        after = changed(records, choices)
        if after != records:
            pictures.append(before)
        records = after
    for expected in reversed(pictures):
        _, events = taken_back(rebuild(SESSION, records), records, ME)
        records = written(records, events)
        assert picture(records) == expected

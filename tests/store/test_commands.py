"""Changes of a plan cross the table of commands as what they are, though some carry the same fields."""

from obra_tui.core import commands as do
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.model import Budget, CheckSpec, TaskSpec
from obra_tui.store.commands import CommandTable

SPEC = TaskSpec(
    id=TaskId("t9"),
    key="T009",
    title="Write it",
    prompt="Do.",
    depends_on=("T001",),
    checks=(CheckSpec(name="unit", run="make unit"),),
    budget=Budget(max_turns=3),
)


def test_every_change_of_a_plan_arrives_as_the_command_that_it_was(tmp_path):
    session, task = SessionId("s1"), TaskId("t1")
    changes = (
        do.AddTasks(session=session, tasks=(SPEC,)),
        do.EditTask(task=task, spec=SPEC, by="person:ada"),
        do.HoldTask(task=task, by="person:ada"),
        do.ReleaseTask(task=task, by="person:ada"),
        do.RemoveTask(task=task, by="person:ada"),
        do.MoveTask(task=task, position=2, by="person:ada"),
    )
    table = CommandTable(tmp_path)
    number = table.put(do.ChangePlan(session=session, changes=changes))
    assert table.take() == [(number, do.ChangePlan(session=session, changes=changes))]

"""A plan file against the plan of a session."""

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core import commands as do
from obra_tui.core.ids import SessionId
from obra_tui.core.model import TaskSpec
from obra_tui.core.plans.merge import MergeStatus, describe, differences, merging, refusal_of, same_file
from obra_tui.core.plans.parse import parse_plan

ME = "person:ada"
FILE = "- [ ] Write the parser\n  - It parses\n- [ ] Write the docs (after: T001)\n- [ ] Publish\n"


class Task(Struct, frozen=True):
    spec: TaskSpec
    original: TaskSpec
    changeable: bool = True
    over: bool = False


def read(text, source="tasks.md"):
    return parse_plan(text, source, "markdown")


def plan_of(text=FILE, **started):
    return [Task(spec, spec) for spec in read(text).tasks]


def edited(plan, key, **changes):
    return [replace(item, spec=replace(item.spec, **changes)) if item.spec.key == key else item for item in plan]


def started(plan, key, *, over=False):
    return [replace(item, changeable=False, over=over) if item.spec.key == key else item for item in plan]


def fates(text, plan):
    return [(item.spec.key, item.fate) for item in differences(read(text), plan)]


def changes(text, plan):
    found = differences(read(text), plan)
    taken = [item for item in found if item.fate in (MergeStatus.NEW, MergeStatus.CHANGED, MergeStatus.GONE)]
    return merging(taken, plan, SessionId("s1"), ME, found)


def test_a_file_that_is_as_it_was_changes_nothing():
    assert {fate for _, fate in fates(FILE, plan_of())} == {MergeStatus.SAME}
    assert changes(FILE, plan_of()) == ()


def test_a_line_put_in_at_the_top_is_new_and_the_others_stay_who_they_are():
    text = FILE.replace("- [ ] Write the parser", "- [ ] Think\n- [ ] Write the parser").replace("T001", "T002")
    assert fates(text, plan_of()) == [
        ("T004", MergeStatus.NEW),
        ("T001", MergeStatus.SAME),
        ("T002", MergeStatus.SAME),
        ("T003", MergeStatus.SAME),
    ]
    added, moved = changes(text, plan_of())
    assert isinstance(added, do.AddTasks)
    assert (moved.task, moved.position) == (added.tasks[0].id, 0)


def test_a_new_task_comes_behind_the_one_before_it_and_keeps_its_dependencies():
    text = FILE.replace("- [ ] Publish", "- [ ] Proofread (after: T002)\n- [ ] Publish")
    added, moved = changes(text, plan_of())
    assert (added.tasks[0].key, added.tasks[0].depends_on, moved.position) == ("T004", ("T002",), 2)


def test_what_is_added_at_the_end_is_not_moved():
    (added,) = changes(FILE + "- [ ] Rest\n- [ ] Rest more\n", plan_of())
    assert [task.title for task in added.tasks] == ["Rest", "Rest more"]


def test_a_change_in_the_file_alone_is_taken_and_one_made_here_alone_is_kept():
    plan = edited(plan_of(), "T003", prompt="To the world.")
    text = FILE.replace("It parses", "It parses all")
    assert fates(text, plan) == [("T001", MergeStatus.CHANGED), ("T002", MergeStatus.SAME), ("T003", MergeStatus.SAME)]
    (edit,) = changes(text, plan)
    assert (edit.task, edit.spec.acceptance) == (plan[0].spec.id, ("It parses all",))


def test_a_change_on_both_sides_is_a_conflict_unless_it_is_the_same_change():
    text = FILE.replace("It parses", "It parses all")
    assert fates(text, edited(plan_of(), "T001", acceptance=("It is fast",)))[0] == ("T001", MergeStatus.CONFLICT)
    assert fates(text, edited(plan_of(), "T001", acceptance=("It parses all",)))[0] == ("T001", MergeStatus.SAME)


def test_a_title_changed_in_its_place_is_the_same_task():
    text = FILE.replace("Publish", "Publish it")
    assert fates(text, plan_of())[2] == ("T003", MergeStatus.CHANGED)


def test_what_is_ticked_or_deleted_goes_from_its_end_unless_somebody_waits_or_it_was_changed_here():
    gone = "- [x] Write the parser\n- [ ] Publish\n"
    assert fates(gone, plan_of()) == [
        ("T003", MergeStatus.SAME),
        ("T001", MergeStatus.GONE),
        ("T002", MergeStatus.GONE),
    ]
    plan = plan_of()
    keys = {item.spec.id: item.spec.key for item in plan}
    assert [(type(item), keys[item.task]) for item in changes(gone, plan)] == [
        (do.RemoveTask, "T002"),
        (do.RemoveTask, "T001"),
    ]
    needed = differences(read(gone), started(plan_of(), "T002"))
    assert [(item.spec.key, item.fate) for item in needed] == [("T003", MergeStatus.SAME), ("T001", MergeStatus.NEEDED)]
    assert "other tasks wait for it" in str(refusal_of(needed[1]))
    assert fates(gone, edited(plan_of(), "T001", title="Mine"))[1] == ("T001", MergeStatus.CONFLICT)


def test_a_started_task_is_left_alone_and_said_so():
    plan = started(plan_of(), "T001")
    assert fates(FILE, plan)[0] == ("T001", MergeStatus.SAME)
    changed = differences(read(FILE.replace("It parses", "It sings")), plan)[0]
    assert changed.fate is MergeStatus.STARTED
    assert "after Claude was told" in str(refusal_of(changed))


def test_a_dependency_that_was_ticked_with_its_task_is_no_change():
    plan = started(plan_of(), "T001", over=True)
    ticked = FILE.replace("[ ] Write the parser", "[x] Write the parser <!-- id: T001 -->")
    assert fates(ticked, plan) == [("T002", MergeStatus.SAME), ("T003", MergeStatus.SAME)]


def test_another_file_with_the_same_ids_brings_new_tasks():
    other = read("- [ ] T001 Sing\n- [ ] T002 Dance (after: T001)\n", "songs.md")
    found = differences(other, plan_of())
    assert [(item.spec.key, item.fate, item.spec.depends_on) for item in found] == [
        ("T004", MergeStatus.NEW, ()),
        ("T005", MergeStatus.NEW, ("T004",)),
    ]
    assert describe(found) == "2 added"


def test_a_file_is_the_same_from_whatever_folder_it_was_named():
    assert same_file("tasks.md", "/home/ada/calc/tasks.md")
    assert not same_file("tasks.md", "/home/ada/calc/more-tasks.md")

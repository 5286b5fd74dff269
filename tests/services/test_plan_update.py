"""The person's plan file follows what is accepted, and keeps everything else."""

import pytest

from obra_tui.core import events as e
from obra_tui.core.errors import PlanError
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.lifecycle import State, Trigger
from obra_tui.core.model import Policy, SessionKind, TaskSpec
from obra_tui.services.plans import PlanUpdater, read_plan, tick_in_file
from tests.fakes.engine import FakeEngine

SESSION = SessionId("s1")


def told(task, *happened):
    return [e.Record(seq=1, at=1.0, session=SESSION, task=task, attempt=None, event=event) for event in happened]


def opened(source):
    return e.SessionOpened(
        kind=SessionKind.MILESTONE,
        title="Plan",
        project="/p",
        branch="obra/s1",
        base_commit="c",
        policy=Policy.SUPERVISED,
        threshold=0.7,
        max_attempts=3,
        plan_source=str(source),
    )


def test_an_accepted_task_is_ticked_and_a_rejected_one_is_not(tmp_path):
    file = tmp_path / "tasks.md"
    file.write_bytes(b"- [ ] T001 One  \r\n- [ ] T002 Two\r\n")
    file.chmod(0o600)
    engine = FakeEngine()
    updater = PlanUpdater(engine)
    engine.play(told(None, opened(file)))
    for key, after, trigger in (("T001", State.ACCEPTED, Trigger.MERGED), ("T002", State.REJECTED, Trigger.REJECT)):
        spec = TaskSpec(id=TaskId(key), key=key, title="x", prompt="x")
        moved = e.TaskMoved(before=State.ACCEPTING, trigger=trigger, after=after)
        engine.play(told(spec.id, e.TaskAdded(spec=spec, position=0, state=State.QUEUED), moved))
    updater.close()
    assert updater.problems == []
    assert file.read_bytes() == b"- [x] T001 One  \r\n- [ ] T002 Two\r\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["tasks.md"]


def test_a_file_that_cannot_be_read_is_left_alone_and_named(tmp_path):
    file = tmp_path / "tasks.md"
    file.write_bytes(b"\xff\xfe- [ ] T001")
    with pytest.raises(PlanError, match="was not updated"):
        tick_in_file(file, TaskSpec(id=TaskId("t"), key="T001", title="x", prompt="x"))
    assert file.read_bytes() == b"\xff\xfe- [ ] T001"


def test_a_list_of_issues_is_read_as_a_plan(tmp_path):
    file = tmp_path / "issues.json"
    file.write_text('[{"number": 4, "title": "Four"}]')
    assert [task.key for task in read_plan(file).tasks] == ["GH4"]

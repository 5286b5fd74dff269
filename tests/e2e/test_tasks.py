"""`obra task`: a plan made and changed from the command line, process by process."""

import sys

import pytest

from tests.e2e.obra import environment, git, obra, processes_of
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "README.md").write_text("# Project\n")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=Ada", "-c", "user.email=ada@localhost", "commit", "-q", "-m", "Start")
    return folder


@pytest.fixture
def task(tmp_path, project):
    return lambda *args: obra(tmp_path, "task", *args, "--json", cwd=project)


def keys(ran):
    assert ran.code == 0, ran.err
    return [(event["key"], event["state"], event["held"]) for event in ran.of("task")]


def test_a_plan_is_made_and_changed_from_the_command_line(project, task):
    (project / "tasks.md").write_text(
        "# Plan\n\n- [ ] T001 First\n- [x] T002 Done before\n- [ ] T003 Third (after: T001)\n"
    )
    assert keys(task("import", "tasks.md")) == [("T001", "queued", False), ("T003", "blocked", False)]
    keys(task("add", "Third\nin more words", "--accept", "It works", "--check", "make unit", "--max-turns", "9"))
    keys(task("hold", "T001"))
    keys(task("edit", "T004", "--title", "Another title", "--max-turns", ""))
    assert keys(task("move", "T004", "--to", "1"))[0][0] == "T004"
    listed = task("list")
    assert keys(listed) == [("T004", "queued", False), ("T001", "queued", True), ("T003", "blocked", False)]
    (first, *_) = listed.of("task")
    assert (first["title"], first["acceptance"]) == ("Another title", ["It works"])
    assert (first["checks"][0]["run"], first["budget"]["max_turns"]) == ("make unit", None)
    refused = task("remove", "T001")
    assert refused.code == 2
    assert "T003 waits for it" in refused.err
    assert [key for key, *_ in keys(task("delete", "T001", "T003"))] == ["T004"]
    undone = task("undo")
    assert (keys(undone), undone.of("done")[0]["text"]) == (keys(listed), "Undone: T001, T003 taken out.")
    assert [key for key, *_ in keys(task("undo"))] == ["T001", "T003", "T004"], "each change of its own"
    assert [key for key, *_ in keys(task("delete", "T001", "T003"))] == ["T004"]
    unknown = task("hold", "T004", "T099")
    assert (unknown.code, "The tasks are: T004." in unknown.err) == (2, True)
    assert keys(task("list")) == [("T004", "queued", False)], "none of several when one is refused"


def test_what_changed_in_the_file_is_taken_in_the_next_time(project, task):
    plan = project / "tasks.md"
    plan.write_text("- [ ] Write it\n- [ ] Publish it\n")
    keys(task("import", "tasks.md"))
    keys(task("edit", "T002", "--prompt", "To the world."))
    plan.write_text("- [ ] Think\n- [ ] Write it\n  - It is short\n- [ ] Publish it\n")
    ran = task("import", "tasks.md")
    assert [(event["key"], event["title"]) for event in ran.of("task")] == [
        ("T003", "Think"),
        ("T001", "Write it"),
        ("T002", "Publish it"),
    ]
    assert ran.of("done")[0]["text"].endswith("1 added, 1 changed.")
    assert ran.of("task")[1]["acceptance"] == ["It is short"]
    assert ran.of("task")[2]["prompt"] == "To the world."
    plan.write_text("- [ ] Think\n- [ ] Write it\n  - It is short\n- [ ] Publish it\n  To everybody.\n")
    both = task("import", "tasks.md")
    assert "T002 was changed here and in the file" in both.err
    assert "-To the world." in both.err and "+To everybody." in both.err
    assert both.of("task")[2]["prompt"] == "To the world."
    assert task("import", "tasks.md", "--theirs").of("task")[2]["prompt"] == "To everybody."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"- [ ] T001 A (after: T002)\n- [ ] T002 B (after: T001)\n", "in a circle: T001"),
        (b"- [ ] caf\xe9\n", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_taken_in_is_one_line_with_its_place(project, task, content, words):
    (project / "tasks.md").write_bytes(content)
    ran = task("import", "tasks.md")
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert "tasks.md" in ran.err
    assert len(ran.err.strip().splitlines()) <= 3


@pytest.mark.tmux
def test_while_another_obra_is_at_work_it_makes_the_change(tmp_path, project, task):
    (tmp_path / "tmp").mkdir()
    app = Terminal([sys.executable, "-m", "obra_tui"], env=environment(tmp_path), cwd=project)
    try:
        app.wait_for("Nothing is running yet")
        added = task("add", "Write a parser")
        assert keys(added) == [("T001", "queued", False)]
        assert added.of("done")[0]["owner"] > 0
        app.press("2")
        app.wait_for("T001", "Write a parser")
        (project / "more.md").write_text("- [ ] T002 Write the docs (after: T001)\n")
        refused = task("import", "more.md")
        assert (refused.code, "There is no" in refused.err or "no task" in refused.err) == (2, True)
        (project / "more.md").write_text("- [ ] T002 Write the docs\n")
        assert keys(task("import", "more.md"))[1][0] == "T002"
        keys(task("edit", "T002", "--after", "T001"))
        assert keys(task("hold", "T001", "T002")) == [("T001", "queued", True), ("T002", "blocked", True)]
        app.wait_for("held", "after T001")
        assert task("remove", "T001").code == 2
        assert keys(task("delete", "T001", "T002")) == []
        app.press("C-q")
        assert app.wait_for_end() == 0
    finally:
        app.close()
    assert processes_of(tmp_path) == []

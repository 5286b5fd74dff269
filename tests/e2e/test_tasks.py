"""`obra task`: a plan made and changed from the command line, process by process."""

import pytest

from tests.e2e.obra import git, obra

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


def keys(ran):
    assert ran.code == 0, ran.err
    return [(event["key"], event["state"], event["held"]) for event in ran.events]


def test_a_plan_is_made_and_changed_from_the_command_line(tmp_path, project):
    def task(*args):
        return obra(tmp_path, "task", *args, "--json", cwd=project)

    (project / "tasks.md").write_text(
        "# Plan\n\n- [ ] T001 First\n- [x] T002 Done before\n- [ ] T003 Third (after: T001)\n"
    )
    assert keys(task("import", "tasks.md")) == [("T001", "queued", False), ("T003", "blocked", False)]
    keys(task("add", "Fourth\nin more words", "--accept", "It works"))
    keys(task("hold", "T001"))
    keys(task("edit", "T004", "--title", "Another title"))
    assert keys(task("move", "T004", "--to", "1"))[0][0] == "T004"
    listed = task("list")
    assert keys(listed) == [("T004", "queued", False), ("T001", "queued", True), ("T003", "blocked", False)]
    assert (listed.events[0]["title"], listed.events[0]["acceptance"]) == ("Another title", ["It works"])
    refused = task("remove", "T001")
    assert refused.code == 2
    assert "T003 waits for it" in refused.err
    assert [key for key, *_ in keys(task("remove", "T003"))] == ["T004", "T001"]
    unknown = task("hold", "T099")
    assert (unknown.code, "The tasks are: T004, T001." in unknown.err) == (2, True)

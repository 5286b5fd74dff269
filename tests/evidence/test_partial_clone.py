"""A clone that fetches its files when they are needed: what is not here is said with what fetches it."""

import pytest

from obra_tui.core.errors import WorkspaceError
from obra_tui.core.ids import new_session_id, new_task_id
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace
from obra_tui.system.git import first_message
from tests.evidence.scene import commit_files, git, make_project


def prepared(project, data_dir):
    workspace = GitWorkspace(project=project, data_dir=data_dir, sandbox=Sandbox(data_dir=data_dir))
    return workspace.prepare(new_session_id(), new_task_id(), git(project, "rev-parse", "HEAD"))


@pytest.mark.parametrize("kept", ["blob:none", "tree:0"])
async def test_what_a_partial_clone_lacks_is_said_with_the_command_that_fetches_it(tmp_path, kept):
    origin = make_project(tmp_path / "origin", {"a.txt": "old\n"})
    commit_files(origin, {"a.txt": "new\n"})
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", f"--filter={kept}", f"file://{origin}", "clone")
    with pytest.raises(WorkspaceError) as refused:
        await prepared(tmp_path / "clone", tmp_path / "data")
    assert "partial clone" in refused.value.what
    assert refused.value.where == str(tmp_path / "clone")
    command = refused.value.fix.split("`")[1]
    git(tmp_path / "clone", *command.split()[1:])
    copy = await prepared(tmp_path / "clone", tmp_path / "data")
    assert copy.base_commit


async def test_another_failure_is_told_in_gits_words(tmp_path):
    project = make_project(tmp_path / "project", {"a.txt": "a\n"})
    blob = git(project, "rev-parse", "HEAD:a.txt")
    (project / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(WorkspaceError) as refused:
        await prepared(project, tmp_path / "data")
    assert "cannot read object" in refused.value.what


def test_of_what_git_says_the_reason_is_told_and_no_warning():
    said = "remote: warning: lazy fetching disabled\nFrom /src\nremote: fatal: unable to read abc\nfatal: early EOF\n"
    assert first_message(said) == "remote: fatal: unable to read abc"

"""Making copies: complete or not at all, set up once, and with no way back to the person's repository."""

import os
from pathlib import Path

import pytest

from obra_tui.core.errors import ProjectError, WorkspaceError
from obra_tui.core.ids import new_task_id
from obra_tui.core.model import WorkCopy
from obra_tui.evidence.git import uncommitted
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace, open_project
from obra_tui.system.git import trusted_folders
from tests.evidence.scene import git, make_project, make_scene


async def test_the_copy_is_a_repository_of_its_own_without_a_way_back(scene):
    copy = await scene.copy()
    work = Path(copy.path)
    assert git(work, "remote") == ""
    assert str(scene.project) not in (work / ".git" / "config").read_text()
    assert git(work, "log", "--format=%s") == "Start"
    assert git(work, "status", "--porcelain") == ""
    git(work, "fsck", "--strict")


async def test_claude_can_commit_in_the_copy_and_the_project_hears_nothing_of_it(scene, monkeypatch):
    copy = await scene.copy()
    (Path(copy.path) / "new.txt").write_text("new\n")
    git(Path(copy.path), "add", "--all")
    git(Path(copy.path), "commit", "--quiet", "--message", "By Claude")
    assert git(scene.project, "rev-list", "--all", "--count") == "1"


async def test_copies_and_repositories_are_for_the_owner_alone(scene):
    copy = await scene.copy()
    for folder in (Path(copy.path), Path(copy.path).parent, *(scene.data_dir / "repos").iterdir()):
        assert folder.stat().st_mode & 0o077 == 0


async def test_a_filter_of_the_project_does_not_run_in_the_copy(tmp_path):
    """Files under a filter, as large file storage makes them, come as what is stored."""
    scene = make_scene(tmp_path, {".gitattributes": "*.bin filter=lfs\n", "a.bin": "pointer\n"})
    git(scene.project, "config", "filter.lfs.smudge", f"touch {tmp_path}/ran; cat")
    git(scene.project, "config", "filter.lfs.clean", f"touch {tmp_path}/ran; cat")
    copy = await scene.copy()
    assert (Path(copy.path) / "a.bin").read_text() == "pointer\n"
    assert (await scene.workspace.take_diff(copy)).empty
    assert not (tmp_path / "ran").exists()


async def test_no_filter_runs_to_say_which_files_are_not_committed(tmp_path):
    files = {".gitattributes": "*.bin filter=lfs\n*.x filter=a=b\n", "a.bin": "a\n", "b.bin": "b\n", "c.x": "c\n"}
    scene = make_scene(tmp_path, {**files, "d.txt": "d\n"})
    for name in ("lfs", "a=b"):
        for way in ("smudge", "clean", "process"):
            git(scene.project, "config", f"filter.{name}.{way}", f"touch {tmp_path}/ran; cat")
        git(scene.project, "config", f"filter.{name}.required", "true")
    for name in ("b.bin", "c.x", "d.txt"):
        (scene.project / name).write_text("more\n")
    assert await uncommitted(scene.project) == [b"d.txt"]
    assert not (tmp_path / "ran").exists()


async def test_line_ends_come_as_they_are_stored_and_are_no_change(tmp_path):
    scene = make_scene(tmp_path, {".gitattributes": "*.txt text eol=crlf\n", "a.txt": "one\ntwo\n"})
    assert (await scene.workspace.take_diff(await scene.copy())).empty


async def test_a_submodule_that_the_person_has_is_there_and_is_no_change(scene, tmp_path):
    other = make_project(tmp_path / "other", {"a.txt": "a\n"})
    git(scene.project, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    git(scene.project, "commit", "--quiet", "--message", "Add sub")
    copy = await scene.copy()
    assert (Path(copy.path) / "sub" / "a.txt").read_text() == "a\n"
    assert (await scene.workspace.take_diff(copy)).empty


async def test_a_shallow_clone_is_a_project_too(scene, tmp_path):
    (scene.project / "two.txt").write_text("2\n")
    git(scene.project, "add", "--all")
    git(scene.project, "commit", "--quiet", "--message", "Two")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{scene.project}", "shallow")
    workspace = GitWorkspace(project=tmp_path / "shallow", data_dir=tmp_path / "more", sandbox=scene.sandbox)
    copy = await workspace.prepare(scene.session, new_task_id(), await workspace.head())
    (Path(copy.path) / "new.txt").write_text("new\n")
    diff = await workspace.take_diff(copy)
    accepted = await workspace.accept(scene.session, "a1", diff, "Work")
    assert git(tmp_path / "shallow", "log", "-1", "--format=%H", scene.branch) == accepted.commit


async def test_a_linked_worktree_of_the_person_is_a_project_too(scene, tmp_path):
    git(scene.project, "worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "wt"))
    workspace = GitWorkspace(project=tmp_path / "wt", data_dir=tmp_path / "more", sandbox=scene.sandbox)
    copy = await workspace.prepare(scene.session, new_task_id(), await workspace.head())
    assert (await workspace.take_diff(copy)).empty


async def test_a_repository_with_sha256_names_works(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    (project / "a.txt").write_text("a\n")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Start")
    workspace = GitWorkspace(project=project, data_dir=tmp_path / "data", sandbox=Sandbox(data_dir=tmp_path / "data"))
    copy = await workspace.prepare("s1", new_task_id(), await workspace.head())
    (Path(copy.path) / "b.txt").write_text("b\n")
    diff = await workspace.take_diff(copy)
    assert len((await workspace.accept("s1", "a1", diff, "Work")).commit) == 64


async def test_a_copy_that_a_crash_left_half_made_is_made_anew(scene):
    task, head = new_task_id(), await scene.workspace.head()
    copy = await scene.workspace.prepare(scene.session, task, head)
    (Path(copy.path).parent / "prepared.json").unlink()
    (Path(copy.path) / "leftover.txt").write_text("half\n")
    again = await scene.workspace.prepare(scene.session, task, head)
    assert again == copy and not (Path(copy.path) / "leftover.txt").exists()


async def test_a_copy_inside_the_project_is_refused(scene):
    inside = GitWorkspace(project=scene.project, data_dir=scene.project / "data", sandbox=scene.sandbox)
    with pytest.raises(WorkspaceError, match="inside the project"):
        await inside.prepare(scene.session, new_task_id(), await inside.head())


async def test_a_path_that_is_no_copy_of_ours_is_refused(scene, tmp_path):
    head = await scene.workspace.head()
    for path in (scene.project, tmp_path, scene.data_dir / "copies" / ".." / "work", "/nowhere/work"):
        with pytest.raises(WorkspaceError, match="not a copy that Obra made"):
            await scene.workspace.take_diff(WorkCopy(path=str(path), base_commit=head))


async def test_a_copy_replaced_by_a_link_is_refused(scene):
    copy = await scene.copy()
    Path(copy.path).rename(Path(copy.path).with_name("moved"))
    Path(copy.path).symlink_to(scene.project)
    with pytest.raises(WorkspaceError, match="not a copy that Obra made"):
        await scene.workspace.take_diff(copy)


@pytest.mark.parametrize("task", ["../up", "", ".", "a/b", ".hidden"])
async def test_a_task_name_cannot_lead_out_of_the_copies(scene, task):
    with pytest.raises(WorkspaceError):
        await scene.workspace.discard(task)


async def test_discarding_removes_folders_that_nobody_may_enter_and_follows_no_link(scene, tmp_path):
    copy = await scene.copy()
    locked = Path(copy.path) / "locked"
    locked.mkdir()
    (locked / "file").write_text("x")
    locked.chmod(0o000)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (Path(copy.path) / "link").symlink_to(tmp_path / "precious")
    await scene.workspace.discard(Path(copy.path).parent.name)
    assert not Path(copy.path).parent.exists()
    assert (tmp_path / "precious" / "file").exists()


async def test_a_disk_that_refuses_is_an_error_with_advice(scene):
    scene.data_dir.mkdir(exist_ok=True)
    (scene.data_dir / "copies").write_text("a file where a folder must be")
    with pytest.raises(WorkspaceError) as caught:
        await scene.copy()
    assert caught.value.fix and caught.value.where


# --- set-up --------------------------------------------------------------------------------------


async def test_set_up_runs_once_per_copy_in_the_copy(tmp_path):
    scene = make_scene(tmp_path, setup=("echo run >> .venv.log; mkdir -p .venv; pwd > .venv/where", "test -d .venv"))
    task, head = new_task_id(), await scene.workspace.head()
    for _ in range(2):
        copy = await scene.workspace.prepare(scene.session, task, head)
    assert copy.setup_ran
    assert (Path(copy.path) / ".venv.log").read_text() == "run\n"
    assert (Path(copy.path) / ".venv" / "where").read_text() == f"{copy.path}\n"


async def test_a_failed_set_up_names_command_exit_code_and_the_end_of_its_output(tmp_path):
    scene = make_scene(tmp_path, setup=("echo first", "echo missing lock file; exit 7"))
    with pytest.raises(WorkspaceError) as caught:
        await scene.copy()
    assert "`echo missing lock file; exit 7` failed: exit code 7" in str(caught.value)
    assert "missing lock file" in caught.value.what
    log = Path(caught.value.fix.rpartition(" ")[2])
    assert log.read_text() == "$ echo first\nfirst\n\n$ echo missing lock file; exit 7\nmissing lock file\n\n"


async def test_after_a_failed_set_up_the_copy_is_made_anew(tmp_path):
    flag = tmp_path / "project" / "ok"
    scene = make_scene(tmp_path, setup=("touch left; test -f ok",))
    task = new_task_id()
    with pytest.raises(WorkspaceError):
        await scene.workspace.prepare(scene.session, task, await scene.workspace.head())
    flag.write_text("ok")
    git(scene.project, "add", "--all")
    git(scene.project, "commit", "--quiet", "--message", "ok")
    copy = await scene.workspace.prepare(scene.session, task, await scene.workspace.head())
    assert copy.base_commit == git(scene.project, "rev-parse", "HEAD")


async def test_a_set_up_without_end_is_stopped(tmp_path):
    scene = make_scene(tmp_path, setup=("sleep 600",), setup_timeout_s=0.3)
    with pytest.raises(WorkspaceError, match="no end within"):
        await scene.copy()


async def test_set_up_cannot_write_outside_the_copy(tmp_path):
    scene = make_scene(tmp_path, setup=(f"echo x > {tmp_path}/project/planted || true",))
    await scene.copy()
    assert not (tmp_path / "project" / "planted").exists()


# --- projects ------------------------------------------------------------------------------------


async def test_a_folder_inside_a_repository_leads_to_its_top(scene):
    (scene.project / "sub").mkdir()
    assert await open_project(scene.project / "sub") == scene.project.resolve()


async def test_what_is_no_usable_repository_is_told_apart(tmp_path):
    with pytest.raises(ProjectError, match="no such folder"):
        await open_project(tmp_path / "nothing")
    with pytest.raises(ProjectError, match="no git repository") as caught:
        await open_project(tmp_path)
    assert "git init" in caught.value.fix
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(ProjectError, match="no commit yet"):
        await open_project(tmp_path / "empty")
    git(tmp_path, "init", "--quiet", "--bare", "bare")
    with pytest.raises(ProjectError, match="is bare"):
        await open_project(tmp_path / "bare")


async def test_without_git_on_the_path_the_error_says_so(scene, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProjectError, match="git was not found"):
        await scene.workspace.head()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_a_repository_of_somebody_else_is_used_only_if_the_person_trusts_it(scene):
    os.chown(scene.project, 12345, 12345)
    with pytest.raises(ProjectError, match="belongs to somebody else") as caught:
        await open_project(scene.project)
    assert "safe.directory" in caught.value.fix
    git(scene.project.parent, "config", "--global", "--add", "safe.directory", str(scene.project))
    trusted_folders.cache_clear()
    try:
        assert await open_project(scene.project) == scene.project
        copy = await scene.copy()
        assert (await scene.workspace.take_diff(copy)).empty
    finally:
        trusted_folders.cache_clear()

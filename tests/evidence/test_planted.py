"""What Claude plants in its copy must not run when the supervisor looks at it."""

import subprocess
from pathlib import Path

import pytest

from tests.evidence.scene import git, make_scene


def plant(copy: Path, sprung: Path) -> None:
    """Set every trap that git offers: each one that springs leaves its name in `sprung`."""

    def trap(name: str) -> str:
        script = copy / ".git" / f"trap-{name}"
        script.write_text(f"#!/bin/sh\necho {name} >> {sprung}\ncat 2>/dev/null\n")
        script.chmod(0o755)
        return str(script)

    hooks = copy / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "pre-commit", "post-checkout", "reference-transaction", "post-merge"):
        Path(trap(hook)).rename(hooks / hook)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process"):
        git(copy, "config", key, trap(key))
    for key in ("diff.evil.textconv", "diff.evil.command", "diff.external", "core.sshCommand", "core.pager"):
        git(copy, "config", key, trap(key))
    git(copy, "config", "filter.evil.required", "true")
    git(copy, "config", "--unset", "filter.evil.process")
    (copy / ".gitattributes").write_text("* filter=evil diff=evil\n")


def spring_all(copy: Path) -> None:
    """What a careless supervisor would do."""
    for command in (("add", "--all"), ("diff", "--cached"), ("status",)):
        subprocess.run(["git", *command], cwd=copy, capture_output=True, check=False)


@pytest.fixture
async def planted(tmp_path):
    scene = make_scene(tmp_path, {"README.md": "# Project\n", "notes.txt": "one\n"})
    copy = await scene.copy()
    sprung = tmp_path / "sprung"
    (Path(copy.path) / "notes.txt").write_text("two\n")
    plant(Path(copy.path), sprung)
    sprung.unlink(missing_ok=True)
    return scene, copy, sprung


async def test_the_traps_do_spring_for_plain_git(planted):
    _, copy, sprung = planted
    spring_all(Path(copy.path))
    names = set(sprung.read_text().split())
    assert {"core.fsmonitor", "filter.evil.clean", "diff.evil.command", "post-index-change"} <= names


async def test_no_trap_springs_from_taking_a_diff_to_accepting_it(planted):
    scene, copy, sprung = planted
    diff = await scene.workspace.take_diff(copy)
    assert {change.path for change in diff.files} == {".gitattributes", "notes.txt"}
    assert await scene.workspace.files_of(diff, "notes.txt") == ("one\n", "two\n")
    checks = scene.checks()
    await checks.plan(copy, task_of(scene))
    await scene.accept(diff)
    await scene.workspace.take_diff(copy)
    assert not sprung.exists()


async def test_a_planted_submodule_is_not_asked_for_its_state(scene, tmp_path):
    """git runs itself inside a submodule to see whether it changed, and would obey that one's settings."""
    copy = await scene.copy()
    inner = Path(copy.path) / "inner"
    git(Path(copy.path), "init", "--quiet", str(inner))
    (inner / "a.txt").write_text("a\n")
    git(inner, "add", "--all")
    git(inner, "commit", "--quiet", "--message", "inner")
    git(Path(copy.path), "add", "inner")
    git(Path(copy.path), "commit", "--quiet", "--message", "gitlink")
    base = git(Path(copy.path), "rev-parse", "HEAD")
    git(scene.project, "fetch", "--quiet", copy.path, base)
    git(scene.project, "update-ref", "refs/heads/main", base)
    linked = await scene.copy(base)
    sub = Path(linked.path) / "inner"
    git(sub.parent, "init", "--quiet", str(sub))
    (sub / "a.txt").write_text("changed\n")
    sprung = tmp_path / "sprung"
    plant(sub, sprung)
    sprung.unlink(missing_ok=True)
    diff = await scene.workspace.take_diff(linked)
    assert not sprung.exists()
    assert diff.empty and diff.truncated
    assert any("nested repository, not taken: inner" in note for note in diff.notes)


async def test_hooks_and_watchers_of_the_persons_repository_do_not_run_either(scene, tmp_path):
    sprung = tmp_path / "sprung"
    plant(scene.project, sprung)
    git(scene.project, "config", "--unset", "core.fsmonitor")
    sprung.unlink(missing_ok=True)
    _, diff = await scene.work({"new.txt": "new\n"})
    await scene.accept(diff)
    assert not sprung.exists()


async def test_an_attribute_cannot_hide_a_change_from_the_diff(scene):
    _, diff = await scene.work({".gitattributes": "*.py -diff\n", "evil.py": "import os\n"})
    assert "+import os" in diff.patch
    assert not any(change.binary for change in diff.files)


async def test_an_attribute_cannot_change_what_is_recorded(scene):
    text = "keep\r\n$Id$\r\n"
    copy, _ = await scene.work({".gitattributes": "* text eol=lf ident working-tree-encoding=UTF-16\n"})
    Path(copy.path, "dos.txt").write_bytes(text.encode())
    diff = await scene.workspace.take_diff(copy)
    assert await scene.workspace.files_of(diff, "dos.txt") == (None, text)


async def test_a_copy_whose_git_was_removed_is_refused(scene):
    copy = await scene.copy()
    git_dir = Path(copy.path) / ".git"
    git_dir.rename(git_dir.with_name("was-git"))
    with pytest.raises(Exception, match=r"its \.git was removed or redirected"):
        await scene.workspace.take_diff(copy)


async def test_a_copy_whose_git_points_elsewhere_is_refused(scene, tmp_path):
    copy = await scene.copy()
    git(Path(copy.path), "config", "core.worktree", str(tmp_path))
    with pytest.raises(Exception, match=r"its \.git was removed or redirected"):
        await scene.workspace.take_diff(copy)


async def test_a_stale_copy_inside_another_repository_is_refused(tmp_path):
    """The data directory of some people lies inside a repository; git would then find that one."""
    git(tmp_path, "init", "--quiet")
    scene = make_scene(tmp_path)
    copy = await scene.copy()
    (Path(copy.path) / ".git" / "HEAD").unlink()
    with pytest.raises(Exception, match="Git takes the copy for a part of"):
        await scene.workspace.take_diff(copy)


def task_of(scene):
    from tests.evidence.scene import task

    return task()

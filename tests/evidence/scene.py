"""A real project with a real workspace: what most tests of evidence stand on."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from obra_tui.core.ids import new_attempt_id, new_session_id, new_task_id
from obra_tui.core.model import CheckSpec, Diff, TaskSpec, WorkCopy
from obra_tui.evidence.checks import LocalCheckRunner
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def git(folder: Path, *arguments: str | bytes, check: bool = True) -> str:
    """Run git as the person does, with whatever that folder configures."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **IDENTITY}, capture_output=True, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"git {arguments} failed: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def make_project(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit_files(folder, files)
    return folder


def commit_files(folder: Path, files: dict[str, str], message: str = "Start") -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def commit_on_branch(project: Path, branch: str, files: dict[str, str]) -> str:
    """Somebody else commits on a branch, in a worktree of their own that is gone afterwards."""
    elsewhere = project.parent / "elsewhere"
    new = () if git(project, "branch", "--list", branch) else ("-b",)
    git(project, "worktree", "add", "--quiet", *new, *((branch, str(elsewhere)) if new else (str(elsewhere), branch)))
    commit = commit_files(elsewhere, files, "By somebody else")
    git(project, "worktree", "remove", "--force", str(elsewhere))
    return commit


def task(*checks: CheckSpec) -> TaskSpec:
    return TaskSpec(id=new_task_id(), key="T1", title="Do it", prompt="Do it.", checks=checks)


@dataclass
class Scene:
    """One project, one session; `copy()` makes the copy of a new task."""

    project: Path
    data_dir: Path
    workspace: GitWorkspace
    sandbox: Sandbox

    def __post_init__(self) -> None:
        self.session = new_session_id()

    @property
    def branch(self) -> str:
        return f"obra/{self.session}"

    async def copy(self, base: str | None = None) -> WorkCopy:
        return await self.workspace.prepare(self.session, new_task_id(), base or await self.workspace.head())

    async def work(self, files: dict[str, str], base: str | None = None) -> tuple[WorkCopy, Diff]:
        """Make a copy, write the files as Claude would, and take the diff."""
        copy = await self.copy(base)
        for name, text in files.items():
            path = Path(copy.path, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return copy, await self.workspace.take_diff(copy)

    async def accept(self, diff: Diff, message: str = "Work"):
        return await self.workspace.accept(self.session, new_attempt_id(), diff, message)

    def checks(self, *configured: CheckSpec) -> LocalCheckRunner:
        return LocalCheckRunner(configured=configured, sandbox=self.sandbox, data_dir=self.data_dir)


def make_scene(root: Path, files: dict[str, str] | None = None, **options) -> Scene:
    project = make_project(root / "project", files or {"README.md": "# Project\n"})
    data_dir = root / "data"
    sandbox = options.pop("sandbox", None) or Sandbox(data_dir=data_dir)
    workspace = GitWorkspace(project=project, data_dir=data_dir, sandbox=sandbox, **options)
    return Scene(project=project, data_dir=data_dir, workspace=workspace, sandbox=sandbox)

"""The person's repository, found from any folder inside it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from obra_tui.core.errors import ProjectError


def project_root(folder: Path) -> Path:
    """Return the top of the git work tree around `folder`. Raises `ProjectError` with what to do."""
    return look_for_root(folder)()


def look_for_root(folder: Path) -> Callable[[], Path]:
    """Begin to look; calling what is returned waits and answers as `project_root` does."""
    if not folder.is_dir():
        raise ProjectError("There is no such folder.", where=str(folder.absolute()), fix="Name a git repository.")
    try:
        git = subprocess.Popen(
            ["git", "rev-parse", "--show-toplevel", "--verify", "HEAD^{commit}"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    except FileNotFoundError:
        raise ProjectError("git is not installed.", fix="Install git 2.38 or newer.") from None
    return lambda: _root(folder, *git.communicate())


def _root(folder: Path, stdout: str, stderr: str) -> Path:
    lines = stdout.splitlines()
    if len(lines) == 2:
        return Path(lines[0])
    raise _why_not(folder, stderr)


def _why_not(folder: Path, stderr: str) -> ProjectError:
    where = str(folder.absolute())
    if "not a git repository" in stderr:
        fix = "Run `git init` and commit something, name a repository with -C, or try `obra demo`."
        return ProjectError("This is no git repository.", where=where, fix=fix)
    if "dubious ownership" in stderr:
        fix = f"Run: git config --global --add safe.directory {where}"
        return ProjectError("The repository belongs to somebody else.", where=where, fix=fix)
    return ProjectError("The repository has no commit yet.", where=where, fix="Commit something first.")

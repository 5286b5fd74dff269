"""The person's repository, found from any folder inside it."""

import os
from collections.abc import Callable
from pathlib import Path

from obra_tui.core.errors import ConfigError, ProjectError
from obra_tui.system.git import GitCall, GitOutput, GitStopped, begin, run_blocking

_ASKED = ("rev-parse", "--show-toplevel", "--verify", "HEAD^{commit}")
_LOOK = "Run `git status` there: when that works, try again."

_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        "not a git repository (or any",
        "This is no git repository.",
        "Run `git init` and commit something, name a repository with -C, or try `obra demo`.",
    ),
    (
        "dubious ownership",
        "The repository belongs to somebody else.",
        "Run: git config --global --add safe.directory {where}",
    ),
    (
        "must be run in a work tree",
        "This is a bare repository, or the `.git` folder of one: there are no files to work on.",
        "Name the folder of a clone or worktree with -C.",
    ),
    ("does not have any commits yet", "The repository has no commit yet.", "Commit something first."),
)
"""What git says, and what that means for somebody who wants to begin here. All else is told in git's own words."""


def project_root(folder: Path) -> Path:
    """Return the top of the git work tree around `folder`. Raises `ProjectError` with what to do."""
    return look_for_root(folder)()


def look_for_root(folder: Path) -> Callable[[], Path]:
    """Begin to look; calling what is returned waits and answers as `project_root` does."""
    if not folder.is_dir():
        what = "This is no folder." if folder.exists() else "There is no such folder."
        raise ProjectError(what, where=str(folder.absolute()), fix="Name a git repository.")
    try:
        ended = begin(_call(folder, *_ASKED))
    except FileNotFoundError:
        raise ProjectError("git is not installed.", fix="Install git 2.38 or newer.") from None
    return lambda: _root(folder, ended)


def refuse_data_inside(project: Path, data_dir: Path) -> None:
    """Refuse a data directory within the project, before anything is written there. Raises `ConfigError`.

    One that cannot be a folder at all is left to whoever makes it and is told why.
    """
    place = data_dir.resolve()
    there = next((path for path in (place, *place.parents) if path.exists()), place)
    if there.is_dir() and place.is_relative_to(project.resolve()):
        raise ConfigError(
            "The data directory lies inside the project, so a copy would contain itself.",
            where=str(data_dir),
            fix="Set OBRA_DATA_DIR, or data_dir in your settings, to a folder outside of the project.",
        )


def _call(folder: Path, *arguments: str) -> GitCall:
    return GitCall(arguments=arguments, options=("-C", str(folder.absolute())), as_person=True)


def _root(folder: Path, ended: Callable[[], GitOutput]) -> Path:
    where = str(folder.absolute())
    try:
        output = ended()
        if "Needed a single revision" in output.err:  # this alone tells no empty repository from a damaged one
            raise _why_not(where, run_blocking(_call(folder, "log", "-1")))
    except GitStopped:
        raise ProjectError("git did not answer in time.", where=where, fix=_LOOK) from None
    top, _, commit = os.fsdecode(output.out).removesuffix("\n").rpartition("\n")
    if output.code == 0 and top and commit:
        return Path(top)
    raise _why_not(where, output)


def _why_not(where: str, output: GitOutput) -> ProjectError:
    complaints = [line for line in output.err.splitlines() if line.startswith("error:")]
    for sign, what, fix in () if complaints else _KNOWN:
        if sign in output.err:
            return ProjectError(what, where=where, fix=fix.format(where=where))
    said = (complaints or [output.message])[0].removeprefix("fatal: ").removeprefix("error: ").rstrip(".")
    return ProjectError(f"git cannot read the repository: {said}.", where=where, fix=_LOOK)

"""What a copy of the project lacks, compared with the person's own checkout: said before anything is spent on it."""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from obra_tui.evidence.git import Git, git_of_project
from obra_tui.evidence.names import shown
from obra_tui.system.git import SLOW_S

_ENVIRONMENT_FILES = (".env", ".env.local", ".env.test", "local_settings.py", ".secrets.toml", "config.local.json")
_MOST_NAMED = 3


class Lack(Struct, frozen=True, kw_only=True):
    """One thing that is not as in the checkout, in a sentence, and what helps."""

    what: str
    fix: str


async def lacks_of(project: Path, include: Sequence[str]) -> tuple[Lack, ...]:
    """Return what a copy of the project's HEAD would lack."""
    git = git_of_project(project)
    found = [*await _submodules(git, project), *await _converted(git), *await _ignored(git, project, include)]
    return tuple(found)


async def modules_of(git: Git, commit: str) -> dict[str, str]:
    """Return the submodules of a commit: the path of each, and the commit that is wanted there."""
    listed = await git.run("ls-tree", "-r", "-z", "--full-tree", commit, timeout_s=SLOW_S)
    links = (line for line in listed.names if line.startswith(b"160000 "))
    parts = (line.partition(b"\t") for line in links)
    return {os.fsdecode(path): os.fsdecode(head.split(b" ")[2]) for head, _, path in parts}


async def module_repository(git: Git, project: Path, path: str) -> Path | None:
    """Return where the person has the repository of a submodule, None where it was never fetched."""
    inside = project / path
    if not (inside / ".git").exists():
        return None
    answer = await Git(options=("-C", str(inside)), where=str(inside)).run(
        "rev-parse", "--path-format=absolute", "--git-common-dir", "--show-toplevel", good=(0, 128)
    )
    directory, _, top = answer.text.partition("\n")
    return Path(directory) if answer.code == 0 and Path(top) == inside.resolve() else None


async def _submodules(git: Git, project: Path) -> list[Lack]:
    missing = []
    for path, commit in (await modules_of(git, "HEAD")).items():
        directory = await module_repository(git, project, path)
        if directory is None or not await _has(directory, commit):
            missing.append(path)
    if not missing:
        return []
    return [
        Lack(
            what=f"submodules are not there and will be empty in every copy: {_some(missing)}",
            fix="Run `git submodule update --init --recursive` in your checkout; copies take them from there.",
        )
    ]


async def _has(directory: Path, commit: str) -> bool:
    git = Git(options=(f"--git-dir={directory}",), where=str(directory))
    return (await git.run("cat-file", "-e", f"{commit}^{{commit}}", good=(0, 1, 128))).code == 0


async def _converted(git: Git) -> list[Lack]:
    """Name files that a checkout has otherwise than they are committed: large files elsewhere, other line ends."""
    names = (await git.run("ls-files", "-z", timeout_s=SLOW_S)).out
    if b".gitattributes" not in names:
        return []
    asked = ("check-attr", "-z", "--stdin", "filter", "eol", "working-tree-encoding")
    parts = (await git.run(*asked, stdin=names, timeout_s=SLOW_S)).out.split(b"\0")
    rows = list(zip(parts[0::3], parts[1::3], parts[2::3], strict=False))
    large = [shown(path) for path, key, value in rows if key == b"filter" and value == b"lfs"]
    ends = [shown(path) for path, key, value in rows if key == b"eol" and value == b"crlf"]
    other = [shown(p) for p, key, value in rows if key == b"working-tree-encoding" and value != b"unspecified"]
    found = []
    if large:
        found.append(
            Lack(
                what=f"{len(large)} files are kept by Git LFS, and copies hold their pointers only: {_some(large)}",
                fix="A test that reads one fails here. Name what tests need as `workspace.include`.",
            )
        )
    if ends or other:
        found.append(
            Lack(
                what=f"copies have files as they are committed, without conversion: {_some([*ends, *other])}",
                fix="A test that counts on CRLF or another encoding in the checkout sees LF and UTF-8.",
            )
        )
    return found


async def _ignored(git: Git, project: Path, include: Sequence[str]) -> list[Lack]:
    there = [name for name in _ENVIRONMENT_FILES if (project / name).is_file() and name not in include]
    tracked = set((await git.run("ls-files", "--cached", "-z", "--", *there)).names) if there else set()
    there = [name for name in there if os.fsencode(name) not in tracked]
    if not there:
        return []
    return [
        Lack(
            what=f"ignored files of your checkout are not in a copy: {_some(there)}",
            fix=f'If tests read them, set workspace.include = ["{there[0]}"]; Claude can then read them, too.',
        )
    ]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

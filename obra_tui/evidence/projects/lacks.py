"""What a copy of the project lacks, compared with the person's own checkout: said before anything is spent on it."""

import asyncio
import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from obra_tui.evidence.discover import find_checks
from obra_tui.evidence.git import Git, git_of_project, uncommitted
from obra_tui.evidence.large_files import object_of, objects_of_lfs
from obra_tui.evidence.names import shown
from obra_tui.evidence.projects.reading import Project
from obra_tui.evidence.projects.setup_finder import is_installed
from obra_tui.evidence.projects.versions import version_notes
from obra_tui.evidence.untracked import JUNK, JUNK_PATTERNS
from obra_tui.system.git import SLOW_S

_ENVIRONMENT_FILES = (".env", ".env.local", ".env.test", "local_settings.py", ".secrets.toml", "config.local.json")
_MOST_NAMED = 3
_MOST_LOOKED_FOR = 40
_SHORTEST_NAME = 4
_OF_THE_SHELL = (
    "cd",
    "test",
    "true",
    "false",
    "export",
    "set",
    "echo",
    "printf",
    "if",
    "for",
    "while",
    "exec",
    ".",
    "[",
)


class Lack(Struct, frozen=True, kw_only=True):
    """One thing that is not as in the checkout, in a sentence, and what helps."""

    what: str
    fix: str


async def lacks_of(
    project: Path, include: Sequence[str], setup: Sequence[str] = (), *, looks_for_checks: bool = False
) -> tuple[Lack, ...]:
    """Return what a copy of the project's HEAD would lack, and what the set-up would not find."""
    git = git_of_project(project)
    return (
        *await _submodules(git, project),
        *await _left_out(git),
        *await _uncommitted(project),
        *await _converted(git, project),
        *await _ignored(git, project, include),
        *await asyncio.to_thread(_manifests, project),
        *await asyncio.to_thread(_tools, project, setup),
        *(await asyncio.to_thread(_programs_of_checks, project, setup) if looks_for_checks else ()),
    )


def _programs_of_checks(project: Path, setup: Sequence[str]) -> list[Lack]:
    """Name the programs of the checks that would be found and that neither this machine nor the set-up has."""
    missing = {}
    for spec in find_checks(project, ()):
        command = spec.run.rpartition("&& ")[2]
        name = next((word for word in command.split() if not re.match(r"\w+=", word)), "")
        if _is_program(name) and not is_installed(name) and not any(name in command for command in setup):
            missing[name] = spec.name
    return [
        Lack(
            what=f"`{check}` needs `{name}`, which is not installed",
            fix="Install it, or name other checks as [[checks]] in .obra/config.toml; without it nothing is proven.",
        )
        for name, check in missing.items()
    ]


def _manifests(project: Path) -> list[Lack]:
    """A manifest that cannot be read names no checks: without a word it would seem that there are none."""
    return [
        Lack(what=f"{name} cannot be read ({wrong}): its checks and packages are not found", fix=f"Correct {name}.")
        for name, wrong in Project(project).unreadable()
    ]


def _tools(project: Path, setup: Sequence[str]) -> list[Lack]:
    """Name programs of the set-up that are not here, and versions that the project asks for and are not."""
    begun = (part.split() for command in setup for part in command.split("&&"))
    programs = [next((word for word in words if "=" not in word), "") for words in begun]
    missing = [name for name in dict.fromkeys(programs) if _is_program(name) and not is_installed(name)]
    found = [
        Lack(
            what=f"the set-up needs programs that are not installed: {_some(missing)}",
            fix="Install them, or change `workspace.setup`; without them no copy can be made.",
        )
    ]
    notes = version_notes(Project(project), is_installed)
    versions = [
        Lack(what=f"{note}", fix="Tests may show something else here than where that version is.") for note in notes
    ]
    return [*(found if missing else []), *versions]


def _is_program(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_.+-]+", name) is not None and name not in _OF_THE_SHELL


async def _left_out(git: Git) -> list[Lack]:
    """Say what the person's checkout leaves out: by sparse patterns, or because it was never fetched."""
    asked = r"^core\.sparsecheckout$|^extensions\.partialclone$|^remote\..*\.promisor$"
    settings = (await git.run("config", "--get-regexp", asked, good=(0, 1))).text.casefold().splitlines()
    found = []
    if "core.sparsecheckout true" in settings:
        found.append(
            Lack(
                what="your checkout is sparse, and copies hold all files of the commit",
                fix="Checks of packages that a change touches still run alone; only disk and time are more.",
            )
        )
    if any("promisor" in line or "partialclone" in line for line in settings):
        listed = await git.run(
            *("rev-list", "--objects", "--missing=print", "HEAD^{tree}"),
            env={"GIT_NO_LAZY_FETCH": "1"},
            timeout_s=SLOW_S,
            good=(0, 128),
        )
        missing = sum(line.startswith("?") for line in listed.text.splitlines())
        if missing:
            found.append(
                Lack(
                    what=f"your clone is partial: {missing} files of the commit were never fetched",
                    fix="Fetch them once with `git fetch --refetch --filter=blob:limit=1g`; a copy needs all of them.",
                )
            )
    return found


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


async def _uncommitted(project: Path) -> list[Lack]:
    """A copy begins from the last commit: whoever has changed files since may count on them."""
    changed = [shown(name) for name in await uncommitted(project)]
    if not changed:
        return []
    what = f"a copy begins from the last commit, without your changes since then: {_some(changed)}"
    return [Lack(what=what, fix="Commit them if the work builds on them.")]


async def _converted(git: Git, project: Path) -> list[Lack]:
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
        found.append(await _large(git, project, large))
    if ends or other:
        found.append(
            Lack(
                what=f"copies have files as they are committed, without conversion: {_some([*ends, *other])}",
                fix="A test that counts on CRLF or another encoding in the checkout sees LF and UTF-8.",
            )
        )
    return found


async def _large(git: Git, project: Path, names: Sequence[str]) -> Lack:
    """Say of files in LFS who sees what of them: the person's store may have some and not others."""
    objects = await objects_of_lfs(git)
    behind = [(name, object_of(project / name, objects)) for name in names]
    missing = [name for name, kept in behind if kept is not None]  # the checkout itself has only the pointer
    if missing:
        return Lack(
            what=f"{len(missing)} of {len(names)} files in Git LFS were never fetched: {_some(missing)}",
            fix="Run `git lfs pull` in your checkout; checks take them from your store.",
        )
    return Lack(
        what=f"{len(names)} files are kept by Git LFS: {_some(list(names))}",
        fix="Checks have them from your store. Claude Code's copy holds their pointers: it cannot read or change them.",
    )


async def _ignored(git: Git, project: Path, include: Sequence[str]) -> list[Lack]:
    """Name ignored files that configure a program, and those whose names stand in the project's files."""
    there = [name for name in _ENVIRONMENT_FILES if (project / name).is_file()]
    tracked = set((await git.run("ls-files", "--cached", "-z", "--", *there)).names) if there else set()
    there = [name for name in there if os.fsencode(name) not in tracked]
    there = list(dict.fromkeys([*there, *await _named_in_files(git)]))
    left = [name for name in there if not any(fnmatchcase(name, pattern) for pattern in include)]
    if not left:
        return []
    return [
        Lack(
            what=f"ignored files of your checkout are not in a copy: {_some(left)}",
            fix=f'If tests read them, set workspace.include = ["{left[0]}"]; Claude can then read them, too.',
        )
    ]


async def _named_in_files(git: Git) -> list[str]:
    """Return ignored files whose name is written in a file of the project: what runs may read them."""
    asked = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    listed = [os.fsdecode(name) for name in (await git.run(*asked, timeout_s=SLOW_S)).names]
    names = [name for name in listed if _may_be_read(name)][:_MOST_LOOKED_FOR]
    if not names:
        return []
    words = {name.rpartition("/")[2] for name in names}
    patterns = [part for word in sorted(words) for part in ("-e", word)]
    where = ("HEAD", "--", ":(exclude,glob)**/.gitignore", ":(exclude,glob)**/*.md", ":(exclude,glob)**/*.rst")
    found = await git.run("grep", "-h", "-o", "-F", "-I", *patterns, *where, good=(0, 1), timeout_s=SLOW_S)
    seen = {line.strip() for line in found.text.splitlines()}
    return [name for name in names if name.rpartition("/")[2] in seen]


def _may_be_read(name: str) -> bool:
    base = name.rpartition("/")[2]
    if len(base) < _SHORTEST_NAME or any(part in JUNK for part in name.split("/")):
        return False
    return not any(
        fnmatchcase(base, pattern) for pattern in (*JUNK_PATTERNS, "*.log", "*.so", "*.o", "*.pyd", "*.lock")
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

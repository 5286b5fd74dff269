"""git as the evidence uses it: bound to one repository, with errors that say what git said and what to do.

How git is started, and what it may do, is `system.git`. It knows nothing of copies, sessions or tasks.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from msgspec import Struct, field

from obra_tui.core.errors import ProjectError, WorkspaceError
from obra_tui.system import git
from obra_tui.system.git import MINIMUM_GIT, QUICK_S, SLOW_S, GitCall, GitOutput, GitStopped, first_message

T = TypeVar("T")
U = TypeVar("U")

_ADVICE = (
    ("dubious ownership", "If you trust it, run: git config --global --add safe.directory <the folder>"),
    ("not a git repository", "Run `git init` there and make a first commit, or name another folder."),
    ("No space left", "Free some disk space and try again."),
    ("File exists", "Another git may be running there; if none is, remove the lock file that is named."),
    ("Permission denied", "Make the file readable and writable for you and try again."),
)


class GitFailed(WorkspaceError):
    """git answered with an error; `code` and `stderr` are what it said."""

    def __init__(self, what: str, *, where: str, fix: str, code: int, stderr: str) -> None:
        super().__init__(what, where=where, fix=fix)
        self.code = code
        self.stderr = stderr


def _advice(stderr: str) -> str:
    return next((fix for sign, fix in _ADVICE if sign in stderr), "Look at the message and try again.")


class Git(Struct, frozen=True, kw_only=True):
    """git bound to one repository. `options` say which (`-C …` or `--git-dir …`).

    `as_person`: with the person's configuration and hooks, as if they had typed it.
    """

    options: tuple[str, ...]
    where: str
    environment: Mapping[str, str] = field(default_factory=dict)
    as_person: bool = False

    async def run(
        self,
        *arguments: str | bytes,
        stdin: bytes = b"",
        good: Sequence[int] = (0,),
        timeout_s: float = QUICK_S,
        env: Mapping[str, str] | None = None,
    ) -> GitOutput:
        """Run one git command to its end. Raises `GitFailed` when its exit code is not one of `good`."""
        try:
            output = await git.run(self._call(arguments, env), stdin=stdin, timeout_s=timeout_s)
        except (FileNotFoundError, GitStopped) as error:
            self._raise(error, arguments, timeout_s)
        if output.code not in good:
            raise self._failed(arguments, output.code, output.err)
        return output

    async def stream(self, *arguments: str, timeout_s: float = SLOW_S) -> AsyncIterator[bytes]:
        """Yield the output piece by piece, for output that may not fit in memory."""
        try:
            async for piece in git.stream(self._call(arguments), timeout_s=timeout_s):
                yield piece
        except (FileNotFoundError, GitStopped) as error:
            self._raise(error, arguments, timeout_s)

    def _call(self, arguments: Sequence[str | bytes], env: Mapping[str, str] | None = None) -> GitCall:
        environment = {**({} if self.as_person else self.environment), **(env or {})}
        return GitCall(
            arguments=tuple(arguments), options=self.options, environment=environment, as_person=self.as_person
        )

    def _raise(
        self, error: FileNotFoundError | GitStopped, arguments: Sequence[str | bytes], timeout_s: float
    ) -> NoReturn:
        if isinstance(error, FileNotFoundError):
            wanted = ".".join(map(str, MINIMUM_GIT))
            raise ProjectError("The program git was not found.", fix=f"Install git {wanted} or newer.") from None
        if error.code is None:
            raise self._too_slow(arguments, timeout_s) from None
        raise self._failed(arguments, error.code, error.err) from None

    def _failed(self, arguments: Sequence[str | bytes], code: int, stderr: str) -> GitFailed:
        what = f"git {_name(arguments)} failed with exit code {code}: {first_message(stderr)}"
        return GitFailed(what, where=self.where, fix=_advice(stderr), code=code, stderr=stderr)

    def _too_slow(self, arguments: Sequence[str | bytes], timeout_s: float) -> GitFailed:
        what = f"git {_name(arguments)} did not finish within {timeout_s:.0f} s and was stopped."
        return GitFailed(what, where=self.where, fix="Try again when the machine is less busy.", code=-1, stderr="")


def _name(arguments: Sequence[str | bytes]) -> str:
    """Return the command among the arguments: options may stand before it."""
    words = [os.fsdecode(word) for word in arguments]
    while len(words) > 1 and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-c", "-C") else words[1:]
    return words[0] if words else ""


async def together(one: Awaitable[T], other: Awaitable[U]) -> tuple[T, U]:
    """Return both answers; when one fails, the other has ended, too, before that is told."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second


def git_of_project(project: Path) -> Git:
    """Return git for the person's repository: their objects and branches, none of their hooks."""
    return Git(options=("-C", str(project)), where=str(project))


async def uncommitted(project: Path) -> list[bytes]:
    """Return which tracked files of the person's checkout are not as they are in the last commit.

    To compare them git would run the filters that the project configures, so those are switched off by name. What a
    filter made of a file is then unknown: such files are left out.
    """
    git = git_of_project(project)
    asked = ("--name-only", "-z", "--get-regexp", r"^filter\..*\.(clean|smudge|process|required)$")
    keys = [os.fsdecode(key) for key in (await git.run("config", *asked, good=(0, 1))).names]
    drivers = dict.fromkeys(key.rpartition(".")[0] for key in keys)
    off = {f"{driver}.{key}": "" for driver in drivers for key in ("clean", "smudge", "process")}
    off |= {f"{driver}.required": "false" for driver in drivers}
    listed = ("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules=all")
    names = [name[3:] for name in (await git.run(*listed, env=_configured(off), timeout_s=SLOW_S)).names]
    if not drivers or not names:
        return names
    filtered = await git.run("check-attr", "-z", "--stdin", "filter", stdin=b"".join(name + b"\0" for name in names))
    parts = filtered.out.split(b"\0")
    unknown = {name for name, value in zip(parts[0::3], parts[2::3], strict=False) if value not in _NO_FILTER}
    return [name for name in names if name not in unknown]


def _configured(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings as git reads them from its environment; as options, names with `=` would be others."""
    named = enumerate(settings.items())
    pairs = {
        f"GIT_CONFIG_{part}_{at}": text for at, item in named for part, text in zip(("KEY", "VALUE"), item, strict=True)
    }
    return {"GIT_CONFIG_COUNT": str(len(settings)), **pairs}


_NO_FILTER = (b"unspecified", b"unset", b"set")


def git_of(
    directory: Path, *, work_tree: Path | None = None, index: Path | None = None, ignored: Path | None = None
) -> Git:
    """Return git for a git directory of ours; a foreign tree, an index of ours and patterns to ignore are optional."""
    tree: tuple[str, ...] = () if work_tree is None else (f"--work-tree={work_tree}",)
    tree += () if ignored is None else ("-c", f"core.excludesFile={ignored}")
    environment = {} if index is None else {"GIT_INDEX_FILE": str(index)}
    options = (f"--git-dir={directory}", *tree)
    return Git(options=options, where=str(work_tree or directory), environment=environment)

"""The one place that starts git, so that git never does more than it was asked.

Every call gets a clean environment and options that switch off hooks, watchers,
external diff programs and all transports but local files. It knows nothing of
copies, sessions or tasks.
"""

import asyncio
import atexit
import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from msgspec import Struct, field

from obra_tui.core.errors import ProjectError, WorkspaceError
from obra_tui.system.process import NOTHING, Child, End, pieces, start

T = TypeVar("T")
U = TypeVar("U")

MINIMUM_GIT = (2, 38)
"""First version with `merge-tree --write-tree`."""

QUICK_S = 60.0
SLOW_S = 600.0

_PASSED_ON = ("PATH", "TMPDIR", "SYSTEMROOT")
_FIXED_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "false",
}
_SAFE_OPTIONS = (
    "--no-pager",
    *("-c", "core.hooksPath=" + os.devnull),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.attributesFile=" + os.devnull),
    *("-c", "core.excludesFile=" + os.devnull),
    *("-c", "core.quotePath=false"),
    *("-c", "core.autocrlf=false"),
    *("-c", "core.safecrlf=false"),
    *("-c", "protocol.allow=never"),
    *("-c", "protocol.file.allow=always"),
    *("-c", "submodule.recurse=false"),
    *("-c", "gc.auto=0"),
    *("-c", "checkout.workers=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "advice.addEmbeddedRepo=false"),
    *("-c", "diff.external="),
    *("-c", "diff.ignoreSubmodules=all"),
)

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


class Answer(Struct, frozen=True, kw_only=True):
    """What one git call printed."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Return the output as one stripped string; names keep odd bytes as surrogates."""
        return os.fsdecode(self.out).strip()

    @property
    def names(self) -> tuple[bytes, ...]:
        """Return the parts of a `-z` output."""
        return tuple(part for part in self.out.split(b"\0") if part)


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment that git gets: an allow-list, and nothing of the person's settings."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed, **_FIXED_ENVIRONMENT, **extra}


def _advice(stderr: str) -> str:
    return next((fix for sign, fix in _ADVICE if sign in stderr), "Look at the message and try again.")


def _first_line(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip() and not line.startswith(("warning:", "hint:"))]
    return (lines or ["no message"])[0][:400]


@functools.cache
def trusted_folders() -> str:
    """Return a configuration file with nothing but the folders that the person told git to trust.

    Without it a repository that belongs to somebody else, such as one that was mounted
    into a container, would be refused although its user allowed it.
    """
    try:
        asked = subprocess.run(
            ["git", "config", "--get-all", "safe.directory"], cwd="/", capture_output=True, timeout=QUICK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return os.devnull
    folders = [line.replace("\\", "\\\\").replace('"', '\\"') for line in os.fsdecode(asked.stdout).splitlines()]
    if not folders:
        return os.devnull
    descriptor, name = tempfile.mkstemp(prefix="obra-trusted-")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("[safe]\n" + "".join(f'\tdirectory = "{folder}"\n' for folder in folders))
    atexit.register(lambda: Path(name).unlink(missing_ok=True))
    return name


@functools.lru_cache(maxsize=4)
def _program(path: str) -> str:
    """Return git's own path, which is not looked for each time, nor in the folder where Obra happens to stand."""
    folders = (folder for folder in path.split(os.pathsep) if folder.startswith("/"))
    return shutil.which("git", path=os.pathsep.join(folders)) or "git"


def persons_environment() -> dict[str, str]:
    """Return the person's own environment, for what git does at their request on their files."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**own, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "false"}


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
    ) -> Answer:
        """Run one git command to its end. Raises `GitFailed` when its exit code is not one of `good`."""
        with _papers(stdin) as (told, out, err):
            child = await self._start(arguments, env or {}, told, out, err)
            try:
                code = await child.wait(timeout_s)
            except TimeoutError:
                raise self._too_slow(arguments, timeout_s) from None
            finally:
                await child.end()
            answer = Answer(code=code, out=_read(out), err=os.fsdecode(_read(err)))
        if answer.code not in good:
            raise self._failed(arguments, answer.code, answer.err)
        return answer

    async def stream(self, *arguments: str, timeout_s: float = SLOW_S) -> AsyncIterator[bytes]:
        """Yield the output piece by piece, for output that may not fit in memory."""
        with _pipe() as (reading, writing), _papers() as (_, _, err):
            with writing:
                child = await self._start(arguments, {}, NOTHING, writing, err)
            try:
                async with asyncio.timeout(timeout_s):
                    async for piece in pieces(reading.fileno()):
                        yield piece
                    code = await child.wait()
            except TimeoutError:
                raise self._too_slow(arguments, timeout_s) from None
            finally:
                await child.end()
            if code:
                raise self._failed(arguments, code, os.fsdecode(_read(err)))

    async def _start(
        self, arguments: Sequence[str | bytes], env: Mapping[str, str], stdin: End, stdout: End, stderr: End
    ) -> Child:
        safe = () if self.as_person else _SAFE_OPTIONS
        environment = await self._surroundings(env)
        try:
            return start(
                (_program(os.environ.get("PATH", os.defpath)), "-C", "/", *safe, *self.options, *arguments),
                environment=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
            )
        except FileNotFoundError:
            wanted = ".".join(map(str, MINIMUM_GIT))
            raise ProjectError("The program git was not found.", fix=f"Install git {wanted} or newer.") from None

    async def _surroundings(self, env: Mapping[str, str]) -> dict[str, str]:
        if self.as_person:
            return {**persons_environment(), **env}
        if not trusted_folders.cache_info().currsize:
            await asyncio.to_thread(trusted_folders)
        return clean_environment({"GIT_CONFIG_GLOBAL": trusted_folders(), **self.environment, **env})

    def _failed(self, arguments: Sequence[str | bytes], code: int, stderr: str) -> GitFailed:
        what = f"git {os.fsdecode(arguments[0])} failed with exit code {code}: {_first_line(stderr)}"
        return GitFailed(what, where=self.where, fix=_advice(stderr), code=code, stderr=stderr)

    def _too_slow(self, arguments: Sequence[str | bytes], timeout_s: float) -> GitFailed:
        what = f"git {os.fsdecode(arguments[0])} did not finish within {timeout_s:.0f} s and was stopped."
        return GitFailed(what, where=self.where, fix="Try again when the machine is less busy.", code=-1, stderr="")


async def together(one: Awaitable[T], other: Awaitable[U]) -> tuple[T, U]:
    """Return both answers; when one fails, the other has ended, too, before that is told."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second


@contextlib.contextmanager
def _papers(told: bytes = b"") -> Iterator[tuple[End, int, int]]:
    """Return files without a name: with what git is told, if anything, for what it says, and for what it complains of.

    An attempt runs some twenty gits that say little: with pipes half of what they cost would be spent on the pipes.
    """
    papers = [_paper(), _paper()]
    try:
        if told:
            papers.append(_paper(told))
        yield (papers[2] if told else NOTHING), papers[0], papers[1]
    finally:
        for paper in papers:
            os.close(paper)


def _paper(text: bytes = b"") -> int:
    if hasattr(os, "memfd_create"):
        paper = os.memfd_create("obra-git")
    else:
        with tempfile.TemporaryFile(buffering=0) as file:
            paper = os.dup(file.fileno())
    if text:
        left = memoryview(text)
        while left:
            left = left[os.write(paper, left) :]
        os.lseek(paper, 0, os.SEEK_SET)
    return paper


def _read(paper: int) -> bytes:
    """Return all of it; who wrote it has ended."""
    parts, size = [], os.fstat(paper).st_size
    at = 0
    while at < size and (part := os.pread(paper, size - at, at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "wb", buffering=0) as writer:
        yield reader, writer


def git_of_project(project: Path) -> Git:
    """Return git for the person's repository: their objects and branches, none of their hooks."""
    return Git(options=("-C", str(project)), where=str(project))


def git_of(directory: Path, *, work_tree: Path | None = None, index: Path | None = None) -> Git:
    """Return git for a git directory of ours, with a foreign tree and an index of ours if they are given."""
    tree = () if work_tree is None else (f"--work-tree={work_tree}",)
    environment = {} if index is None else {"GIT_INDEX_FILE": str(index)}
    options = (f"--git-dir={directory}", *tree)
    return Git(options=options, where=str(work_tree or directory), environment=environment)


async def git_version() -> tuple[int, ...]:
    """Return git's version as numbers, such as (2, 39, 5)."""
    answer = await Git(options=(), where="git").run("version")
    words = answer.text.split()
    return tuple(int(part) for part in words[2].split(".") if part.isdigit()) if len(words) > 2 else ()

"""The one place that starts git, for every room, so that git never does more than it was asked.

Every call gets an environment of its own: no `GIT_DIR` or `GIT_WORK_TREE` of a hook or an alias leads to
another repository than the one that was named. A clean call gets nothing of the person's configuration either, and
options that switch off hooks, watchers, external diff programs and all transports but local files; `as_person` is for
what git does at the person's request on their files. Exit codes and messages are returned, not judged: the callers know
what they mean. Knows nothing of copies, sessions or tasks.
"""

import asyncio
import atexit
import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct, field

from obra_tui.system.process import NOTHING, Child, End, pieces, start

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


_NO_REASON = ("warning:", "hint:", "remote: warning:", "remote: hint:")


class GitStopped(Exception):
    """git did not end in time, or failed while its output was being read: `code` is None, or its exit code."""

    def __init__(self, code: int | None, err: str = "") -> None:
        super().__init__(err)
        self.code = code
        self.err = err


class GitOutput(Struct, frozen=True, kw_only=True):
    """What one git call printed, and its exit code."""

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

    @property
    def message(self) -> str:
        """Return the first line of what git complained about, without warnings and hints."""
        return first_message(self.err)


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment that git gets: an allow-list, and nothing of the person's settings."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed, **_FIXED_ENVIRONMENT, **extra}


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


def first_message(stderr: str) -> str:
    """Return the line of an error output that says what is wrong."""
    lines = [line for line in stderr.splitlines() if line.strip() and not line.startswith(_NO_REASON)]
    reasons = [line for line in lines if line.startswith(("fatal:", "error:", "remote: fatal:", "remote: error:"))]
    return (reasons or lines or ["no message"])[0][:400]


@functools.lru_cache(maxsize=4)
def _program(path: str) -> str:
    """Return git's own path, which is not looked for each time, nor in the folder where Obra happens to stand."""
    folders = (folder for folder in path.split(os.pathsep) if folder.startswith("/"))
    return shutil.which("git", path=os.pathsep.join(folders)) or "git"


def persons_environment() -> dict[str, str]:
    """Return the person's own environment, for what git does at their request on their files."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**own, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "false"}


class GitCall(Struct, frozen=True, kw_only=True):
    """What git is asked: `options` say which repository (`-C …`, absolute, or `--git-dir …`)."""

    arguments: tuple[str | bytes, ...]
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    as_person: bool = False
    """With the person's configuration and hooks, as if they had typed it."""

    def argv(self) -> list[str | bytes]:
        safe = () if self.as_person else _SAFE_OPTIONS
        return [_program(os.environ.get("PATH", os.defpath)), "-C", "/", *safe, *self.options, *self.arguments]

    def full_environment(self) -> dict[str, str]:
        if self.as_person:
            return {**persons_environment(), **self.environment}
        return clean_environment({"GIT_CONFIG_GLOBAL": trusted_folders(), **self.environment})


async def run(call: GitCall, *, stdin: bytes = b"", timeout_s: float = QUICK_S) -> GitOutput:
    """Run one git command to its end. Raises `FileNotFoundError` when there is no git, `GitStopped` when it is slow."""
    with _temp_files(stdin) as (given, out, err):
        child = await _start(call, given, out, err)
        try:
            code = await child.wait(timeout_s)
        except TimeoutError:
            raise GitStopped(None) from None
        finally:
            await child.end()
        return GitOutput(code=code, out=_read(out), err=os.fsdecode(_read(err)))


async def stream(call: GitCall, *, timeout_s: float = SLOW_S) -> AsyncIterator[bytes]:
    """Yield the output piece by piece, as it may not fit in memory. Raises as `run` does, and when git fails."""
    with _pipe() as (reading, writing), _temp_files() as (_, _, err):
        with writing:
            child = await _start(call, NOTHING, writing, err)
        try:
            async with asyncio.timeout(timeout_s):
                async for piece in pieces(reading.fileno()):
                    yield piece
                code = await child.wait()
        except TimeoutError:
            raise GitStopped(None) from None
        finally:
            await child.end()
        if code:
            raise GitStopped(code, os.fsdecode(_read(err)))


async def _start(call: GitCall, stdin: End, stdout: End, stderr: End) -> Child:
    if not call.as_person and not trusted_folders.cache_info().currsize:
        await asyncio.to_thread(trusted_folders)
    return start(call.argv(), environment=call.full_environment(), stdin=stdin, stdout=stdout, stderr=stderr)


def begin(call: GitCall, *, timeout_s: float = QUICK_S) -> Callable[[], GitOutput]:
    """Start git; calling what is returned blocks until it has ended. Raises as `run` does."""
    git = subprocess.Popen(
        call.argv(),
        env=call.full_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return lambda: _finish(git, timeout_s)


def _finish(git: "subprocess.Popen[bytes]", timeout_s: float) -> GitOutput:
    try:
        out, err = git.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        git.kill()
        git.communicate()
        raise GitStopped(None) from None
    return GitOutput(code=git.returncode, out=out, err=os.fsdecode(err))


def run_blocking(call: GitCall, *, timeout_s: float = QUICK_S) -> GitOutput:
    """As `run`, for callers without a loop."""
    return begin(call, timeout_s=timeout_s)()


def git_version() -> str:
    """Return `2.39.5`, or an empty string when git is not there."""
    try:
        return run_blocking(GitCall(arguments=("version",), as_person=True)).text.removeprefix("git version ")
    except (OSError, GitStopped):
        return ""


@contextlib.contextmanager
def _temp_files(given: bytes = b"") -> Iterator[tuple[End, int, int]]:
    """Return three anonymous temporary files as stdin, if there is any, stdout and stderr of one git call.

    An attempt runs some twenty gits that print little: pipes would double the cost of each.
    """
    files = [_temp_file(), _temp_file()]
    try:
        if given:
            files.append(_temp_file(given))
        yield (files[2] if given else NOTHING), files[0], files[1]
    finally:
        for file in files:
            os.close(file)


def _temp_file(text: bytes = b"") -> int:
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("obra-git")
    else:
        with tempfile.TemporaryFile(buffering=0) as named:
            file = os.dup(named.fileno())
    if text:
        left = memoryview(text)
        while left:
            left = left[os.write(file, left) :]
        os.lseek(file, 0, os.SEEK_SET)
    return file


def _read(file: int) -> bytes:
    """Return all of it; the program that wrote it has ended."""
    parts, size = [], os.fstat(file).st_size
    at = 0
    while at < size and (part := os.pread(file, size - at, at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "wb", buffering=0) as writer:
        yield reader, writer

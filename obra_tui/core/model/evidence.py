"""What was measured: the copy, the change to it, the checks that ran on it."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from obra_tui.core.model.cases import AsItIs, BaseComparison, NamedCases
from obra_tui.core.model.work import CheckSpec
from obra_tui.core.text import few


class WorkCopy(Struct, frozen=True, kw_only=True):
    """The isolated copy of one task."""

    path: str
    base_commit: str
    """Commit of the project that the copy started from."""
    setup_ran: bool = False
    lacks: tuple[str, ...] = ()
    """What of the person's checkout is not in it, and what helps: said once, with the first copy of a session."""


class ChangeKind(StrEnum):
    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    MODE = "mode"


class FileChange(Struct, frozen=True, kw_only=True):
    path: str
    kind: ChangeKind
    added: int
    removed: int
    old_path: str = ""
    binary: bool = False
    protected: str = ""
    """Why this path is protected (`existing test`, `CI`, `Obra's configuration`); empty if it is not."""


class Diff(Struct, frozen=True, kw_only=True):
    """The work of an attempt against the base of its task, as the supervisor's own git saw it."""

    base_commit: str
    tree: str
    """Git tree id of the work."""
    digest: str
    """SHA-256 of the complete patch, whatever was cut from `patch`."""
    patch: str
    """Unified diff, UTF-8 with replacement characters; may be cut at a size limit."""
    files: tuple[FileChange, ...]
    truncated: bool = False
    secrets: tuple[str, ...] = ()
    """Places where an added line looks like a secret: `path:line kind`; never the secret itself."""
    notes: tuple[str, ...] = ()
    """What could not be taken in full: skipped FIFO, nested repository, …"""
    ignored: tuple[str, ...] = ()
    """New paths that git ignores, so that they are no part of the work; a folder ends with `/`."""
    doubts: tuple[str, ...] = ()
    """What rules found in it that only a person may let through, one sentence each."""

    @property
    def empty(self) -> bool:
        return not self.files

    @property
    def left_out(self) -> tuple[str, ...]:
        """Return what is no part of the work although it is there, in words."""
        return (*self.notes, *([f"ignored by git, not taken: {few(self.ignored)}"] if self.ignored else []))

    @property
    def added(self) -> int:
        return sum(change.added for change in self.files)

    @property
    def removed(self) -> int:
        return sum(change.removed for change in self.files)

    @property
    def protected(self) -> tuple[str, ...]:
        return tuple(f"{change.path} ({change.protected})" for change in self.files if change.protected)


class SandboxLevel(StrEnum):
    """How a check is kept away from the machine, best first."""

    BWRAP = "bwrap"
    """Own namespaces, no network, read-only system."""
    UNSHARE = "unshare"
    """No network namespace of the host, but the file system is the host's."""
    NONE = "none"


class CheckStatus(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    BROKEN = "broken"
    """The command could not be run at all (not found, sandbox refused): no evidence, never a pass."""


class FailedCase(Struct, frozen=True, kw_only=True):
    """One failing test: its name as the runner prints it, and where and why it failed."""

    name: str
    message: str = ""
    file: str = ""
    line: int | None = None


class CheckResult(Struct, frozen=True, kw_only=True):
    spec: CheckSpec
    status: CheckStatus
    exit_code: int | None
    duration_s: float
    output: str
    """Standard output and error together, cut in the middle at a size limit."""
    sandbox: SandboxLevel
    passed: int | None = None
    """Test counts from JUnit XML where there is one."""
    failed: int | None = None
    skipped: int | None = None
    failures: tuple[FailedCase, ...] = ()
    detail: str = ""
    """One plain sentence when `broken` or `timed_out`."""
    cases: NamedCases | None = None
    """What became of each test; none when the command names no tests, or in records of an earlier version."""
    reported_by: Literal["", "witness", "report", "output"] = ""
    """Where the names come from: our own witness, a report that the command wrote, or what it printed."""
    base: BaseComparison | None = None
    """Against the code before the work."""
    as_is: AsItIs | None = None
    """The second run, where the work changed tests or how they are run."""
    asks: tuple[str, ...] = ()
    """Why a person is asked, whatever the check showed; one sentence each."""
    is_weak: bool = False
    """It passed by its exit code alone: no test has a name. Enough for a person to look at, no more."""

"""What the screen needs of the rest of the program, as roles; values only cross here.

`bootstrap` hands in real ones, tests hand in scripted ones. Nothing here may be
called with, or return, anything that two threads could change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    # Names alone: the first paint imports this module, and nothing of what it talks about.

    from obra_tui.core.doctor import DoctorLine
    from obra_tui.core.errors import ObraError
    from obra_tui.core.events import Record
    from obra_tui.core.ids import AttemptId, GateId, SessionId
    from obra_tui.core.model import Diff, Finding, Plan
    from obra_tui.core.ports import Engine
    from obra_tui.core.records.history import History

StoreWatcher = Callable[["ObraError | None"], None]
DeliverNotices = Callable[["Sequence[Record]", bool], None]
"""Takes each batch, and whether the person looks at the screen."""
StartNotices = Callable[[Callable[[str], None]], DeliverNotices]
"""Called with whom to tell, on any thread, that a channel failed."""


Head = Literal["HEAD"]
HEAD: Head = "HEAD"
"""What the person has checked out now, as it is committed."""


class WorkReader(Protocol):
    """What is read on request. Every method blocks and is called from worker threads only.

    Each raises an `ObraError` with what to do when it cannot answer.
    """

    def files_of(
        self, attempt: AttemptId, path: str, since: AttemptId | Head | None = None
    ) -> tuple[str | None, str | None]:
        """Return a file before and after the attempt; None where it does not exist or is binary.

        *Before* is the base of the task, or with `since` what that attempt left, or what is checked out.
        """
        ...

    def changes_since(self, attempt: AttemptId, earlier: AttemptId | Head) -> Diff:
        """Return what changed from an earlier attempt at the same task, or from the checkout, to `attempt`."""
        ...

    def work_so_far(self, session: SessionId, copy_path: str) -> Diff:
        """Return what changed in a copy up to now, while somebody works in it."""
        ...

    def next_prompt(self, gate: GateId, note: str, chosen: tuple[Finding, ...]) -> str:
        """Return the prompt that *request changes* with this note and these findings would send."""
        ...


ExportForm = Literal["md", "jsonl", "html", "patch"]
Winner = Literal["a", "b", "equal", "neither"]
ImportOutcome = Literal["imported", "continued", "unchanged", "empty", "failed"]


class TranscriptSource(Struct, frozen=True, kw_only=True):
    """A transcript of Claude Code that could be imported."""

    path: str
    project: str
    """Name of the folder that it lies in, which Claude Code makes from the project's path."""
    at: float
    bytes: int


class TranscriptPreview(Struct, frozen=True, kw_only=True):
    """How a transcript begins."""

    title: str = ""
    folder: str = ""
    model: str = ""
    began: float | None = None
    first_prompt: str = ""
    passed_over: int = 0
    """Lines of the beginning that could not be understood."""


class ImportResult(Struct, frozen=True, kw_only=True):
    """What became of one source."""

    path: str
    outcome: ImportOutcome
    problem: str = ""


class Archive(Protocol):
    """What people do with what was: stick words onto it, take it out, bring more in.

    All but `clean` block and are called from worker threads only; each raises an
    `ObraError` with what to do when it cannot.
    """

    def clean(self, text: str) -> str:
        """Return a text without the secrets in it; quick, for any thread."""
        ...

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Return the labels of every session that has some; `pinned` is one of them."""
        ...

    def label(self, session: SessionId, name: str, *, remove: bool = False) -> tuple[str, ...]:
        """Stick a label onto a session, or take it off; returns what it has then."""
        ...

    def prefer(self, a: str, b: str, winner: Winner, note: str, *, blind: bool) -> None:
        """Keep which of two attempts or sessions is better."""
        ...

    def export(self, which: SessionId | AttemptId, form: ExportForm, to: str) -> int:
        """Write a session or an attempt to a new file and return its length; never over one that exists."""
        ...

    def tree_diff(self, a: str, b: str) -> str | None:
        """Return the patch from one git tree to another; None when they are no longer kept."""
        ...

    def sources(self) -> Sequence[TranscriptSource]:
        """Return the transcripts of Claude Code on this machine, newest first; empty when there are none."""
        ...

    def preview(self, path: str) -> TranscriptPreview:
        """Read how a transcript begins."""
        ...

    def bring_in(self, paths: Sequence[str], stopped: Callable[[], bool]) -> Iterator[ImportResult]:
        """Import one source after another until `stopped` says so; what was imported stays."""
        ...


class Plans(Protocol):
    """The plan files of the project. All but `watch` and `path_of` block and are called from worker threads only."""

    def found(self) -> Sequence[str]:
        """Return the files that usually hold plans, named from the project's folder."""
        ...

    def read(self, name: str) -> Plan:
        """Read a file, named from the project's folder or in full. Raises `PlanError`."""
        ...

    def path_of(self, name: str) -> str:
        """Return the full path of a file."""
        ...

    def watch(self, name: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Have `changed` called on any thread when the file is another one; returns the way out."""
        ...

    def on_problem(self, tell: Callable[[ObraError], None]) -> None:
        """Have somebody told, on any thread, when an accepted task could not be ticked in its file."""
        ...


class Doctor(Protocol):
    def run(self) -> Iterable[DoctorLine]:
        """Look at the machine; blocks. Lines may come one by one: what needs no network first."""
        ...


class Setting(Struct, frozen=True, kw_only=True):
    """One line of the configuration in force."""

    name: str
    value: str
    origin: str
    """`default`, `./config.toml`, `OBRA_JUDGE__URL`, `--policy`, …"""
    file: str = ""
    """Where it is written, or would be: the file to open for changing it."""
    line: int = 0
    """1-based; 0 when it does not stand there yet."""


class Backend(Struct, frozen=True, kw_only=True):
    """Everything heavy, imported and built: what a `OpenBackend` call returns."""

    engine: Engine
    reader: WorkReader
    history: History
    archive: Archive | None = None
    plans: Plans | None = None
    session: SessionId | None = None
    """The session to show first; None = the newest open one."""
    settings: tuple[Setting, ...] = ()
    """The configuration in force, once it is read; shown on Setup."""
    watch_store: Callable[[StoreWatcher], None] | None = None
    """Have somebody told, on any thread, when nothing can be recorded any more, and with None when it can again."""
    start_notices: StartNotices | None = None
    """Begin to send notices to where the person is; None where no channel is set up."""
    friction: bool = True
    """After hurried approvals the next gate keeps the score back until the diff was read on."""
    viewer_of: str = ""
    """`pid 4711` when another process owns the data directory and this one is a viewer."""


OpenBackend = Callable[[], Backend]
"""Imports and builds everything; called once in a worker thread after the first paint.

May submit the first commands itself (open a session, add tasks, start the run).
Raises an `ObraError` for the person when it cannot.
"""

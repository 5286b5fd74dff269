"""What the engine needs of the other rooms, as roles.

Adapters live in `agents`, `evidence`, `judge` and `store`; `bootstrap` puts them
together. Streaming goes through an `Emit` callable that the engine hands in:
it is cheap, never blocks, and may be called from the engine's loop only.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from typing import Protocol

from obra_tui.core.commands import Command
from obra_tui.core.errors import StoreError, Unwritable
from obra_tui.core.events import Event, Record
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.model import (
    Acceptance,
    CheckResult,
    CheckSpec,
    Diff,
    ImplementRequest,
    ImplementResult,
    JudgeRequest,
    PermissionAnswer,
    PermissionQuestion,
    Reversal,
    SandboxLevel,
    SessionKind,
    TaskSpec,
    Verdict,
    WorkCopy,
)

Emit = Callable[[Event], None]
Listener = Callable[[Sequence[Record]], None]


class Engine(Protocol):
    """The orchestrator seen from outside its thread: in this process, or in the one that owns the data directory.

    Every member may be used from any thread.
    """

    @property
    def outage(self) -> StoreError | None:
        """Why nothing can be written at present, as far as it is known here."""
        ...

    def submit(self, command: Command) -> Future[object]:
        """Hand over a command and return at once; the future ends with its answer or with an `ObraError`."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` first with what is known of all open sessions, then with everything new.

        Returns the function that unsubscribes. The listener is called on the engine's thread, in order, in batches;
        it is cheap and never blocks. No record is left out between the two parts. The first part need not hold
        streamed events.
        """
        ...

    def stop(self) -> None:
        """End the orchestrator and close the database; blocks at most 2 s, repeating it is harmless."""
        ...


class AskPermission(Protocol):
    async def __call__(self, question: PermissionQuestion) -> PermissionAnswer:
        """Return the answer, however long it takes; cancelled when the run is stopped."""
        ...

    def standing(self) -> frozenset[str]:
        """Return the rules that a person made for the session, as they are now: look before every call."""
        ...

    def used(self, pattern: str, title: str) -> None:
        """Say that a call was not asked about because of this rule."""
        ...


class Conversation(Protocol):
    """One run of Claude Code."""

    async def finished(self) -> ImplementResult:
        """Wait for the end; no process of the run is left then. Faults of the run are results, not errors."""
        ...

    async def send(self, text: str) -> bool:
        """Put text into the running turn; False when no turn is running any more."""
        ...

    async def interrupt(self) -> None:
        """End the present turn; `finished()` then returns `killed` with the conversation kept."""
        ...

    async def stop(self) -> None:
        """Interrupt, disconnect, kill what is left; at most 2 s. Repeating it is harmless."""
        ...


class Implementer(Protocol):
    async def start(self, request: ImplementRequest, emit: Emit, ask: AskPermission) -> Conversation:
        """Start Claude Code in `request.cwd`. Raises `ImplementerError` when it cannot be started."""
        ...

    async def close(self) -> None: ...


class Workspace(Protocol):
    """The isolated copies of one project and the supervisor's own view of them.

    All methods raise `WorkspaceError` with what to do when git or the disk refuses.
    """

    async def head(self) -> str:
        """Return the commit that new sessions start from: HEAD of the person's repository."""
        ...

    async def tip(self, session: SessionId) -> str | None:
        """Return the commit of `obra/<session>` in the person's repository, or None."""
        ...

    async def prepare(self, session: SessionId, task: TaskId, base: str) -> WorkCopy:
        """Clone the project at `base`, run the set-up commands once; return the copy if it is there already."""
        ...

    async def take_diff(self, copy: WorkCopy) -> Diff:
        """Read the copy through the supervisor's own git directory, never through the agent's."""
        ...

    async def files_of(self, diff: Diff, path: str) -> tuple[str | None, str | None]:
        """Return the text of `path` before and after, None where it does not exist or is binary."""
        ...

    async def keep(self, attempt: AttemptId, copy: WorkCopy, diff: Diff, message: str) -> tuple[str, str]:
        """Keep the work under a ref of the supervisor's repository; returns (ref, commit)."""
        ...

    async def accept(self, session: SessionId, attempt: AttemptId, diff: Diff, message: str) -> Acceptance:
        """Commit `diff.tree` on `obra/<session>` by compare-and-swap, once however often it is called.

        Raises `BranchMoved` when the branch's tip is not `diff.base_commit`: what a merge makes was seen by nobody.
        The error says whether the two exclude each other; if they fit, `rebase` makes the merged tree.
        """
        ...

    async def revert(self, session: SessionId, commit: str, message: str) -> Reversal:
        """Commit on `obra/<session>` what undoes `commit`, by compare-and-swap, once however often it is called.

        Raises `BranchMoved` when later work on the branch changed the same lines.
        """
        ...

    async def rebase(self, session: SessionId, task: TaskId, diff: Diff, tip: str) -> WorkCopy:
        """Make the task's copy anew at `tip`, with those changes of `diff` that fit on it and never a conflict mark.

        Repeating it gives the same copy. Files on which both sides exclude each other are as they are at `tip`.
        """
        ...

    async def discard(self, task: TaskId) -> None:
        """Remove the copy of a finished task; what it held was kept before."""
        ...


class CheckRunner(Protocol):
    async def plan(self, copy: WorkCopy, task: TaskSpec) -> tuple[CheckSpec, ...]:
        """Return the checks for this work: configured ones, else those found by looking at the copy."""
        ...

    async def sandbox(self) -> tuple[SandboxLevel, str]:
        """Return the level in force, proven by trying it, and a sentence why it is not better."""
        ...

    async def run(self, spec: CheckSpec, copy: WorkCopy, emit: Emit) -> CheckResult:
        """Run one check to its end or time limit, emitting `CheckPrinted`; kills its whole process tree
        when cancelled. Faults of the command become a result, not an exception."""
        ...


class Judge(Protocol):
    async def review(self, request: JudgeRequest, emit: Emit) -> Verdict:
        """Return a verdict; `unjudged` with the reason when there is none. Raises only when cancelled."""
        ...

    async def close(self) -> None: ...


class StoredAfterAll(Unwritable):
    """A step that was given up when its answer was lost is there; what was asked for now is not."""

    passes = True

    def __init__(self, records: tuple[Record, ...], *, where: str = "") -> None:
        super().__init__(
            "A step that seemed lost with the connection was stored after all.",
            where=where,
            fix="Nothing is lost: it is read back, and the work goes on by itself. Look again, and ask again.",
        )
        self.records = records
        """The records of that step, in order."""


class Journal(Protocol):
    """The only way to write. One transaction per call; derived rows are written with the records."""

    def append(self, records: Sequence[Record]) -> None:
        """Write all or nothing, durable on return. Raises `StoreError`."""
        ...

    def ready(self, records: Sequence[Record]) -> Callable[[], None]:
        """Return what writes them as `append` does, to be called once and from any thread.

        What Python has to do for it is done by then, as far as it can be: the rest runs beside who goes on here.
        """
        ...

    def last_seq(self, session: SessionId) -> int: ...

    def writable(self) -> bool:
        """Return whether writing works again after `Unwritable`, proven by writing; never raises a `StoreError`."""
        ...


class Ledger(Protocol):
    """What the engine must read back at start-up and before it decides."""

    def open_sessions(self, project: str = "") -> tuple[tuple[SessionId, SessionKind], ...]:
        """Those of one project, or all."""
        ...

    def session_records(self, session: SessionId, without: Collection[str] = ()) -> tuple[Record, ...]:
        """All records of a session but the streamed ones and these types, in order: enough to rebuild its state."""
        ...


class Clock(Protocol):
    def now(self) -> float:
        """Epoch seconds, for what is stored and shown."""
        ...

    def monotonic(self) -> float: ...


class EngineClock(Clock, Protocol):
    async def sleep(self, seconds: float) -> None: ...

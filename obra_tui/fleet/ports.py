"""What the fleet needs of the room that reads and writes code, as roles; the composition root hands them in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from obra_tui.core.ids import TaskId
from obra_tui.core.model import WorkCopy
from obra_tui.core.ports import CheckRunner, Implementer, Judge, Workspace


class WorkParcel(Protocol):
    """The work of a copy, ready to be sent."""

    @property
    def commit(self) -> str: ...

    @property
    def tree(self) -> str: ...

    @property
    def data(self) -> bytes: ...

    @property
    def left_out(self) -> tuple[str, ...]: ...

    @property
    def ignored(self) -> tuple[str, ...]: ...


class Carrier(Protocol):
    """Packs and unpacks the copies of one project. All methods raise `WorkspaceError`."""

    async def prepare(self, task: TaskId, base: str) -> WorkCopy:
        """Return the task's copy at this base."""
        ...

    async def base_of(self, path: str) -> str:
        """Return the commit that a copy began from."""
        ...

    async def pack(self, path: str) -> WorkParcel:
        """Return the files of a copy as they are now."""
        ...

    async def pack_taken(self, path: str) -> WorkParcel | None:
        """Return the tree that was last taken from a copy for evidence."""
        ...

    async def unpack(
        self,
        path: str,
        data: bytes,
        commit: str,
        *,
        left_out: tuple[str, ...] = (),
        ignored: tuple[str, ...] = (),
    ) -> str:
        """Make the files of a copy those of a parcel; returns their tree."""
        ...

    async def base_bundle(self, commit: str, after: Sequence[str]) -> bytes:
        """Return a commit with its history, without that of other commits."""
        ...


class ProjectMirror(Protocol):
    """A project on a worker's host."""

    @property
    def directory(self) -> Path: ...

    async def has(self, commit: str) -> bool: ...

    async def receive(self, commit: str, data: bytes) -> None:
        """Take in what `base_bundle` made. Raises `WorkspaceError` when it does not verify."""
        ...


class ProjectTools(Protocol):
    """What a worker does for one project with."""

    @property
    def workspace(self) -> Workspace: ...

    @property
    def carrier(self) -> Carrier: ...

    @property
    def checks(self) -> CheckRunner: ...


class Tools(Protocol):
    """All that a worker works with."""

    @property
    def implementer(self) -> Implementer: ...

    @property
    def judge(self) -> Judge: ...

    def mirror(self, project: str) -> ProjectMirror: ...

    def project(self, project: str, setup: tuple[str, ...]) -> ProjectTools: ...

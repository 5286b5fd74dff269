"""Code on its way between hosts: thin git bundles of a copy's work, and of the commits that copies begin from.

What comes in is looked at before a byte of it reaches a copy: git verifies the bundle and checks every new object, the
work must be one commit right after the base that was expected, and it must be the commit that was announced. Must not
know how bundles are sent, or who asked for them.
"""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.errors import WorkspaceError
from obra_tui.core.ids import SessionId, TaskId
from obra_tui.core.model import WorkCopy
from obra_tui.evidence.copies import make_private
from obra_tui.evidence.git import Git, GitFailed, git_of
from obra_tui.evidence.repository import base_ref
from obra_tui.evidence.workspace import GitWorkspace
from obra_tui.system.git import SLOW_S

_END_OF_HEAD = b"\n\n"
"""In a bundle: a head in lines, then an ordinary pack."""
_FETCH = ("fetch", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance", "--no-tags", "--force")


class Parcel(Struct, frozen=True, kw_only=True):
    """The work of a copy, ready to be sent: one commit after the base, and all that the base does not have."""

    commit: str
    tree: str
    data: bytes
    left_out: tuple[str, ...] = ()
    """What could not be taken in full: a file that is too large, a nested repository, …"""
    ignored: tuple[str, ...] = ()
    """What git ignores of the work: it does not travel."""


def _out(task: str) -> str:
    return f"refs/obra/sent/{task}"


def _in(task: str) -> str:
    return f"refs/obra/received/{task}"


class Bundles:
    """Packs and unpacks the copies of one workspace."""

    def __init__(self, workspace: GitWorkspace) -> None:
        self._workspace = workspace

    async def prepare(self, task: TaskId, base: str) -> WorkCopy:
        """Return the task's copy at this base; one that began elsewhere is made anew."""
        copy = await self._workspace.prepare(SessionId(""), task, base)
        if copy.base_commit != base:
            await self._workspace.discard(task)
            copy = await self._workspace.prepare(SessionId(""), task, base)
        return copy

    async def base_of(self, path: str) -> str:
        """Return the commit that the copy began from. Raises `WorkspaceError` when it is none of ours."""
        prepared = (await self._workspace.place_at(path)).prepared()
        assert prepared is not None  # `place_at` refuses a copy without this note
        return prepared.base_commit

    async def pack(self, path: str) -> Parcel:
        """Return the files of the copy as they are now."""
        place = await self._workspace.place_at(path)
        taken = await self._workspace.snapshot(path)
        notes = taken.notes or (() if taken.complete else ("some of the work could not be taken",))
        parcel = await self._parcel(place.task, await self.base_of(path), taken.tree)
        ignored = await self._workspace.ignored(path)
        return replace(parcel, left_out=() if taken.complete else notes, ignored=ignored)

    async def pack_taken(self, path: str) -> Parcel | None:
        """Return the tree that was last taken from the copy for evidence; None before that."""
        place = await self._workspace.place_at(path)
        taken = place.taken()
        return None if taken is None else await self._parcel(place.task, taken.base, taken.tree)

    async def _parcel(self, task: str, base: str, tree: str) -> Parcel:
        repository = self._workspace.repository
        commit = await repository.commit(tree, base, "Work on its way", self._workspace.identity)
        await repository.point(_out(task), commit)
        bundle = await repository.git.run("bundle", "create", "--quiet", "-", _out(task), f"^{base}", timeout_s=SLOW_S)
        return Parcel(commit=commit, tree=tree, data=bundle.out)

    async def unpack(
        self,
        path: str,
        data: bytes,
        commit: str,
        *,
        left_out: tuple[str, ...] = (),
        ignored: tuple[str, ...] = (),
    ) -> str:
        """Make the files of the copy those of a parcel; returns their tree. Raises `WorkspaceError`, changing nothing.

        What the set-up made, and all else that git ignores, stays.
        """
        place = await self._workspace.place_at(path)
        repository, base = self._workspace.repository, await self.base_of(path)
        async with _verified(repository.git, data, path):
            await self._take_objects(data.partition(_END_OF_HEAD)[2], path)
        await self._refuse_other(commit, base, path)
        await repository.point(_in(place.task), commit)
        tree = await repository.tree_of(commit)
        await self._workspace.show_tree(path, tree, left_out=left_out, ignored=ignored)
        return tree

    async def _take_objects(self, pack: bytes, where: str) -> None:
        """Take new objects in, each of them checked by git: fetching from a bundle would check none."""
        git = self._workspace.repository.git
        answer = await git.run("unpack-objects", "-q", "--strict", stdin=pack, good=(0, 1, 128), timeout_s=SLOW_S)
        if answer.code:
            raise _does_not_verify(where, answer.message)

    async def _refuse_other(self, commit: str, base: str, where: str) -> None:
        git = self._workspace.repository.git
        answer = await git.run("rev-list", "--parents", "-n", "1", commit, good=(0, 128))
        if answer.text.split() != [commit, base]:
            raise _does_not_verify(where, "it holds another commit than was announced")

    async def base_bundle(self, commit: str, after: Sequence[str]) -> bytes:
        """Return a commit with its history, without that of the commits in `after`."""
        repository = self._workspace.repository
        await repository.bring(commit, base_ref(commit))
        known = [f"^{name}" for name in after]
        made = await repository.git.run("bundle", "create", "--quiet", "-", base_ref(commit), *known, timeout_s=SLOW_S)
        return made.out


class Mirror:
    """A project on a host where nobody works on it by hand: a bare repository with the commits that copies need."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._git = git_of(directory)

    async def has(self, commit: str) -> bool:
        if not self.directory.is_dir():
            return False
        answer = await self._git.run("rev-parse", "--verify", "--quiet", base_ref(commit), good=(0, 1))
        return answer.code == 0

    async def receive(self, commit: str, data: bytes) -> None:
        """Take in what `Bundles.base_bundle` made. Raises `WorkspaceError` when it does not verify."""
        if not self.directory.is_dir():
            make_private(self.directory.parent)
            form = "sha256" if len(commit) == 64 else "sha1"
            git = Git(options=(), where=str(self.directory))
            await git.run("init", "--quiet", "--bare", "--template=", f"--object-format={form}", str(self.directory))
        async with _verified(self._git, data, str(self.directory)) as file:
            await _fetch(self._git, file, base_ref(commit))
        if (await self._git.run("rev-parse", "--verify", base_ref(commit))).text != commit:
            raise _does_not_verify(str(self.directory), "it holds another commit than was announced")


@asynccontextmanager
async def _verified(git: Git, data: bytes, where: str) -> AsyncIterator[str]:
    """Yield the name of a file with the bundle once git has found nothing wrong with it."""
    with tempfile.NamedTemporaryFile(prefix="obra-", suffix=".bundle") as file:
        file.write(data)
        file.flush()
        answer = await git.run("bundle", "verify", "--quiet", file.name, good=(0, 1, 128), timeout_s=SLOW_S)
        if answer.code:
            raise _does_not_verify(where, answer.message)
        yield file.name


async def _fetch(git: Git, file: str, name: str) -> None:
    try:
        await git.run(*_FETCH, file, f"{name}:{name}", timeout_s=SLOW_S)
    except GitFailed as error:
        raise _does_not_verify(git.where, error.what) from error


def _does_not_verify(where: str, why: str) -> WorkspaceError:
    return WorkspaceError(
        f"A bundle does not verify: {why}.",
        where=where,
        fix="Nothing of it was taken. Resume the task: the code is sent again.",
    )

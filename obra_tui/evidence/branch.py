"""The branch of a session in the person's repository: found, handed new commits, moved by compare-and-swap.

What the commits hold is decided elsewhere. The checkout, the index and the current
branch of the person are never touched.
"""

import asyncio
import contextlib
import os
from pathlib import Path

from msgspec import Struct

from obra_tui.core.errors import BranchMoved, ObraError, ProjectError, WorkspaceError
from obra_tui.core.ids import SessionId
from obra_tui.evidence.git import Git, GitFailed, git_of_project
from obra_tui.evidence.repository import NO_COMMIT, Identity, OwnRepository, base_ref
from obra_tui.system.git import SLOW_S

_FOLDER = "obra/"
TRIES = 5
"""How often a move is tried while somebody else moves the branch."""
_DURABLE = ("-c", "core.fsync=all")


def branch_of(session: SessionId) -> str:
    return f"{_FOLDER}{session}"


async def refuse_taken_name(project: Path) -> None:
    """Refuse a repository in which no branch of a session can be made, before work is spent on one."""
    taken = _FOLDER.rstrip("/")
    if await tip_of(project, taken) is not None:
        raise ProjectError(
            f"A branch named {taken} is in the way: branches of sessions are named {_FOLDER}….",
            where=str(project),
            fix=f"Rename it: git branch -m {taken} {taken}-2",
        )


def with_trailers(message: str, **trailers: str) -> str:
    """Return the message with a last block of trailers, which is the only block that git reads as such."""
    lines = "\n".join(f"{name.replace('_', '-')}: {value}" for name, value in trailers.items())
    return f"{message.strip() or 'Work accepted by Obra'}\n\n{lines}\n"


async def tip_of(project: Path, branch: str) -> str | None:
    """Return the commit that a branch of the person's repository points at."""
    answer = await git_of_project(project).run(
        "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}", good=(0, 1)
    )
    return answer.text or None


async def standing_of(project: Path, branch: str) -> tuple[str | None, str]:
    """Return a branch's commit, and the folder in which the person has it checked out or an empty string."""
    name = f"refs/heads/{branch}"
    answer = await git_of_project(project).run("for-each-ref", "--format=%(objectname) %(worktreepath)", name)
    tip, _, folder = os.fsdecode(answer.out).rstrip("\n").partition(" ")
    return tip or None, folder


def _keep_names(project: Path, branch: str) -> None:
    """Make the moved branch and its new objects last through a loss of power: git syncs files, not their names.

    Where that cannot be done, the names are kept some seconds later, as the file system does by itself.
    """
    shared = _shared_folder(project)
    for folder in (shared / "objects", shared / "objects" / "pack", (shared / "refs" / "heads" / branch).parent):
        with contextlib.suppress(OSError):
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)


def _shared_folder(project: Path) -> Path:
    """Return where the objects and branches of the repository are, also when the project is one of its work trees."""
    own = project / ".git"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        own = project / own.read_text("utf-8").removeprefix("gitdir:").strip()
        own = own / (own / "commondir").read_text("utf-8").strip()
    return own


class SessionBranch(Struct, frozen=True, kw_only=True):
    """One branch that is about to be moved; `reason` goes into its reflog."""

    repository: OwnRepository
    identity: Identity
    session: SessionId
    reason: str

    @property
    def name(self) -> str:
        return branch_of(self.session)

    async def standing(self) -> tuple[str | None, str]:
        """Return the branch's commit, which is in our repository then, and where the person stands on the branch."""
        tip, folder = await standing_of(self.repository.project, self.name)
        if tip is not None:
            # What is begun or merged next begins from there.
            await self.repository.bring(tip, f"refs/obra/tips/{self.session}", base_ref(tip))
        return tip, folder

    def refuse_checked_out(self, folder: str, again: str) -> None:
        """Raise `BranchMoved` when the person stands on the branch; `again` says what to do after leaving it."""
        if folder:
            raise BranchMoved(
                f"The branch {self.name} is checked out, so moving it would make your files look changed.",
                where=folder,
                fix=f"Switch to another branch there (git switch -), then {again}.",
            )

    async def hand_over(self, commit: str) -> None:
        """Bring the commit's objects into the person's repository; no ref of theirs moves."""
        await self._git().run(
            *(*_DURABLE, "-c", "protocol.version=2"),  # the first that hands over a commit that no ref points at
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
            *("--no-recurse-submodules", "--refmap=", "--update-shallow"),
            *(str(self.repository.directory), commit),
            timeout_s=SLOW_S,
        )

    async def swap(self, commit: str, tip: str | None) -> bool:
        """Move the branch from `tip` to `commit`; False when somebody else moved it first."""
        old = tip or NO_COMMIT[:1] * len(commit)
        try:
            await self._git().run(
                *(*_DURABLE, "update-ref", "-m", f"obra: {self.reason}", f"refs/heads/{self.name}", commit, old),
                env=self.identity.environment(),
            )
        except GitFailed as error:
            if await tip_of(self.repository.project, self.name) != tip:
                return False
            raise self._stuck(error) from error
        await asyncio.to_thread(_keep_names, self.repository.project, self.name)
        return True

    def kept_moving(self, again: str) -> BranchMoved:
        return BranchMoved(
            f"The branch {self.name} kept moving while it was written to.",
            where=str(self.repository.project),
            fix=f"Stop what else writes to this branch and {again}.",
        )

    def _git(self) -> Git:
        return git_of_project(self.repository.project)

    def _stuck(self, error: GitFailed) -> ObraError:
        fix = error.fix
        if "refs/heads/obra'" in error.stderr:
            fix = "Rename your branch `obra`: it stands where the folder of Obra's branches must be."
        return WorkspaceError(
            f"The branch {self.name} could not be moved: {error.what}", where=str(self.repository.project), fix=fix
        )

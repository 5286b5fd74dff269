"""Takes work into the person's repository: one commit on one branch, once, by compare-and-swap.

The checkout, the index and the current branch of the person are never touched;
`fast_forward` does so, and only when asked by name.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from obra_tui.core.crashpoint import crash_point
from obra_tui.core.errors import BranchMoved, ObraError, ProjectError, WorkspaceError
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.core.model import Acceptance, Diff
from obra_tui.evidence.git import SLOW_S, Git, GitFailed, git_of_project
from obra_tui.evidence.repository import NO_COMMIT, Identity, OwnRepository

TRAILER = "Obra-Attempt"
SESSION_TRAILER = "Obra-Session"
_DURABLE = ("-c", "core.fsync=all")
_TRIES = 5


def branch_of(session: SessionId) -> str:
    return f"obra/{session}"


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


async def checked_out_at(project: Path, branch: str) -> str:
    """Return the folder in which the person has the branch checked out, or an empty string."""
    answer = await git_of_project(project).run("worktree", "list", "--porcelain", "-z")
    folder = ""
    for line in answer.names:
        word, _, value = os.fsdecode(line).partition(" ")
        if word == "worktree":
            folder = value
        elif word == "branch" and value == f"refs/heads/{branch}":
            return folder
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """One acceptance: what is taken in, and where."""

    repository: OwnRepository
    identity: Identity
    session: SessionId
    attempt: AttemptId
    diff: Diff
    message: str

    @property
    def branch(self) -> str:
        return branch_of(self.session)

    async def accept(self) -> Acceptance:
        """Commit and move the branch; a race with another move is tried again on the new tip."""
        project = self.repository.project
        for _ in range(_TRIES):
            tip = await self._tip()
            if tip and (commit := await self._earlier(tip)):
                return Acceptance(commit=commit, branch=self.branch, repeated=True)
            await self._refuse_checked_out()
            commit = await self._commit_on(tip)
            crash_point("accepting.committed")
            await self._hand_over(commit)
            crash_point("accepting.handed_over")
            if await self._swap(commit, tip):
                return Acceptance(commit=commit, branch=self.branch)
        raise BranchMoved(
            f"The branch {self.branch} kept moving while the work was taken in.",
            where=str(project),
            fix="Stop what else writes to this branch and approve again.",
        )

    async def _tip(self) -> str | None:
        tip = await tip_of(self.repository.project, self.branch)
        if tip is not None:
            await self.repository.bring(tip, f"refs/obra/tips/{self.session}")
        return tip

    async def _earlier(self, tip: str) -> str | None:
        return await self.repository.attempt_on(self.diff.base_commit, tip, TRAILER, self.attempt)

    async def _refuse_checked_out(self) -> None:
        folder = await checked_out_at(self.repository.project, self.branch)
        if folder:
            raise BranchMoved(
                f"The branch {self.branch} is checked out, so moving it would make your files look changed.",
                where=folder,
                fix="Switch to another branch there (git switch -), then approve again.",
            )

    def _text(self) -> str:
        return with_trailers(self.message, Obra_Session=self.session, Obra_Attempt=self.attempt)

    async def _commit_on(self, tip: str | None) -> str:
        repository, base = self.repository, self.diff.base_commit
        if tip is None or tip == base:
            return await repository.commit(self.diff.tree, base, self._text(), self.identity)
        theirs = await repository.commit(self.diff.tree, base, self._text(), self.identity)
        return await repository.commit(await self._merged(tip, theirs), tip, self._text(), self.identity)

    async def _merged(self, tip: str, theirs: str) -> str:
        try:
            merged = await self.repository.merge(tip, theirs)
        except GitFailed as error:
            raise self._moved("it shares no history with the work") from error
        if merged.conflicts:
            names = ", ".join(merged.conflicts[:10])
            raise self._moved(f"both changed {names}", merged.conflicts, tip)
        return merged.tree

    def _moved(self, why: str, conflicts: tuple[str, ...] = (), tip: str = "") -> BranchMoved:
        return BranchMoved(
            f"The branch {self.branch} moved since the work began and cannot be merged: {why}.",
            where=str(self.repository.project),
            fix="Nothing was overwritten. Reject it and add the task again: it then starts from that branch.",
            conflicts=conflicts,
            tip=tip,
        )

    async def _hand_over(self, commit: str) -> None:
        """Bring the commit's objects into the person's repository; no ref of theirs moves."""
        holder = f"refs/obra/accepting/{self.attempt}"
        await self.repository.point(holder, commit)
        await self._git().run(
            *_DURABLE,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
            *("--no-recurse-submodules", "--refmap=", "--update-shallow"),
            *(str(self.repository.directory), holder),
            timeout_s=SLOW_S,
        )

    async def _swap(self, commit: str, tip: str | None) -> bool:
        """Move the branch from `tip` to `commit`; False when somebody else moved it first."""
        old = tip or NO_COMMIT[:1] * len(commit)
        name = f"refs/heads/{self.branch}"
        try:
            await self._git().run(
                *(*_DURABLE, "update-ref", "-m", f"obra: accept {self.attempt}", name, commit, old),
                env=self.identity.environment(),
            )
        except GitFailed as error:
            if await tip_of(self.repository.project, self.branch) != tip:
                return False
            raise self._stuck(error) from error
        with contextlib.suppress(GitFailed):
            await self.repository.git.run("update-ref", "-d", f"refs/obra/accepting/{self.attempt}")
        return True

    def _git(self) -> Git:
        return git_of_project(self.repository.project)

    def _stuck(self, error: GitFailed) -> ObraError:
        fix = error.fix
        if "refs/heads/obra'" in error.stderr:
            fix = "Rename your branch `obra`: it stands where the folder of Obra's branches must be."
        return WorkspaceError(
            f"The branch {self.branch} could not be moved: {error.what}", where=str(self.repository.project), fix=fix
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FastForward:
    """The person's branch before and after."""

    onto: str
    before: str
    after: str


async def fast_forward(project: Path, branch: str) -> FastForward:
    """Move the person's current branch forward to `branch`, with their files.

    Runs with the person's own git configuration, as if they had typed it. Refused
    unless the tree is clean and nothing but a fast-forward is needed.
    """
    git = Git(options=("-C", str(project)), where=str(project), as_person=True)
    head = await git.run("symbolic-ref", "--quiet", "--short", "HEAD", good=(0, 1))
    if head.code:
        raise ProjectError("HEAD is on no branch.", where=str(project), fix="Check out a branch first: git switch main")
    dirty = await git.run("status", "--porcelain", "-z", "--untracked-files=no")
    if dirty.out:
        raise ProjectError("There are uncommitted changes.", where=str(project), fix="Commit or stash them first.")
    if await tip_of(project, branch) is None:
        raise ProjectError(f"There is no branch {branch}.", where=str(project), fix="See the list: git branch -a")
    before = (await git.run("rev-parse", "HEAD")).text
    merged = await git.run("merge", "--ff-only", "--quiet", f"refs/heads/{branch}", good=(0, 1, 128), timeout_s=SLOW_S)
    if merged.code:
        reason = next((line for line in merged.err.splitlines() if line.startswith("fatal: ")), "fatal: it was refused")
        raise ProjectError(
            f"{head.text} cannot be moved forward to {branch}: {reason.removeprefix('fatal: ')}",
            where=str(project),
            fix=f"Merge or rebase by hand: git merge {branch}",
        )
    return FastForward(onto=head.text, before=before, after=(await git.run("rev-parse", "HEAD")).text)

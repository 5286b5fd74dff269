"""Takes work into the person's repository: one commit on one branch, once, by compare-and-swap.

The checkout, the index and the current branch of the person are never touched;
`fast_forward` does so, and only when asked by name.
"""

from pathlib import Path

from msgspec import Struct

from obra_tui.core.errors import BranchMoved, ProjectError
from obra_tui.core.ids import AttemptId, SessionId
from obra_tui.core.model import Acceptance, Diff
from obra_tui.evidence.branch import TRIES, SessionBranch, tip_of, with_trailers
from obra_tui.evidence.git import Git, GitFailed
from obra_tui.evidence.repository import Identity, OwnRepository
from obra_tui.system.crashpoint import crash_point
from obra_tui.system.git import SLOW_S

TRAILER = "Obra-Attempt"
SESSION_TRAILER = "Obra-Session"


class Accepting(Struct, frozen=True, kw_only=True):
    """One acceptance: what is taken in, and where."""

    repository: OwnRepository
    identity: Identity
    session: SessionId
    attempt: AttemptId
    diff: Diff
    message: str

    @property
    def _branch(self) -> SessionBranch:
        return SessionBranch(
            repository=self.repository, identity=self.identity, session=self.session, reason=f"accept {self.attempt}"
        )

    async def accept(self) -> Acceptance:
        """Commit and move the branch; a race with another move is tried again on the new tip."""
        branch = self._branch
        for _ in range(TRIES):
            tip, folder = await branch.standing()
            if tip and (commit := await self._earlier(tip)):
                return Acceptance(commit=commit, branch=branch.name, repeated=True)
            branch.refuse_checked_out(folder, "approve again")
            commit = await self._commit_on(tip)
            crash_point("accepting.committed")
            await branch.hand_over(commit)
            crash_point("accepting.handed_over")
            if await branch.swap(commit, tip):
                self.repository.note_accepted(commit, self.diff.base_commit, self.attempt)
                return Acceptance(commit=commit, branch=branch.name)
        raise branch.kept_moving("approve again")

    async def _earlier(self, tip: str) -> str | None:
        if self.repository.absent(self.diff.base_commit, tip, self.attempt):
            return None
        return await self.repository.attempt_on(self.diff.base_commit, tip, TRAILER, self.attempt)

    def _text(self) -> str:
        return with_trailers(self.message, Obra_Session=self.session, Obra_Attempt=self.attempt)

    async def _commit_on(self, tip: str | None) -> str:
        base = self.diff.base_commit
        if tip is not None and tip != base:
            raise await self._moved_to(tip)
        return await self.repository.commit(self.diff.tree, base, self._text(), self.identity)

    async def _moved_to(self, tip: str) -> BranchMoved:
        """Say whether the work fits on the branch as it is now. Nothing is merged here: nobody has seen the result."""
        work = await self.repository.any_commit(self.diff.tree, self.diff.base_commit, self.identity)
        try:
            merged = await self.repository.merge(tip, work)
        except GitFailed:
            return self._moved("it shares no history with the work")
        if merged.conflicts:
            names = ", ".join(merged.conflicts[:10])
            return self._moved(f"both changed {names}", merged.conflicts, tip)
        self.repository.note_merge(tip, self.diff.base_commit, self.diff.tree, merged.tree)
        return BranchMoved(
            f"The branch {self._branch.name} moved since the work began.",
            where=str(self.repository.project),
            fix="Both fit together; what comes out must be checked before it is accepted.",
            tip=tip,
        )

    def _moved(self, why: str, conflicts: tuple[str, ...] = (), tip: str = "") -> BranchMoved:
        return BranchMoved(
            f"The branch {self._branch.name} moved since the work began and cannot be merged: {why}.",
            where=str(self.repository.project),
            fix="Nothing was overwritten. Reject it and add the task again: it then starts from that branch.",
            conflicts=conflicts,
            tip=tip,
        )


class FastForward(Struct, frozen=True, kw_only=True):
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
    if await tip_of(project, branch) is None:
        raise ProjectError(f"There is no branch {branch}.", where=str(project), fix="See the list: git branch -a")
    dirty = await git.run("status", "--porcelain", "-z", "--untracked-files=no")
    if dirty.out:
        raise ProjectError("There are uncommitted changes.", where=str(project), fix="Commit or stash them first.")
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

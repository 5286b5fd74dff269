"""Takes accepted work back: a commit on the session's branch that undoes another one, by compare-and-swap.

History is never rewritten. What was built on the work in the same lines stands in the way and is left as it is.
"""

from msgspec import Struct

from obra_tui.core.errors import BranchMoved
from obra_tui.core.ids import SessionId
from obra_tui.core.model import Reversal
from obra_tui.evidence.acceptance import SESSION_TRAILER
from obra_tui.evidence.branch import TRIES, SessionBranch, with_trailers
from obra_tui.evidence.repository import Identity, OwnRepository

TRAILER = "Obra-Reverts"


class Reverting(Struct, frozen=True, kw_only=True):
    """One reversal: which commit, on which branch."""

    repository: OwnRepository
    identity: Identity
    session: SessionId
    commit: str
    message: str

    @property
    def _branch(self) -> SessionBranch:
        return SessionBranch(
            repository=self.repository, identity=self.identity, session=self.session, reason=f"revert {self.commit}"
        )

    async def revert(self) -> Reversal:
        """Commit and move the branch; a race with another move is tried again on the new tip."""
        branch = self._branch
        for _ in range(TRIES):
            tip, folder = await branch.standing()
            if tip is None or not await self.repository.is_ancestor(self.commit, tip):
                raise self._gone(branch.name)
            if there := await self.repository.attempt_on(self.commit, tip, TRAILER, self.commit):
                return self._reversal(there, repeated=True)
            branch.refuse_checked_out(folder, "revert again")
            undone = await self._commit_on(tip)
            await branch.hand_over(undone)
            if await branch.swap(undone, tip):
                return self._reversal(undone)
        raise branch.kept_moving("revert again")

    def _reversal(self, commit: str, *, repeated: bool = False) -> Reversal:
        return Reversal(commit=commit, branch=self._branch.name, reverted=self.commit, repeated=repeated)

    async def _commit_on(self, tip: str) -> str:
        """Merge the step back from the commit to the one before it into the tip."""
        repository = self.repository
        before = await repository.tree_of(f"{self.commit}^")
        step_back = await repository.commit(before, self.commit, self._text(), self.identity)
        merged = await repository.merge(tip, step_back)
        if merged.conflicts:
            raise self._built_on(merged.conflicts)
        return await repository.commit(merged.tree, tip, self._text(), self.identity)

    def _text(self) -> str:
        trailers = {SESSION_TRAILER: self.session, TRAILER: self.commit}
        return with_trailers(self.message, **trailers)

    def _built_on(self, conflicts: tuple[str, ...]) -> BranchMoved:
        names = ", ".join(conflicts[:10])
        return BranchMoved(
            f"{self.commit[:12]} cannot be taken back: later work on {self._branch.name} changed {names}, too.",
            where=str(self.repository.project),
            fix="Nothing was changed. Revert the later work first, or resolve it by hand with git revert.",
            conflicts=conflicts,
        )

    def _gone(self, branch: str) -> BranchMoved:
        return BranchMoved(
            f"{self.commit[:12]} is not on {branch} any more.",
            where=str(self.repository.project),
            fix="The branch was moved or deleted by somebody else; nothing was changed.",
        )

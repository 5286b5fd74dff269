"""A workspace in memory: trees are dictionaries, branches are lists; it remembers what it was asked."""

import difflib
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping

from msgspec.structs import replace

from obra_tui.core.errors import BranchMoved, ObraError, WorkspaceError
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.model import Acceptance, ChangeKind, Diff, FileChange, Reversal, WorkCopy

Tree = dict[str, str]


class FakeWorkspace:
    """`write` and `remove` are what Claude Code does in a copy; `fail` scripts the next fault of a method."""

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.protected: dict[str, str] = {}
        """Reason by path, for the diffs that are taken."""
        self.secrets: tuple[str, ...] = ()
        self.truncated = False
        self.kept: dict[str, str] = {}
        self._faults: defaultdict[str, list[ObraError]] = defaultdict(list)
        self._trees: dict[str, Tree] = {}
        self._tree_of: dict[str, str] = {}
        self._copies: dict[str, tuple[WorkCopy, Tree]] = {}
        self._branches: dict[str, str] = {}
        self._accepted: dict[str, dict[str, str]] = defaultdict(dict)
        self._parent_of: dict[str, str] = {}
        """The commit before each accepted one."""
        self._reverted: dict[str, str] = {}
        self._head = self._commit(self._store(dict(files or {"README.md": "# Project\n"})), "start")

    # --- what tests say ---

    def fail(self, method: str, *errors: ObraError) -> None:
        """Let the next calls of a method fail, one error each."""
        self._faults[method].extend(errors)

    def write(self, copy: str, name: str, text: str) -> None:
        self._copies[copy][1][name] = text

    def remove(self, copy: str, name: str) -> None:
        del self._copies[copy][1][name]

    def commit_on_branch(self, session: SessionId, files: Mapping[str, str]) -> str:
        """Somebody else commits on the session's branch."""
        tip = self._branches.get(session, self._head)
        tree = {**self._trees[self._tree_of[tip]], **files}
        self._branches[session] = self._commit(self._store(tree), f"on {tip}")
        return self._branches[session]

    def branch_files(self, session: SessionId) -> Tree:
        return dict(self._trees[self._tree_of[self._branches[session]]])

    def called(self, method: str) -> list[tuple[str, ...]]:
        return [call for call in self.calls if call[0] == method]

    # --- the port ---

    async def head(self) -> str:
        self._begin("head")
        return self._head

    async def tip(self, session: SessionId) -> str | None:
        self._begin("tip", session)
        return self._branches.get(session)

    async def prepare(self, session: SessionId, task: TaskId, base: str) -> WorkCopy:
        self._begin("prepare", session, task, base)
        path = f"/copies/{task}/work"
        if path not in self._copies:
            if base not in self._tree_of:
                raise WorkspaceError(f"There is no commit {base}.", where=path, fix="Name one that exists.")
            self._copies[path] = (WorkCopy(path=path, base_commit=base), dict(self._trees[self._tree_of[base]]))
        return self._copies[path][0]

    async def take_diff(self, copy: WorkCopy) -> Diff:
        self._begin("take_diff", copy.path)
        if copy.path not in self._copies:
            raise WorkspaceError("This is not a copy that Obra made.", where=copy.path, fix="Start the task again.")
        before = self._trees[self._tree_of[copy.base_commit]]
        after = dict(self._copies[copy.path][1])
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        patch = "".join(_patch(name, before.get(name), after.get(name)) for name in names)
        files = tuple(self._change(name, before.get(name), after.get(name)) for name in names)
        return Diff(
            base_commit=copy.base_commit,
            tree=self._store(after),
            digest=hashlib.sha256(patch.encode()).hexdigest(),
            patch=patch,
            files=files,
            truncated=self.truncated,
            secrets=self.secrets,
        )

    async def files_of(self, diff: Diff, path: str) -> tuple[str | None, str | None]:
        self._begin("files_of", path)
        return self._trees[self._tree_of[diff.base_commit]].get(path), self._trees[diff.tree].get(path)

    async def keep(self, attempt: AttemptId, copy: WorkCopy, diff: Diff, message: str) -> tuple[str, str]:
        self._begin("keep", attempt, message)
        name = f"refs/obra/attempts/{attempt}"
        self.kept[name] = self._commit(diff.tree, f"{diff.base_commit} {attempt}")
        return name, self.kept[name]

    async def accept(self, session: SessionId, attempt: AttemptId, diff: Diff, message: str) -> Acceptance:
        self._begin("accept", session, attempt, message)
        branch = f"obra/{session}"
        if attempt in self._accepted[session]:
            return Acceptance(commit=self._accepted[session][attempt], branch=branch, repeated=True)
        tree = self._tree_on_tip(session, diff)
        commit = self._commit(tree, f"{self._branches.get(session)} {attempt} {message}")
        self._parent_of[commit] = self._branches.get(session) or diff.base_commit
        self._branches[session] = self._accepted[session][attempt] = commit
        return Acceptance(commit=commit, branch=branch)

    async def revert(self, session: SessionId, commit: str, message: str) -> Reversal:
        self._begin("revert", session, commit, message)
        branch, tip = f"obra/{session}", self._branches.get(session)
        if commit in self._reverted:
            return Reversal(commit=self._reverted[commit], branch=branch, reverted=commit, repeated=True)
        if tip is None or commit not in self._parent_of:
            raise BranchMoved(f"{commit} is not on {branch} any more.", fix="Nothing was changed.")
        mine, before = self._trees[self._tree_of[commit]], self._trees[self._tree_of[self._parent_of[commit]]]
        tree = dict(self._trees[self._tree_of[tip]])
        for name in {*mine, *before}:
            if mine.get(name) == before.get(name):
                continue
            if tree.get(name) != mine.get(name):
                raise BranchMoved(
                    f"{commit} cannot be taken back: later work changed {name}, too.",
                    fix="Nothing was changed.",
                    conflicts=(name,),
                )
            tree.pop(name, None)
            tree |= {name: before[name]} if name in before else {}
        self._branches[session] = self._reverted[commit] = self._commit(self._store(tree), f"on {tip} {message}")
        return Reversal(commit=self._branches[session], branch=branch, reverted=commit)

    async def rebase(self, session: SessionId, task: TaskId, diff: Diff, tip: str) -> WorkCopy:
        self._begin("rebase", session, task, tip)
        base, theirs = self._trees[self._tree_of[diff.base_commit]], self._trees[self._tree_of[tip]]
        ours = self._trees[diff.tree]
        tree: Tree = {}
        for name in {*base, *ours, *theirs}:
            text = ours.get(name) if theirs.get(name) == base.get(name) else theirs.get(name)
            if text is not None:
                tree[name] = text
        path = f"/copies/{task}/work"
        self._copies[path] = (WorkCopy(path=path, base_commit=tip), tree)
        return self._copies[path][0]

    async def discard(self, task: TaskId) -> None:
        self._begin("discard", task)
        self._copies.pop(f"/copies/{task}/work", None)

    # --- inside ---

    def _begin(self, method: str, *arguments: str) -> None:
        self.calls.append((method, *arguments))
        if self._faults[method]:
            raise self._faults[method].pop(0)

    def _store(self, tree: Tree) -> str:
        name = hashlib.sha1(json.dumps(tree, sort_keys=True).encode()).hexdigest()
        self._trees[name] = tree
        return name

    def _commit(self, tree: str, story: str) -> str:
        name = hashlib.sha1(f"{tree} {story}".encode()).hexdigest()
        self._tree_of[name] = tree
        return name

    def _change(self, name: str, before: str | None, after: str | None) -> FileChange:
        added, removed = _counts(before, after)
        kind = ChangeKind.ADDED if before is None else ChangeKind.DELETED if after is None else ChangeKind.MODIFIED
        change = FileChange(path=name, kind=kind, added=added, removed=removed)
        return replace(change, protected=self.protected.get(name, ""))

    def _tree_on_tip(self, session: SessionId, diff: Diff) -> str:
        tip = self._branches.get(session)
        if tip is None or tip == diff.base_commit:
            return diff.tree
        base, theirs = self._trees[self._tree_of[diff.base_commit]], self._trees[self._tree_of[tip]]
        ours = self._trees[diff.tree]
        for name in {*base, *ours, *theirs}:
            sides = base.get(name), ours.get(name), theirs.get(name)
            if len(set(sides)) == 3 or (sides[0] not in sides[1:] and sides[1] != sides[2]):
                raise BranchMoved(
                    f"The branch obra/{session} moved: both changed {name}.",
                    fix="Nothing was changed.",
                    conflicts=(name,),
                    tip=tip,
                )
        raise BranchMoved(f"The branch obra/{session} moved.", fix="Both fit together; check what comes out.", tip=tip)


def _lines(before: str | None, after: str | None) -> tuple[list[str], list[str]]:
    return (before or "").splitlines(keepends=True), (after or "").splitlines(keepends=True)


def _counts(before: str | None, after: str | None) -> tuple[int, int]:
    marks = [line[0] for line in difflib.unified_diff(*_lines(before, after), n=0) if line[:3] not in ("---", "+++")]
    return marks.count("+"), marks.count("-")


def _patch(name: str, before: str | None, after: str | None) -> str:
    old = "/dev/null" if before is None else f"a/{name}"
    new = "/dev/null" if after is None else f"b/{name}"
    body = difflib.unified_diff(*_lines(before, after), old, new)
    return f"diff --git a/{name} b/{name}\n" + "".join(body)

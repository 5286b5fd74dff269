"""The supervisor's own repository of one project: where work is read, kept and merged.

It is bare, has no hooks and no drivers, and treats every file as plain bytes, so
that nothing planted in a tree can run or hide a change. Each project has one; the
person's repository is only ever read from here.
"""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from obra_tui.core.errors import ProjectError, WorkspaceError
from obra_tui.evidence.copies import make_private, remove_tree
from obra_tui.evidence.git import Git, GitFailed, git_of, git_of_project
from obra_tui.evidence.names import shown
from obra_tui.evidence.own_git import TAGS
from obra_tui.evidence.sharing import share_objects
from obra_tui.evidence.untracked import JUNK, JUNK_PATTERNS
from obra_tui.system.git import SLOW_S

_PLAIN_BYTES = "* -text !eol -ident !filter !working-tree-encoding !diff !merge !export-ignore !export-subst\n"
"""Overrules every `.gitattributes` of a tree: no conversion, no driver, no file hidden from a diff."""

_FETCH = (
    *("fetch", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance"),
    *("--no-recurse-submodules", "--update-shallow", "--force"),
)

NO_COMMIT = "0" * 40


def base_ref(commit: str) -> str:
    """Return the name under which our repository holds what a copy began from."""
    return f"refs/obra/bases/{commit}"


class Identity(Struct, frozen=True, kw_only=True):
    """Author and committer of what Obra commits."""

    name: str = "Obra"
    email: str = "obra@localhost"

    def environment(self) -> dict[str, str]:
        return {
            "GIT_AUTHOR_NAME": self.name,
            "GIT_AUTHOR_EMAIL": self.email,
            "GIT_COMMITTER_NAME": self.name,
            "GIT_COMMITTER_EMAIL": self.email,
        }


class Merged(Struct, frozen=True, kw_only=True):
    """Outcome of a three-way merge: a tree, or the files that stand in its way."""

    tree: str
    conflicts: tuple[str, ...] = ()


class OwnRepository:
    """One bare repository under `repos/`."""

    def __init__(self, project: Path, directory: Path) -> None:
        self.project = project
        self.directory = directory
        self.git = git_of(directory)
        self._making = asyncio.Lock()
        self._tags: str | None = None
        """The project's tags as they were when they were kept for copies."""
        self._held: dict[str, str] = {}
        """Which commit each name was made to hold, by this process: nobody else moves them, nothing is ever removed."""
        self._merges: dict[tuple[str, str, str], str] = {}
        """Trees of the last merges without a conflict, by the branch's commit and the base and tree of the work."""
        self._commits: dict[tuple[str, str], str] = {}
        """A commit that this process made, by its tree and the commit before it."""
        self._accepted: dict[str, tuple[str, str]] = {}
        """What this process put on a branch: which commit it came after, and which attempt it holds."""

    def reading(self, work_tree: Path, index: Path, ignored: Path | None = None) -> Git:
        """Return git that sees a foreign tree through this repository, but for what the patterns in a file name."""
        return git_of(self.directory, work_tree=work_tree, index=index, ignored=ignored)

    @property
    def indexes(self) -> Path:
        return self.directory / "obra-indexes"

    async def ensure(self) -> bool:
        """Make the repository if it is not there; a half-made one never gets the final name. Returns if it was made."""
        async with self._making:
            if self.directory.is_dir():
                return False
            make_private(self.directory.parent)
            fresh = Path(tempfile.mkdtemp(prefix="new-", dir=self.directory.parent))
            try:
                await self._make(fresh)
                fresh.rename(self.directory)
                self._held.clear()
                self._merges.clear()
                self._commits.clear()
            except BaseException:
                await asyncio.to_thread(remove_tree, fresh)
                raise
            return True

    async def _make(self, fresh: Path) -> None:
        answer = await git_of_project(self.project).run("rev-parse", "--show-object-format")
        await Git(options=(), where=str(fresh)).run(
            "init", "--quiet", "--bare", "--template=", f"--object-format={answer.text}", str(fresh)
        )
        info = fresh / "info"
        info.mkdir(exist_ok=True)
        (info / "attributes").write_text(_PLAIN_BYTES)
        (info / "exclude").write_text("".join(f"{name}/\n" for name in JUNK) + "\n".join(JUNK_PATTERNS) + "\n")
        (fresh / "obra-indexes").mkdir()
        await asyncio.to_thread(share_objects, await objects_of(self.project), fresh / "objects")
        (fresh / "description").write_bytes(b"Obra's view of " + os.fsencode(self.project) + b"\n")

    async def bring(self, commit: str, *names: str) -> None:
        """Fetch a commit with its history from the person's repository and hold it by refs."""
        await self.ensure()
        if all(self._held.get(name) == commit for name in names) or await self._hold(names, commit):
            return
        await self._fetch(self.project, commit, *names)

    async def bring_from(self, source: Path, commit: str, name: str) -> None:
        """As `bring`, from another repository of the person's, such as that of a submodule."""
        await self.ensure()
        if self._held.get(name) != commit and not await self._hold((name,), commit):
            await self._fetch(source, commit, name)

    async def _fetch(self, source: Path, commit: str, *names: str) -> None:
        wanted = (f"{commit}:{name}" for name in names)
        try:
            await self.git.run(*_FETCH, str(source), *wanted, timeout_s=SLOW_S)
        except GitFailed as error:
            raise (await _partial_clone(source)) or error from None
        self._held |= dict.fromkeys(names, commit)

    async def keep_tags(self) -> None:
        """Keep those tags of the project whose commits are here: version tools ask copies for them."""
        form = "--format=%(objectname) %(*objectname) %(refname)"
        listed = (await git_of_project(self.project).run("for-each-ref", form, "refs/tags")).text
        if listed == self._tags:
            return
        rows = [(line.split(" ", 2)) for line in listed.splitlines()]
        known = await self._among({name for tag, peeled, _ in rows for name in (tag, peeled) if name})
        if wanted := [name for tag, peeled, name in rows if tag not in known and peeled in known]:
            names = "".join(f"{name}:{name}\n" for name in wanted).encode()
            await self.git.run(*_FETCH, "--no-tags", "--stdin", str(self.project), stdin=names, timeout_s=SLOW_S)
            known = await self._among({name for tag, peeled, _ in rows for name in (tag, peeled) if name})
        kept = [(tag, peeled, name) for tag, peeled, name in rows if {tag, peeled or tag} <= known]
        lines = (f"{tag} {name}\n" + (f"^{peeled}\n" if peeled else "") for tag, peeled, name in kept)
        packed = "# pack-refs with: peeled fully-peeled sorted \n" + "".join(lines)
        fresh = self.directory / f"{TAGS}.new"
        fresh.write_bytes(os.fsencode(packed))
        fresh.replace(self.directory / TAGS)
        self._tags = listed

    async def _among(self, objects: set[str]) -> set[str]:
        """Return which of the objects are here."""
        asked = "".join(f"{name}\n" for name in objects).encode()
        there = await self.git.run("cat-file", "--batch-check=%(objectname)", stdin=asked)
        return {line for line in there.text.splitlines() if not line.endswith(" missing")}

    async def _hold(self, names: Sequence[str], commit: str) -> bool:
        """Hold a commit that is there already; False when it is not."""
        told = "".join(f"update {name}\0{commit}\0\0" for name in names)
        answer = await self.git.run("update-ref", "-z", "--stdin", stdin=told.encode(), good=(0, 1, 128))
        if answer.code == 0:
            self._held |= dict.fromkeys(names, commit)
        return answer.code == 0

    async def is_ancestor(self, commit: str, tip: str) -> bool:
        answer = await self.git.run("merge-base", "--is-ancestor", commit, tip, good=(0, 1, 128))
        return answer.code == 0

    async def point(self, name: str, commit: str) -> None:
        await self.git.run("update-ref", name, commit)

    async def point_new(self, name: str, commit: str) -> bool:
        """Make a name; False when it could not be made, as when it is there already."""
        none = NO_COMMIT[:1] * len(commit)
        return (await self.git.run("update-ref", name, commit, none, good=(0, 128))).code == 0

    async def find(self, name: str) -> str | None:
        answer = await self.git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", good=(0, 1))
        return answer.text or None

    async def tree_of(self, commit: str) -> str:
        return (await self.git.run("rev-parse", "--verify", f"{commit}^{{tree}}")).text

    async def commit(self, tree: str, parent: str, message: str, identity: Identity) -> str:
        """Write a commit object; nothing points at it yet."""
        answer = await self.git.run(
            *("commit-tree", tree, "-p", parent, "-F", "-"),
            stdin=message.replace("\0", "").encode("utf-8", "replace"),
            env=identity.environment(),
        )
        self._commits[tree, parent] = answer.text
        return answer.text

    async def any_commit(self, tree: str, parent: str, identity: Identity) -> str:
        """Return a commit to merge: whatever it says, this tree came after that commit."""
        return self._commits.get((tree, parent)) or await self.commit(tree, parent, "Work to merge", identity)

    async def merge(self, ours: str, theirs: str) -> Merged:
        """Merge two commits without any working tree."""
        clean, tree, names = await self._merge_tree(ours, theirs)
        if clean:
            return Merged(tree=tree)
        return Merged(tree="", conflicts=tuple(dict.fromkeys(shown(name) for name in names)))

    async def _merge_tree(self, ours: str, theirs: str) -> tuple[bool, str, list[bytes]]:
        answer = await self.git.run(
            "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs, good=(0, 1)
        )
        tree, *names = answer.names
        return answer.code == 0, os.fsdecode(tree), names

    def note_merge(self, ours: str, base: str, tree: str, merged: str) -> None:
        """Remember what came out of merging a tree that began from `base`: `fitting` is asked for it next."""
        self._merges[ours, base, tree] = merged

    async def fitting(self, ours: str, base: str, tree: str, identity: Identity, index: Path) -> str:
        """Return the tree of `ours` with every file of `tree`, which began from `base`, that merges cleanly.

        The files in conflict are as `ours` has them, so that no tree ever holds a conflict mark.
        """
        known = self._merges.pop((ours, base, tree), None)
        if known is not None:
            return known
        theirs = await self.any_commit(tree, base, identity)
        clean, merged, names = await self._merge_tree(ours, theirs)
        return merged if clean or not names else await self._without_conflicts(ours, merged, names, index)

    async def _without_conflicts(self, ours: str, merged: str, names: list[bytes], index: Path) -> str:
        git = git_of(self.directory, index=index)
        index.unlink(missing_ok=True)
        await git.run("read-tree", merged)
        for name in dict.fromkeys(names):
            listed = (await git.run("ls-tree", "-z", ours, b":(top,literal)" + name)).names
            entry = listed[0] if listed else b"0 blob " + NO_COMMIT[:1].encode() * len(ours) + b"\t" + name
            await git.run("update-index", "-z", "--index-info", stdin=entry + b"\0")
        done = (await git.run("write-tree")).text
        index.unlink(missing_ok=True)
        return done

    def note_accepted(self, commit: str, after: str, attempt: str) -> None:
        """Remember what was put on a branch: `absent` is asked for it next."""
        self._accepted[commit] = (after, attempt)

    def absent(self, base: str, tip: str, attempt: str) -> bool:
        """Tell whether all from `base` to `tip` is known, and none of it holds the attempt: git need not be asked."""
        while tip != base:
            tip, held = self._accepted.get(tip, ("", ""))
            if not tip or held == attempt:
                return False
        return True

    async def attempt_on(self, base: str, tip: str, key: str, attempt: str) -> str | None:
        """Return the commit after `base` that carries the trailer, or None."""
        answer = await self.git.run(
            "log", "-z", f"--format=%H %(trailers:key={key},valueonly,separator=%x20)", tip, f"^{base}"
        )
        for line in answer.names:
            commit, *values = os.fsdecode(line).split()
            if attempt in values:
                return commit
        return None


async def objects_of(project: Path) -> Path | None:
    """Return where a project's objects lie, if they are all there: nothing was left out when it was cloned."""
    git = git_of_project(project)
    asked = ("rev-parse", "--path-format=absolute", "--git-path", "objects", "--is-shallow-repository")
    objects, _, shallow = (await git.run(*asked)).text.partition("\n")
    promised = await git.run(
        "config", "--get-regexp", r"^remote\..*\.promisor$|^extensions\.partialclone$", good=(0, 1)
    )
    return None if shallow != "false" or promised.code == 0 else Path(objects)


async def open_project(path: Path) -> Path:
    """Return the top level of the repository at `path`. Raises `ProjectError` if Obra cannot work on it."""
    if not path.is_dir():
        raise ProjectError("There is no such folder.", where=str(path), fix="Name a folder that is a git repository.")
    git = git_of_project(path)
    answer = await git.run("rev-parse", "--show-toplevel", good=(0, 128))
    if answer.code:
        raise ProjectError(_no_repository(answer.err), where=str(path), fix=_how_to_start(answer.err))
    top = Path(answer.text)
    await first_commit(top)
    return top


async def _partial_clone(source: Path) -> WorkspaceError | None:
    """Say what helps when the repository is one that fetches its files when they are needed."""
    asked = await git_of_project(source).run(
        "config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$", good=(0, 1)
    )
    if not asked.text:
        return None
    return WorkspaceError(
        "The repository is a partial clone, and files of its history are not here. Obra fetches nothing by itself.",
        where=str(source),
        fix="Fetch them once: run `git fetch --refetch --no-filter` there, then start again.",
    )


async def first_commit(project: Path) -> str:
    """Return HEAD's commit. Raises `ProjectError` for a repository without one."""
    answer = await git_of_project(project).run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", good=(0, 1, 128))
    if answer.code == 1:
        raise ProjectError(
            "The repository has no commit yet.",
            where=str(project),
            fix="Make one: git add -A && git commit -m 'Start'.",
        )
    if answer.code:
        raise ProjectError(_no_repository(answer.err), where=str(project), fix=_how_to_start(answer.err))
    return answer.text


def _no_repository(stderr: str) -> str:
    if "dubious ownership" in stderr:
        return "The repository belongs to somebody else, so git refuses to read it."
    if "must be run in a work tree" in stderr:
        return "The repository is bare: it has no files to work on."
    return "The folder is no git repository."


def _how_to_start(stderr: str) -> str:
    if "dubious ownership" in stderr:
        return "If you trust it, run: git config --global --add safe.directory <the folder>"
    if "must be run in a work tree" in stderr:
        return "Clone it and name the clone."
    return "Run: git init && git add -A && git commit -m 'Start'."

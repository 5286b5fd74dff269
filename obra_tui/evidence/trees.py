"""Trees of our own for the runs of checks: what the work changed, and one tree laid over another."""

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from obra_tui.evidence.git import Git, git_of
from obra_tui.evidence.names import raw, shown, text_of
from obra_tui.system.git import SLOW_S

_MOST_TEXT = 1 << 20


class TreeEntry(Struct, frozen=True):
    """A file of a tree."""

    mode: str
    blob: str

    @property
    def is_there(self) -> bool:
        return bool(self.mode.strip("0"))


class Change(Struct, frozen=True, kw_only=True):
    """One path that differs between two trees."""

    path: str
    name: bytes
    old: TreeEntry
    new: TreeEntry

    @property
    def is_new(self) -> bool:
        return not self.old.is_there


class Trees(Struct, frozen=True):
    """Reads and makes trees in a repository of ours; `folder` has room for an index."""

    repository: Path
    folder: Path

    @property
    def git(self) -> Git:
        return git_of(self.repository)

    async def tree_of(self, commit: str) -> str:
        return (await self.git.run("rev-parse", "--verify", f"{commit}^{{tree}}")).text

    async def changes(self, old: str, new: str) -> tuple[Change, ...]:
        """Return what differs, renames as a file gone and a file made."""
        answer = await self.git.run("diff-tree", "-r", "-z", "--no-renames", "--full-index", old, new, timeout_s=SLOW_S)
        fields = iter(answer.names)
        return tuple(_change(head, name) for head, name in zip(fields, fields, strict=False))

    async def text(self, entry: TreeEntry) -> str | None:
        """Return a file as text; None if it is not there, no plain file, binary or too large."""
        if not entry.is_there or not entry.mode.startswith("100"):
            return None
        if int((await self.git.run("cat-file", "-s", entry.blob)).text) > _MOST_TEXT:
            return None
        content = (await self.git.run("cat-file", "blob", entry.blob)).out
        return None if b"\0" in content[:8000] else text_of(content)

    async def files(self, tree: str) -> tuple[str, ...]:
        """Return the paths of all plain files of a tree."""
        answer = await self.git.run("ls-tree", "-r", "-z", tree, timeout_s=SLOW_S)
        rows = (row.partition(b"\t") for row in answer.names)
        return tuple(shown(name) for head, _, name in rows if head.startswith(b"100"))

    async def mentions(self, tree: str, word: str) -> tuple[str, ...]:
        """Return the files of a tree in which a word stands."""
        question = ("grep", "-l", "-z", "-w", "-I", "-F", "-e", word, tree)
        answer = await self.git.run(*question, good=(0, 1), timeout_s=SLOW_S)
        return tuple(shown(name).partition(":")[2] for name in answer.names)

    async def text_at(self, tree: str, path: str) -> str | None:
        """Return a file of a tree as text; None where there is no such file."""
        answer = await self.git.run("--literal-pathspecs", "ls-tree", "-z", tree, "--", raw(path))
        for row in answer.names:
            mode, _, blob = os.fsdecode(row.partition(b"\t")[0]).split(" ")
            return await self.text(TreeEntry(mode, blob))
        return None

    async def with_texts(self, tree: str, texts: Iterable[tuple[str, str]]) -> str:
        """Return `tree` with these files as they are given."""
        entries = []
        for path, text in texts:
            blob = await self.git.run("hash-object", "-w", "--stdin", stdin=text.encode("utf-8", "replace"))
            entries.append((raw(path), TreeEntry("100644", blob.text)))
        return await self.laid_over(tree, entries)

    async def laid_over(self, tree: str, entries: Iterable[tuple[bytes, TreeEntry]]) -> str:
        """Return `tree` with these files as they are given; an entry that is not there removes the file."""
        wanted = list(entries)
        if not wanted:
            return tree
        index = self.folder / "laid-over.index"
        index.unlink(missing_ok=True)
        git = git_of(self.repository, index=index)
        try:
            await git.run("read-tree", tree, timeout_s=SLOW_S)
            # What is gone goes first: a file may stand where a folder was.
            ordered = sorted(wanted, key=lambda item: item[1].is_there)
            told = b"".join(
                f"{entry.mode if entry.is_there else 0} {entry.blob}\t".encode() + name + b"\0"
                for name, entry in ordered
            )
            await git.run("update-index", "-z", "--index-info", stdin=told)
            return (await git.run("write-tree")).text
        finally:
            index.unlink(missing_ok=True)


def _change(head: bytes, name: bytes) -> Change:
    old_mode, new_mode, old_blob, new_blob, _ = os.fsdecode(head.lstrip(b":")).split(" ")
    return Change(path=shown(name), name=name, old=TreeEntry(old_mode, old_blob), new=TreeEntry(new_mode, new_blob))

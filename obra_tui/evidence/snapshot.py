"""From a foreign tree to a git tree of ours, and from two trees to a diff.

Everything goes through the supervisor's repository and an index of its own. What
could not be taken is said in notes; what was cut makes the diff `truncated`.
"""

import asyncio
import hashlib
import os
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import ChangeKind, Diff, FileChange
from obra_tui.evidence import secrets, suspicious
from obra_tui.evidence.git import Git, GitFailed
from obra_tui.evidence.governing import only_adds
from obra_tui.evidence.names import raw, shown, text_of
from obra_tui.evidence.patch import LINK, RawChange, added_lines, read_changes
from obra_tui.evidence.protect import (
    EXISTING_TEST,
    TEST_CONFIG,
    Rule,
    configures_obra,
    has_tests,
    is_test,
    reason_for,
)
from obra_tui.evidence.repository import OwnRepository
from obra_tui.evidence.untracked import Survey, is_junk, survey
from obra_tui.system.git import SLOW_S

_MOST_NOTES = 40
_MOST_LARGE = 500
_MOST_IGNORED = 1_000
_SHORT_PATCH = 10_000
_DIFF_OPTIONS = (
    *("--raw", "--numstat", "-p", "-r", "-z", "-M", "--full-index", "--no-color", "--src-prefix=a/", "--dst-prefix=b/"),
    *("--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--end-of-options"),
)
_PATCH_FOLLOWS = b"\0\0"
"""Between the list of changes, in which no name is empty, and the patch."""


class DiffLimits(Struct, frozen=True, kw_only=True):
    """How much of a tree is taken. Past a limit the diff is `truncated` and says so."""

    patch_bytes: int = 2_000_000
    changed_files: int = 2_000
    new_files: int = 5_000
    file_bytes: int = 50_000_000
    entries: int = 1_000_000


class Snapshot(Struct, frozen=True, kw_only=True):
    """A tree as git object, and what is missing from it."""

    tree: str
    notes: tuple[str, ...]
    complete: bool


class Reader:
    """Reads trees into one repository of ours."""

    def __init__(self, repository: OwnRepository, limits: DiffLimits, rules: tuple[Rule, ...]) -> None:
        self._repository = repository
        self._limits = limits
        self._rules = rules

    async def snapshot(self, work: Path, index: Path, base: str, ignored: Path | None = None) -> Snapshot:
        """Write the tree of `work` as git objects, without running anything that is in it.

        New files are left out where a pattern in the file `ignored` matches.
        """
        git = self._repository.reading(work, index, ignored)
        Path(f"{index}.lock").unlink(missing_ok=True)
        if not index.exists():
            await git.run("read-tree", base)
        limits = self._limits
        seen = await asyncio.to_thread(survey, work, max_file_bytes=limits.file_bytes, max_entries=limits.entries)
        foreign, adopted = await _sort_nested(git, seen.nested)
        outside = [b":(top,exclude,literal)" + path for path in (*seen.left_out, *foreign) if path]
        seen.large = await _changed_among(git, seen.large)
        complaints, flooded = await self._add(git, outside, seen.entries)
        if seen.special:
            gone = b"\0".join(path for path, _ in seen.special)
            await git.run("update-index", "--force-remove", "-z", "--stdin", stdin=gone + b"\0")
        notes = (*_notes(seen, limits), *_nested_notes(foreign, adopted), *flooded, *complaints)
        tree = (await git.run("write-tree", timeout_s=SLOW_S)).text
        complete = seen.complete and not (seen.large or seen.unreadable or foreign or flooded or complaints)
        return Snapshot(tree=tree, notes=notes[:_MOST_NOTES], complete=complete)

    async def ignored(self, work: Path, index: Path) -> tuple[str, ...]:
        """Return the files that git ignores, whole folders by their name, without what every tool leaves behind."""
        git = self._repository.reading(work, index)
        question = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
        names = [shown(name) for name in (await git.run(*question, timeout_s=SLOW_S)).names[:_MOST_IGNORED]]
        return tuple(name for name in names if not is_junk(name))

    async def _add(self, git: Git, outside: list[bytes], entries: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Bring the index to the state of the tree; returns what git complained about and what was too much."""
        chosen: list[bytes] = [b":(top)"]
        flooded: tuple[str, ...] = ()
        if entries > self._limits.new_files:
            chosen, flooded = await self._first_new(git)
        if flooded:
            await _add_paths(git, "--update", [b":(top)", *outside])
        return await _add_paths(git, "--all", [*chosen, *outside]), flooded

    async def _first_new(self, git: Git) -> tuple[list[bytes], tuple[str, ...]]:
        """Choose as many new files as the limit allows, if there are more."""
        answer = await git.run("ls-files", "--others", "--exclude-standard", "-z", timeout_s=SLOW_S)
        new, most = answer.names, self._limits.new_files
        if len(new) <= most:
            return [b":(top)"], ()
        note = f"{len(new):,} new files; only the first {most:,} were taken"
        return [b":(top,literal)" + name for name in new[:most]], (note,)

    async def compare(self, base: str, taken: Snapshot) -> Diff:
        """Return what changed between the base commit and the tree that was taken."""
        listed, patch, digest, cut = await self._difference(base, taken.tree)
        changes = read_changes(listed)
        most = self._limits.changed_files
        files = await self._protected(base, changes[:most])
        notes = [*taken.notes, *(f"nested repository: {change.path}" for raw, change in changes if raw.is_gitlink)]
        if len(changes) > most:
            notes.append(f"{len(changes):,} files changed; only the first {most:,} are listed")
        if cut:
            notes.append(f"The patch is longer than {self._limits.patch_bytes:,} bytes and was cut")
        return Diff(
            base_commit=base,
            tree=taken.tree,
            digest=digest,
            patch=patch,
            files=files,
            truncated=cut or len(changes) > most or not taken.complete,
            secrets=await _secrets_in(patch),
            doubts=await self._doubts(patch, changes[:most]),
            notes=tuple(notes),
        )

    async def _difference(self, base: str, tree: str) -> tuple[bytes, str, str, bool]:
        """Return the list of changes, the patch up to the limit, the digest of all of it, and whether it was cut."""
        whole, kept, most = hashlib.sha256(), bytearray(), self._limits.patch_bytes
        listed, in_patch = bytearray(), False
        async for chunk in self._repository.git.stream("diff-tree", *_DIFF_OPTIONS, base, tree):
            piece = chunk
            if not in_patch:
                looked_at = max(0, len(listed) - 1)
                listed += chunk
                end = listed.find(_PATCH_FOLLOWS, looked_at)
                if end < 0:
                    continue
                in_patch, piece = True, bytes(listed[end + len(_PATCH_FOLLOWS) :])
                del listed[end:]
            whole.update(piece)
            if len(kept) <= most:
                kept += piece
        cut = len(kept) > most
        if cut:
            del kept[kept.rfind(b"\n", 0, most) + 1 :]
        return bytes(listed), text_of(bytes(kept)), whole.hexdigest(), cut

    async def _protected(self, base: str, changes: tuple[tuple[RawChange, FileChange], ...]) -> tuple[FileChange, ...]:
        tests_existed = await self._tests_existed(base, changes)
        return tuple([await self._judged(change, raw, tests_existed) for raw, change in changes])

    async def _doubts(self, patch: str, changes: tuple[tuple[RawChange, FileChange], ...]) -> tuple[str, ...]:
        found: list[str] = []
        for raw_change, change in changes:
            if raw_change.new_mode == LINK:
                found.append(suspicious.leads_out(change.path, await self.text(raw_change.new_blob) or ""))
            elif change.path.endswith(".py") and change.added:
                texts = await self.text(raw_change.old_blob), await self.text(raw_change.new_blob)
                found.append(suspicious.equals_everything(change.path, *texts))
        lines = await asyncio.to_thread(lambda: suspicious.in_lines(tuple(added_lines(patch))))
        return (*filter(None, found), *lines)[: suspicious.MOST]

    async def _judged(self, change: FileChange, raw_change: RawChange, tests_existed: bool) -> FileChange:
        existed = change.kind is not ChangeKind.ADDED
        sides = [(change.path, existed and not change.old_path)]
        if change.old_path:
            sides.append((change.old_path, True))
        reasons = (reason_for(self._rules, path, existed=was, tests_existed=tests_existed) for path, was in sides)
        reason = next(filter(None, reasons), "")
        if reason == EXISTING_TEST and await self._keeps_tests(change, raw_change):
            reason = ""
        if not reason and change.path == "config.toml" and await self._is_ours(raw_change):
            reason = "Obra's configuration"
        return replace(change, protected=reason) if reason else change

    async def _keeps_tests(self, change: FileChange, raw_change: RawChange) -> bool:
        """Tell whether all tests of the file are as they were: it got more of them, or only another name."""
        if change.old_path:
            return raw_change.old_blob == raw_change.new_blob and is_test(change.path) and is_test(change.old_path)
        if change.kind is not ChangeKind.MODIFIED or (change.removed and not change.path.endswith(".py")):
            return False
        return only_adds(change.path, await self.text(raw_change.old_blob), await self.text(raw_change.new_blob))

    async def _is_ours(self, change: RawChange) -> bool:
        texts = [await self.text(change.old_blob), await self.text(change.new_blob)]
        return any(configures_obra(text) for text in texts)

    async def _tests_existed(self, base: str, changes: tuple[tuple[RawChange, FileChange], ...]) -> bool:
        """Look for tests in the base, but only if a new test configuration makes it matter."""
        asks = any(
            change.kind is ChangeKind.ADDED
            and reason_for(self._rules, change.path, existed=False, tests_existed=True) == TEST_CONFIG
            for _, change in changes
        )
        if not asks:
            return False
        answer = await self._repository.git.run("ls-tree", "-r", "-z", "--name-only", base, timeout_s=SLOW_S)
        return has_tests(shown(name) for name in answer.names)

    async def blob_at(self, tree: str, path: str) -> str | None:
        """Return the blob id of a file in a tree, or None if there is no such file."""
        names = dict.fromkeys((path.encode("utf-8", "surrogateescape"), raw(path)))
        answer = await self._repository.git.run("--literal-pathspecs", "ls-tree", "-z", tree, "--", *names)
        for line in answer.names:
            head, _, found = line.partition(b"\t")
            _, kind, blob = head.split(b" ")
            if found in names and kind == b"blob":
                return os.fsdecode(blob)
        return None

    async def text(self, blob: str, most: int = 5_000_000) -> str | None:
        """Return a blob as text; None if there is none, it is binary, or larger than `most` bytes."""
        if not blob.strip("0"):
            return None
        git = self._repository.git
        try:
            size = int((await git.run("cat-file", "-s", blob)).text)
            content = (await git.run("cat-file", "blob", blob)).out if size <= most else b"\0"
        except GitFailed:
            return None
        return None if b"\0" in content[:8000] else text_of(content)


async def _secrets_in(patch: str) -> tuple[str, ...]:
    """A patch that is looked through within a millisecond is not worth another thread."""
    if len(patch) <= _SHORT_PATCH:
        return secrets.places(added_lines(patch))
    return await asyncio.to_thread(secrets.places, added_lines(patch))


async def _changed_among(git: Git, large: list[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
    """Return the large files that are part of the work: those that are new or not as they were."""
    if not large:
        return []
    names = [path for path, _ in large]
    question = ("--literal-pathspecs", "ls-files", "--modified", "--others", "--exclude-standard", "-z", "--")
    changed = set((await git.run(*question, *names[:_MOST_LARGE], timeout_s=SLOW_S)).names)
    return [(path, size) for path, size in large if path in changed or path not in names[:_MOST_LARGE]]


async def _sort_nested(git: Git, nested: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Tell repositories of their own from folders of the project in which somebody ran `git init`.

    A submodule counts as foreign: git would look for changes by running itself inside it.
    """
    foreign: list[bytes] = []
    adopted: list[bytes] = []
    for path in nested:
        answer = await git.run("--literal-pathspecs", "ls-files", "-s", "-z", "--", path)
        ours = any(not line.startswith(b"160000") for line in answer.names)
        (adopted if ours else foreign).append(path)
    return foreign, adopted


def _nested_notes(foreign: list[bytes], adopted: list[bytes]) -> tuple[str, ...]:
    return (
        *(f"nested repository, not taken: {shown(path)}" for path in foreign),
        *(f"nested repository inside the project, its files were taken: {shown(path)}" for path in adopted),
    )


async def _add_paths(git: Git, how: str, paths: list[bytes]) -> tuple[str, ...]:
    answer = await git.run(
        *("add", how, "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"),
        stdin=b"\0".join(paths),
        good=(0, 1),
        timeout_s=SLOW_S,
    )
    if answer.code == 0:
        return ()
    errors = [line for line in answer.err.splitlines() if line.startswith(("error:", "fatal:"))]
    return tuple(f"git could not take a file: {line.partition(':')[2].strip()}" for line in errors[:20])


def _notes(seen: Survey, limits: DiffLimits) -> tuple[str, ...]:
    megabytes = limits.file_bytes // 1_000_000
    return (
        *(f"skipped {kind}: {shown(path)}" for path, kind in seen.special),
        *(f"larger than {megabytes} MB, not taken: {shown(path)}" for path, _ in seen.large),
        *(f"unreadable, not taken: {shown(path)}" for path in seen.unreadable),
        *(() if seen.complete else (f"more than {limits.entries:,} files; the rest was not looked through",)),
    )

"""A look at a foreign tree before git reads it: what git would stumble over, or what would be too much.

Only names and sizes are read, links are never followed, nothing is opened.
"""

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from msgspec import Struct, field

JUNK = (
    *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox", ".venv", "venv"),
    *("node_modules", ".eggs", ".gradle", ".ipynb_checkpoints", ".import_linter_cache", "htmlcov", ".cache"),
)
"""Folders that tools leave behind; new ones are never part of the work."""
JUNK_PATTERNS = ("*.pyc", "*.pyo", "*.egg-info/", ".coverage", ".coverage.*", ".DS_Store", "Thumbs.db", "*.swp", "*~")

JUNK_NAMES = frozenset(JUNK)

_SPECIAL = {
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def is_junk(path: str) -> bool:
    """Whether it is what tools leave behind; the name of a folder ends with `/`."""
    parts = path.rstrip("/").split("/")
    patterns = (pattern.rstrip("/") for pattern in JUNK_PATTERNS)
    return not JUNK_NAMES.isdisjoint(parts) or any(fnmatch(parts[-1], pattern) for pattern in patterns)


class Survey(Struct, kw_only=True):
    """What was seen; all paths are relative, as bytes."""

    special: list[tuple[bytes, str]] = field(default_factory=list)
    nested: list[bytes] = field(default_factory=list)
    large: list[tuple[bytes, int]] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)
    entries: int = 0
    complete: bool = True

    @property
    def left_out(self) -> tuple[bytes, ...]:
        """Return the paths that git must not be shown; nested repositories are for the caller to judge."""
        return (*(path for path, _ in self.special), *(path for path, _ in self.large), *self.unreadable)


def survey(root: Path, *, max_file_bytes: int, max_entries: int) -> Survey:
    """Walk the tree. Stops after `max_entries` names and says so in `complete`."""
    seen = Survey()
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        for entry in _entries(root, folder, seen):
            if seen.entries >= max_entries:
                seen.complete = False
                return seen
            seen.entries += 1
            path = os.path.join(folder, entry.name)  # noqa: PTH118 - names are bytes
            if _look(entry, path, max_file_bytes, seen):
                waiting.append(path)
    return seen


def _entries(root: Path, folder: bytes, seen: Survey) -> Iterator[os.DirEntry[bytes]]:
    try:
        with os.scandir(os.path.join(os.fsencode(root), folder)) as found:  # noqa: PTH118 - names are bytes
            entries = list(found)
    except OSError:
        seen.unreadable.append(folder)
        return
    if folder and any(entry.name == b".git" for entry in entries):
        seen.nested.append(folder)
    yield from (entry for entry in entries if entry.name != b".git")


def _look(entry: os.DirEntry[bytes], path: bytes, max_file_bytes: int, seen: Survey) -> bool:
    """Note what is odd about the entry; tell whether it is a folder to go into."""
    if entry.is_dir(follow_symlinks=False):
        return os.fsdecode(entry.name) not in JUNK
    if entry.is_symlink():
        return False
    if not entry.is_file(follow_symlinks=False):
        kind = _SPECIAL.get(stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode), "special file")
        seen.special.append((path, kind))
    elif (size := entry.stat(follow_symlinks=False).st_size) > max_file_bytes:
        seen.large.append((path, size))
    elif not os.access(entry.path, os.R_OK):
        seen.unreadable.append(path)
    return False

"""Environments name the place where they were made: scripts in their first line, editable installs, build files.

A copy of an environment stands elsewhere, so those files are made anew with the other name in them. A text may become
longer; in other files only a name of the same length can take the place of another.
"""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

_MOST_BYTES = 64_000_000
_KEEPS_NAME = (".pyc",)
"""Compiled files of Python hold the name for tracebacks alone, and are given the right one when they are loaded."""


def naming(root: Path, place: Path) -> tuple[str, ...]:
    """Return the files below `root` that name `place`, relative to it; links count by where they lead."""
    wanted = os.fsencode(place)
    return tuple(str(path.relative_to(root)) for path in _files(root) if _names(path, wanted))


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        yield from (Path(folder, name) for name in files if not name.endswith(_KEEPS_NAME))
        yield from (path for name in folders if (path := Path(folder, name)).is_symlink())


def _names(path: Path, wanted: bytes) -> bool:
    if path.is_symlink():
        return wanted in os.fsencode(path.readlink())
    try:
        size = path.stat().st_size
        if not path.is_file() or not len(wanted) <= size <= _MOST_BYTES:
            return False
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(wanted) >= 0
    except OSError:
        return False


def substituted(content: bytes, old: Path, new: Path) -> bytes:
    """Return the content with the other name, or as it is where that would break it."""
    before, after = os.fsencode(old), os.fsencode(new)
    if len(before) != len(after) and b"\0" in content:
        return content
    return content.replace(before, after)


def write_substitute(source: Path, target: Path, old: Path, new: Path) -> None:
    """Write what `source` must be at another place, with its mode and times."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(os.fsdecode(substituted(os.fsencode(source.readlink()), old, new)))
        return
    content = substituted(source.read_bytes(), old, new)
    target.unlink(missing_ok=True)
    target.write_bytes(content)
    seen = source.stat()
    target.chmod(seen.st_mode | 0o200)
    os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def substitute_in(names: Path, tree: Path, old: Path, new: Path) -> None:
    """Put the other name into those files of `tree` that are also below `names`."""
    for path in _files(names):
        there = tree / path.relative_to(names)
        if there.is_symlink() or there.is_file():
            fresh = there.with_name(f"{there.name}.obra-new")
            write_substitute(there, fresh, old, new)
            fresh.replace(there)

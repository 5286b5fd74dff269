"""The tree that a check sees: folders laid over one another, and a throw-away layer on top for what is written.

Where the kernel lets an ordinary user do it, by overlayfs in a user namespace; else by a copy for each command. Either
way nothing that a command writes reaches the folders below, nor the command after it. Knows nothing of checks.
"""

import fcntl
import filecmp
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_OVERLAY = """
cd "$1" && mount -t overlay -o "userxattr,lowerdir=$2,upperdir=upper,workdir=work" overlay tree || exit 125
shift 2; cd / && exec "$@"
"""
_AS_ONESELF = ("--user", "--map-current-user", "--keep-caps", "--mount")
_WITHOUT_RIGHTS = ("setpriv", "--ambient-caps", "-all", "--inh-caps", "-all", "--")
"""bubblewrap refuses rights that it did not ask for, and makes a namespace of its own."""
PROGRAMS = ("unshare", "setpriv", "mount")
_FICLONE = 0x40049409
_MOST_LOOKED_AT = 100_000
_MOST_NAMED = 20


class Layers(Struct, frozen=True, kw_only=True):
    """Folders of which the first lies on top, seen together at `target`. `folder` holds what is written."""

    lower: tuple[Path, ...]
    target: Path
    folder: Path
    overlaid: bool

    @property
    def tree(self) -> Path:
        """Where all of it is together: for real if it is a copy, else only for the command."""
        return self.folder / "tree"

    @property
    def upper(self) -> Path:
        return self.folder / "upper"

    def make(self) -> None:
        """Make what the command starts from."""
        self.tree.mkdir(parents=True)
        if not self.overlaid:
            for layer in reversed(self.lower):
                copy_into(layer, self.tree)
            return
        for name in ("upper", "work"):
            (self.folder / name).mkdir()
        for place, layer in enumerate(self.lower):
            (self.folder / f"l{place}").symlink_to(layer)  # no path of the person's stands among mount options

    def mounted(self, argv: tuple[str, ...], *, have_rights: bool = False) -> tuple[str, ...]:
        """Return the command behind what lays the folders over one another, in a namespace made for it if need be."""
        if not self.overlaid:
            return argv
        names = ":".join(f"l{place}" for place in range(len(self.lower)))
        overlay = ("sh", "-c", _OVERLAY, "sh", str(self.folder), names)
        return (*overlay, *argv) if have_rights else ("unshare", *_AS_ONESELF, "--", *overlay, *_WITHOUT_RIGHTS, *argv)

    def changed(self, files: Path) -> tuple[str, ...]:
        """Return which of `files`, one of the layers, the command changed or removed; at most a few of them."""
        found = _changed_above(self.upper, files) if self.overlaid else _changed_in(self.tree, files)
        return tuple(name for name, _ in zip(found, range(_MOST_NAMED), strict=False))


def can_clone(folder: Path) -> bool:
    """Tell whether the file system of this folder can share the content of two files until one is written."""
    one, other = folder / ".clone-1", folder / ".clone-2"
    try:
        one.write_bytes(b"x" * 4096)
        _share(one, other)
    except OSError:
        return False
    finally:
        for path in (one, other):
            path.unlink(missing_ok=True)
    return True


def copy_file(source: str | Path, target: str | Path) -> None:
    """Copy a file with its mode and times, sharing the content where the file system can."""
    try:
        _share(source, target)
    except OSError:
        shutil.copyfile(source, target, follow_symlinks=False)
    shutil.copystat(source, target, follow_symlinks=False)


def _share(source: str | Path, target: str | Path) -> None:
    with Path(source).open("rb") as reading, Path(target).open("wb") as writing:
        fcntl.ioctl(writing, _FICLONE, reading.fileno())


def copy_into(source: Path, target: Path) -> None:
    """Lay a copy of `source` over `target`: folders are joined, what is no folder takes the place of what was there."""
    for entry in _entries(source):
        to = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            if to.is_symlink() or (to.exists() and not to.is_dir()):
                to.unlink()
            to.mkdir(exist_ok=True)
            copy_into(Path(entry.path), to)
        elif to.is_dir() and not to.is_symlink():
            continue
        else:
            to.unlink(missing_ok=True)
            _copy_entry(entry, to)


def _copy_entry(entry: os.DirEntry[str], to: Path) -> None:
    if entry.is_symlink():
        to.symlink_to(os.readlink(entry.path))  # noqa: PTH115  # a path would be taken apart for nothing
    elif entry.is_file(follow_symlinks=False):
        copy_file(entry.path, to)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return list(found)


def _changed_above(upper: Path, files: Path) -> Iterator[str]:
    """Compare what overlayfs kept of the writes with what was below."""
    for path in _walk(upper):
        below = files / path.relative_to(upper)
        mode = path.lstat().st_mode
        if stat.S_ISCHR(mode) and os.path.lexists(below):
            yield from _within(below, files)
        elif stat.S_ISDIR(mode):
            yield from _gone_from(path, below, files)
        elif os.path.lexists(below) and not same_content(path, below):
            yield str(below.relative_to(files))


def _gone_from(path: Path, below: Path, files: Path) -> Iterator[str]:
    """A folder that was removed and made again hides all that was in it."""
    if not below.is_dir() or below.is_symlink() or not _is_opaque(path):
        return
    for old in _walk(below):
        if not os.path.lexists(path / old.relative_to(below)) and not old.is_dir():
            yield str(old.relative_to(files))


def _is_opaque(path: Path) -> bool:
    try:
        return os.getxattr(path, "user.overlay.opaque") == b"y"
    except OSError:
        return False


def _within(below: Path, files: Path) -> Iterator[str]:
    if below.is_symlink() or not below.is_dir():
        yield str(below.relative_to(files))
        return
    yield from (str(path.relative_to(files)) for path in _walk(below) if path.is_symlink() or not path.is_dir())


def _changed_in(tree: Path, files: Path) -> Iterator[str]:
    for path in _walk(files):
        now = tree / path.relative_to(files)
        if (path.is_symlink() or path.is_file()) and not same_content(path, now):
            yield str(path.relative_to(files))


def _walk(root: Path) -> Iterator[Path]:
    """Yield all that is below, links not followed, up to a limit: a command may have made any number."""
    seen = 0
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            seen += 1
            if seen > _MOST_LOOKED_AT:
                return
            yield Path(folder, name)


def same_content(one: Path, other: Path) -> bool:
    """Tell whether two files, or two links, hold the same; times and rights do not matter."""
    try:
        first, second = one.lstat(), other.lstat()
        if stat.S_ISLNK(first.st_mode) and stat.S_ISLNK(second.st_mode):
            return one.readlink() == other.readlink()
        if not (stat.S_ISREG(first.st_mode) and stat.S_ISREG(second.st_mode)) or first.st_size != second.st_size:
            return False
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False

"""The throw-away export in which checks run, so that evidence is about exactly one tree.

It holds the files of the tree that was last taken, laid over the place of the copy
by the sandbox. What the set-up made (`.venv`, `node_modules`) and the copy's own
`.git` shine through; nothing a check writes reaches the work.
"""

import asyncio
import os
import stat
from pathlib import Path

from msgspec import Struct

from obra_tui.core.model import WorkCopy
from obra_tui.evidence.copies import Place, Prepared, make_private, place_of_copy, remove_tree
from obra_tui.evidence.git import git_of
from obra_tui.evidence.sandbox import Mount
from obra_tui.system.git import SLOW_S

_TOOL_FOLDERS = (".venv", "venv", "node_modules")
"""Carried over even if it was Claude, not the set-up, who made them: a task may add a dependency."""


class Stand(Struct, frozen=True, kw_only=True):
    """Where a check runs: `seen_as` is the path it sees, `mounts` put the right files there."""

    seen_as: Path
    files: Path
    """Where those files are for us, to look at."""
    folder: Path | None
    """Place for scratch folders; None if the copy is not one of ours."""
    mounts: tuple[Mount, ...] = ()
    hide: tuple[Path, ...] = ()
    """The person's own checkout: an environment of theirs may lead there, and the wrong code would be tested."""

    @property
    def is_the_copy(self) -> bool:
        return self.seen_as == self.files

    def look(self, name: str) -> Path:
        """Return where we find what the check sees under `name`."""
        target = self.seen_as / name
        carried = next((mount.source for mount in self.mounts if mount.target == target), None)
        return carried or self.files / name


async def stand_for(copy: WorkCopy, data_dir: Path, *, export: bool, fresh: bool) -> Stand:
    """Return where checks of this copy run. Without `export`, or before a diff was taken, it is the copy itself."""
    place = place_of_copy(data_dir, copy.path)
    prepared = place.prepared() if place else None
    taken = place.taken() if place else None
    if place is None or prepared is None or taken is None or not export:
        return _copy_itself(copy, place)
    await _export(place, Path(prepared.repository), taken.tree, fresh=fresh)
    mounts = (
        Mount(source=place.bench, target=place.work, writable=True),
        *_products(place, prepared),
        *_own_git(place, prepared),
    )
    hide = (Path(prepared.project),)
    return Stand(seen_as=place.work, files=place.bench, folder=place.root, mounts=mounts, hide=hide)


def _copy_itself(copy: WorkCopy, place: Place | None) -> Stand:
    path = Path(copy.path)
    mounts = (Mount(source=path, target=path, writable=True),)
    return Stand(seen_as=path, files=path, folder=place.root if place else None, mounts=mounts)


async def _export(place: Place, repository: Path, tree: str, *, fresh: bool) -> None:
    """Write the tree's files into an empty folder, unless that is what is there already."""
    mark = place.root / "bench.tree"
    if not fresh and place.bench.is_dir() and mark.is_file() and mark.read_text() == tree:
        return
    mark.unlink(missing_ok=True)
    if os.path.lexists(place.bench):
        await asyncio.to_thread(remove_tree, place.bench)
    make_private(place.bench)
    index = place.root / "bench.index"
    index.unlink(missing_ok=True)
    git = git_of(repository, work_tree=place.bench, index=index)
    await git.run("read-tree", "--reset", "-u", tree, timeout_s=SLOW_S)
    mark.write_text(tree)


def _products(place: Place, prepared: Prepared) -> list[Mount]:
    """Let what the set-up made appear in the export, where the tree has nothing of that name."""
    return [
        Mount(source=place.work / name, target=place.work / name, writable=True)
        for name in dict.fromkeys((*prepared.products, *_TOOL_FOLDERS))
        if _is_plain(place.work, name) and _is_free(place.bench, name)
    ]


def _own_git(place: Place, prepared: Prepared) -> list[Mount]:
    if not _is_plain(place.work, ".git") or not _is_free(place.bench, ".git"):
        return []
    objects = Path(prepared.repository) / "objects"
    return [
        Mount(source=place.work / ".git", target=place.work / ".git"),
        Mount(source=objects, target=objects),
    ]


def _is_plain(root: Path, name: str) -> bool:
    """Tell whether the path is there and no part of it is a link, which could lead out of the copy."""
    path, mode = str(root), 0
    for part in Path(name).parts:
        path = f"{path}/{part}"
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            return False
        if part == ".." or stat.S_ISLNK(mode):
            return False
    return stat.S_ISDIR(mode) or stat.S_ISREG(mode)


def _is_free(root: Path, name: str) -> bool:
    """Make the folders above the path in the export; False if something else is in the way."""
    *above, last = Path(name).parts
    folder = root
    for part in above:
        folder = folder / part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            return False
        folder.mkdir(exist_ok=True)
    return not os.path.lexists(folder / last)

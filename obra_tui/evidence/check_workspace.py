"""Where a check runs: exactly one tree, what the set-up made for it, and a `.git` of our own.

Everything lies below a layer that only this one check writes to. Nothing of it is taken from the copy that Claude Code
works in: what it did to an environment, or to its `.git`, is no part of the evidence.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct

from obra_tui.core.model import SandboxLevel, WorkCopy
from obra_tui.evidence.copies import Place, Prepared, make_private, place_of_copy, remove_tree, setup_place
from obra_tui.evidence.git import git_of
from obra_tui.evidence.large_files import bring_large_files
from obra_tui.evidence.layers import Layers
from obra_tui.evidence.own_git import lay_out_git
from obra_tui.evidence.sandbox import Mount, Sandbox
from obra_tui.evidence.substitution import substitute_in
from obra_tui.system.git import SLOW_S


class Stand(Struct, frozen=True, kw_only=True):
    """What checks of one tree see. `seen_as` is the path, `layers` the folders that are there, the top one first."""

    seen_as: Path
    files: Path
    """The files of the tree for us, to look at."""
    folder: Path | None
    """Place for scratch folders; None if the copy is not one of ours."""
    layers: tuple[Path, ...] = ()
    """Empty where the check runs in the folder itself, because it is no copy of ours."""
    mounts: tuple[Mount, ...] = ()
    hide: tuple[Path, ...] = ()
    """The person's own checkout: an environment of theirs may lead there, and the wrong code would be tested."""
    substitutes: Path | None = None
    """The one of the layers whose files name the place of the copy."""

    @property
    def is_the_copy(self) -> bool:
        return not self.layers

    def look(self, name: str) -> Path:
        """Return where we find what the check sees as the file `name`; of a folder, only the topmost part of it."""
        return next((layer / name for layer in self.layers if os.path.lexists(layer / name)), self.files / name)

    def sealed(self) -> str:
        """Return a digest of the tree as it lies there; it differs when anything was written to it."""
        return seal(self.files)


class Bed(Struct, frozen=True, kw_only=True):
    """One check's own place: `cwd` is where it runs."""

    cwd: Path
    layers: Layers | None
    mounts: tuple[Mount, ...]
    files: Path

    def changed(self) -> tuple[str, ...]:
        """Return which files of the tree the check changed. For after its end, before the bed is cleared away."""
        return self.layers.changed(self.files) if self.layers else ()


async def stand_for(copy: WorkCopy, data_dir: Path, *, fresh: bool, tree: str = "") -> Stand:
    """Return where checks of this copy run, on `tree` or on the one that was taken last.

    `fresh` makes the export anew. Before a diff was taken it is the copy itself.
    """
    place = place_of_copy(data_dir, copy.path)
    prepared = place.prepared() if place else None
    taken = place.taken() if place else None
    wanted = tree or (taken.tree if taken else "")
    if place is None or prepared is None or not wanted:
        return _copy_itself(copy, place)
    repository = Path(prepared.repository)
    bench = place.bench_of(tree)
    await _export(place, bench, repository, wanted, fresh=fresh)
    return Stand(
        seen_as=place.work,
        files=bench,
        folder=place.root,
        layers=(bench, *_layers_below(bench, place, prepared, data_dir)),
        mounts=(Mount(source=repository / "objects", target=repository / "objects"),),
        hide=(Path(prepared.project),),
        substitutes=place.substitutes,
    )


def _layers_below(bench: Path, place: Place, prepared: Prepared, data_dir: Path) -> tuple[Path, ...]:
    """Return what is there of: our `.git`, what was taken along from the person's checkout, what the set-up made."""
    environment = setup_place(data_dir, prepared.environment).work if prepared.environment else None
    there = (git_layer(bench), place.taken_along, place.substitutes, environment)
    return tuple(layer for layer in there if layer is not None and layer.is_dir())


def git_layer(bench: Path) -> Path:
    return bench.with_name(f"{bench.name}.git")


def _copy_itself(copy: WorkCopy, place: Place | None) -> Stand:
    path = Path(copy.path)
    mounts = (Mount(source=path, target=path, writable=True),)
    return Stand(seen_as=path, files=path, folder=place.root if place else None, mounts=mounts)


async def _export(place: Place, bench: Path, repository: Path, tree: str, *, fresh: bool) -> None:
    """Write the tree's files into an empty folder, unless that is what is there already."""
    mark = bench.with_name(f"{bench.name}.tree")
    if not fresh and bench.is_dir() and mark.is_file() and mark.read_text() == tree:
        return
    mark.unlink(missing_ok=True)
    for folder in (bench, git_layer(bench)):
        if os.path.lexists(folder):
            await asyncio.to_thread(remove_tree, folder)
    make_private(bench)
    index = bench.with_name(f"{bench.name}.index")
    index.unlink(missing_ok=True)
    git = git_of(repository, work_tree=bench, index=index)
    await git.run("read-tree", "--reset", "-u", tree, timeout_s=SLOW_S)
    prepared = place.prepared()
    if prepared is not None:
        await bring_large_files(git, bench, Path(prepared.project))
    if prepared is not None and not os.path.lexists(bench / ".git"):
        make_private(git_layer(bench))
        lay_out_git(git_layer(bench) / ".git", repository, prepared.base_commit)
        shutil.copy(index, git_layer(bench) / ".git" / "index")
    mark.write_text(tree)


@contextlib.asynccontextmanager
async def bed_for(stand: Stand, sandbox: Sandbox) -> AsyncIterator[Bed]:
    """Make the place of one check, and clear it away after it. What it wrote is gone then."""
    if not stand.layers or stand.folder is None:
        yield Bed(cwd=stand.seen_as, layers=None, mounts=stand.mounts, files=stand.files)
        return
    level, _ = await sandbox.probe()
    overlaid = level is not SandboxLevel.NONE and await sandbox.overlays()
    folder = Path(tempfile.mkdtemp(prefix="layers-", dir=stand.folder))
    target = folder / "tree" if level is SandboxLevel.NONE else stand.seen_as
    layers = Layers(lower=stand.layers, target=target, folder=folder, overlaid=overlaid)
    try:
        await asyncio.to_thread(layers.make)
        if level is SandboxLevel.NONE:
            await asyncio.to_thread(_move_environment, stand, layers.tree)
        yield Bed(cwd=target, layers=layers, mounts=stand.mounts, files=stand.files)
    finally:
        await asyncio.to_thread(remove_tree, folder)


def _move_environment(stand: Stand, tree: Path) -> None:
    """Without namespaces a check runs where it is: what names the place of the copy must name this one."""
    if stand.substitutes is not None and stand.substitutes in stand.layers:
        substitute_in(stand.substitutes, tree, stand.seen_as, tree)


def seal(folder: Path) -> str:
    """Return a digest of a folder by names, kinds, sizes and the kernel's own times, which no program can set back."""
    whole = hashlib.sha256()
    for path, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted((*files, *folders)):
            full = f"{path}/{name}"
            seen = os.lstat(full)
            told = (full, seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)
            whole.update(repr(told).encode("utf-8", "surrogateescape"))
    return whole.hexdigest()

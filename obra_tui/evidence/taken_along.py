"""What a copy gets of the person's checkout beside the commit: submodules, and ignored files that the settings name.

Submodules come from the repositories that the person has of them, through the supervisor's own, as plain bytes; the
commit is the one that the project names. Nothing is fetched from elsewhere.
"""

import asyncio
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from obra_tui.evidence.copies import Place, make_private
from obra_tui.evidence.git import GitFailed, git_of_project
from obra_tui.evidence.layers import copy_file, copy_into
from obra_tui.evidence.names import raw, shown
from obra_tui.evidence.projects.lacks import module_repository, modules_of
from obra_tui.evidence.repository import OwnRepository
from obra_tui.system.git import SLOW_S

_MOST_FILES = 2_000


async def take_along(repository: OwnRepository, place: Place, base: str, include: Sequence[str]) -> str:
    """Put what there is into the copy, and once more where checks see it. Returns a digest of it."""
    await asyncio.to_thread(make_private, place.taken_along)
    await bring_submodules(repository, place.taken_along, base)
    named = await asyncio.to_thread(_include, repository.project, place.taken_along, include)
    if named:
        with place.leftovers.open("ab") as file:
            file.writelines(b"/" + raw(name).replace(b" ", b"\\ ") + b"\n" for name in named)
    await asyncio.to_thread(copy_into, place.taken_along, place.work)
    return await asyncio.to_thread(_digest, place.taken_along)


def _digest(folder: Path) -> str:
    """Return a digest of names and contents, empty for an empty folder: with the same, checks are the same."""
    whole = hashlib.sha256()
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    for path in found:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        whole.update(os.fsencode(path.relative_to(folder)) + b"\0" + content)
    return whole.hexdigest() if found else ""


async def bring_submodules(repository: OwnRepository, target: Path, base: str) -> None:
    """Write the files of each submodule of `base` that the person has below `target`."""
    for path, commit in (await modules_of(repository.git, base)).items():
        directory = await module_repository(git_of_project(repository.project), repository.project, path)
        if directory is None:
            continue
        try:
            await repository.bring_from(directory, commit, f"refs/obra/modules/{commit}")
        except GitFailed:
            continue  # not there in that commit: it was said before the first attempt
        folder, index = target / path, repository.indexes / f"module-{commit}-{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            await repository.reading(folder, index).run("read-tree", "--reset", "-u", commit, timeout_s=SLOW_S)
        finally:
            index.unlink(missing_ok=True)


def _include(project: Path, target: Path, patterns: Sequence[str]) -> list[str]:
    """Copy regular files that a pattern names; returns their names. Links are left, they may lead anywhere."""
    found = [name for pattern in patterns for name in _matching(project, pattern)][:_MOST_FILES]
    for name in found:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        copy_file(project / name, target / name)
    return [shown(os.fsencode(name)) for name in found]


def _matching(project: Path, pattern: str) -> Iterator[str]:
    for path in sorted(project.glob(pattern)):
        inner = path.relative_to(project)
        if ".git" in inner.parts or any((project / part).is_symlink() for part in (inner, *inner.parents)):
            continue
        if path.is_dir():
            yield from _matching(project, f"{inner}/**/*")
        elif path.is_file():
            yield str(inner)

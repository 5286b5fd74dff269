"""Files that Git LFS keeps elsewhere: checks get them from the person's own store, and no filter is run for it.

A copy that Claude Code works in has their pointers, as they are committed: what it writes there is seen as it is.
"""

import asyncio
import os
import re
from collections.abc import Iterable
from pathlib import Path

from obra_tui.evidence.git import Git, git_of_project
from obra_tui.evidence.layers import copy_file
from obra_tui.system.git import SLOW_S

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
_MOST_POINTER = 1024


async def large_files(git: Git, names: bytes) -> list[str]:
    """Return which of the names, each ended by a zero byte, the attributes of the project give to LFS."""
    parts = (await git.run("check-attr", "-z", "--stdin", "filter", stdin=names, timeout_s=SLOW_S)).out.split(b"\0")
    rows = zip(parts[0::3], parts[2::3], strict=False)
    return [os.fsdecode(path) for path, value in rows if value == b"lfs"]


async def objects_of_lfs(git: Git) -> Path:
    """Return where the person's store is."""
    common = await git.run("rev-parse", "--path-format=absolute", "--git-common-dir")
    return Path(common.text) / "lfs" / "objects"


async def bring_large_files(exported: Git, folder: Path, project: Path) -> None:
    """Put the files themselves where the export in `folder` has pointers, as far as the person has them."""
    attributes = folder / ".gitattributes"
    if attributes.is_symlink() or not attributes.is_file() or b"filter=lfs" not in attributes.read_bytes():
        return
    git = git_of_project(project)
    names = await large_files(git, (await exported.run("ls-files", "-z", timeout_s=SLOW_S)).out)
    await asyncio.to_thread(_replace, folder, names, await objects_of_lfs(git))


def _replace(folder: Path, names: Iterable[str], objects: Path) -> None:
    for name in names:
        path = folder / name
        kept = object_of(path, objects)
        if kept is not None and kept.is_file():
            mode = path.stat().st_mode
            path.unlink()
            copy_file(kept, path)
            path.chmod(mode)


def object_of(path: Path, objects: Path) -> Path | None:
    """Return where the file behind a pointer would lie; None if this is no pointer."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_POINTER:
        return None
    found = _POINTER.match(path.read_bytes())
    name = found[1].decode() if found else ""
    return objects / name[:2] / name[2:4] / name if name else None

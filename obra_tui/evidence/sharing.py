"""The objects of a repository given one more name each, as `git clone --local` does: no copy, and nothing can be lost.

A file of objects is never written to again. When the person's git removes its name, ours is still there.
"""

import contextlib
import os
from pathlib import Path

_WANTED = (".pack", ".idx")


def share_objects(source: Path | None, target: Path) -> bool:
    """Link all objects of `source` into `target`; False, and nothing linked, when that is not possible here."""
    if source is None or (source / "info" / "alternates").exists():
        return False
    linked: list[str] = []
    try:
        for inner in _folders(source):
            (target / inner).mkdir(exist_ok=True)
            for name in _objects(source / inner):
                to = f"{target}/{inner}/{name}"
                os.link(f"{source}/{inner}/{name}", to)
                linked.append(to)
    except OSError:  # another file system, or the person's git is tidying up right now: then it is fetched
        for path in linked:
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108
        return False
    return True


def _folders(objects: Path) -> list[str]:
    loose = [entry.name for entry in objects.iterdir() if len(entry.name) == len("00") and entry.is_dir()]
    return [*loose, "pack"] if (objects / "pack").is_dir() else loose


def _objects(folder: Path) -> list[str]:
    """Return the files to link, each pack before its index, which says that it is there."""
    if folder.name != "pack":
        return [entry.name for entry in folder.iterdir() if not entry.name.startswith("tmp_")]
    names = [entry.name for entry in folder.iterdir() if entry.suffix in _WANTED and entry.name.startswith("pack-")]
    whole = {Path(name).stem for name in names if name.endswith(".idx")}
    return sorted((name for name in names if Path(name).stem in whole), key=lambda name: name.endswith(".idx"))

"""Where everything of a copy lies under the data directory, and the small notes beside it.

copies/<task>/work           the tree that Claude Code works in
copies/<task>/prepared.json  written last: the copy is complete
copies/<task>/taken.json     the tree that was last read from it
copies/<task>/left-out.json  what work that was done on another host lacks of its place there
copies/<task>/setup.log      output of the set-up commands
copies/<task>/bench          throw-away export of that tree, which checks see below a layer of their own
copies/<task>/bench.git      the .git that they see
copies/<task>/substitutes    files of the environment that name its place, as they must be in this copy
copies/<task>/leftovers      names, as patterns, of what the set-up left among the files of the project
copies/<task>/taken-along    ignored files of the person's checkout that `workspace.include` names
setups/<key>/work            what the set-up made for one state of a project, and nothing else
setups/<key>/pool            its files once more, which copies share with one another
repos/<hash>.git             the supervisor's own repository of a project
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from obra_tui.core.errors import WorkspaceError
from obra_tui.system.os_errors import advice

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Prepared(Struct, frozen=True, kw_only=True):
    """The note that a copy is complete."""

    project: str
    repository: str
    base_commit: str
    setup_ran: bool
    products: tuple[str, ...] = ()
    """What the set-up left beside the files of the project, such as `.venv`; relative to the copy."""
    environment: str = ""
    """The key of what the set-up made; empty without a set-up."""
    taken_along: str = ""
    """A digest of what lies there of the person's checkout; empty when there is nothing."""


class Taken(Struct, frozen=True, kw_only=True):
    """What was last read from a copy."""

    base: str
    tree: str


class Place(Struct, frozen=True):
    """The folder of one task's copy."""

    root: Path

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def bench(self) -> Path:
        return self.root / "bench"

    def bench_of(self, tree: str) -> Path:
        """Return where the export of another tree than the one that was taken last lies; empty = that one."""
        return self.root / (f"bench-{tree[:16]}" if tree else "bench")

    @property
    def substitutes(self) -> Path:
        return self.root / "substitutes"

    @property
    def leftovers(self) -> Path:
        return self.root / "leftovers"

    @property
    def taken_along(self) -> Path:
        return self.root / "taken-along"

    @property
    def setup_log(self) -> Path:
        return self.root / "setup.log"

    @property
    def task(self) -> str:
        return self.root.name

    def prepared(self) -> Prepared | None:
        note = _read(self.root / "prepared.json")
        return None if note is None else Prepared(**{**note, "products": tuple(note["products"])})

    def note_prepared(self, prepared: Prepared) -> None:
        _write(self.root / "prepared.json", asdict(prepared))

    def taken(self) -> Taken | None:
        note = _read(self.root / "taken.json")
        return None if note is None else Taken(**note)

    def note_taken(self, taken: Taken) -> None:
        _write(self.root / "taken.json", asdict(taken))

    def left_out(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what the tree lacks of the place where it was taken, and what git ignored there."""
        note = _read(self.root / "left-out.json")
        return (tuple(note["notes"]), tuple(note["ignored"])) if note else ((), ())

    def note_left_out(self, notes: tuple[str, ...], ignored: tuple[str, ...]) -> None:
        if notes or ignored:
            _write(self.root / "left-out.json", {"notes": notes, "ignored": ignored})
        else:
            (self.root / "left-out.json").unlink(missing_ok=True)


def place_of_task(data_dir: Path, task: str) -> Place:
    """Return the folder of a task; a name that could leave `copies/` is refused. `data_dir` is a real path."""
    if not _NAME.fullmatch(task):
        raise WorkspaceError(f"{task!r} cannot name a copy.", where=str(data_dir), fix="This is a fault of Obra.")
    return Place(data_dir / "copies" / task)


def place_of_copy(data_dir: Path, path: str) -> Place | None:
    """Return the folder that holds the copy at `path`, or None if it is not one of ours. `data_dir` is a real path."""
    root, _, name = path.rpartition("/")
    copies, _, _ = root.rpartition("/")
    return Place(Path(root)) if name == "work" and copies == f"{data_dir}/copies" else None


def setup_place(data_dir: Path, key: str) -> Place:
    """Return the folder of what the set-up made. Its path is as long as that of a copy."""
    if not _NAME.fullmatch(key):
        raise WorkspaceError(f"{key!r} cannot name a set-up.", where=str(data_dir), fix="This is a fault of Obra.")
    return Place(data_dir / "setups" / key)


def project_key(project: Path) -> str:
    return hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:16]


def repository_path(data_dir: Path, project: Path) -> Path:
    return data_dir.resolve() / "repos" / f"{project_key(project)}.git"


@contextlib.contextmanager
def disk_faults(where: Path) -> Iterator[None]:
    """Turn what the disk refuses into an error that people can act on."""
    try:
        yield
    except OSError as error:
        raise WorkspaceError(
            f"{error.strerror or error}.",
            where=os.fsdecode(error.filename or where),
            fix=advice(error) or "Make the folder writable for you and try again.",
        ) from error


def make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def remove_tree(directory: Path) -> None:
    """Remove a tree that others filled: closed folders in it are no obstacle, links are not followed."""
    if directory.is_symlink() or not directory.is_dir():
        directory.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(directory)
    except PermissionError:
        _open_up(directory)
        shutil.rmtree(directory)


def _open_up(directory: Path) -> None:
    directory.chmod(0o700)
    for folder, names, _ in os.walk(directory):
        for inner in (Path(folder, name) for name in names):
            if not inner.is_symlink():
                inner.chmod(0o700)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise WorkspaceError(
            f"The note is damaged ({error}).", where=str(path), fix="Remove the file; the copy is then made anew."
        ) from error
    return note


def _write(path: Path, note: dict[str, Any]) -> None:
    """Write so that a crash leaves either the old note or the new one."""
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(note, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)

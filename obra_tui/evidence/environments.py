"""Environments of a project: made once from a commit, kept by what they are made from, and given to every copy.

`setups/<key>/work` is where the set-up ran, and holds nothing but what it made. Checks see it below a layer of their
own, so nothing they do changes it; Claude Code gets a copy that it may write to.
"""

import asyncio
import contextlib
import fcntl
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from obra_tui.evidence.checkout import check_out
from obra_tui.evidence.copies import Place, make_private, project_key, remove_tree, setup_place
from obra_tui.evidence.layers import can_clone, copy_file
from obra_tui.evidence.names import raw, shown
from obra_tui.evidence.repository import OwnRepository
from obra_tui.evidence.sandbox import Sandbox, search_path
from obra_tui.evidence.setup import run_setup
from obra_tui.evidence.setup_inputs import decides_environment, key_of, only_installs, programs
from obra_tui.evidence.substitution import naming, write_substitute
from obra_tui.evidence.taken_along import bring_submodules
from obra_tui.evidence.untracked import JUNK
from obra_tui.system.git import SLOW_S

_SHARED = frozenset((*JUNK, "target", "vendor", "bower_components", ".bundle", "Pods", ".yarn"))
"""Folders of installed packages: their files are replaced and not rewritten, so copies may share them."""
_LIFECYCLE = r'"(pre|post)?(install|prepare)" *:'
_WAIT_S = 0.1
_MOST_LEFTOVERS = 20_000
_KEPT_UNUSED_S = 14 * 86_400


class Environment(Struct, frozen=True, kw_only=True):
    """The note beside what a set-up made."""

    key: str
    commands: tuple[str, ...]
    seconds: float
    names: tuple[str, ...] = ()
    """Files that name the place where it was made."""
    products: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    """Files that it left and that the project does not ignore: they are not the work of whoever finds them."""
    changed: tuple[str, ...] = ()
    """Files of the project that the set-up changed; copies have them as they are committed."""
    pooled: bool = False


class Environments:
    """Those of one project."""

    def __init__(
        self,
        *,
        data_dir: Path,
        repository: OwnRepository,
        sandbox: Sandbox,
        commands: tuple[str, ...],
        timeout_s: float,
    ) -> None:
        self._data_dir = data_dir
        self._repository = repository
        self._sandbox = sandbox
        self._commands = commands
        self._timeout_s = timeout_s

    async def of(self, base: str) -> Environment | None:
        """Return the environment of a commit, made now if there is none; None without set-up commands."""
        if not self._commands:
            return None
        place = setup_place(self._data_dir, await self._key(base))
        async with _alone(place.root):
            found = _noted(place) or await self._make(place, base)
            os.utime(place.root)
        return found

    async def _key(self, base: str) -> str:
        answer = await self._repository.git.run("ls-tree", "-r", "-z", base, timeout_s=SLOW_S)
        lines = [os.fsdecode(line) for line in answer.names]
        if only_installs(self._commands) and not await self._runs_scripts(base):
            lines = [
                line for line in lines if line.startswith("160000") or decides_environment(line.partition("\t")[2])
            ]
        project = project_key(self._repository.project)
        return key_of(self._commands, lines, programs(search_path(())), (project, str(self._data_dir)))

    async def _runs_scripts(self, base: str) -> bool:
        """Tell whether installing runs scripts of the project itself, which may read any of its files."""
        looked = ("grep", "--quiet", "-E", _LIFECYCLE, base, "--", "*package.json")
        return (await self._repository.git.run(*looked, good=(0, 1), timeout_s=SLOW_S)).code == 0

    async def _make(self, place: Place, base: str) -> Environment:
        started = time.monotonic()
        await asyncio.to_thread(_clear, place)
        make_private(place.root)
        place.work.mkdir(mode=0o700)
        index = self._repository.indexes / place.task
        try:
            await check_out(self._repository, place.work, index, base)
            await bring_submodules(self._repository, place.work, base)
            cache = cache_of(self._data_dir, self._repository.project)
            objects = self._repository.directory / "objects"
            await run_setup(self._commands, place, self._sandbox, self._timeout_s, cache, objects)
            made = await self._keep(place, index, time.monotonic() - started)
        except BaseException:
            await asyncio.to_thread(_clear, place)
            raise
        finally:
            index.unlink(missing_ok=True)
        await asyncio.to_thread(remove_unused, self._data_dir)
        return made

    async def _keep(self, place: Place, index: Path, seconds: float) -> Environment:
        """Leave only what the set-up made, and note it. The note comes last: without it, it is made again."""
        git = self._repository.reading(place.work, index)
        changed = (await git.run("diff-files", "--name-only", "-z", timeout_s=SLOW_S)).names
        tracked = (await git.run("ls-files", "-z", timeout_s=SLOW_S)).names
        leftovers = (await git.run("ls-files", "--others", "--exclude-standard", "-z", timeout_s=SLOW_S)).names
        await asyncio.to_thread(_leave_products, place, [os.fsdecode(name) for name in tracked])
        pooled = not can_clone(place.root)
        if pooled:
            await asyncio.to_thread(_fill_pool, place)
        made = Environment(
            key=place.task,
            commands=self._commands,
            seconds=seconds,
            names=await asyncio.to_thread(naming, place.work, place.work),
            products=tuple(sorted(entry.name for entry in place.work.iterdir())),
            leftovers=tuple(shown(name) for name in leftovers[:_MOST_LEFTOVERS]),
            changed=tuple(shown(name) for name in changed),
            pooled=pooled,
        )
        _note(place).write_bytes(msgspec.json.encode(made))
        return made


def cache_of(data_dir: Path, project: Path) -> Path:
    """Return the folder of downloads of one project: only its set-up may write there."""
    return data_dir / "cache" / project_key(project)


def _note(place: Place) -> Path:
    return place.root / "environment.json"


def _noted(place: Place) -> Environment | None:
    try:
        return msgspec.json.decode(_note(place).read_bytes(), type=Environment)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _clear(place: Place) -> None:
    """Remove all but the log, which says why there is nothing else."""
    _note(place).unlink(missing_ok=True)
    for folder in (place.work, _pool(place)):
        if os.path.lexists(folder):
            remove_tree(folder)


def _pool(place: Place) -> Path:
    return place.root / "pool"


@contextlib.asynccontextmanager
async def _alone(root: Path) -> AsyncIterator[None]:
    """Work on an environment alone, whichever process asks for it."""
    make_private(root.parent)
    with root.with_suffix(".lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_WAIT_S)
        yield


def _leave_products(place: Place, tracked: list[str]) -> None:
    remove_tree(place.work / ".git")
    for name in tracked:
        path = place.work / name
        with contextlib.suppress(OSError):
            path.unlink()
            for folder in path.parents:
                if folder == place.work:
                    break
                folder.rmdir()


def _is_shared(name: str) -> bool:
    return any(part in _SHARED for part in name.split("/"))


def _fill_pool(place: Place) -> None:
    """Copy what copies may share, away from what checks see: a file with two names is written through both."""
    for folder, _, files in os.walk(place.work):
        inner = os.path.relpath(folder, place.work)
        if not files or not _is_shared(inner):
            continue
        to = _pool(place) / inner
        to.mkdir(parents=True, exist_ok=True)
        for name in files:
            _fill_one(f"{folder}/{name}", f"{to}/{name}")


def _fill_one(source: str, target: str) -> None:
    if not os.path.islink(source) and os.path.isfile(source):  # noqa: PTH113, PTH114  # thousands of them
        copy_file(source, target)
        os.chmod(target, os.stat(target).st_mode & ~0o222)  # noqa: PTH101, PTH116


def give(environment: Environment, data_dir: Path, place: Place) -> None:
    """Put a copy of the environment, to be written to, into a copy of the project; and what checks see of it."""
    made = setup_place(data_dir, environment.key)
    if os.path.lexists(place.substitutes):
        remove_tree(place.substitutes)
    make_private(place.substitutes)
    for name in environment.names:
        write_substitute(made.work / name, place.substitutes / name, made.work, place.work)
    place.leftovers.write_bytes(b"".join(b"/" + _as_pattern(raw(name)) + b"\n" for name in environment.leftovers))
    names = frozenset(environment.names)
    pool = _pool(made) if environment.pooled else None
    for source, target, name in _pairs(str(made.work), str(place.work)):
        if name in names:
            write_substitute(Path(source), Path(target), made.work, place.work)
        elif os.path.islink(source):  # noqa: PTH114
            os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211
        elif pool is None or not _is_shared(name) or not _link(source, f"{pool}/{name}", target):
            copy_file(source, target)


def _as_pattern(name: bytes) -> bytes:
    """Return a pattern for git that matches this name alone; one with a line break in it cannot be written as one."""
    return re.sub(rb"([\\*?\[\]# !])", rb"\\\1", name).replace(b"\n", b"?")


def _pairs(source: str, target: str, inner: str = "") -> Iterator[tuple[str, str, str]]:
    """Make all folders of `source` in `target`; yield the files and links that are missing there."""
    with os.scandir(source) as found:
        entries = list(found)
    for entry in entries:
        to, name = f"{target}/{entry.name}", f"{inner}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            with contextlib.suppress(FileExistsError):
                os.mkdir(to)  # noqa: PTH102  # thousands of them
            if not os.path.islink(to) and os.path.isdir(to):  # noqa: PTH112, PTH114
                yield from _pairs(entry.path, to, f"{name}/")
        elif os.path.lexists(to):
            continue
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield entry.path, to, name


def _link(source: str, pooled: str, target: str) -> bool:
    """Give the file of the pool one more name; one that was written to by somebody is first made anew."""
    try:
        as_made, now = os.stat(source), os.stat(pooled)  # noqa: PTH116
        if (as_made.st_size, as_made.st_mtime_ns) != (now.st_size, now.st_mtime_ns):
            os.unlink(pooled)  # noqa: PTH108
            _fill_one(source, pooled)
        os.link(pooled, target)
    except OSError:
        return False
    return True


def remove_unused(data_dir: Path) -> None:
    """Remove environments that no copy is based on and that nobody asked for lately."""
    prepared = (Place(root).prepared() for root in (data_dir / "copies").glob("*"))
    used = {note.environment for note in prepared if note is not None}
    for folder in (data_dir / "setups").glob("e*"):
        if folder.is_dir() and folder.name not in used and time.time() - folder.stat().st_mtime > _KEPT_UNUSED_S:
            remove_tree(folder)
            folder.with_suffix(".lock").unlink(missing_ok=True)

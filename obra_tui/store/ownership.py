"""One owner of a data directory: file lock, lease on a shared database, and the reserve for a full disk.

* The owner holds a kernel lock on a file in the directory, released however the process ends. The file names the
  holder, for people. A directory that others can write to, or that is on a network file system, is refused.
* On a database server a lease, renewed three times as often as needed by the database's clock, keeps two machines
  apart. An owner that cannot renew gives up *before* the lease ends: connections are cut and `lost` is called, so that
  its agents are dead before another owner starts. The fencing token of `fence.py` still guards each transaction.
* A reserve file is released when the disk is full, so that the end of the running work can still be recorded.
"""

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from obra_tui.core.errors import AlreadyOwned, StoreError
from obra_tui.store import fence
from obra_tui.store.sqlite import private_directory
from obra_tui.system.clock import since_boot

LOCK_NAME = "owner.lock"
_MOUNTS = Path("/proc/mounts")
_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ncpfs",
    "ceph",
    "lustre",
    "glusterfs",
    "beegfs",
    "davfs",
}
_NETWORK |= {f"fuse.{name}" for name in ("sshfs", "glusterfs", "rclone", "s3fs", "gcsfuse", "davfs2")}
_WRITABLE_BY_OTHERS = 0o022
_TRIES = 5
_TRY_EVERY_S = 0.02


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds the lock."""

    pid: int
    host: str
    since: float


class Owner:
    """The lock, held until `release` or the end of the process."""

    def __init__(self, descriptor: int, holder: Holder) -> None:
        self._descriptor: int | None = descriptor
        self.holder = holder

    def release(self) -> None:
        """Give the directory up; repeating it is harmless."""
        if self._descriptor is None:
            return
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> "Owner":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


_BESIDE = "To work on another project at the same time, set OBRA_DATA_DIR to a folder of its own for it."
_SET_IT = "Set OBRA_DATA_DIR, or data_dir in your settings, to"


def acquire(data_dir: Path, mounts: Path = _MOUNTS) -> Owner:
    """Make the directory if needed and become its owner.

    Raises `AlreadyOwned` naming the process that is, `StoreError` when the directory is not safe to use.
    """
    where = str(data_dir)
    try:
        _refuse_network(data_dir, mounts)
        private_directory(data_dir)
        _refuse_unsafe(data_dir)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(data_dir / LOCK_NAME, flags, 0o600)
    except OSError as error:
        raise StoreError(
            f"The data directory cannot be used ({error.strerror}).", where=where, fix=f"{_SET_IT} another folder."
        ) from error
    return _lock(descriptor, where)


def _lock(descriptor: int, where: str) -> Owner:
    try:
        taken = _locked(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(
            f"The data directory cannot be locked ({error.strerror}).", where=where, fix="Use a local disk."
        ) from error
    if not taken:
        holder = _read_holder(descriptor)
        os.close(descriptor)
        raise _owned(where, holder)
    holder = Holder(pid=os.getpid(), host=socket.gethostname(), since=time.time())
    with suppress(OSError):  # on a full disk the lock holds all the same; only its name is not known to others
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)
    return Owner(descriptor, holder)


def _locked(descriptor: int) -> bool:
    """Try for a moment: who only looks (`holder_of`) holds the lock too, and a new owner must get to write its name."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_TRY_EVERY_S)
        else:
            return True
    return False


def holder_of(data_dir: Path) -> Holder | None:
    """Return who owns the directory now, None if nobody does."""
    try:
        descriptor = os.open(data_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read_holder(descriptor)
    finally:
        os.close(descriptor)
    return None


def _read_holder(descriptor: int) -> Holder | None:
    try:
        return Holder(**json.loads(os.pread(descriptor, 4096, 0)))
    except (ValueError, TypeError):
        return None


def _owned(where: str, holder: Holder | None) -> AlreadyOwned:
    if holder is None:
        return AlreadyOwned(
            "Another Obra uses this data directory.", where=where, fix=f"End it, or use this one as a viewer. {_BESIDE}"
        )
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(holder.since))
    return AlreadyOwned(
        f"Another Obra uses this data directory: process {holder.pid} on {holder.host}, since {since}.",
        where=where,
        fix=f"Use this one as a viewer, or end the other: kill {holder.pid}. {_BESIDE}",
    )


def _refuse_unsafe(data_dir: Path) -> None:
    status = data_dir.stat()
    if status.st_uid != os.geteuid():
        raise StoreError(
            "The data directory belongs to another user.", where=str(data_dir), fix=f"{_SET_IT} a folder of yours."
        )
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise StoreError(
            "Other users may write to the data directory.", where=str(data_dir), fix=f"Run: chmod 700 {data_dir}"
        )


def _refuse_network(data_dir: Path, mounts: Path) -> None:
    """Before anything is made there."""
    kind = file_system(data_dir, mounts)
    if kind in _NETWORK:
        raise StoreError(
            f"The data directory is on a network file system ({kind}), where the database can be damaged.",
            where=str(data_dir),
            fix=f"{_SET_IT} a folder on a local disk.",
        )


def file_system(path: Path, mounts: Path = _MOUNTS) -> str:
    """Return the type of the file system that holds `path`, empty when the system does not say."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place, kind = path.resolve(), ""
    longest = -1
    for point, found in (_mount(line) for line in lines if line.count(" ") >= 2):
        if place.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), found
    return kind


def _mount(line: str) -> tuple[Path, str]:
    _, point, kind = line.split(" ")[:3]
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, char)
    return Path(point), kind


LEASE_S = 30.0
_RENEWALS = 3
_GIVE_UP = 2 / 3
"""Part of the lease after which it is given up; the rest is for the agents to die in."""
_FAREWELL_S = 2.0
"""How long an answer is waited for at the end."""
_LOOK_EVERY_S = 2.0
"""A wait does not notice that the computer slept: it is looked at the clock in between."""


def now() -> float:
    """Seconds of a clock that goes on while the computer sleeps, as the one of the server does."""
    return since_boot()


class Lease:
    """Renews in one thread and watches the time in another, since the first may hang in a dead network."""

    def __init__(self, engine: Engine, token: int, lost: Callable[[], None], seconds: float = LEASE_S) -> None:
        self._engine = engine
        self._token = token
        self._lost = lost
        self._seconds = seconds
        self._guard = threading.Lock()
        self._connections: dict[Any, float] = {}
        """All that are open, and since when: any of them may hang."""
        self._until = now() + seconds * _GIVE_UP
        self._ending = False
        self._over, self._changed = threading.Event(), threading.Event()
        self.held = True
        event.listen(engine, "connect", self._opened)
        event.listen(engine, "close", self._closed)
        engine.dispose()
        for work in (self._renew, self._watch):
            threading.Thread(target=work, name=f"obra-lease{work.__name__}", daemon=True).start()

    def renewed(self, since: float) -> None:
        """The database has said yes to a renewal that was sent at `since`: it counts from there."""
        with self._guard:
            if not self._ending:
                self._until = max(self._until, since + self._seconds * _GIVE_UP)
                self.held = True

    def end(self) -> None:
        """Give the right back, so that the next one can begin at once; without an answer it ends by itself."""
        with self._guard:
            self._ending, self._until = True, now() + _FAREWELL_S
        self._changed.set()
        if self.held:
            with suppress(DBAPIError), self._engine.begin() as connection:
                fence.release(connection, self._token)
        self._over.set()
        self._changed.set()

    # --- in threads of its own

    def _renew(self) -> None:
        while not self._over.wait(self._seconds / _RENEWALS):
            if self.held and not self._ending:
                with suppress(DBAPIError):  # the watch sees that the time passes
                    self._renew_once()

    def _renew_once(self) -> None:
        since = now()
        with self._engine.begin() as connection:
            mine = fence.renew(connection, self._token, self._seconds)
        if mine:
            self.renewed(since)
        else:
            self._give_up()

    def _watch(self) -> None:
        while not self._over.is_set():
            left = self._until - now()
            self._changed.wait(min(max(0.01, left), _LOOK_EVERY_S) if self.held else self._seconds / _RENEWALS)
            self._changed.clear()
            if self.held and self._until <= now():
                self._give_up()
            elif not self.held:
                self._cut_older_than(self._seconds / _RENEWALS)

    def _give_up(self) -> None:
        self.held = False
        self._cut_older_than(0)
        self._engine.dispose()  # what lies in the pool is no better
        if not self._ending:
            self._lost()

    # --- connections

    def _opened(self, connection: Any, _: object) -> None:
        with self._guard:
            self._connections[connection] = now()

    def _closed(self, connection: Any, _: object) -> None:
        with self._guard:
            self._connections.pop(connection, None)

    def _cut_older_than(self, seconds: float) -> None:
        with self._guard:
            hanging = [one for one, begun in self._connections.items() if begun <= now() - seconds]
        for connection in hanging:
            _cut(connection)


def _cut(connection: Any) -> None:
    """End a connection under the hands of whoever waits for it: an answer will never come."""
    with suppress(Exception):  # of the driver's own kind, when it was closed meanwhile
        own = socket.socket(fileno=os.dup(connection.pgconn.socket))
        try:
            own.shutdown(socket.SHUT_RDWR)
        finally:
            own.close()


SIZE = 8 * 1024 * 1024
NAME = "reserve"


class Reserve:
    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def hold(self) -> bool:
        """Take the space unless it is held already; False when the disk has not enough to spare."""
        try:
            if self._path.exists() and self._path.stat().st_size == SIZE:
                return True
            if not self.roomy():
                return False
            self._write()
        except OSError:
            self.release()
            return False
        return True

    def roomy(self) -> bool:
        """Return whether the disk has space for the reserve and as much again."""
        try:
            space = os.statvfs(self._path.parent)
        except OSError:
            return False
        return space.f_bavail * space.f_frsize >= 2 * SIZE

    def release(self) -> bool:
        """Give the space up; False when none was held."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _write(self) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, SIZE)
            else:  # a system without it: the bytes themselves
                os.write(descriptor, bytes(SIZE))
        finally:
            os.close(descriptor)

"""One owner of a data directory.

The owner holds a lock of the kernel on a file in it, which ends with the
process however it dies. The file says who holds it, for people. A directory
that others could write to, or that lies on a network, is refused.
"""

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from msgspec import Struct
from msgspec.structs import asdict

from obra_tui.core.errors import AlreadyOwned, StoreError
from obra_tui.store.sqlite import private_directory

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


def acquire(data_dir: Path, mounts: Path = _MOUNTS) -> Owner:
    """Make the directory if needed and become its owner.

    Raises `AlreadyOwned` naming the process that is, `StoreError` when the directory is not safe to use.
    """
    where = str(data_dir)
    try:
        private_directory(data_dir)
        _refuse_unsafe(data_dir, mounts)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(data_dir / LOCK_NAME, flags, 0o600)
    except OSError as error:
        raise StoreError(
            f"The data directory cannot be used ({error.strerror}).", where=where, fix="Name another one: --data-dir."
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
        return AlreadyOwned("Another Obra uses this data directory.", where=where, fix="End it, or only look on.")
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(holder.since))
    return AlreadyOwned(
        f"Another Obra uses this data directory: process {holder.pid} on {holder.host}, since {since}.",
        where=where,
        fix=f"Look on with this one, or end the other: kill {holder.pid}.",
    )


def _refuse_unsafe(data_dir: Path, mounts: Path) -> None:
    status = data_dir.stat()
    if status.st_uid != os.geteuid():
        raise StoreError(
            "The data directory belongs to another user.", where=str(data_dir), fix="Name another one: --data-dir."
        )
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise StoreError(
            "Other users may write to the data directory.", where=str(data_dir), fix=f"Run: chmod 700 {data_dir}"
        )
    kind = file_system(data_dir, mounts)
    if kind in _NETWORK:
        raise StoreError(
            f"The data directory is on a network file system ({kind}), where the database can be damaged.",
            where=str(data_dir),
            fix="Name a directory on a local disk: --data-dir.",
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

"""Some space kept back, so that a full disk does not stop Obra from writing down that it is full.

SQLite undoes a transaction that finds no space, and then not even the smallest
one can follow. Giving the reserve up makes room for that one and for the end of
what runs. It is taken again as soon as there is enough space.
"""

import os
from pathlib import Path

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

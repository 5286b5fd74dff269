"""A disk that is full, or fails, from its N-th write on: a small library of our own around the C library's calls.

Needs a C compiler. A process that begins with `surroundings()` counts its writes
below one folder, and those of all that it starts; whoever holds the `Disk`
says from which one on they fail, and when they work again.
"""

import errno
import mmap
import os
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
_FIELDS = ("count", "start", "until", "number", "spare", "reserve", "failed")
_RESERVE = 8 * 1024 * 1024
FULL, FAILING = errno.ENOSPC, errno.EIO


def compiler():
    """Return the C compiler, None where there is none."""
    return shutil.which("cc") or shutil.which("gcc")


class Disk:
    """The shared file that the library looks at."""

    def __init__(self, folder):
        self._file = folder / "failing-disk.state"
        if not self._file.exists():
            self._file.write_bytes(bytes(8 * len(_FIELDS)))
        with self._file.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 0)

    def __getattr__(self, name):
        return struct.unpack_from("q", self._shared, 8 * _FIELDS.index(name))[0]

    def _set(self, **values):
        for name, value in values.items():
            struct.pack_into("q", self._shared, 8 * _FIELDS.index(name), value)

    def fail(self, number, start, *, until=0, reserve=True):
        """Fail from the `start`-th write after this call on, to the `until`-th one; 0 = for good."""
        self._set(start=0, count=0, failed=0, spare=0, number=number, until=until)
        self._set(reserve=_RESERVE if reserve else 0, start=start)

    def heal(self):
        self._set(start=0, spare=0)


def surroundings(folder, root):
    """Build the library in `folder`; return the environment of a process whose disk below `root` can fail."""
    library = folder / "failing_disk.so"
    if not library.exists():
        words = [compiler(), "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(words, check=True, capture_output=True)
    Disk(folder)
    preload = {"LD_PRELOAD": str(library), "FAILING_DISK_ROOT": f"{root}/"}
    return {**os.environ, **preload, "FAILING_DISK_STATE": str(folder / "failing-disk.state")}

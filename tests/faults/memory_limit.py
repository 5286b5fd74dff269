"""A control group with little memory, where the kernel lets us make one."""

import contextlib
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def limited_memory(megabytes):
    """Yield the file to which a process writes its id to be limited; None where no such group can be made."""
    made = _made(megabytes)
    try:
        yield made / "cgroup.procs" if made else None
    finally:
        if made is not None:
            made.rmdir()


def _made(megabytes):
    for parent, limit in _parents():
        group = parent / "obra-test"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(megabytes * 2**20))
        except OSError:
            group.rmdir()
            continue
        return group
    return None


def _parents():
    """Yield the group of this process in each hierarchy that may limit memory, with the name of the limit."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        if "memory" in names.split(","):
            yield _ROOT / "memory" / path.lstrip("/"), "memory.limit_in_bytes"
        elif number == "0":
            yield _ROOT / path.lstrip("/"), "memory.max"

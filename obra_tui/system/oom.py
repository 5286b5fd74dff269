"""Whether the kernel killed something for want of memory: it counts, and the count is read before and after.

Evidence, not a guess: a process that was killed by signal 9 may have been killed by anybody.
"""

from pathlib import Path

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")
STARVED = "the kernel's count of processes killed for want of memory rose meanwhile"


def memory_kills(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int:
    """Return how many processes the kernel says it killed for want of memory; 0 where it does not say."""
    return _counted(proc / "vmstat") + _counted(_own_group(proc, cgroups) / "memory.events")


def _own_group(proc: Path, cgroups: Path) -> Path:
    """Return the folder of the control group that this process is in, in the hierarchy of today's kernels."""
    own = next((line[3:] for line in _lines(proc / "self" / "cgroup") if line.startswith("0::")), "/")
    return cgroups / own.lstrip("/")


def _counted(path: Path) -> int:
    words = next((line.split() for line in _lines(path) if line.startswith("oom_kill ")), [])
    return int(words[1]) if len(words) == 2 and words[1].isdigit() else 0


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []

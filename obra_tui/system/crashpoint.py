"""Named places at which Obra can be made to die, as `kill -9` would, so that tests reach every one of them.

`OBRA_CRASH_AT=name` dies at the first passing, `name:3` at the third. Unset, as
it always is outside of tests, a passing costs one comparison. Knows nothing of
what happens around it.
"""

import os
import signal

VARIABLE = "OBRA_CRASH_AT"


def _armed() -> tuple[str, int]:
    name, _, count = os.environ.get(VARIABLE, "").partition(":")
    return name, int(count or 1)


_name, _left = _armed()
ARMED = bool(_name)


def arm(point: str) -> None:
    """Die at `point` (`name` or `name:n`) from now on; an empty one disarms."""
    global _name, _left, ARMED
    name, _, count = point.partition(":")
    _name, _left, ARMED = name, int(count or 1), bool(name)


def crash_point(name: str) -> None:
    """Die here if this place was named."""
    global _left
    if not ARMED or name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)

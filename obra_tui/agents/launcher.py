"""The words before the program's own that make it get a signal when Obra dies, however Obra dies.

The signal is tied to the thread that started the program; that is the engine's, which lives as long as its runs.
Only Linux has this. Elsewhere, and for what ignores the signal, there is the sweep at the next start.
"""

import functools
import shutil
import subprocess
import sys

_TRAMPOLINE = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 2); os.execv(sys.argv[1], sys.argv[1:])"
"""PR_SET_PDEATHSIG to SIGINT, which the program answers by ending its commands and itself."""


@functools.cache
def launcher() -> tuple[str, ...]:
    """Return the words; none where there is no such signal."""
    if sys.platform != "linux":
        return ()
    setpriv = shutil.which("setpriv")
    ways: list[tuple[str, ...]] = [(setpriv, "--pdeathsig", "INT", "--")] if setpriv else []
    ways.append((sys.executable, "-I", "-S", "-c", _TRAMPOLINE))
    return next((words for words in ways if _works(words)), ())


def _works(words: tuple[str, ...]) -> bool:
    """Whether a program can be started this way; old and small versions of setpriv do not know the option."""
    try:
        done = subprocess.run((*words, shutil.which("true") or "true"), capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0

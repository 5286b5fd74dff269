"""What really differs between the work of two attempts: their git trees, in Obra's own repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
_TIMEOUT_S = 30


def tree_diff(repos: Path, a: str, b: str) -> str | None:
    """Return the patch from tree `a` to tree `b`; None when no repository holds both any more."""
    for repo in sorted(repos.glob("*.git")) if repos.is_dir() else ():
        if all(_run(repo, "cat-file", "-e", f"{tree}^{{tree}}") is not None for tree in (a, b)):
            return _run(repo, "diff", "--no-color", "--no-ext-diff", "--no-textconv", a, b)
    return None


def _run(repo: Path, *words: str) -> str | None:
    """Run a reading command; git sees no configuration but its own and nothing of the person's environment."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            [*_GIT, "--git-dir", str(repo), *words],
            capture_output=True,
            env=environment,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

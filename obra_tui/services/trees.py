"""What really differs between the work of two attempts: their git trees, in Obra's own repositories."""

from __future__ import annotations

from pathlib import Path

from obra_tui.system.git import GitCall, GitStopped, run_blocking

_TIMEOUT_S = 30


def tree_diff(repos: Path, a: str, b: str) -> str | None:
    """Return the patch from tree `a` to tree `b`; None when no repository holds both any more."""
    for repo in sorted(repos.glob("*.git")) if repos.is_dir() else ():
        if all(_run(repo, "cat-file", "-e", f"{tree}^{{tree}}") is not None for tree in (a, b)):
            return _run(repo, "diff", "--no-color", "--no-ext-diff", "--no-textconv", a, b)
    return None


def _run(repo: Path, *words: str) -> str | None:
    """Return what a reading command printed, None when it failed."""
    call = GitCall(arguments=words, options=("--git-dir", str(repo.absolute())))
    try:
        done = run_blocking(call, timeout_s=_TIMEOUT_S)
    except (OSError, GitStopped):
        return None
    return done.out.decode("utf-8", "replace") if done.code == 0 else None

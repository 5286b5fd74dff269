"""Looks at accepted work from outside: commands in a checkout of a branch, in the sandbox of the checks."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from obra_tui.core.errors import WorkspaceError
from obra_tui.core.model import CheckResult, CheckSpec, WorkCopy
from obra_tui.evidence.checks import LocalCheckRunner
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.system.git import SLOW_S, GitCall, GitStopped, run_blocking

_BESIDE = ".probes"


def run_probes(
    data_dir: Path, project: Path, branch: str, probes: Sequence[CheckSpec], beside: Path
) -> tuple[CheckResult, ...]:
    """Run each probe; the folder `beside`, if it is there, lies in the checkout as `.probes`."""
    place = Path(tempfile.mkdtemp(prefix="probe-", dir=data_dir))
    try:
        checkout = place / "work"
        _clone(project, branch, checkout)
        if beside.is_dir():
            shutil.copytree(beside, checkout / _BESIDE, ignore=shutil.ignore_patterns("__pycache__"))
        return asyncio.run(_run(data_dir, checkout, probes))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _clone(project: Path, branch: str, checkout: Path) -> None:
    clone = ("clone", "-q", "--template=", "--branch", branch, "--", str(project.absolute()), str(checkout.absolute()))
    try:
        done = run_blocking(GitCall(arguments=clone), timeout_s=SLOW_S)
        message = done.message if done.code else ""
    except FileNotFoundError:
        raise WorkspaceError("git is not installed.", fix="Install git 2.38 or newer.") from None
    except GitStopped:
        message = f"git did not finish within {SLOW_S:.0f} s"
    if message:
        raise WorkspaceError(
            f"The branch {branch} cannot be checked out: {message}",
            where=str(project),
            fix="Look whether the branch is there.",
        )


async def _run(data_dir: Path, checkout: Path, probes: Sequence[CheckSpec]) -> tuple[CheckResult, ...]:

    runner = LocalCheckRunner(sandbox=Sandbox(data_dir=data_dir), data_dir=data_dir)
    copy = WorkCopy(path=str(checkout), base_commit="")
    return tuple([await runner.run(probe, copy, lambda _: None) for probe in probes])

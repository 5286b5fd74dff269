"""Looks at accepted work from outside: commands in a checkout of a branch, in the sandbox of the checks."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.core.errors import WorkspaceError

if TYPE_CHECKING:
    from obra_tui.core.model import CheckResult, CheckSpec

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
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
    done = subprocess.run(
        ["git", *quiet, "clone", "-q", "--template=", "--branch", branch, "--", str(project), str(checkout)],
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise WorkspaceError(
            f"The branch {branch} cannot be checked out: {done.stderr.strip()}",
            where=str(project),
            fix="Look whether the branch is there.",
        )


async def _run(data_dir: Path, checkout: Path, probes: Sequence[CheckSpec]) -> tuple[CheckResult, ...]:
    from obra_tui.core.model import WorkCopy
    from obra_tui.evidence.checks import LocalCheckRunner
    from obra_tui.evidence.sandbox import Sandbox

    runner = LocalCheckRunner(sandbox=Sandbox(data_dir=data_dir), data_dir=data_dir)
    copy = WorkCopy(path=str(checkout), base_commit="")
    return tuple([await runner.run(probe, copy, lambda _: None) for probe in probes])

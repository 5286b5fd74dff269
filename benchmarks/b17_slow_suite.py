"""No. 17: a change that breaks one module of a project with a slow suite: the time to the failure."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncio
import subprocess
import tempfile
import time

from benchmarks.harness import Figure, arguments, median, median_ratio, report
from obra_tui.core.ids import new_session_id, new_task_id
from obra_tui.core.model import CheckResult, CheckSpec, CheckStatus, Stage, TaskSpec
from obra_tui.evidence.checks import LocalCheckRunner
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace

PYTEST = CheckSpec(name="pytest", run=f"{sys.executable} -m pytest -q", stage=Stage.TESTING, timeout_s=1200.0)
TEST = "import time\n\nfrom app import m{0}\n\n\ndef test_it():\n    time.sleep({1})\n    assert m{0}.answer() == {0}\n"


def project(folder: Path, tests: int, seconds: float) -> Path:
    """So many modules, each with a test that waits."""
    for name, text in [
        ("app/__init__.py", ""),
        *((f"app/m{n}.py", f"def answer():\n    return {n}\n") for n in range(tests)),
        *((f"tests/test_m{n}.py", TEST.format(n, seconds)) for n in range(tests)),
    ]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "Start")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


class Bench:
    """One project with its copies and checks."""

    def __init__(self, folder: Path, tests: int, seconds: float) -> None:
        self.project = project(folder / "project", tests, seconds)
        data = folder / "data"
        sandbox = Sandbox(data_dir=data, readable=(Path(sys.prefix),))
        self._workspace = GitWorkspace(project=self.project, data_dir=data, sandbox=sandbox)
        self._checks = LocalCheckRunner(configured=(PYTEST,), sandbox=sandbox, data_dir=data)

    async def checked(self, name: str, text: str) -> tuple[CheckResult, float]:
        """Change a file of a fresh copy; return what the check showed, and after how long."""
        task = TaskSpec(id=new_task_id(), key="T", title="T", prompt="T")
        copy = await self._workspace.prepare(new_session_id(), task.id, await self._workspace.head())
        (Path(copy.path) / name).write_text(text)
        began = time.perf_counter()
        await self._workspace.take_diff(copy)
        [spec] = await self._checks.plan(copy, task)
        result = await self._checks.run(spec, copy, lambda _: None)
        return result, time.perf_counter() - began

    def whole(self, name: str, text: str) -> float:
        """Seconds of the whole suite by hand, with the same change."""
        path = self.project / name
        before = path.read_text()
        path.write_text(text)
        began = time.perf_counter()
        subprocess.run(["sh", "-c", PYTEST.run], cwd=self.project, capture_output=True, check=False)
        path.write_text(before)
        return time.perf_counter() - began


async def measured(bench: Bench, runs: int) -> tuple[list[float], list[float], CheckResult]:
    """Return seconds to a failure and of the whole suite, and what a change that breaks nothing shows in the end."""
    honest, _ = await bench.checked("README.md", "x\n")
    ours, theirs = [], []
    for number in range(runs):
        name, broken = f"app/m{number}.py", "def answer():\n    return None\n"
        result, seconds = await bench.checked(name, broken)
        if result.status is not CheckStatus.FAILED:
            raise RuntimeError(f"the broken module was not found: {result.detail or result.output[-500:]}")
        if "did not run" not in result.detail:
            raise RuntimeError(f"the whole suite ran before the failure was told: {result.detail}")
        ours.append(seconds)
        theirs.append(bench.whole(name, broken))
    return ours, theirs, honest


def main() -> None:
    """A first piece of work lets Obra learn how long the suite takes; then pairs of broken work and whole runs."""
    quick = arguments(__doc__ or "").quick
    tests, runs = (24, 1) if quick else (50, 3)
    with tempfile.TemporaryDirectory(prefix="obra-b-") as folder:
        ours, theirs, honest = asyncio.run(measured(Bench(Path(folder), tests, 1.0), runs))
    ratio = median_ratio(ours, theirs)
    report(
        Figure(
            name="17 a slow suite",
            target="first useful failure <= 0.2x the whole suite; a pass is decided by the whole",
            ours={"first_failure_s": round(median(ours), 2), "tests_of_a_pass": honest.passed},
            peer={"whole_suite_s": round(median(theirs), 2)},
            ratio=round(ratio, 3),
            met=ratio <= 0.2 and honest.passed == tests,
            how=f"{tests} tests of 1 s, one module broken; from the end of the work to the result of the check, what"
            f" ran on the code before the work being known; {runs} alternated pairs against pytest by hand",
        )
    )


if __name__ == "__main__":
    main()

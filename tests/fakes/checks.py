"""A check runner that plays scripted results, prints as a real one does, and remembers what it ran."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from obra_tui.core.events import CheckPrinted
from obra_tui.core.model import (
    CheckResult,
    CheckSpec,
    CheckStatus,
    FailedCase,
    SandboxLevel,
    Stage,
    TaskSpec,
    WorkCopy,
)
from obra_tui.core.ports import Emit

SYNTAX = CheckSpec(name="compile", run="python3 -m compileall -q .", stage=Stage.SYNTAX)
TESTS = CheckSpec(name="pytest", run="python3 -m pytest -q", stage=Stage.TESTING, junit=True)


def passed(spec: CheckSpec = TESTS, tests: int = 3) -> CheckResult:
    return _result(spec, CheckStatus.PASSED, 0, f"{tests} passed\n", passed=tests, failed=0, skipped=0)


def failed(spec: CheckSpec = TESTS, *names: str) -> CheckResult:
    cases = tuple(FailedCase(name=name, message="assert 5 == 6") for name in names or ("test_calc.py::test_add",))
    result = _result(spec, CheckStatus.FAILED, 1, f"{len(cases)} failed\n", passed=0, failed=len(cases), skipped=0)
    return replace(result, failures=cases)


def timed_out(spec: CheckSpec = TESTS) -> CheckResult:
    return replace(_result(spec, CheckStatus.TIMED_OUT, None, "…\n"), detail=f"Stopped after {spec.timeout_s:g} s.")


def broken(spec: CheckSpec = TESTS, detail: str = "`pytest` could not be run. Install it.") -> CheckResult:
    return replace(_result(spec, CheckStatus.BROKEN, 127, ""), detail=detail)


def _result(
    spec: CheckSpec,
    status: CheckStatus,
    code: int | None,
    output: str,
    *,
    passed: int | None = None,
    failed: int | None = None,
    skipped: int | None = None,
) -> CheckResult:
    return CheckResult(
        spec=spec,
        status=status,
        exit_code=code,
        duration_s=0.1,
        output=output,
        sandbox=SandboxLevel.BWRAP,
        passed=passed,
        failed=failed,
        skipped=skipped,
    )


class FakeCheckRunner:
    """Every check passes unless `script` says otherwise; the last scripted result of a check stays in force."""

    def __init__(self, specs: Sequence[CheckSpec] = (SYNTAX, TESTS)) -> None:
        self.specs = tuple(specs)
        self.level = (SandboxLevel.BWRAP, "Tried: no network, nothing outside can be written.")
        self.ran: list[tuple[str, str]] = []
        """(check, path of the copy) in order."""
        self.cancelled: list[str] = []
        self.running = asyncio.Event()
        self._scripts: defaultdict[str, list[CheckResult]] = defaultdict(list)
        self._open = asyncio.Event()
        self._open.set()

    def script(self, *results: CheckResult) -> None:
        """Say what the next runs of the named checks give."""
        for result in results:
            self._scripts[result.spec.name].append(result)

    def hold(self) -> None:
        """Let checks run without end until `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def plan(self, copy: WorkCopy, task: TaskSpec) -> tuple[CheckSpec, ...]:
        return (*self.specs, *(replace(spec, origin="plan") for spec in task.checks))

    async def sandbox(self) -> tuple[SandboxLevel, str]:
        return self.level

    async def run(self, spec: CheckSpec, copy: WorkCopy, emit: Emit) -> CheckResult:
        self.ran.append((spec.name, copy.path))
        self.running.set()
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(spec.name)
            raise
        scripted = self._scripts[spec.name]
        result = (scripted.pop(0) if len(scripted) > 1 else scripted[0]) if scripted else passed(spec)
        if result.output:
            emit(CheckPrinted(name=spec.name, text=result.output))
        return replace(result, spec=spec)

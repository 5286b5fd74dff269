"""Runs the project's checks on the work and says honestly what they showed.

Implements `core.ports.CheckRunner`. A command that could not do its job (not found,
no tests, no report) is `broken`: no evidence, never a pass.
"""

import asyncio
import re
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.errors import ObraError
from obra_tui.core.events import CheckPrinted
from obra_tui.core.model import CheckResult, CheckSpec, CheckStatus, SandboxLevel, TaskSpec, WorkCopy
from obra_tui.core.ports import Emit
from obra_tui.evidence.check_workspace import Stand, stand_for
from obra_tui.evidence.copies import disk_faults, make_private, place_of_copy, remove_tree
from obra_tui.evidence.discover import find_checks
from obra_tui.evidence.git import git_of
from obra_tui.evidence.junit import MOST_BYTES, Report, UnreadableReport, read_report
from obra_tui.evidence.names import shown
from obra_tui.evidence.running import Ended, run
from obra_tui.evidence.sandbox import Job, Mount, Sandbox, scratch_in
from obra_tui.evidence.setup import cache_of, offline_environment
from obra_tui.system.process_sweep import kill_left_over

_NO_MODULE = re.compile(r"No module named '?(pytest|compileall|ruff|mypy|unittest)'?\s*$", re.MULTILINE)
_NOT_FOUND = re.compile(r"([^\s:]{1,200}): (?:command )?not found")
_CONFTEST = "ImportError while loading conftest"


class Reading(Struct, frozen=True, kw_only=True):
    """What exit code, output and report together say."""

    status: CheckStatus
    detail: str = ""


class LocalCheckRunner:
    """Checks on this machine, in the best sandbox that works here."""

    def __init__(self, *, configured: tuple[CheckSpec, ...] = (), sandbox: Sandbox, data_dir: Path) -> None:
        self._configured = configured
        self._sandbox = sandbox
        self._data_dir = data_dir.resolve()
        self._looked_through: set[str] = set()
        """Copies where an Obra that died can have left nothing any more. What this one starts, it ends."""

    async def sandbox(self) -> tuple[SandboxLevel, str]:
        return await self._sandbox.probe()

    async def plan(self, copy: WorkCopy, task: TaskSpec) -> tuple[CheckSpec, ...]:
        """Return configured checks, else found ones, then the task's own; makes a fresh export for them."""
        if copy.path not in self._looked_through:
            await kill_left_over(f"{_label(Path(copy.path))}/")
            self._looked_through.add(copy.path)
        with disk_faults(Path(copy.path)):
            stand = await self._stand(copy, fresh=True)
        if self._configured:
            general = tuple(replace(spec, origin="configured") for spec in self._configured)
        else:
            changed = await self._changed(copy)
            general = await asyncio.to_thread(find_checks, stand.files, changed, stand.look)
        return with_unique_names((*general, *(replace(spec, origin="plan") for spec in task.checks)))

    async def _stand(self, copy: WorkCopy, *, fresh: bool) -> Stand:
        level, _ = await self._sandbox.probe()
        return await stand_for(copy, self._data_dir, export=level is not SandboxLevel.NONE, fresh=fresh)

    async def _changed(self, copy: WorkCopy) -> tuple[str, ...]:
        place = place_of_copy(self._data_dir, copy.path)
        prepared, taken = (place.prepared(), place.taken()) if place else (None, None)
        if prepared is None or taken is None:
            return ()
        git = git_of(Path(prepared.repository))
        answer = await git.run("diff-tree", "-r", "-z", "--name-only", "--diff-filter=d", taken.base, taken.tree)
        return tuple(shown(name) for name in answer.names)

    async def run(self, spec: CheckSpec, copy: WorkCopy, emit: Emit) -> CheckResult:
        """Run one check. Whatever goes wrong with it becomes a result."""
        level, _ = await self._sandbox.probe()
        refusal = await self._sandbox.refusal()
        if refusal:
            return _broken(spec, level, refusal)
        try:
            stand = await self._stand(copy, fresh=False)
            return await self._run_at(stand, spec, level, emit)
        except (OSError, ObraError) as error:
            return _broken(spec, level, f"The check could not be started: {error}")

    async def _run_at(self, stand: Stand, spec: CheckSpec, level: SandboxLevel, emit: Emit) -> CheckResult:
        folder = stand.folder or self._data_dir
        make_private(folder)
        scratch = scratch_in(folder)
        report = scratch / "junit.xml"
        try:
            ended = await run(
                self._sandbox.launch(level, self._job(stand, spec, scratch, report)),
                timeout_s=spec.timeout_s,
                printed=lambda text: emit(CheckPrinted(name=spec.name, text=text)),
            )
            return _result(spec, level, ended, report)
        finally:
            await asyncio.to_thread(remove_tree, scratch)

    def _job(self, stand: Stand, spec: CheckSpec, scratch: Path, report: Path) -> Job:
        cache = cache_of(self._data_dir)
        downloads = (Mount(source=cache, target=cache),) if cache.is_dir() else ()
        environment = {**offline_environment(cache), "OBRA_JUNIT": str(report)}
        if stand.is_the_copy:
            environment["PYTHONPYCACHEPREFIX"] = str((stand.folder or scratch) / "pycache")
        return Job(
            argv=("sh", "-c", spec.run),
            cwd=stand.seen_as,
            scratch=scratch,
            mounts=(*stand.mounts, *downloads),
            environment=environment,
            hide=stand.hide,
            path_first=tuple(stand.seen_as / name / "bin" for name in (".venv", "venv")),
            label=_label(stand.seen_as),
        )


def _label(work: Path) -> str:
    """Return what the marks of this copy's checks begin with."""
    return f"{work.parent.name}/check"


def with_unique_names(specs: tuple[CheckSpec, ...]) -> tuple[CheckSpec, ...]:
    """Tell checks of the same name apart by a number."""
    seen: dict[str, int] = {}
    named: list[CheckSpec] = []
    for spec in specs:
        seen[spec.name] = seen.get(spec.name, 0) + 1
        count = seen[spec.name]
        named.append(spec if count == 1 else replace(spec, name=f"{spec.name} ({count})"))
    return tuple(named)


def _broken(spec: CheckSpec, level: SandboxLevel, detail: str) -> CheckResult:
    return CheckResult(
        spec=spec, status=CheckStatus.BROKEN, exit_code=None, duration_s=0.0, output="", sandbox=level, detail=detail
    )


def _result(spec: CheckSpec, level: SandboxLevel, ended: Ended, path: Path) -> CheckResult:
    report, problem = _report(path)
    reading = judge_run(spec, ended, report, problem)
    return CheckResult(
        spec=spec,
        status=reading.status,
        exit_code=ended.exit_code,
        duration_s=ended.duration_s,
        output=ended.output,
        sandbox=level,
        passed=report.passed if report else None,
        failed=report.failed if report else None,
        skipped=report.skipped if report else None,
        failures=report.failures if report else (),
        detail=reading.detail,
    )


def _report(path: Path) -> tuple[Report | None, str]:
    """Read the report if there is one; a link in its place is not followed."""
    if path.is_symlink() or not path.is_file():
        return None, "wrote no report"
    if path.stat().st_size > MOST_BYTES:
        return None, "wrote a report that is too large"
    try:
        return read_report(path.read_bytes()), ""
    except UnreadableReport as error:
        return None, f"wrote a report that cannot be read ({error})"


def judge_run(spec: CheckSpec, ended: Ended, report: Report | None, problem: str) -> Reading:
    """Say what the run proves. An exit code of 0 alone is no proof where a report was due."""
    code = ended.exit_code
    if code is None:
        text = f"Stopped after {spec.timeout_s:g} s; all its processes were ended."
        return Reading(status=CheckStatus.TIMED_OUT, detail=text)
    if missing := _missing_tool(spec, ended):
        return Reading(status=CheckStatus.BROKEN, detail=missing)
    for rule in (_pytest_reading, _report_reading):
        if reading := rule(spec, ended, report, problem):
            return reading
    return Reading(status=CheckStatus.PASSED if code == 0 else CheckStatus.FAILED)


def _missing_tool(spec: CheckSpec, ended: Ended) -> str:
    code, output = ended.exit_code, ended.output
    if code in (126, 127):
        found = _NOT_FOUND.search(output)
        return f"`{found[1] if found else spec.run}` could not be run. Install it, or change the command in [[checks]]."
    if code == 1 and len(output) < 2_000 and (found := _NO_MODULE.search(output)):
        return (
            f"{found[1]} is not installed for this Python. Install it in the project (for example "
            f"`uv add --dev {found[1]}` with `uv sync` as set-up), or name another command under [[checks]]."
        )
    return ""


def _pytest_reading(spec: CheckSpec, ended: Ended, _report: Report | None, _problem: str) -> Reading | None:
    """Read pytest's own exit codes, if it is pytest that ran."""
    if "pytest" not in spec.run:
        return None
    match ended.exit_code:
        case 3:
            return Reading(status=CheckStatus.BROKEN, detail="pytest had an internal error; see its output.")
        case 4 if _CONFTEST not in ended.output:
            return Reading(status=CheckStatus.BROKEN, detail="pytest did not accept its command line; see its output.")
        case 5:
            return Reading(status=CheckStatus.BROKEN, detail="pytest found no tests, so nothing was proven.")
        case _:
            return None


def _report_reading(spec: CheckSpec, ended: Ended, report: Report | None, problem: str) -> Reading | None:
    """Compare the exit code with the report: only both together can pass."""
    if ended.exit_code != 0:
        return None
    if report is None:
        if not spec.junit:
            return None
        return Reading(status=CheckStatus.BROKEN, detail=f"The command ended with 0 but {problem}: nothing was proven.")
    if report.failed:
        return Reading(status=CheckStatus.FAILED, detail="The command ended with 0 but its report names failures.")
    if not report.ran:
        return Reading(status=CheckStatus.BROKEN, detail="No test ran (all skipped or none found): nothing was proven.")
    return None

"""Runs one check on one tree, in the sandbox, and reads what it says of each test.

Knows nothing of the base, and nothing of what the result is used for.
"""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.model import CheckSpec, CheckStatus, SandboxLevel, Stage
from obra_tui.evidence.check_workspace import Bed, Stand, bed_for
from obra_tui.evidence.commands import Start, start_of
from obra_tui.evidence.copies import make_private, remove_tree
from obra_tui.evidence.diagnosis import of_environment
from obra_tui.evidence.environments import cache_of
from obra_tui.evidence.reading import Execution, judge_run, judge_witnessed, told_of_changes
from obra_tui.evidence.reports.junit import read_report
from obra_tui.evidence.reports.printed import read_printed, read_tap
from obra_tui.evidence.reports.report import MOST_BYTES, Report, UnreadableReport
from obra_tui.evidence.reports.structured import read_go, read_json
from obra_tui.evidence.running import Ended, Printed, run
from obra_tui.evidence.sandbox import Job, Mount, Sandbox, scratch_in
from obra_tui.evidence.setup import offline_environment
from obra_tui.evidence.witness.channel import Group, WitnessChannel, WitnessRequest
from obra_tui.evidence.witness.command import PytestCommand, witness_argv

UNSEALED = "The files that were checked changed while the check ran: what it showed is about no tree at all."


class Way(Struct, frozen=True, kw_only=True):
    """In which way a check is run."""

    groups: tuple[Group, ...] = (Group(),)
    trace: bool = False
    """Note which files the tests read."""
    first: bool = False
    """The tree comes before Python's own library."""
    environment: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()


class Executor(Struct, frozen=True, kw_only=True):
    sandbox: Sandbox
    data_dir: Path

    async def run(
        self, spec: CheckSpec, stand: Stand, level: SandboxLevel, printed: Printed, way: Way | None = None
    ) -> Execution:
        """Run to the end, the time limit or cancellation. Raises `OSError` when it cannot be started."""
        folder = stand.folder or self.data_dir
        make_private(folder)
        scratch = scratch_in(folder)
        sealed = await asyncio.to_thread(stand.sealed)
        try:
            async with bed_for(stand, self.sandbox) as bed:
                run_of = _Run(self, spec, stand, bed, level, printed, scratch, way or Way())
                found = await run_of.to_its_end()
                changed = await asyncio.to_thread(bed.changed)
            if not stand.is_the_copy and await asyncio.to_thread(stand.sealed) != sealed:
                return replace(found, status=CheckStatus.BROKEN, detail=UNSEALED, cases=None)
            is_set_up = stand.substitutes in stand.layers
            found = await asyncio.to_thread(partial(of_environment, found, stand.files, is_set_up=is_set_up))
            return told_of_changes(found, changed)
        finally:
            await asyncio.to_thread(remove_tree, scratch)


class _Run(Struct, frozen=True):
    """One run of one check in the place that was made for it."""

    executor: Executor
    spec: CheckSpec
    stand: Stand
    bed: Bed
    level: SandboxLevel
    printed: Printed
    scratch: Path
    way: Way

    async def to_its_end(self) -> Execution:
        report = self.scratch / "report"
        start = start_of(self.spec, self.stand, report)
        if start.pytest is not None:
            found = await self._witnessed(start.pytest)
            if found is not None:
                return found
            start = Start(kind="plain", argv=("sh", "-c", self.spec.run))
        ended = await self._launch(start.argv, {**start.environment, **self.way.environment})
        return await asyncio.to_thread(_read, self.spec, start, ended, report, str(self.bed.cwd), self.level)

    async def _witnessed(self, command: PytestCommand) -> Execution | None:
        """Run pytest under the witness; None if this pytest is too old for it."""
        root = self.bed.cwd
        paths = [str(root)] if command.is_module else []
        for entry in command.environment.get("PYTHONPATH", "").split(os.pathsep):
            paths += [str(root / entry)] if entry else []
        question = WitnessRequest(
            arguments=command.arguments,
            groups=self.way.groups,
            cache=str(self.scratch / "pytest-cache"),
            environment={**self.way.environment, **command.environment},
            without=self.way.without,
            paths=tuple(dict.fromkeys(paths)),
            first=self.way.first,
            trace=self.way.trace,
        )
        with WitnessChannel(question) as channel:
            ended = await self._launch(witness_argv(command.launch, channel.number), {}, (channel.number,))
        heard = channel.heard()
        if heard.missing.startswith("pytest "):
            return None
        if not any(group.ended is not None for group in heard.groups) and ended.exit_code and not heard.missing:
            reading = judge_run(self.spec, ended, None, "")
            return _plain_execution(ended, reading.status, reading.detail, self.level)
        return judge_witnessed(self.spec, ended, heard, self.level)

    async def _launch(self, argv: tuple[str, ...], environment: dict[str, str], passed: tuple[int, ...] = ()) -> Ended:
        launch = self.executor.sandbox.launch(self.level, self._job(argv, environment))
        return await run(replace(launch, passed=passed), timeout_s=self.spec.timeout_s, printed=self.printed)

    def _job(self, argv: tuple[str, ...], environment: dict[str, str]) -> Job:
        stand, bed, data_dir = self.stand, self.bed, self.executor.data_dir
        cache = cache_of(data_dir, stand.hide[0]) if stand.hide else data_dir / "cache"
        downloads = (Mount(source=cache, target=cache),) if cache.is_dir() else ()
        own = {**offline_environment(cache), "OBRA_JUNIT": str(self.scratch / "report"), **environment}
        if stand.is_the_copy:
            own["PYTHONPYCACHEPREFIX"] = str((stand.folder or self.scratch) / "pycache")
        return Job(
            argv=argv,
            cwd=bed.cwd,
            layers=bed.layers,
            scratch=self.scratch,
            mounts=(*bed.mounts, *downloads),
            environment=own,
            hide=stand.hide,
            path_first=tuple(bed.cwd / name / "bin" for name in (".venv", "venv")),
            label=label_of(stand.seen_as),
        )


def label_of(work: Path) -> str:
    """Return what the marks of this copy's checks begin with."""
    return f"{work.parent.name}/check"


def _plain_execution(ended: Ended, status: CheckStatus, detail: str, level: SandboxLevel) -> Execution:
    return Execution(
        status=status,
        level=level,
        detail=detail,
        exit_code=ended.exit_code,
        duration_s=ended.duration_s,
        output=ended.output,
    )


def _read(spec: CheckSpec, start: Start, ended: Ended, path: Path, root: str, level: SandboxLevel) -> Execution:
    """Put exit code, report and output together. Runs in a thread: a report may be large."""
    source: Literal["", "report", "output"] = ""
    problem = ""
    report: Report | None = None
    if spec.junit or start.kind == "file" or path.exists():
        report, problem = _from_file(path, root)
        source = "report"
    elif start.kind == "go":
        report, output = read_go(ended.output)
        ended, source = replace(ended, output=output), "output"
    elif spec.stage is Stage.TESTING:
        report, problem = _from_output(ended.output)
        source = "output"
    reading = judge_run(spec, ended, report, problem)
    return replace(
        _plain_execution(ended, reading.status, reading.detail, level),
        cases=report.cases if report and report.cases else None,
        failures=report.failures if report else (),
        counts=(report.passed, report.failed, report.skipped) if report else None,
        source=source if report else "",
    )


def _from_output(output: str) -> tuple[Report | None, str]:
    try:
        return read_printed(output), ""
    except UnreadableReport as error:
        return None, f"what it printed of its tests cannot be believed ({error})"


def _from_file(path: Path, root: str) -> tuple[Report | None, str]:
    """Read the report if there is one; a link in its place is not followed."""
    if path.is_symlink() or not path.is_file():
        return None, "wrote no report"
    if path.stat().st_size > MOST_BYTES:
        return None, "wrote a report that is too large"
    content = path.read_bytes()
    try:
        match content.lstrip()[:1]:
            case b"{":
                return read_json(content, root), ""
            case b"T" | b"#":
                return read_tap(content.decode("utf-8", "replace"), root), ""
            case _:
                return read_report(content), ""
    except UnreadableReport as error:
        return None, f"wrote a report that cannot be read ({error})"

"""Runs one check on one tree, in the sandbox, and reads what it says of each test.

Knows nothing of the base, and nothing of what the result is used for.
"""

import asyncio
import os
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from obra_tui.core.model import CheckSpec, CheckStatus, SandboxLevel, Stage
from obra_tui.evidence.check_workspace import Stand
from obra_tui.evidence.commands import Start, start_of
from obra_tui.evidence.copies import make_private, remove_tree
from obra_tui.evidence.reading import Execution, judge_run, judge_witnessed
from obra_tui.evidence.reports.junit import read_report
from obra_tui.evidence.reports.printed import read_printed, read_tap
from obra_tui.evidence.reports.report import MOST_BYTES, Report, UnreadableReport
from obra_tui.evidence.reports.structured import read_go, read_json
from obra_tui.evidence.running import Ended, Printed, run
from obra_tui.evidence.sandbox import Job, Mount, Sandbox, scratch_in
from obra_tui.evidence.setup import cache_of, offline_environment
from obra_tui.evidence.witness.channel import Channel, Group, Question
from obra_tui.evidence.witness.command import PytestCommand, witness_argv


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
        report = scratch / "report"
        try:
            start = start_of(spec, stand, report)
            if start.pytest is not None:
                found = await self._witnessed(start.pytest, spec, stand, level, printed, scratch, way or Way())
                if found is not None:
                    return found
                start = Start(kind="plain", argv=("sh", "-c", spec.run))
            job = self._job(
                stand, start.argv, scratch, report, {**start.environment, **(way.environment if way else {})}
            )
            ended = await run(self.sandbox.launch(level, job), timeout_s=spec.timeout_s, printed=printed)
            return await asyncio.to_thread(_read, spec, start, ended, report, str(stand.seen_as), level)
        finally:
            await asyncio.to_thread(remove_tree, scratch)

    async def _witnessed(
        self,
        command: PytestCommand,
        spec: CheckSpec,
        stand: Stand,
        level: SandboxLevel,
        printed: Printed,
        scratch: Path,
        way: Way,
    ) -> Execution | None:
        """Run pytest under the witness; None if this pytest is too old for it."""
        paths = [str(stand.seen_as)] if command.is_module else []
        for entry in command.environment.get("PYTHONPATH", "").split(os.pathsep):
            paths += [str(stand.seen_as / entry)] if entry else []
        question = Question(
            arguments=command.arguments,
            groups=way.groups,
            cache=str(scratch / "pytest-cache"),
            environment={**way.environment, **command.environment},
            without=way.without,
            paths=tuple(dict.fromkeys(paths)),
            first=way.first,
            trace=way.trace,
        )
        with Channel(question) as channel:
            argv = witness_argv(command.launch, channel.number)
            launch = self.sandbox.launch(level, self._job(stand, argv, scratch, scratch / "report", {}))
            launch = replace(launch, passed=(channel.number,))
            ended = await run(launch, timeout_s=spec.timeout_s, printed=printed)
        heard = channel.heard()
        if heard.missing.startswith("pytest "):
            return None
        if not any(group.ended is not None for group in heard.groups) and ended.exit_code and not heard.missing:
            reading = judge_run(spec, ended, None, "")
            return _plain_execution(ended, reading.status, reading.detail, level)
        return judge_witnessed(spec, ended, heard, level)

    def _job(
        self, stand: Stand, argv: tuple[str, ...], scratch: Path, report: Path, environment: dict[str, str]
    ) -> Job:
        cache = cache_of(self.data_dir)
        downloads = (Mount(source=cache, target=cache),) if cache.is_dir() else ()
        own = {**offline_environment(cache), "OBRA_JUNIT": str(report), **environment}
        if stand.is_the_copy:
            own["PYTHONPYCACHEPREFIX"] = str((stand.folder or scratch) / "pycache")
        return Job(
            argv=argv,
            cwd=stand.seen_as,
            scratch=scratch,
            mounts=(*stand.mounts, *downloads),
            environment=own,
            hide=stand.hide,
            path_first=tuple(stand.seen_as / name / "bin" for name in (".venv", "venv")),
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

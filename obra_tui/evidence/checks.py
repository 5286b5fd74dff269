"""Runs the project's checks on the work and says honestly what they showed.

Implements `core.ports.CheckRunner`. A command that could not do its job (not found,
no tests, no report) is `broken`: no evidence, never a pass.
"""

import asyncio
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.errors import ObraError
from obra_tui.core.events import CheckPrinted
from obra_tui.core.model import (
    CheckResult,
    CheckSpec,
    CheckStatus,
    SandboxLevel,
    Stage,
    TaskSpec,
    WorkCopy,
    named_cases,
)
from obra_tui.core.ports import Emit
from obra_tui.evidence.check_workspace import Stand, stand_for
from obra_tui.evidence.copies import disk_faults, place_of_copy, project_key
from obra_tui.evidence.deciding import Deciding
from obra_tui.evidence.discover import checks_of_work, find_checks
from obra_tui.evidence.early import first_failure
from obra_tui.evidence.executing import Executor, label_of
from obra_tui.evidence.experience import Experience
from obra_tui.evidence.reading import Execution
from obra_tui.evidence.run_cache import RunCache
from obra_tui.evidence.sandbox import Sandbox, search_path
from obra_tui.evidence.setup_inputs import key_of, programs
from obra_tui.evidence.trees import Change, Trees
from obra_tui.system.process_sweep import kill_left_over


class LocalCheckRunner:
    """Checks on this machine, in the best sandbox that works here."""

    def __init__(self, *, configured: tuple[CheckSpec, ...] = (), sandbox: Sandbox, data_dir: Path) -> None:
        self._configured = configured
        self._sandbox = sandbox
        self._data_dir = data_dir.resolve()
        self._executor = Executor(sandbox=sandbox, data_dir=self._data_dir)
        self._cache = RunCache(self._data_dir / "results")
        self._looked_through: set[str] = set()
        """Copies where an Obra that died can have left nothing any more. What this one starts, it ends."""

    async def sandbox(self) -> tuple[SandboxLevel, str]:
        return await self._sandbox.probe()

    async def plan(self, copy: WorkCopy, task: TaskSpec) -> tuple[CheckSpec, ...]:
        """Return configured checks, else those found before the work or in it, then the task's own.

        A check of the same name is run as it was before the work. Makes a fresh export.
        """
        if copy.path not in self._looked_through:
            await kill_left_over(f"{label_of(Path(copy.path))}/")
            self._looked_through.add(copy.path)
        with disk_faults(Path(copy.path)):
            stand = await self._stand(copy, fresh=True)
            general = await self._general(copy, stand)
        specs = with_unique_names((*general, *(replace(spec, origin="plan") for spec in task.checks)))
        return await asyncio.to_thread(self._experience(copy).expecting, specs)

    def _experience(self, copy: WorkCopy) -> Experience:
        place = place_of_copy(self._data_dir, copy.path)
        prepared = place.prepared() if place else None
        project = project_key(Path(prepared.project)) if prepared else "elsewhere"
        return Experience(self._data_dir / "results" / f"experience-{project}.json")

    async def _general(self, copy: WorkCopy, stand: Stand) -> tuple[CheckSpec, ...]:
        if self._configured:
            return tuple(replace(spec, origin="configured") for spec in self._configured)
        about = await self._about(copy)
        if about is None:
            return await asyncio.to_thread(find_checks, stand.files, (), stand.look)
        changed = tuple(change.path for change in about.changes if change.new.is_there)
        before = await stand_for(copy, self._data_dir, fresh=False, tree=about.base)
        trees = (before.files, before.look, stand.files, stand.look)
        return await asyncio.to_thread(checks_of_work, *trees, changed)

    async def _stand(self, copy: WorkCopy, *, fresh: bool) -> Stand:
        return await stand_for(copy, self._data_dir, fresh=fresh)

    async def _about(self, copy: WorkCopy) -> "_About | None":
        """Return what the work is compared with; None when it is no copy of ours, or nothing was taken from it yet."""
        place = place_of_copy(self._data_dir, copy.path)
        prepared, taken = (place.prepared(), place.taken()) if place else (None, None)
        if place is None or prepared is None or taken is None:
            return None
        trees = Trees(Path(prepared.repository), place.root)
        base = await trees.tree_of(taken.base)
        return _About(
            trees=trees,
            base=base,
            work=taken.tree,
            environment=f"{prepared.environment} {prepared.taken_along} {self._programs()}",
            changes=await trees.changes(base, taken.tree),
        )

    def _programs(self) -> str:
        return key_of(programs(search_path(())))

    async def run(self, spec: CheckSpec, copy: WorkCopy, emit: Emit) -> CheckResult:
        """Run one check. Whatever goes wrong with it becomes a result."""
        level, _ = await self._sandbox.probe()
        refusal = await self._sandbox.refusal()
        if refusal:
            return _broken(spec, level, refusal)
        printed = partial(_tell, emit, spec.name)
        try:
            about = await self._about(copy)
            if about is None:
                stand = await self._stand(copy, fresh=False)
                return result_of(spec, await self._executor.run(spec, stand, level, printed))
            deciding = Deciding(
                spec=spec,
                copy=copy,
                executor=self._executor,
                trees=about.trees,
                cache=self._cache,
                level=level,
                base=about.base,
                work=about.work,
                environment=about.environment,
                changes=about.changes,
                printed=printed,
            )
            return await self._decided(deciding, self._experience(copy))
        except (OSError, ObraError) as error:
            return _broken(spec, level, f"The check could not be started: {error}")

    async def _decided(self, deciding: Deciding, experience: Experience) -> CheckResult:
        """Run what is likely to fail first, if the whole is slow, and then the whole."""
        before = await asyncio.to_thread(experience.of, deciding.spec)
        early = await first_failure(deciding, before.failed, before.expected_s)
        result = early or await deciding.result()
        if result.spec.stage is Stage.TESTING:
            whole = result.duration_s / (2 if result.as_is else 1)
            await asyncio.to_thread(experience.note, result, whole, is_whole=early is None)
        return result


class _About(Struct, frozen=True, kw_only=True):
    """The work of a copy and what was there before it."""

    trees: Trees
    base: str
    work: str
    environment: str
    changes: tuple[Change, ...]


def _tell(emit: Emit, name: str, text: str) -> None:
    emit(CheckPrinted(name=name, text=text))


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


def result_of(spec: CheckSpec, found: Execution) -> CheckResult:
    """Return a run as it is stored."""
    passed, failed, skipped = found.counts or (None, None, None)
    return CheckResult(
        spec=spec,
        status=found.status,
        exit_code=found.exit_code,
        duration_s=found.duration_s,
        output=found.output,
        sandbox=found.level,
        passed=passed,
        failed=failed,
        skipped=skipped,
        failures=found.failures,
        detail=found.detail,
        cases=named_cases(found.cases) if found.cases else None,
        reported_by=found.source,
        is_weak=spec.stage is Stage.TESTING and found.status is CheckStatus.PASSED and not found.cases,
    )

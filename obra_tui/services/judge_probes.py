"""Cases by planting: faults in accepted work of the project, proved by its own tests, kept for the judge's exam.

Accepted work that somebody looked at is the base; each base gives at most three faults. The copies, the set-up and the
confinement are those of any check. Knows no judge.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.core.judging.book import CaseBook, PastWork
from obra_tui.core.model import CaseSource, JudgeCase, SandboxLevel, Truth, case_id
from obra_tui.evidence.checks import LocalCheckRunner
from obra_tui.evidence.proving import Bench, PlantedWork, ProvedFault
from obra_tui.evidence.sandbox import Sandbox
from obra_tui.evidence.workspace import GitWorkspace

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.model import CheckSpec
    from obra_tui.store.history import SqlHistory

_OF_ONE_BASE = 3
_LARGEST = 64_000
"""Characters of a patch that are kept with a case."""


class PlantedCases(Struct, frozen=True, kw_only=True):
    """What came of one piece of accepted work."""

    title: str
    cases: tuple[JudgeCase, ...] = ()
    tried: int = 0
    survivors: int = 0
    refused: str = ""


def bases_of(past: Collection[PastWork], book: CaseBook) -> list[PastWork]:
    """Return the accepted work that faults can be planted in: that with the fewest faults first, then the newest."""
    planted = Counter(case.base for case in book.cases.values() if case.source is CaseSource.PLANTED)
    bad = {label.of for _, label in book.labels if label.truth is Truth.BAD}
    praised = {label.of for _, label in book.labels if label.truth is Truth.GOOD}
    looked_at = [work for work in past if work.is_accepted and (work.is_known or work.attempt in praised)]
    good = [work for work in looked_at if not work.is_reverted and work.files and work.attempt not in bad]
    newest_first = {work.attempt: -place for place, work in enumerate(good)}
    return sorted(good, key=lambda work: (planted[work.task], newest_first[work.attempt]))


async def planted_cases(
    settings: Settings,
    project: Path,
    history: SqlHistory,
    bases: Collection[PastWork],
    cases: Collection[JudgeCase],
    *,
    wanted: int,
    minutes: float,
    kind: str = "",
    checks: tuple[CheckSpec, ...] = (),
) -> AsyncIterator[PlantedCases]:
    """Plant until there are `wanted` faults or the time is up; yields after each base."""
    until = time.monotonic() + minutes * 60
    sandbox = Sandbox(
        data_dir=settings.data_dir,
        lowest=SandboxLevel.BWRAP if settings.sandbox.level == "required" else SandboxLevel.NONE,
        readable=settings.sandbox.readable_paths(),
    )
    workspace = GitWorkspace(
        project=project,
        data_dir=settings.data_dir,
        sandbox=sandbox,
        setup=settings.workspace.setup,
        protected=settings.workspace.protected,
        include=settings.workspace.include,
    )
    runner = LocalCheckRunner(configured=checks or settings.check_specs(), sandbox=sandbox, data_dir=settings.data_dir)
    weights = Counter(case.kind for case in cases)
    known = {case.id for case in cases}
    for base in bases:
        if wanted <= 0 or time.monotonic() > until:
            return
        detail = history.attempt(base.attempt)
        if detail.diff is None or detail.acceptance is None:
            continue
        bench = Bench(workspace, runner, detail.spec, detail.acceptance.commit, detail.diff)
        planted = await bench.prove_faults(min(wanted, _OF_ONE_BASE), weights, until, kinds={kind} if kind else ())
        found = [case for case in _cases(base, planted) if case.id not in known]
        wanted -= sum(case.source is CaseSource.PLANTED for case in found)
        yield PlantedCases(
            title=base.title,
            cases=tuple(found),
            tried=planted.tried,
            survivors=planted.survivors,
            refused=planted.refused,
        )


def _cases(base: PastWork, planted: PlantedWork) -> list[JudgeCase]:
    return [
        _case(base, item) for item in planted.proved if len(item.diff.patch) <= _LARGEST and not item.diff.truncated
    ]


def _case(base: PastWork, item: ProvedFault) -> JudgeCase:
    source = CaseSource.INJECTED if item.is_injected else CaseSource.PLANTED
    return JudgeCase(
        id=case_id(source, base.attempt, item.diff.digest),
        source=source,
        truth=Truth.BAD,
        strength="A",
        base=base.task,
        kind=item.fault.kind,
        attempt=base.attempt,
        diff=item.diff,
        file=item.fault.path,
        line=item.fault.line,
        proof=item.proof,
    )

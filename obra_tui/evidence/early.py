"""In a slow suite, what failed last and what the change touches runs first: a failure there is told at once.

What passes here proves nothing: then the whole runs, and it decides.
"""

import asyncio
from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.core.model import CaseOutcome, CheckResult, CheckStatus, SandboxLevel, Stage
from obra_tui.evidence.affected import affected_tests, related_command
from obra_tui.evidence.commands import script_behind
from obra_tui.evidence.comparing import Runs, bad, compare, file_of, passing
from obra_tui.evidence.deciding import Deciding, Laid
from obra_tui.evidence.executing import Way
from obra_tui.evidence.reading import Execution
from obra_tui.evidence.witness.channel import Group

SLOW_S = 20.0
"""A suite that takes less is run as a whole at once."""
_MOST_OF_ALL = 0.5


class Early(Struct, frozen=True, kw_only=True):
    """The first tests of one check; what the code before the work showed has to be known already."""

    deciding: Deciding
    failed_last: Collection[str]

    async def result(self) -> CheckResult | None:
        """Return the failure, if these tests show one that is of the work; None if the whole has to run."""
        base = self.deciding.known_base()
        if self.deciding.spec.stage is not Stage.TESTING or base is None or not base.cases:
            return None
        laid = await self.deciding.lay(base)
        run = await self._run(base, laid)
        if run is None or run.status is not CheckStatus.FAILED or not run.cases:
            return None
        turned = tuple(sorted(bad(run.cases) & passing(base.cases)))
        if run.source == "witness" and turned:
            answers = dict.fromkeys(turned, True)
            flaky = await self.deciding.with_both_answers(laid.tree, turned, answers, repeats=1)
            turned = tuple(name for name in turned if name not in flaky)
        return self._told(base, run, laid, turned) if turned else None

    async def _run(self, base: Execution, laid: Laid) -> Execution | None:
        """Run the chosen tests on the work; None where none can be chosen, or nearly all would be."""
        deciding, cases = self.deciding, base.cases or {}
        stand = await deciding.stand(laid.tree)
        changed = [change.path for change in deciding.changes]
        if base.source != "witness":
            command = related_command(script_behind(deciding.spec.run, stand.files), changed)
            if not command:
                return None
            spec = replace(deciding.spec, run=command)
            return await deciding.executor.run(spec, stand, deciding.level, deciding.printed)
        touched = await asyncio.to_thread(affected_tests, stand.files, changed)
        first = touched | set(self.failed_last)
        chosen = tuple(name for name in cases if name in first or file_of(name) in first)
        if not chosen or len(chosen) > _MOST_OF_ALL * len(cases):
            return None
        way = Way(groups=(Group(only=chosen),))
        return await deciding.executor.run(deciding.spec, stand, deciding.level, deciding.printed, way)

    def _told(self, base: Execution, run: Execution, laid: Laid, turned: tuple[str, ...]) -> CheckResult:
        now, before = run.cases or {}, base.cases or {}
        ran = {name: outcome for name, outcome in now.items() if not outcome.is_bad or name in turned}
        shown = replace(
            run,
            cases=ran,
            failures=tuple(case for case in run.failures if case.name in turned),
        )
        known: dict[str, CaseOutcome] = {name: before[name] for name in ran if name in before}
        runs = Runs(
            spec=self.deciding.spec,
            tree=self.deciding.base,
            base=replace(base, cases=known),
            deciding=shown,
            replaced=tuple(change.path for change in laid.replaced),
            moved=laid.moved,
            asks=laid.asks,
        )
        left = len(before) - len(known)
        detail = f"What failed last and what the change touches ran first and fails; {left} more tests did not run."
        return replace(compare(runs), detail=detail)


async def first_failure(
    deciding: Deciding, failed_last: Collection[str], expected_s: float | None
) -> CheckResult | None:
    """Return what the first tests of a slow suite show, if it is a failure of the work."""
    if deciding.level is not SandboxLevel.BWRAP or (expected_s or 0.0) < SLOW_S:
        return None
    return await Early(deciding=deciding, failed_last=failed_last).result()

"""Whether runs kept what their scenarios promise, and what follows for a release. Pure: values in, values out."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from obra_tui.core.lifecycle import State
from obra_tui.core.model import SessionKind, Usage
from obra_tui.validation.baseline import Baseline, regressions
from obra_tui.validation.expectations import Expectation
from obra_tui.validation.outcome import ScenarioRun, ValidationRequest


class Readiness(StrEnum):
    YES = "YES"
    NO = "NO"
    CONDITIONAL = "CONDITIONAL"


class Judged(Struct, frozen=True, kw_only=True):
    """A run with everything that is wrong with it."""

    run: ScenarioRun
    problems: tuple[str, ...]
    regressions: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.problems and not self.regressions


class ScenarioVerdict(Struct, frozen=True, kw_only=True):
    readiness: Readiness
    reasons: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 = what was asked for is as it must be; conditions come only from what was asked for."""
        return 1 if self.readiness is Readiness.NO else 0


def judge(
    run: ScenarioRun, promised: Expectation, kind: SessionKind, baseline: Baseline | None, *, scripted: bool
) -> Judged:
    """Hold a run against its scenario's promises and against the baseline."""
    problems = [*run.errors, *_always(run, kind), *_ends(run, promised), *_limits(run, promised)]
    if scripted:
        problems += _script_followed(run, promised)
    return Judged(run=run, problems=tuple(problems), regressions=regressions(run, baseline))


def conclude(results: Sequence[Judged], request: ValidationRequest) -> ScenarioVerdict:
    """Return the verdict on all runs together."""
    wrong = tuple(_failed(results))
    if wrong:
        return ScenarioVerdict(readiness=Readiness.NO, reasons=wrong)
    conditions: list[str] = []
    if request.rehearsal:
        conditions.append("Rehearsal only: both models were scripted. Run it with a login and a local model as well.")
    if request.partial:
        conditions.append("Only some of the scenarios were run.")
    if conditions:
        return ScenarioVerdict(readiness=Readiness.CONDITIONAL, reasons=tuple(conditions))
    return ScenarioVerdict(readiness=Readiness.YES, reasons=("Every scenario kept what it promises.",))


def _failed(results: Sequence[Judged]) -> Iterator[str]:
    if not results:
        yield "No scenario was run."
    for result in results:
        for text in (*result.problems, *result.regressions):
            yield f"{result.run.name}: {text}"


# --- what holds for every run --------------------------------------------------------------------


def _always(run: ScenarioRun, kind: SessionKind) -> Iterator[str]:
    for probe in run.probes:
        if not probe.passed:
            yield f"the probe '{probe.name}' failed: {_last_line(probe.output)}"
    for task in run.tasks:
        if task.state is State.ACCEPTED and not task.judged:
            yield f"{task.key} was accepted without evidence"
    for session in run.sessions:
        if not _same(session.usage, session.of_attempts):
            yield f"the usage of session {session.id} is not the sum of its attempts"
        if not session.closed:
            yield f"session {session.id} was not closed"
        if session.kind is not kind:
            yield f"session {session.id} is of kind {session.kind}, not {kind}"
    wanted = len(run.tasks) if kind is SessionKind.STANDALONE else 1
    if len(run.sessions) != wanted:
        yield f"{len(run.sessions)} sessions were made, not {wanted}"
    if run.judged and not run.usage.total_tokens:
        yield "no usage was recorded"


def _same(one: Usage, other: Usage) -> bool:
    """Tokens exactly; money up to the rounding of sums."""
    counts = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "turns")
    exact = all(getattr(one, name) == getattr(other, name) for name in counts)
    return exact and math.isclose(one.cost_usd, other.cost_usd, abs_tol=1e-9)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no output")


# --- what the scenario promises, whoever the models are ------------------------------------------


def _ends(run: ScenarioRun, promised: Expectation) -> Iterator[str]:
    if len(run.tasks) != len(promised.ends):
        yield f"{len(run.tasks)} of {len(promised.ends)} tasks were run"
    for task, end in zip(run.tasks, promised.ends, strict=False):
        if task.state is not end:
            why = f" ({task.reason})" if task.reason else ""
            yield f"{task.key} ended as {task.state}, not as {end}{why}"
    if promised.accepted is not None and run.accepted != promised.accepted:
        yield f"{run.accepted} tasks were accepted, not {promised.accepted}"


def _limits(run: ScenarioRun, promised: Expectation) -> Iterator[str]:
    if promised.max_attempts is not None and run.judged > promised.max_attempts:
        yield f"{run.judged} attempts, more than {promised.max_attempts}"
    if promised.max_seconds is not None and run.seconds > promised.max_seconds:
        yield f"{run.seconds:.0f} s, more than {promised.max_seconds:.0f}"
    mean = sum(task.seconds for task in run.tasks) / len(run.tasks) if run.tasks else 0.0
    if promised.average_seconds is not None and mean > promised.average_seconds:
        yield f"{mean:.1f} s a task on average, more than {promised.average_seconds:.0f}"


# --- what a script promises besides --------------------------------------------------------------


def _script_followed(run: ScenarioRun, promised: Expectation) -> Iterator[str]:
    if promised.attempts:
        yield from _differs("attempts", tuple(len(task.judged) for task in run.tasks), promised.attempts)
    if promised.quality:
        yield from _differs("quality", tuple(task.marks for task in run.tasks), promised.quality)
    if promised.files:
        yield from _differs("changed files", _files(run), tuple(sorted(promised.files)))
    yield from _missing("finding", promised.finding_kinds, lambda: _first_findings(run))
    yield from _missing("denied command", promised.denied, lambda: (x for a in run.attempts for x in a.denied))
    for words in promised.reasons:
        if not any(words in reason for attempt in run.attempts for reason in attempt.reasons):
            yield f"no gate gave the reason '{words}'"
    if promised.first_failure and not any(promised.first_failure in a.prompt for a in run.attempts[1:2]):
        yield f"the first feedback does not name {promised.first_failure}"
    most = max((attempt.judge_parts for attempt in run.attempts), default=0)
    if most < promised.judge_parts:
        yield f"the change was judged in {most} parts, not in {promised.judge_parts}"


def _differs(what: str, found: object, promised: object) -> Iterator[str]:
    if found != promised:
        yield f"{what}: {found}, not {promised}"


def _missing(what: str, promised: Sequence[str], found: Callable[[], Iterable[str]]) -> Iterator[str]:
    there = " ".join(found())
    yield from (f"{what} missing: {word}" for word in promised if word not in there)


def _files(run: ScenarioRun) -> tuple[str, ...]:
    """Files of the work that each accepted task ended with."""
    ended = (task.attempts[-1] for task in run.tasks if task.state is State.ACCEPTED and task.attempts)
    return tuple(sorted({name for attempt in ended for name in attempt.files}))


def _first_findings(run: ScenarioRun) -> Iterator[str]:
    yield from (kind for attempt in run.attempts[:1] for kind in attempt.finding_kinds)

"""Runs one scenario through the programming interface and collects what happened.

Plays the person where the scenario says what the person answers; approves
nothing: what is accepted was accepted by the policy.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from obra_tui.api import DecisionKind, Obra, SessionId, SessionKind, TaskId, TaskResult, Usage
from obra_tui.config.load import Settings
from obra_tui.core.errors import ObraError
from obra_tui.core.events import ProblemRaised
from obra_tui.core.ids import new_id
from obra_tui.core.lifecycle import State
from obra_tui.core.model import CheckStatus, PermissionVerdict
from obra_tui.core.records.history import AttemptDetail, SessionDetail
from obra_tui.evidence.copies import disk_faults, make_private
from obra_tui.rehearsal import Scenario, materialise
from obra_tui.services.models import Models, real_models
from obra_tui.services.probes import run_probes
from obra_tui.validation.outcome import AttemptRun, ProbeRun, ScenarioRun, ScenarioSession, TaskRun

Tell = Callable[[str], None]

_PINNED: Mapping[str, object] = {"gate.threshold": 0.7, "gate.max_attempts": 3}
"""What a script was written for; a rehearsal ends the same whatever the person's settings are."""


class Ground(Struct, frozen=True, kw_only=True):
    """Where the runs take place."""

    data_dir: Path
    """A data directory of the validation's own."""
    rehearsal: bool
    config: Mapping[str, object]

    @property
    def settings(self) -> Mapping[str, object]:
        """The person's own, but for what the results are compared under."""
        pinned = _PINNED if self.rehearsal else {}
        return {**self.config, **pinned, "gate.policy": "autonomous", "data_dir": self.data_dir}


class _Done(Struct, frozen=True, kw_only=True):
    """A task as `execute_task` and the answers of the person left it."""

    result: TaskResult
    seconds: float


def kind_of(scenario: Scenario) -> SessionKind:
    return SessionKind(scenario.sessions)


def run_scenario(scenario: Scenario, ground: Ground, tell: Tell) -> ScenarioRun:
    """Run it to its end. What goes wrong is part of the result."""
    begun = time.monotonic()
    run = ScenarioRun(name=scenario.name, title=scenario.title)
    try:
        with _opened(scenario, ground) as obra:
            run = _in(obra, scenario, ground, run, tell)
    except ObraError as error:
        run = replace(run, errors=(*run.errors, f"{type(error).__name__}: {error}"))
    return replace(run, seconds=time.monotonic() - begun)


@contextmanager
def _opened(scenario: Scenario, ground: Ground) -> Iterator[Obra]:
    with disk_faults(ground.data_dir):
        make_private(ground.data_dir)
    if ground.rehearsal:
        obra, _ = Obra.rehearse(str(scenario.folder), ground.settings)
    else:
        project = materialise(scenario, ground.data_dir / "projects" / f"{scenario.name}-{new_id('')}")
        obra = Obra.open(project, ground.settings, models=lambda settings: _checked(scenario, settings))
    with obra:
        yield obra


def _checked(scenario: Scenario, settings: Settings) -> Models:
    """The models of the settings, with the checks of the scenario."""
    checks = tuple(check.spec(sys.executable) for check in scenario.checks)
    return replace(real_models(settings), checks=checks)


def _in(obra: Obra, scenario: Scenario, ground: Ground, run: ScenarioRun, tell: Tell) -> ScenarioRun:
    tasks = obra.create_tasks(scenario.plan)
    session = None if scenario.sessions == "standalone" else obra.start_milestone_session(scenario.title)
    answers = list(scenario.answers)
    done: list[_Done] = []
    for task in tasks:
        done.append(_work_on(obra, task, session, answers))
        tell(f"  {_line(done[-1])}")
    if session is not None:
        obra.end_milestone_session(session, "The scenario is over.")
    details = [obra.session(key) for key in dict.fromkeys(item.result.session for item in done)]
    return replace(
        run,
        tasks=tuple(_task_run(obra, item) for item in done),
        sessions=tuple(map(_session_run, details)),
        probes=_probes(scenario, ground, obra.project, details),
        errors=tuple(problem for detail in details for problem in _problems(obra, detail.summary.id)),
    )


def _work_on(obra: Obra, task: TaskId, session: SessionId | None, answers: list[str]) -> _Done:
    """Execute a task and give the person's answers while there are some and gates wait for them."""
    begun = time.monotonic()
    result = obra.execute_task(task, session)
    while answers and result.gate is not None:
        chosen = obra.gate(result.gate).attempt
        findings = chosen.quality.findings if chosen.quality else ()
        result = obra.decide(result.gate, DecisionKind.CHANGES, answers.pop(0), chosen=findings)
    return _Done(result=result, seconds=time.monotonic() - begun)


def _line(done: _Done) -> str:
    result = done.result
    quality = result.quality.line if result.quality else "not judged"
    why = f": {result.reason}" if result.reason else ""
    return f"{result.state} after {result.attempts} attempts, {quality}, {done.seconds:.1f} s{why}"


def _task_run(obra: Obra, done: _Done) -> TaskRun:
    result = done.result
    detail = obra.session(result.session)
    row = next(item for item in detail.tasks if item.id == result.task)
    attempts = (obra.attempt(item.id) for item in detail.attempts if item.task == result.task)
    return TaskRun(
        key=row.key,
        title=row.title,
        state=row.state,
        reason=row.reason,
        attempts=tuple(map(_attempt_run, attempts)),
        seconds=done.seconds,
        session=result.session,
    )


def _attempt_run(detail: AttemptDetail) -> AttemptRun:
    summary, quality, verdict = detail.summary, detail.quality, detail.verdict
    denied = (item.title for item in detail.permissions if item.verdict is PermissionVerdict.DENY)
    claude = detail.conversations[-1] if detail.conversations else None
    return AttemptRun(
        number=summary.number,
        outcome=summary.outcome,
        quality=quality.line if quality else "",
        score=quality.overall if quality else None,
        passes=quality.passes_gate if quality else None,
        reasons=detail.outcome.reasons if detail.outcome else (),
        prompt="\n".join(prompt.text for prompt in detail.prompts),
        finding_kinds=tuple(finding.kind for finding in verdict.findings) if verdict else (),
        judge_parts=len(detail.judge_prompts),
        unjudged=verdict.unjudged if verdict else "",
        denied=tuple(denied),
        files=tuple(change.path for change in detail.diff.files) if detail.diff else (),
        seconds=summary.seconds,
        usage=summary.usage,
        claude_version=claude.version if claude else "",
        claude_model=summary.claude_model,
        judge_model=verdict.identity.model if verdict else "",
        judge_digest=verdict.identity.digest if verdict else "",
        rubric=verdict.identity.rubric if verdict else "",
        rubric_hash=verdict.identity.rubric_hash if verdict else "",
        sandbox=detail.checks[0].sandbox if detail.checks else None,
    )


def _session_run(detail: SessionDetail) -> ScenarioSession:
    return ScenarioSession(
        id=detail.summary.id,
        kind=detail.summary.kind,
        closed=detail.summary.closed_at is not None,
        usage=detail.summary.usage,
        of_attempts=sum((attempt.usage for attempt in detail.attempts), Usage()),
    )


def _problems(obra: Obra, session: SessionId) -> Iterator[str]:
    for record in obra.events(session):
        if isinstance(record.event, ProblemRaised):
            yield f"{record.event.code}: {record.event.text}"


def _probes(
    scenario: Scenario, ground: Ground, project: Path, sessions: Sequence[SessionDetail]
) -> tuple[ProbeRun, ...]:
    """Look at the branch of every session in which something was accepted."""
    branches = [one.branch for one in sessions if any(task.state is State.ACCEPTED for task in one.tasks)]
    if not scenario.probes or not branches:
        return ()
    specs = [probe.spec(sys.executable) for probe in scenario.probes]
    beside = scenario.folder / "probes"
    results = (run_probes(ground.data_dir, project, branch, specs, beside) for branch in branches)
    return tuple(
        ProbeRun(name=one.spec.name, passed=one.status is CheckStatus.PASSED, output=one.output or one.detail)
        for found in results
        for one in found
    )

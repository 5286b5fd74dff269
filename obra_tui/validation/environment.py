"""What the results depend on: versions, models, rubric, sandbox. No path and no name of a machine."""

import platform
from collections.abc import Callable, Iterable, Sequence

from obra_tui.services.doctor import versions
from obra_tui.validation.outcome import AttemptRun, RunEnvironment, ScenarioRun


def environment_of(runs: Sequence[ScenarioRun]) -> RunEnvironment:
    """Take the versions from this machine, and everything else from what the runs recorded."""
    attempts = [attempt for run in runs for attempt in run.attempts]
    return RunEnvironment(
        versions=versions(),
        system=f"{platform.system()} {platform.machine()}",
        claude_versions=_all(attempts, lambda a: a.claude_version),
        claude_models=_all(attempts, lambda a: a.claude_model),
        judge_models=_all(attempts, lambda a: f"{a.judge_model} @{a.judge_digest[:12]}" if a.judge_model else ""),
        rubrics=_all(attempts, lambda a: f"{a.rubric} #{a.rubric_hash[:12]}" if a.rubric else ""),
        sandboxes=_all(attempts, lambda a: a.sandbox.value if a.sandbox else ""),
    )


def _all(attempts: Iterable[AttemptRun], look: Callable[[AttemptRun], str]) -> tuple[str, ...]:
    return tuple(sorted({found for attempt in attempts if (found := look(attempt))}))

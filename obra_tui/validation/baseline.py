"""Earlier results to compare with: a scenario may get better, but not worse unnoticed."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from obra_tui.core.errors import ConfigError
from obra_tui.validation.outcome import ScenarioRun

_LOWER = 0.05
"""How much a score may fall: a rubric's wording may move it a little."""
_SLOWER = 10.0
_PATIENCE_S = 60.0
"""A limit on time is generous: machines differ, and what hangs is far beyond it."""


class Baseline(Struct, frozen=True, kw_only=True):
    """How one scenario ended before. Lists are in the order of the plan."""

    ends: tuple[str, ...]
    attempts: tuple[int, ...]
    quality: tuple[tuple[str, ...], ...]
    scores: tuple[float | None, ...]
    """Of the last judged attempt of each task."""
    seconds: float

    @property
    def limit_s(self) -> float:
        return _PATIENCE_S + _SLOWER * self.seconds


def baseline_of(run: ScenarioRun) -> Baseline:
    return Baseline(
        ends=tuple(task.state.value for task in run.tasks),
        attempts=tuple(len(task.judged) for task in run.tasks),
        quality=tuple(task.marks for task in run.tasks),
        scores=_scores(run),
        seconds=round(run.seconds, 1),
    )


def _scores(run: ScenarioRun) -> tuple[float | None, ...]:
    last = (task.judged[-1].score if task.judged else None for task in run.tasks)
    return tuple(None if score is None else round(score, 4) for score in last)


def regressions(run: ScenarioRun, baseline: Baseline | None) -> tuple[str, ...]:
    """Return what is worse than it was; nothing without a baseline."""
    if baseline is None:
        return ()
    now = baseline_of(run)
    found: list[str] = []
    for what, is_now, was in (("ends", now.ends, baseline.ends), ("quality", now.quality, baseline.quality)):
        if is_now != was:
            found.append(f"regression: {what} {_words(is_now)}, in the baseline {_words(was)}")
    if sum(now.attempts) > sum(baseline.attempts):
        found.append(f"regression: {sum(now.attempts)} attempts, in the baseline {sum(baseline.attempts)}")
    for place, (score, before) in enumerate(zip(now.scores, baseline.scores, strict=False), 1):
        if before is not None and (score is None or score < before - _LOWER):
            found.append(f"regression: task {place} scored {score}, in the baseline {before}")
    if run.seconds > baseline.limit_s:
        found.append(f"regression: {run.seconds:.0f} s; with {baseline.seconds:.0f} s before, {baseline.limit_s:.0f} s")
    return tuple(found)


def _words(values: Sequence[object]) -> str:
    return ", ".join(" ".join(value) if isinstance(value, tuple) else str(value) for value in values)


def packaged() -> Mapping[str, Baseline]:
    """Return the baseline of rehearsals that comes with Obra."""
    return parse(files("obra_tui.validation").joinpath("baseline.json").read_text(encoding="utf-8"), "baseline.json")


def load(path: Path) -> Mapping[str, Baseline]:
    """Read a baseline of one's own. Raises `ConfigError`."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(
            f"The baseline cannot be read: {error.strerror}.", where=str(path), fix="Make one with --save-baseline."
        ) from error


def parse(text: str, where: str) -> Mapping[str, Baseline]:
    try:
        return {name: _baseline(table) for name, table in json.loads(text).items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"This is no baseline: {error}", where=where, fix="Make one with --save-baseline.") from error


def _baseline(table: Mapping[str, list[object]]) -> Baseline:
    lists = {name: tuple(tuple(x) if isinstance(x, list) else x for x in table[name]) for name in _LISTS}
    return Baseline(**lists, seconds=float(table["seconds"]))  # type: ignore[arg-type]


_LISTS = ("ends", "attempts", "quality", "scores")


def render(runs: Sequence[ScenarioRun]) -> str:
    """Return the baseline that these runs make; the slowest run of a scenario counts."""
    slowest = {run.name: run for run in sorted(runs, key=lambda run: run.seconds)}
    table = {name: asdict(baseline_of(run)) for name, run in sorted(slowest.items())}
    return json.dumps(table, indent=1) + "\n"

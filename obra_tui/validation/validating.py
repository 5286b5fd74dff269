"""A whole validation: choose the scenarios, run them, judge them, write the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from obra_tui.core.errors import ConfigError
from obra_tui.rehearsal import Scenario, ScenarioError, list_scenarios, load_scenario
from obra_tui.validation import baseline as baselines
from obra_tui.validation.environment import environment_of
from obra_tui.validation.expectations import expectation_of, is_acceptance
from obra_tui.validation.judging import Judged, conclude, judge
from obra_tui.validation.outcome import ValidationRequest
from obra_tui.validation.report import ValidationReport, as_json, markdown
from obra_tui.validation.running import Ground, kind_of, run_scenario

_FIRST = ("stress", "calculator", "csv")


class ValidationOptions(Struct, frozen=True, kw_only=True):
    """What a person asked for."""

    rehearsal: bool
    only: tuple[str, ...] = ()
    """Names of packaged scenarios, or folders."""
    repeat: int = 1
    baseline: Path | None = None


class Listener(Struct, frozen=True, kw_only=True):
    """Who hears what happens meanwhile."""

    began: Callable[[Scenario, int], None]
    said: Callable[[str], None]
    judged: Callable[[Judged], None]


def choose(wanted: ValidationOptions) -> tuple[Scenario, ...]:
    """Return the scenarios in the order in which they run. Raises `ScenarioError`."""
    if wanted.only:
        chosen = tuple(load_scenario(name) for name in wanted.only)
        for scenario in chosen:
            _refuse_unfit(scenario, rehearsal=wanted.rehearsal)
        return chosen
    fit = [one for one in list_scenarios(hidden=True) if is_acceptance(one) and (wanted.rehearsal or not one.scripted)]
    return tuple(sorted(fit, key=lambda one: (_FIRST.index(one.name) if one.name in _FIRST else 9, one.name)))


def _refuse_unfit(scenario: Scenario, *, rehearsal: bool) -> None:
    expectation_of(scenario)
    if scenario.scripted and not rehearsal:
        raise ScenarioError(
            f"The scenario {scenario.name!r} needs its script: a real model cannot be told to do that.",
            fix="Add --rehearsal, or leave it out.",
        )


def validate(wanted: ValidationOptions, ground: Ground, listener: Listener) -> ValidationReport:
    """Run what is wanted. Raises `ScenarioError` or `ConfigError` before anything is run."""
    scenarios = choose(wanted)
    known = _baseline(wanted)
    promises = {scenario.name: expectation_of(scenario) for scenario in scenarios}
    results: list[Judged] = []
    for time in range(1, wanted.repeat + 1):
        for scenario in scenarios:
            listener.began(scenario, time)
            run = run_scenario(scenario, ground, listener.said)
            before = known.get(scenario.name)
            promised = promises[scenario.name]
            results.append(judge(run, promised, kind_of(scenario), before, scripted=wanted.rehearsal))
            listener.judged(results[-1])
    return _report(wanted, results, compared=any(scenario.name in known for scenario in scenarios))


def _baseline(wanted: ValidationOptions) -> Mapping[str, baselines.Baseline]:
    if wanted.baseline is not None:
        return baselines.load(wanted.baseline)
    return baselines.packaged() if wanted.rehearsal else {}


def _report(wanted: ValidationOptions, results: Sequence[Judged], *, compared: bool) -> ValidationReport:
    request = ValidationRequest(rehearsal=wanted.rehearsal, partial=bool(wanted.only), repeat=wanted.repeat)
    return ValidationReport(
        at=datetime.now().astimezone().isoformat(" ", "seconds"),
        request=request,
        environment=environment_of([result.run for result in results]),
        results=tuple(results),
        conclusion=conclude(results, request),
        compared=compared,
    )


def write(report: ValidationReport, folder: Path) -> tuple[Path, Path]:
    """Write Markdown and JSON side by side; an earlier report is never overwritten. Raises `ConfigError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        name = _free_name(folder, f"validation-{report.at[:10]}")
        paths = folder / f"{name}.md", folder / f"{name}.json"
        for path, text in zip(paths, (markdown(report), as_json(report)), strict=True):
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The report cannot be written: {error.strerror}.", where=str(folder), fix="Name a folder with --output."
        ) from error
    return paths


def _free_name(folder: Path, name: str) -> str:
    number, free = 1, name
    while (folder / f"{free}.md").exists() or (folder / f"{free}.json").exists():
        number += 1
        free = f"{name}-{number}"
    return free

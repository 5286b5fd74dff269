"""The report of a validation, for people and for programs. Pure; prints no path and no name of a machine."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from obra_tui.core.model import Usage
from obra_tui.validation.judging import Judged, ScenarioVerdict
from obra_tui.validation.outcome import RunEnvironment, TaskRun, ValidationRequest


class ValidationReport(Struct, frozen=True, kw_only=True):
    at: str
    """Date and time, ISO."""
    request: ValidationRequest
    environment: RunEnvironment
    results: tuple[Judged, ...]
    conclusion: ScenarioVerdict
    compared: bool
    """There was a baseline."""

    @property
    def usage(self) -> Usage:
        return sum((result.run.usage for result in self.results), Usage())


def limitations(report: ValidationReport) -> tuple[str, ...]:
    """Return what the results do not show."""
    found = [
        "Costs are estimates from Claude Code's own price table.",
        "The scenarios are small repositories in Python; nothing here speaks of other languages or of large projects.",
    ]
    if report.request.rehearsal:
        found.append(
            "Both models were scripted: this proves the supervision (copies, diffs, checks, gate, decisions, storage), "
            "not how well a real model works or judges. Tokens are those that the scripted servers counted."
        )
    if set(report.environment.sandboxes) - {"bwrap"}:
        levels = ", ".join(report.environment.sandboxes)
        found.append(f"Checks ran at sandbox level {levels}: only bubblewrap (bwrap) keeps them off the file system.")
    if not report.compared:
        found.append("There was no baseline to compare with: a slow decline would not be noticed.")
    if report.request.repeat == 1:
        found.append("Each scenario was run once; `--repeat` shows how much results vary.")
    return tuple(found)


# --- for people ----------------------------------------------------------------------------------


def markdown(report: ValidationReport) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: ValidationReport) -> Iterator[str]:
    yield f"# Validation of {report.at}"
    yield ""
    yield f"**Production-ready: {report.conclusion.readiness}**"
    yield ""
    yield from (f"* {_text(reason)}" for reason in report.conclusion.reasons)
    yield ""
    yield from _environment(report)
    yield "## Results"
    yield ""
    yield from _table(report.results)
    yield "## Scenarios"
    yield ""
    for result in report.results:
        yield from _scenario(result)
    yield "## Known limitations"
    yield ""
    yield from (f"* {text}" for text in limitations(report))


def _environment(report: ValidationReport) -> Iterator[str]:
    environment = report.environment
    mode = "rehearsal: both models scripted, everything else real" if report.request.rehearsal else "real models"
    rows = [
        ("mode", mode + (f", each scenario {report.request.repeat} times" if report.request.repeat > 1 else "")),
        ("Claude Code", ", ".join(environment.claude_versions)),
        ("Claude's model" + (" (asked for)" if report.request.rehearsal else ""), ", ".join(environment.claude_models)),
        ("judge", ", ".join(environment.judge_models)),
        ("rubric", ", ".join(environment.rubrics)),
        ("sandbox of the checks", ", ".join(environment.sandboxes)),
        *environment.versions,
        ("system", environment.system),
        ("compared with a baseline", "yes" if report.compared else "no"),
    ]
    yield "## Environment"
    yield ""
    yield "| what | which |"
    yield "|---|---|"
    yield from (f"| {name} | {_text(value) or '–'} |" for name, value in rows)
    yield ""


def _table(results: Sequence[Judged]) -> Iterator[str]:
    yield "| scenario | result | accepted | attempts | time | tokens | cost (estimate) |"
    yield "|---|---|---|---|---|---|---|"
    for result in results:
        run = result.run
        word = "✓ passed" if result.passed else "✗ failed"
        yield (
            f"| {run.name} | {word} | {run.accepted} of {len(run.tasks)} | {run.judged} | {run.seconds:.1f} s | "
            f"{run.usage.total_tokens} | ${run.usage.cost_usd:.2f} |"
        )
    yield ""


def _scenario(result: Judged) -> Iterator[str]:
    run = result.run
    yield f"### {run.name}: {_text(run.title)}"
    yield ""
    yield "| task | ended as | quality | attempts | time | tokens | cost (estimate) |"
    yield "|---|---|---|---|---|---|---|"
    yield from (_task(task) for task in run.tasks)
    yield ""
    notes = [
        *(f"probe “{probe.name}”: {'passed' if probe.passed else 'failed'}" for probe in run.probes),
        *(f"**wrong:** {text}" for text in (*result.problems, *result.regressions)),
    ]
    yield f"* sessions: {len(run.sessions)} {'/'.join(sorted({one.kind.value for one in run.sessions}))}, " + (
        "all closed" if all(one.closed for one in run.sessions) else "not all closed"
    )
    yield f"* errors: {len(run.errors)}"
    if len(run.tasks) > 1:
        yield f"* on average {sum(task.seconds for task in run.tasks) / len(run.tasks):.1f} s a task"
    yield from (f"* {_text(note)}" for note in notes)
    yield ""


def _task(task: TaskRun) -> str:
    earlier = [attempt.quality for attempt in task.judged]
    usage = task.usage
    cells = (
        f"{task.key} {task.title}",
        task.state.value,
        " → ".join(earlier) or "not judged",
        str(len(task.judged)),
        f"{task.seconds:.1f} s",
        str(usage.total_tokens),
        f"${usage.cost_usd:.2f}",
    )
    return "| " + " | ".join(map(_text, cells)) + " |"


def _text(value: str) -> str:
    """Make a value safe inside a line of a table."""
    return " ".join(value.split()).replace("|", "\\|")


# --- for programs --------------------------------------------------------------------------------


def as_json(report: ValidationReport) -> str:
    return json.dumps(plain(report), indent=1, ensure_ascii=False) + "\n"


def plain(report: ValidationReport) -> Mapping[str, Any]:
    environment = report.environment
    return {
        "at": report.at,
        "production_ready": report.conclusion.readiness.value,
        "reasons": list(report.conclusion.reasons),
        "rehearsal": report.request.rehearsal,
        "partial": report.request.partial,
        "repeat": report.request.repeat,
        "compared_with_baseline": report.compared,
        "environment": {
            "system": environment.system,
            "versions": dict(environment.versions),
            "claude_code": list(environment.claude_versions),
            "claude_models": list(environment.claude_models),
            "judge": list(environment.judge_models),
            "rubric": list(environment.rubrics),
            "sandbox": list(environment.sandboxes),
        },
        "scenarios": [plain_result(result) for result in report.results],
        "usage": _usage(report.usage),
        "known_limitations": list(limitations(report)),
    }


def plain_result(result: Judged) -> dict[str, Any]:
    run = result.run
    return {
        "scenario": run.name,
        "passed": result.passed,
        "accepted": run.accepted,
        "tasks": [_plain_task(task) for task in run.tasks],
        "attempts": run.judged,
        "seconds": round(run.seconds, 1),
        "usage": _usage(run.usage),
        "sessions": [{"id": one.id, "kind": one.kind.value, "closed": one.closed} for one in run.sessions],
        "probes": [{"name": probe.name, "passed": probe.passed} for probe in run.probes],
        "errors": list(run.errors),
        "problems": list(result.problems),
        "regressions": list(result.regressions),
    }


def _plain_task(task: TaskRun) -> dict[str, Any]:
    return {
        "key": task.key,
        "title": task.title,
        "state": task.state.value,
        "quality": [attempt.quality for attempt in task.judged],
        "score": task.judged[-1].score if task.judged else None,
        "attempts": len(task.judged),
        "seconds": round(task.seconds, 1),
        "usage": _usage(task.usage),
    }


def _usage(usage: Usage) -> dict[str, float]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "turns": usage.turns,
        "cost_usd": round(usage.cost_usd, 6),
    }

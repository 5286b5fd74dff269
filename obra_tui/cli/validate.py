"""`obra validate`: the acceptance scenarios, and whether this may be released."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from obra_tui.cli.options import Flags, JsonOption, JudgeModelOption, ModelOption
from obra_tui.core.errors import ImplementerError, JudgeError
from obra_tui.headless.follow import EXIT_LOGIN

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.rehearsal import Scenario
    from obra_tui.validation.judging import Judged
    from obra_tui.validation.validating import Listener, ValidationOptions


def register(app: typer.Typer) -> None:
    app.command()(validate)


def validate(
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Scripted models: needs no login, no network.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="One scenario, by name or folder; repeatable.")
    ] = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Run each scenario so many times.")] = 1,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report.")] = Path("docs/reports"),
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Earlier results to compare with.")] = None,
    save_baseline: Annotated[
        Path | None, typer.Option("--save-baseline", help="Write these results as a baseline.")
    ] = None,
    model: ModelOption = None,
    judge_model: JudgeModelOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run the acceptance scenarios end to end and say whether this is ready for production."""
    from obra_tui.validation.validating import ValidationOptions

    wanted = ValidationOptions(rehearsal=rehearsal, only=tuple(only or ()), repeat=repeat, baseline=baseline)
    flags = Flags(model=model, judge_model=judge_model).settings()
    return run_validation(wanted, Where(output=output, save_baseline=save_baseline), flags, as_json=as_json)


class LoginMissing(ImplementerError):
    exit_code = EXIT_LOGIN


class Where(Struct, frozen=True, kw_only=True):
    """Where the report goes, and the baseline if one is to be made."""

    output: Path
    save_baseline: Path | None = None


def run_validation(wanted: ValidationOptions, where: Where, flags: Mapping[str, object], *, as_json: bool) -> int:
    """Run, print, write; returns the exit code of the verdict."""
    from obra_tui.config.load import load
    from obra_tui.validation import baseline
    from obra_tui.validation.report import plain
    from obra_tui.validation.running import Ground
    from obra_tui.validation.validating import choose, validate, write

    choose(wanted)
    settings = load(None, flags)
    if not wanted.rehearsal:
        _refuse_without_models(settings)
    ground = Ground(data_dir=settings.data_dir / "validation", rehearsal=wanted.rehearsal, config=flags)
    report = validate(wanted, ground, _json_listener() if as_json else _line_listener())
    written = write(report, where.output)
    if where.save_baseline is not None:
        where.save_baseline.write_text(baseline.render([one.run for one in report.results]), encoding="utf-8")
    if as_json:
        print_json({"type": "validation", **plain(report), "report": [str(path) for path in written]})
    else:
        typer.echo(f"\nProduction-ready: {report.conclusion.readiness}")
        for reason in report.conclusion.reasons:
            typer.echo(f"  {reason}")
        typer.echo(f"report: {written[0]}")
    return report.conclusion.exit_code


def _refuse_without_models(settings: Settings) -> None:
    """Say what is missing before the first scenario, not after the last."""
    from obra_tui.agents.probe import probe as look_at_claude
    from obra_tui.judge import probe as look_at_judge
    from obra_tui.services.models import claude_config, judge_config

    rehearse = "`obra validate --rehearsal` needs neither."
    found = look_at_claude(claude_config(settings))
    if not found.version or found.logged_in is False:
        what, fix = found.problems[0] if found.problems else ("Claude Code is not logged in.", "Run `obra doctor`.")
        raise LoginMissing(what, fix=f"{fix} {rehearse}")
    health = asyncio.run(look_at_judge(judge_config(settings)))
    if not health.ready:
        raise JudgeError(health.what, where=health.url, fix=f"{health.fix} {rehearse}")


def _line_listener() -> Listener:
    from obra_tui.validation.validating import Listener

    return Listener(began=_began, said=_say, judged=_judged)


def _began(scenario: Scenario, time: int) -> None:
    _say(f"{scenario.name}{f' (run {time})' if time > 1 else ''}: {scenario.title}")


def _judged(result: Judged) -> None:
    run = result.run
    word = "✓ passed" if result.passed else "✗ failed"
    _say(f"  {word} · {run.accepted} of {len(run.tasks)} accepted · {run.judged} attempts · {run.seconds:.1f} s")
    for text in (*result.problems, *result.regressions):
        _say(f"    {text}")


def _say(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()


def _json_listener() -> Listener:
    from obra_tui.validation.report import plain_result
    from obra_tui.validation.validating import Listener

    return Listener(
        began=lambda scenario, time: print_json({"type": "scenario_started", "scenario": scenario.name, "run": time}),
        said=lambda text: None,
        judged=lambda result: print_json({"type": "scenario", **plain_result(result)}),
    )


def print_json(value: Mapping[str, object]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
    sys.stdout.flush()

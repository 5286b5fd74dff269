"""`obra demo`: the whole product on a fresh machine, offline."""

import json
import shutil
import sys
import textwrap
from typing import Annotated

import typer
from msgspec.structs import replace

from obra_tui.cli.fast_start import wants_screen
from obra_tui.cli.options import EventsOption, Flags, HeadlessOption, JobsOption, PolicyOption
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.model import Policy

_NAME = 14


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    scenario: Annotated[str, typer.Argument(help="Name of the rehearsal; `obra demo list` names them.")] = "calculator",
    policy: PolicyOption = None,
    pace: Annotated[float, typer.Option("--pace", min=0.0, max=10.0, help="0 = as fast as possible.")] = 1.0,
    jobs: JobsOption = 1,
    headless: HeadlessOption = False,
    as_json: EventsOption = False,
) -> int:
    """Rehearse: scripted models on loopback, everything else real. Needs no login, no model, no network."""
    if scenario == "list":
        refuse_unused("`demo list`", policy=policy, pace=pace != 1.0, jobs=jobs != 1, headless=headless)
        return list_demos(as_json=as_json)
    flags = Flags(policy=policy)
    if wants_screen(headless=headless, as_json=as_json):
        from obra_tui.bootstrap.app import open_demo_app

        return open_demo_app(scenario, flags.settings(), pace=pace, jobs=jobs)
    return _run_headless(scenario, flags, pace=pace, jobs=jobs, as_json=as_json)


def list_demos(*, as_json: bool) -> int:
    from obra_tui.rehearsal import list_scenarios

    for scenario in list_scenarios():
        if as_json:
            typer.echo(json.dumps({"name": scenario.name, "title": scenario.title, "text": scenario.description}))
        else:
            typer.echo(_row(scenario.name, f"{scenario.title}: {' '.join(scenario.description.split())}"))
    return 0


def _row(name: str, text: str) -> str:
    """One line for a program that reads it; for a person, as wide as the terminal and never through a word."""
    if not sys.stdout.isatty():
        return f"{name:<{_NAME}} {text}"
    width = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(text, width, initial_indent=f"{name:<{_NAME}} ", subsequent_indent=" " * (_NAME + 1))


def _run_headless(scenario: str, flags: Flags, *, pace: float, jobs: int, as_json: bool) -> int:
    """Without a screen nobody can approve, so the gate decides itself (policy autonomous)."""
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.bootstrap.rehearsal import open_rehearsal
    from obra_tui.cli.run import run_to_end
    from obra_tui.config.load import load

    unattended = {**flags.settings(), "gate.policy": (flags.policy or Policy.AUTONOMOUS).value}
    settings = load(None, unattended)
    rehearsal = open_rehearsal(scenario, settings, pace=pace)
    try:
        if not as_json:
            typer.echo(f"repository of this rehearsal: {rehearsal.project}")
            sys.stdout.flush()
        request = replace(rehearsal.request, jobs=jobs)
        return run_to_end(EngineHandle(settings, request, lambda: rehearsal.models), as_json=as_json)
    finally:
        rehearsal.close()

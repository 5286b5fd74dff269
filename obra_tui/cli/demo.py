"""`obra demo`: the whole product on a fresh machine, offline."""

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec.structs import replace

from obra_tui.cli.fast_start import wants_screen
from obra_tui.cli.options import EventsOption, Flags, HeadlessOption, JobsOption, PolicyOption
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.model import Policy

_NAME = 14
_JUDGE = "judge"
"""No scenario: nothing is implemented in it."""


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
    if scenario == _JUDGE:
        refuse_unused("`demo judge`", policy=policy, jobs=jobs != 1)
        return _judge_month(pace=pace, headless=headless, as_json=as_json)
    flags = Flags(policy=policy)
    if wants_screen(headless=headless, as_json=as_json):
        from obra_tui.bootstrap.app import open_demo_app

        return open_demo_app(scenario, flags.settings(), pace=pace, jobs=jobs)
    return _run_headless(scenario, flags, pace=pace, jobs=jobs, as_json=as_json)


def list_demos(*, as_json: bool) -> int:
    from obra_tui.rehearsal import list_scenarios

    told = "Two judges for a month: one earns the right to pass work alone, a blind one loses it. Ten minutes."
    typer.echo(json.dumps({"name": _JUDGE, "title": told, "text": told}) if as_json else _row(_JUDGE, told))
    for scenario in list_scenarios():
        if as_json:
            typer.echo(json.dumps({"name": scenario.name, "title": scenario.title, "text": scenario.description}))
        else:
            typer.echo(_row(scenario.name, f"{scenario.title}: {' '.join(scenario.description.split())}"))
    return 0


def _judge_month(*, pace: float, headless: bool, as_json: bool) -> int:
    settings_of = {"gate.trust": "record", "gate.policy": Policy.AUTONOMOUS.value}
    if wants_screen(headless=headless, as_json=as_json):
        from obra_tui.bootstrap.app import open_judge_demo

        return open_judge_demo(settings_of, pace=pace)
    from obra_tui.bootstrap.judge_demo import Month, make_project, month_handle
    from obra_tui.config.load import load
    from obra_tui.core.events import Record, StandingChanged
    from obra_tui.core.judging.authority import change_words, lines
    from obra_tui.store.codec import record_to_json

    settings = load(None, settings_of)
    handle = month_handle(settings, make_project(settings.data_dir))
    handle.start()
    try:
        changes: list[str] = []

        def hear(records: Sequence[Record]) -> None:
            for record in records:
                if isinstance(told := record.event, StandingChanged):
                    words = change_words(told.model, told.before, told.after, told.why)
                    changes.append(record_to_json(record) if as_json else words)

        handle.engine.subscribe(hear)

        def tell(day: int) -> None:
            for text in changes:
                typer.echo(text if as_json else f"day {day:>2}: {text}")
            changes.clear()

        month = Month(handle, pace=pace, on_day=tell)
        month.start()
        month.wait()
        if month.problem is not None:
            raise month.problem
        found = handle.parts.history.judge_records(str(handle.project), rehearsal=True)
        if not as_json:
            typer.echo("\n" + "\n\n".join("\n".join(lines(item)) for item in found))
    finally:
        handle.stop()
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

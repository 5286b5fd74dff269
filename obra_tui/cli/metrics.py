"""`obra metrics`: figures with what they rest on, and the SQL that makes each."""

import time
from typing import Annotated

import typer

from obra_tui.cli.options import JsonOption
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.errors import ConfigError
from obra_tui.core.records.export import json_line
from obra_tui.core.records.metrics import (
    BY,
    DEFINITIONS,
    FOREVER,
    MetricsGroup,
    MetricsReport,
    Scope,
    as_csv,
    basis,
    rows_line,
    shown,
)
from obra_tui.core.records.search import moment
from obra_tui.core.text import one_line


def register(app: typer.Typer) -> None:
    app.command()(metrics)


def metrics(
    since: Annotated[str, typer.Option("--since", help="7d, today or 2026-03-09.")] = "",
    until: Annotated[str, typer.Option("--until", help="The same.")] = "",
    project: Annotated[str, typer.Option("--project", help="Absolute path of one project.")] = "",
    model: Annotated[str, typer.Option("--model", help="Part of a model's name.")] = "",
    by: Annotated[str, typer.Option("--by", help="day, week, project, model, judge, rubric or policy.")] = "",
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="Count rehearsals too.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="With what each means and the SQL that makes it.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As a table for spreadsheets.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Print figures: pass rate, cost per accepted task, the judge against you, each with what it rests on."""
    if csv:
        refuse_unused("--csv", sql=sql, json=as_json)
    scope = scope_of(since=since, until=until, project=project, model=model, by=by, rehearsal=rehearsal)
    return _show(scope, sql=sql, csv=csv, as_json=as_json)


def scope_of(*, since: str, until: str, project: str, model: str, by: str, rehearsal: bool) -> Scope:
    """Return the window that the options name. Raises `ConfigError`."""
    if by not in BY:
        known = ", ".join(filter(None, BY))
        raise ConfigError(f"There is no grouping '{by}'.", where="--by", fix=f"Say one of {known}.")
    now = time.time()
    bounds = {"--since": moment(since, now) if since else 0.0, "--until": moment(until, now) if until else FOREVER}
    for option, at in bounds.items():
        if at is None:
            raise ConfigError("This is no time.", where=option, fix="Write 7d, today, or 2026-03-09.")
    return Scope(
        since=bounds["--since"] or 0.0,
        until=bounds["--until"] or FOREVER,
        project=project,
        model=model,
        rehearsal=rehearsal,
        by=by,
    )


def _show(scope: Scope, *, sql: bool, csv: bool, as_json: bool) -> int:
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history

    with open_history(load()) as history:
        measured = history.measure(scope)
    if csv:
        typer.echo(as_csv(measured), nl=False)
    elif as_json:
        for group in measured.groups:
            for figure in group.figures:
                line = {"type": "figure", "group": group.name, "name": figure.name, "value": figure.value}
                span = [figure.interval.low, figure.interval.high] if figure.interval else None
                rest = {"unit": figure.unit, "of": figure.of, "hits": figure.hits, "interval": span}
                typer.echo(
                    json_line(
                        {**line, **rest, "rows": rows_line(scope, group.name, figure), "sql": measured.sql[figure.name]}
                    )
                )
    else:
        for group in measured.groups:
            _print(measured, group, sql=sql)
    return 0


def _print(measured: MetricsReport, group: MetricsGroup, *, sql: bool) -> None:
    if group.name:
        typer.echo(f"\n{one_line(group.name)}")
    for definition in DEFINITIONS:
        figure = group[definition.name]
        typer.echo(f"{definition.title:<30} {shown(figure):>10}   {basis(figure)}")
        if sql:
            typer.echo(f"    {definition.text}")
            typer.echo(f"    rows: obra search '{rows_line(measured.scope, group.name, figure)}'")
            typer.echo(f"{measured.sql[definition.name]};\n")

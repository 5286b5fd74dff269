"""The commands, as a person sees them in `obra --help`: each file of this room adds its own."""

from typing import Annotated

import typer

from obra_tui import __version__
from obra_tui.cli import (
    compare,
    config,
    demo,
    export,
    fleet,
    gate,
    history,
    info,
    judge,
    judge_trials,
    metrics,
    notify,
    permissions,
    pr,
    replay,
    review,
    run,
    steer,
    tasks,
    validate,
    web,
)
from obra_tui.cli.fast_start import wants_screen
from obra_tui.cli.options import HERE, ProjectOption
from obra_tui.cli.parser import Commands
from obra_tui.core.errors import ConfigError

app = Commands(
    help="Supervise Claude Code: it works in a copy, Obra looks at the work, you decide.",
    no_args_is_help=False,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"obra {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    project: ProjectOption = HERE,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> int:
    """Open the app on a project."""
    if context.invoked_subcommand is not None:
        return 0  # the parser has handed the project on
    if not wants_screen(headless=False, as_json=False):
        raise ConfigError("The app needs a terminal.", fix="Use `obra run --headless`, `obra review` or `obra --help`.")
    from obra_tui.bootstrap.app import open_app
    from obra_tui.bootstrap.run_request import RunRequest

    return open_app(RunRequest(project=project))


for subject in (
    run, demo, review, validate, info, history, compare, replay, metrics, judge, judge_trials, export,
    permissions, steer, config, tasks, notify, gate, web, pr, fleet,
):  # fmt: skip
    subject.register(app)

"""`obra coordinator`, `obra worker`, `obra fleet`: work on several hosts."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from obra_tui.cli.options import (
    HERE,
    EventsOption,
    Flags,
    JobsOption,
    JsonOption,
    ModelOption,
    PolicyOption,
    ProjectOption,
)
from obra_tui.cli.parser import Commands

if TYPE_CHECKING:
    from obra_tui.config.load import Settings

fleet_app = Commands(help="Workers on other hosts.")


def register(app: typer.Typer) -> None:
    app.command()(coordinator)
    app.command()(worker)
    app.add_typer(fleet_app, name="fleet")


@fleet_app.callback()
def fleet() -> None:
    """What the coordinator and its workers are doing."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)


def coordinator(
    plan: Annotated[Path | None, typer.Argument(help="Plan file to begin with; without it, wait for work.")] = None,
    project: ProjectOption = HERE,
    policy: PolicyOption = None,
    model: ModelOption = None,
    jobs: JobsOption = 8,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with all open sessions of the project.")] = False,
    unattended: Annotated[
        bool, typer.Option("--unattended", help="Nobody answers questions of Claude Code: they are denied.")
    ] = False,
) -> int:
    """Hand the work of one project out to workers, and stay until ended; needs PostgreSQL (database.url)."""
    from obra_tui.bootstrap.coordinator import run_coordinator
    from obra_tui.bootstrap.run_request import RunRequest
    from obra_tui.config.load import load
    from obra_tui.services.plans import read_plan
    from obra_tui.services.project import project_root

    root = project_root(project)
    settings = load(root, {**Flags(policy=policy, model=model).settings(), "fleet.enabled": True})
    read = read_plan(plan) if plan is not None else None
    request = RunRequest(project=root, plan=read, jobs=jobs, attended=not unattended)
    return run_coordinator(settings, request, sys.stdout, resume=resume)


def worker(
    name: Annotated[str, typer.Option("--name", help="Name among the workers; by itself that of the host.")] = "",
    labels: Annotated[str, typer.Option("--labels", help="What it offers, such as linux,gpu (fleet.labels).")] = "",
    places: Annotated[int, typer.Option("--places", min=1, max=64, help="Jobs at the same time.")] = 1,
    kinds: Annotated[str, typer.Option("--kinds", help="What it does.")] = "implement,check,judge",
) -> int:
    """Work for a coordinator; end it with Ctrl-C, which lets it finish what it has begun."""
    from obra_tui.bootstrap.fleet import WorkerRequest, run_worker
    from obra_tui.config.load import load

    request = WorkerRequest(name=name, labels=_words(labels), places=places, kinds=_words(kinds))
    run_worker(load(), request, lambda line: print(line, flush=True))  # noqa: T201
    return 0


@fleet_app.command()
def status(as_json: JsonOption = False) -> int:
    """Workers, what runs where, and what waits."""
    from obra_tui.core.json_form import to_text
    from obra_tui.services.fleet import fleet_status, status_lines

    found = fleet_status(_settings())
    for line in (to_text(found),) if as_json else status_lines(found):
        typer.echo(line)
    return 0


@fleet_app.command()
def drain(name: Annotated[str, typer.Argument(help="The worker that is to end when it is done.")]) -> int:
    """Let a worker take nothing more, finish what it has, and end."""
    from obra_tui.services.fleet import drain as ask

    ask(_settings(), name)
    typer.echo(f"{name} takes nothing more and ends when it is done.")
    return 0


@fleet_app.command()
def metrics(
    listen: Annotated[str, typer.Option("--listen", help="Serve them at HOST:PORT/metrics until ended.")] = "",
) -> int:
    """Print the fleet's figures in the format of Prometheus, or serve them."""
    import threading

    from obra_tui.services.fleet import metrics_text, serve_metrics

    settings = _settings()
    if not listen:
        typer.echo(metrics_text(settings), nl=False)
        return 0
    address, _server = serve_metrics(settings, listen)
    typer.echo(f"Serving {address} until ended.")
    threading.Event().wait()
    return 0


def _settings() -> "Settings":
    from obra_tui.bootstrap.fleet import refuse_without_fleet
    from obra_tui.config.load import load

    settings = load()
    refuse_without_fleet(settings)
    return settings


@fleet_app.command()
def demo(
    pace: Annotated[float, typer.Option("--pace", min=0.0, max=10.0, help="0 = as fast as possible.")] = 0.3,
    as_json: EventsOption = False,
) -> int:
    """A fleet on this machine, offline: ten rehearsed tasks at three workers, one of which is killed on the way."""
    from obra_tui.bootstrap.fleet_demo import run_demo
    from obra_tui.cli.run import run_to_end

    summary = run_demo(lambda handle: run_to_end(handle, as_json=as_json), _say, pace=pace)
    for line in summary.done:
        _say(line)
    _say(f"Killed: {summary.killed or 'nobody'}; {summary.handed_on} jobs were taken away and given to others.")
    return summary.exit_code


def _say(line: str) -> None:
    print(f"fleet: {line}", file=sys.stderr, flush=True)  # noqa: T201

"""`obra run`: in the app or headless."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from obra_tui.bootstrap.run_request import RunRequest
from obra_tui.bootstrap.start import enter_session, start_work
from obra_tui.cli.fast_start import wants_screen
from obra_tui.cli.options import (
    HERE,
    EventsOption,
    Flags,
    HeadlessOption,
    JobsOption,
    JudgeModelOption,
    MaxAttemptsOption,
    ModelOption,
    PolicyOption,
    ProjectOption,
    ThresholdOption,
)
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.errors import ConfigError
from obra_tui.core.plans.sources import USUAL_FILES, single_task_plan
from obra_tui.services.plans import read_plan
from obra_tui.system.user import person

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import EngineHandle


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    plan: Annotated[Path | None, typer.Argument(help="Plan file: a Markdown checklist or TOML.")] = None,
    task: Annotated[str | None, typer.Option("--task", "-t", help="One task instead of a plan.")] = None,
    resume: Annotated[str | None, typer.Option("--resume", help="Resume this open session.")] = None,
    fork: Annotated[
        bool, typer.Option("--fork", help="With --resume: go on in a fork of each interrupted conversation.")
    ] = False,
    project: ProjectOption = HERE,
    policy: PolicyOption = None,
    threshold: ThresholdOption = None,
    max_attempts: MaxAttemptsOption = None,
    model: ModelOption = None,
    judge_model: JudgeModelOption = None,
    jobs: JobsOption = 1,
    update_plan: Annotated[bool, typer.Option("--update-plan", help="Tick accepted tasks in the plan file.")] = False,
    headless: HeadlessOption = False,
    as_json: EventsOption = False,
) -> int:
    """Work on a plan or on one task."""
    flags = Flags(
        policy=policy,
        threshold=threshold,
        max_attempts=max_attempts,
        model=model,
        judge_model=judge_model,
        update_plan=update_plan,
    )
    if task is not None:
        refuse_unused("--task", update_plan=update_plan)
    request = replace(request_of(plan=plan, task=task, resume=resume, project=project, fork=fork), jobs=jobs)
    if wants_screen(headless=headless, as_json=as_json):
        from obra_tui.bootstrap.app import open_app

        return open_app(request, flags.settings())
    from obra_tui.bootstrap.engine import EngineHandle
    from obra_tui.config.load import load
    from obra_tui.services.project import project_root

    request = replace(request, project=project_root(request.project))
    return run_to_end(EngineHandle(load(request.project, flags.settings()), request), as_json=as_json)


def request_of(
    *, plan: Path | None, task: str | None, resume: str | None, project: Path, fork: bool = False
) -> RunRequest:
    """Return the run request of one command line. Raises `ConfigError` or `PlanError`."""
    given = [name for name, value in (("PLAN", plan), ("--task", task), ("--resume", resume)) if value]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} were given together.", fix="Give one of them.")
    if fork and not resume:
        raise ConfigError("--fork was given without --resume.", fix="Name the session to go on with: --resume SESSION.")
    if resume:
        return RunRequest(project=project, resume=resume, fork=fork)
    if task is not None:
        return RunRequest(project=project, plan=single_task_plan(task), is_standalone=True)
    read = read_plan(plan or usual_plan(project))
    for note in read.notes:
        typer.echo(f"obra: {note}", err=True)
    return RunRequest(project=project, plan=read)


def usual_plan(project: Path) -> Path:
    """Return the plan file that a project usually has."""
    for name in USUAL_FILES:
        if (project / name).is_file():
            return project / name
    raise ConfigError(
        "No plan was given and none was found.",
        where=str(project.absolute()),
        fix=f"Name a plan file, give one task with --task, or write one of {', '.join(USUAL_FILES)}.",
    )


def run_to_end(handle: "EngineHandle", *, as_json: bool) -> int:
    """Start the engine, print the requested work to its end, stop the engine; returns the exit code."""
    from obra_tui.bootstrap.terminal_guard import interrupt_on_signals
    from obra_tui.headless.follow import PrintOptions, follow, print_error, print_notice_problem, print_waiting
    from obra_tui.services.notices import all_channels, start_delivery
    from obra_tui.store.codec import record_to_json

    interrupt_on_signals()
    channels = all_channels(handle.settings)
    handle.start()
    engine, request = handle.engine, handle.request
    notices = start_delivery(handle.settings, channels, print_notice_problem)
    if channels:
        engine.subscribe(notices.take)
    try:
        session = enter_session(engine, request, print_waiting)
        return follow(
            engine,
            session,
            PrintOptions(as_json=as_json, stream=sys.stdout, encode=record_to_json, redact=handle.redaction()),
            lambda: start_work(engine, session, request, person(), print_waiting),
            person(),
            past=not request.resume,
        )
    finally:
        handle.stop()
        notices.close()
        for problem in handle.finish_plan():
            print_error(problem)

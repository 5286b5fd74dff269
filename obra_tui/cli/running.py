"""`obra run`: in the app or headless."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from obra_tui.bootstrap.run_request import Order, Start, person
from obra_tui.cli.fast_start import wants_screen
from obra_tui.cli.flags import Flags

if TYPE_CHECKING:
    from obra_tui.bootstrap.engine import Plant


HERE = Path()
NO_FLAGS = Flags()


class Job(Struct, frozen=True, kw_only=True):
    project: Path
    order: Order
    flags: Flags
    screen: bool
    as_json: bool
    jobs: int = 1


def run_line(
    *,
    plan: Path | None = None,
    task: str | None = None,
    resume: str | None = None,
    fork: bool = False,
    project: Path = HERE,
    flags: Flags = NO_FLAGS,
    jobs: int = 1,
    headless: bool = False,
    as_json: bool = False,
) -> int:
    """Carry out what one line of `obra run` says."""
    from obra_tui.cli.plans import order_of

    job = Job(
        project=project,
        order=order_of(plan=plan, task=task, resume=resume, project=project, fork=fork),
        flags=flags,
        screen=wants_screen(headless=headless, as_json=as_json),
        as_json=as_json,
        jobs=jobs,
    )
    return run_job(job)


def run_job(job: Job) -> int:
    if job.screen:
        from obra_tui.bootstrap.app import open_app

        return open_app(job.project, job.order, job.flags.settings(), jobs=job.jobs)
    return _run_headless(job)


def _run_headless(job: Job) -> int:
    from obra_tui.bootstrap.engine import Plant
    from obra_tui.bootstrap.models import real_models
    from obra_tui.config.load import load
    from obra_tui.services.project import project_root

    project = project_root(job.project)
    settings = load(project, job.flags.settings())
    start = Start(project=project, attended=False, jobs=job.jobs)
    return follow_plant(Plant(settings, start, lambda: real_models(settings)), job.order, as_json=job.as_json)


def follow_plant(plant: "Plant", order: Order, *, as_json: bool) -> int:
    """Start the engine, follow the ordered work to its end on standard output, stop the engine."""
    from obra_tui.bootstrap.start import enter_session, start_work
    from obra_tui.bootstrap.terminal_guard import interrupt_on_signals
    from obra_tui.headless.follow import Output, follow, print_error, print_waiting
    from obra_tui.services.records import encode_record

    interrupt_on_signals()
    plant.start()
    try:
        session = enter_session(plant.engine, order, print_waiting)
        output = Output(as_json=as_json, stream=sys.stdout, encode=encode_record)
        return follow(
            plant.engine,
            session,
            output,
            lambda: start_work(plant.engine, session, order, person(), print_waiting),
            person(),
            past=not order.resume,
        )
    finally:
        plant.engine.stop()
        for problem in plant.finish_plan():
            print_error(problem)

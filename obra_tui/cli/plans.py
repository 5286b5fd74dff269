"""From arguments to the work that is asked for."""

from pathlib import Path

from obra_tui.bootstrap.run_request import Order
from obra_tui.core.errors import ConfigError
from obra_tui.core.model import SessionKind
from obra_tui.core.plans.parse import single_task_plan
from obra_tui.services.plans import read_plan

_USUAL = ("tasks.md", "TODO.md", "PRD.md", "plan.md", "plan.toml")


def order_of(*, plan: Path | None, task: str | None, resume: str | None, project: Path, fork: bool = False) -> Order:
    """Return the order of one command line. Raises `ConfigError` or `PlanError`."""
    given = [name for name, value in (("PLAN", plan), ("--task", task), ("--resume", resume)) if value]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} were given together.", fix="Give one of them.")
    if fork and not resume:
        raise ConfigError("--fork was given without --resume.", fix="Name the session to go on with: --resume SESSION.")
    if resume:
        return Order(resume=resume, fork=fork)
    if task is not None:
        return Order(plan=single_task_plan(task), kind=SessionKind.STANDALONE)
    return Order(plan=read_plan(plan or usual_plan(project)))


def usual_plan(project: Path) -> Path:
    """Return the plan file that a project usually has."""
    for name in _USUAL:
        if (project / name).is_file():
            return project / name
    raise ConfigError(
        "No plan was given and none was found.",
        where=str(project.absolute()),
        fix=f"Name a plan file, give one task with --task, or write one of {', '.join(_USUAL)}.",
    )

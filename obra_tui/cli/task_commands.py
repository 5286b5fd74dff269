"""The commands of `obra task`, as a person sees them in `obra task --help`."""

from pathlib import Path
from typing import Annotated

import typer

from obra_tui.cli.options import JsonOption, ProjectOption
from obra_tui.cli.tasks import (
    Place,
    add_task,
    edit_task,
    hold_task,
    import_tasks,
    list_tasks,
    move_task,
    release_task,
    remove_task,
)

task_app = typer.Typer(help="Look at and change the plan of the open session.", rich_markup_mode=None)

HERE = Path()
Key = Annotated[str, typer.Argument(help="Key of the task, such as T003.")]
SessionOption = Annotated[str, typer.Option("--session", help="Another open session than the project's plan.")]
AfterOption = Annotated[list[str] | None, typer.Option("--after", help="Key of a task that must be accepted first.")]
AcceptOption = Annotated[list[str] | None, typer.Option("--accept", help="A criterion of acceptance.")]


@task_app.command("list")
def list_(project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """List the tasks in the order of the plan."""
    return list_tasks(Place(project=project, session=session, as_json=as_json))


@task_app.command()
def add(
    text: Annotated[str, typer.Argument(help="What is to be done; the first line is the title.")],
    after: AfterOption = None,
    accept: AcceptOption = None,
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Add a task at the end; opens a session if there is none."""
    place = Place(project=project, session=session, as_json=as_json)
    return add_task(place, text, after=tuple(after or ()), accept=tuple(accept or ()))


@task_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Checklist, spec-kit tasks.md, TOML or issues as JSON; - reads.")],
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Add the open tasks of a file; those that are in the plan already are left out."""
    return import_tasks(Place(project=project, session=session, as_json=as_json), file)


@task_app.command()
def edit(
    key: Key,
    title: Annotated[str | None, typer.Option("--title", help="Another title.")] = None,
    prompt: Annotated[str | None, typer.Option("--prompt", help="Another prompt.")] = None,
    after: AfterOption = None,
    accept: AcceptOption = None,
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Change a task that was not started; what is not given stays."""
    changes: dict[str, object] = {
        "title": title,
        "prompt": prompt,
        "depends_on": tuple(after) if after else None,
        "acceptance": tuple(accept) if accept else None,
    }
    return edit_task(Place(project=project, session=session, as_json=as_json), key, changes)


@task_app.command()
def hold(key: Key, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Do not start a task until it is released."""
    return hold_task(Place(project=project, session=session, as_json=as_json), key)


@task_app.command()
def release(key: Key, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Let a held task start again."""
    return release_task(Place(project=project, session=session, as_json=as_json), key)


@task_app.command()
def move(
    key: Key,
    to: Annotated[int, typer.Option("--to", min=1, help="Its new place in the plan, counted from 1.")],
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Give a task that was not started another place."""
    return move_task(Place(project=project, session=session, as_json=as_json), key, to)


@task_app.command()
def remove(key: Key, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Take a task that was not started out of the plan."""
    return remove_task(Place(project=project, session=session, as_json=as_json), key)

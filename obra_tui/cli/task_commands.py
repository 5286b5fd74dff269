"""The commands of `obra task`, as a person sees them in `obra task --help`."""

from pathlib import Path
from typing import Annotated

import typer

from obra_tui.cli.options import JsonOption, ProjectOption
from obra_tui.cli.tasks import (
    Place,
    add_task,
    edit_task,
    hold_tasks,
    import_tasks,
    list_tasks,
    move_tasks,
    release_tasks,
    remove_tasks,
    undo_change,
)
from obra_tui.core.plans.fields import TaskFields

task_app = typer.Typer(
    help="Look at and change the plan of the open session. While another Obra is at work, it makes the change.",
    rich_markup_mode=None,
)

HERE = Path()
Key = Annotated[str, typer.Argument(help="Key of the task, such as T003.")]
Keys = Annotated[list[str], typer.Argument(help="Keys of the tasks, such as T003 T004: all of them, or none.")]
SessionOption = Annotated[str, typer.Option("--session", help="Another open session than the project's plan.")]
Several = list[str] | None
AfterOption = Annotated[Several, typer.Option("--after", help="Key of a task that must be accepted first; '' = none.")]
AcceptOption = Annotated[Several, typer.Option("--accept", help="A criterion of acceptance; '' = none.")]
CheckOption = Annotated[Several, typer.Option("--check", help="A command that checks this task alone; '' = none.")]
TurnsOption = Annotated[str | None, typer.Option("--max-turns", help="Limit of this task; '' = none.")]
CostOption = Annotated[str | None, typer.Option("--max-cost", help="In US dollars; '' = no limit.")]
SecondsOption = Annotated[str | None, typer.Option("--max-seconds", help="Of Claude's time; '' = no limit.")]
TokensOption = Annotated[str | None, typer.Option("--max-tokens", help="'' = no limit.")]


@task_app.command("list")
def list_(project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """List the tasks in the order of the plan."""
    return list_tasks(Place(project=project, session=session, as_json=as_json))


@task_app.command()
def add(
    text: Annotated[str, typer.Argument(help="What is to be done; the first line is the title.")],
    key: Annotated[str, typer.Option("--id", help="Its key; without it the next free T….")] = "",
    after: AfterOption = None,
    accept: AcceptOption = None,
    check: CheckOption = None,
    max_turns: TurnsOption = None,
    max_cost: CostOption = None,
    max_seconds: SecondsOption = None,
    max_tokens: TokensOption = None,
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Add a task at the end; opens a session if there is none."""
    title, _, prompt = text.strip().partition("\n")
    said = _said(after, accept, check, max_turns, max_cost, max_seconds, max_tokens)
    fields = TaskFields(key=key, title=title, prompt=prompt, **said)
    return add_task(Place(project=project, session=session, as_json=as_json), fields)


@task_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Checklist, spec-kit tasks.md, TOML or issues as JSON; - reads.")],
    theirs: Annotated[bool, typer.Option("--theirs", help="Take the file's where both were changed.")] = False,
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Take in the open tasks of a file: new ones, and what was changed in the file alone."""
    return import_tasks(Place(project=project, session=session, as_json=as_json), file, theirs=theirs)


@task_app.command()
def edit(
    key: Key,
    title: Annotated[str | None, typer.Option("--title", help="Another title.")] = None,
    prompt: Annotated[str | None, typer.Option("--prompt", help="Another prompt.")] = None,
    after: AfterOption = None,
    accept: AcceptOption = None,
    check: CheckOption = None,
    max_turns: TurnsOption = None,
    max_cost: CostOption = None,
    max_seconds: SecondsOption = None,
    max_tokens: TokensOption = None,
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Change a task that was not started; what is not given stays."""
    words = {name: value for name, value in (("title", title), ("prompt", prompt)) if value is not None}
    said = _said(after, accept, check, max_turns, max_cost, max_seconds, max_tokens)
    return edit_task(Place(project=project, session=session, as_json=as_json), key, {**words, **said})


@task_app.command()
def hold(keys: Keys, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Do not start these tasks until they are released."""
    return hold_tasks(Place(project=project, session=session, as_json=as_json), keys)


@task_app.command()
def release(keys: Keys, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Let held tasks start again."""
    return release_tasks(Place(project=project, session=session, as_json=as_json), keys)


@task_app.command()
def move(
    keys: Keys,
    to: Annotated[int, typer.Option("--to", min=1, help="The new place of the first one, counted from 1.")],
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Give tasks that were not started another place, one behind the other."""
    return move_tasks(Place(project=project, session=session, as_json=as_json), keys, to)


@task_app.command("remove")
@task_app.command("delete", hidden=True)
def remove(keys: Keys, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Take tasks that were not started out of the plan; `delete` is the same."""
    return remove_tasks(Place(project=project, session=session, as_json=as_json), keys)


@task_app.command()
def undo(project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Take back the last change of the plan, here or in the app; again for the one before it."""
    return undo_change(Place(project=project, session=session, as_json=as_json))


def _said(
    after: Several,
    accept: Several,
    check: Several,
    turns: str | None,
    cost: str | None,
    seconds: str | None,
    tokens: str | None,
) -> dict[str, str]:
    """Return the fields of a task that were given as options; an empty one takes the field away."""
    fields = {
        "after": _joined(after, ", "),
        "acceptance": _joined(accept, "\n"),
        "checks": _joined(check, "\n"),
        "turns": turns,
        "cost": cost,
        "seconds": seconds,
        "tokens": tokens,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _joined(values: Several, between: str) -> str | None:
    return None if values is None else between.join(value for value in values if value)

"""`obra task`: look at and change the plan of the open session, also while another Obra is at work."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from obra_tui.cli.options import HERE, JsonOption, ProjectOption
from obra_tui.cli.parser import Commands, refuse_unused
from obra_tui.core import commands as do
from obra_tui.core.errors import ConfigError, PlanError
from obra_tui.core.ids import SessionId, TaskId, new_task_id
from obra_tui.core.model import TaskSpec
from obra_tui.core.plain import to_builtins
from obra_tui.core.plans.fields import TaskFields, fields_of, free_key, remarks_on, spec_of
from obra_tui.core.plans.merge import Difference, MergeStatus, describe, differences, merging, refusal_of
from obra_tui.core.plans.order import moves_to
from obra_tui.core.plans.parse import order
from obra_tui.core.plans.text import changed_lines
from obra_tui.core.records.attempt_words import STATE_WORDS
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.bootstrap.client import PlanClient
    from obra_tui.engine.replanning import TaskStanding


Made = Callable[[TaskId, str], do.PlanChange]


def register(app: typer.Typer) -> None:
    app.add_typer(task_app, name="task")


task_app = Commands(
    help="Look at and change the plan of the open session. While another Obra is at work, it makes the change.",
)

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
    return _list_tasks(PlanScope(project=project, session=session, as_json=as_json))


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
    said = _given_fields(after, accept, check, max_turns, max_cost, max_seconds, max_tokens)
    fields = TaskFields(key=key, title=title, prompt=prompt, **said)
    return _add_task(PlanScope(project=project, session=session, as_json=as_json), fields)


@task_app.command("import")
def import_(
    file: Annotated[
        Path | None, typer.Argument(help="Checklist, spec-kit tasks.md, TOML or issues as JSON; - reads.")
    ] = None,
    theirs: Annotated[bool, typer.Option("--theirs", help="Take the file's where both were changed.")] = False,
    issue: Annotated[
        int | None, typer.Option("--issue", min=1, help="Instead of a file: this issue of the forge (forge.issues).")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="Instead of a file: the open issues with this label.")] = "",
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Take in the open tasks of a file: new ones, and what was changed in the file alone; or issues of the forge."""
    scope = PlanScope(project=project, session=session, as_json=as_json)
    if issue is not None or label:
        refuse_unused("--issue" if issue is not None else "--label", FILE=file, theirs=theirs)
        if issue is not None:
            refuse_unused("--issue", label=label)
        return _import_issues(scope, issue, label)
    if file is None:
        raise ConfigError("Nothing to import was named.", fix="Name a file, or an issue: --issue 12")
    return _import_tasks(scope, file, theirs=theirs)


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
    said = _given_fields(after, accept, check, max_turns, max_cost, max_seconds, max_tokens)
    return _edit_task(PlanScope(project=project, session=session, as_json=as_json), key, {**words, **said})


@task_app.command()
def hold(keys: Keys, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Do not start these tasks until they are released."""
    return _hold_tasks(PlanScope(project=project, session=session, as_json=as_json), keys)


@task_app.command()
def release(keys: Keys, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Let held tasks start again."""
    return _release_tasks(PlanScope(project=project, session=session, as_json=as_json), keys)


@task_app.command()
def move(
    keys: Keys,
    to: Annotated[int, typer.Option("--to", min=1, help="The new place of the first one, counted from 1.")],
    project: ProjectOption = HERE,
    session: SessionOption = "",
    as_json: JsonOption = False,
) -> int:
    """Give tasks that were not started another place, one behind the other."""
    return _move_tasks(PlanScope(project=project, session=session, as_json=as_json), keys, to)


@task_app.command("remove")
@task_app.command("delete", hidden=True)
def remove(keys: Keys, project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Take tasks that were not started out of the plan; `delete` is the same."""
    return _remove_tasks(PlanScope(project=project, session=session, as_json=as_json), keys)


@task_app.command()
def undo(project: ProjectOption = HERE, session: SessionOption = "", as_json: JsonOption = False) -> int:
    """Take back the last change of the plan, here or in the app; again for the one before it."""
    return _undo_change(PlanScope(project=project, session=session, as_json=as_json))


def _given_fields(
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


# --- what they do ---------------------------------------------------------------------------------


class PlanScope(Struct, frozen=True, kw_only=True):
    """Whose plan is meant: the project's open session unless one is named."""

    project: Path
    session: str = ""
    as_json: bool = False


@contextmanager
def _open(place: PlanScope, *, make: str = "", source: str = "") -> "Iterator[PlanClient]":
    from obra_tui.bootstrap.client import open_plan
    from obra_tui.config.load import load
    from obra_tui.services.project import project_root

    project = project_root(place.project)
    with open_plan(load(project), project, session=place.session, make=make, source=source) as plan:
        yield plan


def _list_tasks(place: PlanScope) -> int:
    with _open(place) as plan:
        _print_tasks(plan, place)
    return 0


def _add_task(place: PlanScope, fields: TaskFields) -> int:
    with _open(place, make=place.project.absolute().name or "Tasks") as plan:
        specs = [task.spec for task in plan.tasks()]
        key = fields.key or free_key([spec.key for spec in specs])
        spec = _checked(fields, TaskSpec(id=new_task_id(), key=key, title="", prompt="", source="typed"), specs)
        _change(plan, place, [do.AddTasks(session=plan.session, tasks=(spec,))], f"{spec.key} was added.")
    return 0


def _edit_task(place: PlanScope, key: str, given: dict[str, str]) -> int:
    """`given` holds the fields that are to say something else."""
    with _open(place) as plan:
        spec = plan.find(key).spec
        others = [task.spec for task in plan.tasks() if task.spec.id != spec.id]
        changed = _checked(replace(fields_of(spec), **given), spec, others)
        _change(plan, place, [do.EditTask(task=spec.id, spec=changed, by=plan.by)], f"{spec.key} was changed.")
    return 0


def _import_tasks(place: PlanScope, file: Path, *, theirs: bool) -> int:
    """Take in what is new in a file, and what was changed in it; with `theirs` also where it was changed here too."""
    from obra_tui.bootstrap.start import absolute_source
    from obra_tui.services.plans import read_plan

    read = read_plan(file)
    for note in read.notes:
        typer.echo(f"obra: {note}", err=True)
    with _open(place, make=read.title, source=absolute_source(read.source)) as plan:
        known = plan.tasks()
        found = tuple(item for item in differences(read, known) if item.theirs is not None)
        wanted = {MergeStatus.NEW, MergeStatus.CHANGED} | ({MergeStatus.CONFLICT} if theirs else set())
        taken = [item for item in found if item.fate in wanted]
        for item in found:
            if item not in taken:
                _say_why(item)
        changes = merging(taken, known, plan.session, plan.by, found)
        _change(plan, place, changes, f"{read.source}: {describe(taken) or 'nothing new'}.")
    return 0


def _import_issues(place: PlanScope, issue: int | None, label: str) -> int:
    """Take in issues of the forge that no task was made of yet; what they say is fenced as the words of strangers."""
    from obra_tui.config.load import load
    from obra_tui.core.forge import prompt_of_issue
    from obra_tui.services.forge import issues_of
    from obra_tui.services.project import project_root

    root = project_root(place.project)
    found = issues_of(load(root), root, number=issue, label=label)
    with _open(place, make=f"Issues: {label}" if label else f"Issue {issue}") as plan:
        keys, known = [task.spec.key for task in plan.tasks()], {task.spec.source for task in plan.tasks()}
        specs: list[TaskSpec] = []
        for item in found:
            if item.url not in known:
                key, title = free_key([*keys, *(spec.key for spec in specs)]), one_line(item.title, 120)
                title = title or f"Issue {item.number}"
                specs.append(
                    TaskSpec(id=new_task_id(), key=key, title=title, prompt=prompt_of_issue(item), source=item.url)
                )
        said = f"{', '.join(spec.key for spec in specs)} of issues." if specs else "No issue is new."
        _change(plan, place, [do.AddTasks(session=plan.session, tasks=tuple(specs))] if specs else [], said)
    return 0


def _hold_tasks(place: PlanScope, keys: Sequence[str]) -> int:
    return _change_each(place, keys, "held", lambda task, by: do.HoldTask(task=task, by=by))


def _release_tasks(place: PlanScope, keys: Sequence[str]) -> int:
    return _change_each(place, keys, "released", lambda task, by: do.ReleaseTask(task=task, by=by))


def _remove_tasks(place: PlanScope, keys: Sequence[str]) -> int:
    return _change_each(place, keys, "taken out", lambda task, by: do.RemoveTask(task=task, by=by), last_first=True)


def _move_tasks(place: PlanScope, keys: Sequence[str], position: int) -> int:
    """`position` is counted from 1, as people count; several tasks keep the order in which they are named."""
    with _open(place) as plan:
        block = [plan.find(key).spec.id for key in dict.fromkeys(keys)]
        moves = moves_to([task.spec.id for task in plan.tasks()], block, position - 1)
        changes = [do.MoveTask(task=task, position=to, by=plan.by) for task, to in moves]
        _change(plan, place, changes, f"{', '.join(keys)} moved.")
    return 0


def _undo_change(place: PlanScope) -> int:
    with _open(place) as plan:
        _tell(plan, place, f"Undone: {plan.undo()}")
    return 0


def _change_each(place: PlanScope, keys: Sequence[str], done: str, command: Made, *, last_first: bool = False) -> int:
    with _open(place) as plan:
        specs = [plan.find(key).spec for key in dict.fromkeys(keys)]
        ordered = reversed(order(specs)) if last_first else specs
        changes = [command(spec.id, plan.by) for spec in ordered]
        _change(plan, place, changes, f"{', '.join(spec.key for spec in specs)} {done}.")
    return 0


def _change(plan: "PlanClient", place: PlanScope, changes: Sequence[do.PlanChange], said: str) -> None:
    """Make the changes as one, and tell what was done."""
    if changes:
        plan.change(*changes, said=said)
    _tell(plan, place, said)


def _say_why(left_out: Difference) -> None:
    refused = refusal_of(left_out)
    if refused is not None:
        _warn(str(refused))
    if left_out.fate is MergeStatus.CONFLICT:
        _warn(
            f"{left_out.spec.key} was changed here and in the file: it stays as it is here; --theirs takes the file's."
        )
        for line in changed_lines(left_out):
            typer.echo(f"  {line}", err=True)


def _checked(fields: TaskFields, spec: TaskSpec, others: Sequence[TaskSpec]) -> TaskSpec:
    """Return the task as the fields say it; what is only doubtful is said and goes through."""
    for remark in remarks_on(fields, spec, others):
        if remark.blocks:
            raise PlanError(remark.text, where=spec.key, fix=f"Correct the {remark.field}.")
        _warn(remark.text)
    return spec_of(fields, spec)


# --- printing ------------------------------------------------------------------------------------


def _tell(plan: "PlanClient", place: PlanScope, done: str) -> None:
    """Say what was done and by whom, then how the plan stands."""
    whose = f" by the Obra at work (pid {plan.owner})" if plan.owner else ""
    if place.as_json:
        typer.echo(json.dumps({"type": "done", "session": plan.session, "text": done, "owner": plan.owner or None}))
    else:
        typer.echo(f"{done.removesuffix('.')}{whose}.")
    _print_tasks(plan, place)


def _print_tasks(plan: "PlanClient", place: PlanScope) -> None:
    for number, task in enumerate(plan.tasks(), start=1):
        typer.echo(json.dumps(_as_json(plan.session, task)) if place.as_json else _line(number, task))


def _warn(text: str) -> None:
    typer.echo(f"obra: {text}", err=True)


def _as_json(session: SessionId, task: "TaskStanding") -> dict[str, object]:
    spec = to_builtins(task.spec)
    standing = {"state": task.state.value, "held": task.held_back, "attempts": task.attempts}
    return {"type": "task", "session": session, **standing, "reverted": task.reverted or None, **spec}


def _line(number: int, task: "TaskStanding") -> str:
    word = "held" if task.held_back else "reverted" if task.reverted else STATE_WORDS[task.state]
    after = f"  after {', '.join(task.spec.depends_on)}" if task.spec.depends_on else ""
    return f"{number:>3}  {task.spec.key:<8} {word:<15} {one_line(task.spec.title, 80)}{after}"

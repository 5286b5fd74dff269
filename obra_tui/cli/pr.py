"""`obra pr`: the accepted work of a session as a pull request, and what became of it as a task."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from obra_tui.cli.options import JsonOption
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.errors import NotAllowed
from obra_tui.core.ids import SessionId, new_task_id
from obra_tui.core.text import one_line

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.core.records.history import SessionDetail


def register(app: typer.Typer) -> None:
    app.command()(pr)


def pr(
    session: Annotated[str, typer.Argument(help="Session whose accepted work it is.")],
    base: Annotated[str, typer.Option("--base", help="Branch that it goes to (default: forge.base).")] = "",
    draft: Annotated[bool, typer.Option("--draft", help="Open it as a draft.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what it would say, and send nothing.")] = False,
    ci: Annotated[bool, typer.Option("--ci", help="Make a task of red checks and comments (forge.ci_back).")] = False,
    as_json: JsonOption = False,
) -> int:
    """Push a session's branch and open, or update, its pull request with the evidence."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.services.forge import open_request, prepare

    if ci:
        refuse_unused("--ci", base=base, draft=draft, dry_run=dry_run)
    with open_history(load()) as history:
        _, found = history.resolve(session, "session")
        detail = history.session(SessionId(found))
        settings = load(Path(detail.summary.project))
        if ci:
            return _take_back(settings, detail, as_json=as_json)
        prepared = prepare(settings, history, SessionId(found))
    if dry_run:
        told = {"type": "pull_request_text", "title": prepared.title, "body": prepared.body}
        typer.echo(json.dumps(told) if as_json else f"{prepared.title}\n\n{prepared.body}")
        return 0
    opened = open_request(settings, prepared, base=base, draft=draft)
    if as_json:
        named = {"type": "pull_request", "url": opened.request.url, "number": opened.request.number}
        typer.echo(json.dumps({**named, "new": opened.is_new, "commit": opened.commit, "status": opened.state}))
    else:
        typer.echo(f"{'opened' if opened.is_new else 'updated'}: {one_line(opened.request.url)} ({opened.state})")
    return 0


def _take_back(settings: "Settings", detail: "SessionDetail", *, as_json: bool) -> int:
    """Make one task of everything that was said about the pull request."""
    from obra_tui.bootstrap.client import open_plan
    from obra_tui.core.commands import AddTasks
    from obra_tui.core.forge import prompt_of_remarks
    from obra_tui.core.model import TaskSpec
    from obra_tui.core.plans.fields import free_key
    from obra_tui.services.forge import SOURCE, remarks_of

    remarks = remarks_of(settings, detail)
    if not remarks:
        typer.echo(json.dumps({"type": "remarks", "count": 0}) if as_json else "Nothing was said, and no check is red.")
        return 0
    if detail.summary.closed_at is not None:
        raise NotAllowed(
            "This session is closed: no task can be added to it.",
            where=detail.summary.id,
            fix=f"Check out {detail.branch} and start anew from there: obra run --task '…'",
        )
    project = Path(detail.summary.project)
    with open_plan(settings, project, session=detail.summary.id) as plan:
        tasks = plan.tasks()
        rounds = sum(task.spec.source.startswith(SOURCE) for task in tasks)
        if rounds >= settings.forge.ci_rounds:
            raise NotAllowed(
                f"{rounds} tasks of this session came from its pull request already.",
                where="forge.ci_rounds",
                fix="Look yourself: it goes in a circle. Or allow more.",
            )
        key = free_key([task.spec.key for task in tasks])
        spec = TaskSpec(
            id=new_task_id(),
            key=key,
            title=f"Mend what its pull request met, round {rounds + 1}",
            prompt=prompt_of_remarks(remarks),
            source=f"{SOURCE}{detail.branch}, round {rounds + 1}",
        )
        plan.change(AddTasks(session=plan.session, tasks=(spec,)), said=f"{key} was made of {len(remarks)} remarks.")
    told = {"type": "remarks", "count": len(remarks), "task": key}
    typer.echo(json.dumps(told) if as_json else f"{key} was made of {len(remarks)} remarks: `obra task list`")
    return 0

"""`obra judge`: what the judge's record allows it to do, and what would change that."""

from pathlib import Path
from typing import Annotated

import typer

from obra_tui.cli.options import HERE, JsonOption, ProjectOption
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.commands import RecordJudging
from obra_tui.core.events import JudgeAcknowledged
from obra_tui.core.judging.authority import WORDS, JudgeRecord, lines
from obra_tui.core.records.export import json_line
from obra_tui.core.text import visible


def register(app: typer.Typer) -> None:
    app.command()(judge)


def judge(
    project: ProjectOption = HERE,
    everywhere: Annotated[bool, typer.Option("--all", help="Of all projects together.")] = False,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="Of rehearsals instead.")] = False,
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="You have seen why authority was lost by a revert.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Print each judge's record on this project: false passes, a limit that holds at every look, what it may do."""
    if acknowledge:
        refuse_unused("--acknowledge", all=everywhere, rehearsal=rehearsal)
        _acknowledge(project)
    found = _records(project, everywhere=everywhere, rehearsal=rehearsal)
    if as_json:
        for item in found:
            typer.echo(json_line(_as_json(item)))
    elif not found:
        typer.echo("No judge has reviewed anything here yet.")
    else:
        typer.echo("\n\n".join(visible("\n".join(lines(item))) for item in found))
    return 0


def _records(project: Path, *, everywhere: bool, rehearsal: bool) -> tuple[JudgeRecord, ...]:
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.services.project import project_root

    root = project_root(project)
    settings = load(root)
    with open_history(settings) as history:
        where = "" if everywhere else str(root)
        return history.judge_records(where, rehearsal=rehearsal, limit=settings.gate.false_pass_limit)


def _acknowledge(project: Path) -> None:
    from obra_tui.bootstrap.client import send_command
    from obra_tui.config.load import load
    from obra_tui.services.project import project_root
    from obra_tui.system.user import person

    root = project_root(project)
    events = (JudgeAcknowledged(by=person()),)
    send_command(load(root), root, RecordJudging(title="Why authority was lost was seen", events=events))


def _as_json(item: JudgeRecord) -> dict[str, object]:
    standing = item.standing
    return {
        "type": "judge",
        "model": item.model,
        "digest": item.digest,
        "rubric": item.rubric,
        "level": int(standing.level),
        "may": WORDS[standing.level],
        "why": standing.why,
        "needs": standing.needs,
        "passes": item.record.passes,
        "false_passes": item.record.false_passes,
        "upper": item.record.upper if item.record.passes else None,
        "limit": item.record.limit,
        "asked": item.asked,
        "unjudged": item.unjudged,
    }

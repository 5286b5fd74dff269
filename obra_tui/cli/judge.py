"""`obra judge`: what the judge's record allows it to do, and what would change that."""

from pathlib import Path
from typing import Annotated

import typer

from obra_tui.cli.options import HERE, JsonOption, ProjectOption
from obra_tui.cli.parser import Commands, refuse_unused
from obra_tui.core.commands import RecordJudging
from obra_tui.core.errors import ConfigError
from obra_tui.core.events import JudgeAcknowledged, WorkLabelled
from obra_tui.core.ids import AttemptId
from obra_tui.core.judging.authority import WORDS, JudgeRecord, lines
from obra_tui.core.judging.book import audits_due
from obra_tui.core.model import Truth
from obra_tui.core.plain import to_builtins
from obra_tui.core.records.export import json_line
from obra_tui.core.text import one_line, visible


def register(app: typer.Typer) -> None:
    app.add_typer(judge_app, name="judge")


judge_app = Commands(help="What is known of the judge: its record, its exam, and what they allow it to decide.")

NoteOption = Annotated[str, typer.Option("--note", help="Why, in a sentence; it is kept.")]
AttemptArgument = Annotated[str, typer.Argument(help="Id of an attempt, or its beginning.")]
RehearsalOption = Annotated[bool, typer.Option("--rehearsal", help="Of rehearsals instead.")]


@judge_app.callback(invoke_without_command=True)
def judge(
    context: typer.Context,
    project: ProjectOption = HERE,
    everywhere: Annotated[bool, typer.Option("--all", help="Of all projects together.")] = False,
    rehearsal: RehearsalOption = False,
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="You have seen why authority was lost by a revert.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Print each judge's record on this project: false passes, a limit that holds at every look, what it may do."""
    if context.invoked_subcommand is not None:
        return 0  # the parser has handed the options on
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


@judge_app.command()
def label(
    attempt: AttemptArgument,
    truth: Annotated[str, typer.Argument(help="What the work is worth: good or bad.")],
    note: NoteOption = "",
    blind: Annotated[bool, typer.Option("--blind", help="You had not seen the verdict.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> int:
    """Say what the work of an attempt is worth, without a gate. What was called bad once stays bad."""
    if truth not in tuple(Truth):
        raise ConfigError(f"Work is good or bad, not {truth!r}.", fix="Write `obra judge label ATTEMPT good`, or bad.")
    return _say(project, attempt, Truth(truth), note=note, blind=blind, as_json=as_json)


@judge_app.command()
def miss(
    attempt: AttemptArgument,
    file: Annotated[str, typer.Option("--file", help="Where the fault is, as FILE or FILE:LINE.")] = "",
    note: NoteOption = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> int:
    """Say that accepted work has a fault that the judge let through: a false pass, and a case for the exam."""
    name, _, line = file.partition(":")
    if line and not line.isdigit():
        raise ConfigError(f"{file} names no line.", fix="Write FILE:LINE, such as calc.py:12.")
    place = (name, int(line) if line else None)
    return _say(project, attempt, Truth.BAD, note=note, place=place, as_json=as_json)


@judge_app.command()
def audit(
    rehearsal: RehearsalOption = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> int:
    """Show accepted work that nobody looked at, drawn at random and without the verdict; answer with `judge label`."""
    from obra_tui.cli.paging import echo_diff
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.services.project import project_root

    root = project_root(project)
    with open_history(load(root)) as history:
        book = history.judge_book(str(root), rehearsal=rehearsal)
        due = audits_due(history.past_work(str(root), rehearsal=rehearsal), (one for _, one in book.labels))
        if not due:
            typer.echo(json_line({"type": "audit", "due": 0}) if as_json else "Nothing that was accepted is unseen.")
            return 0
        detail = history.attempt(due[0].attempt)
    if as_json:
        told = {
            "task": detail.spec.title,
            "prompt": detail.spec.prompt,
            "diff": detail.diff.patch if detail.diff else "",
        }
        typer.echo(json_line({"type": "audit", "due": len(due), "attempt": due[0].attempt, **told}))
        return 0
    typer.echo(f"audit 1 of {len(due)}   attempt {due[0].attempt}   {one_line(detail.spec.title)}")
    for text in (*detail.spec.prompt.splitlines(), *detail.spec.acceptance):
        typer.echo(f"asked    {one_line(text, 1000)}")
    for check in detail.checks:
        typer.echo(f"check    {one_line(check.spec.name)}: {check.status.value}")
    if detail.diff:
        echo_diff(detail.diff.patch)
    typer.echo(f"\nobra judge label {due[0].attempt} good --blind | bad --blind --note …")
    return 0


def _say(
    project: Path,
    attempt: str,
    truth: Truth,
    *,
    note: str,
    blind: bool = False,
    place: tuple[str, int | None] = ("", None),
    as_json: bool,
) -> int:
    from obra_tui.bootstrap.client import send_command
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.system.user import person

    with open_history(load(project)) as history:
        found = AttemptId(history.resolve(attempt, "attempt")[1])
        session = history.session(history.attempt(found).summary.session).summary
    said = WorkLabelled(
        of=found, truth=truth, by=person(), blind=blind, note=note.strip(), file=place[0], line=place[1]
    )
    root = Path(session.project)
    command = RecordJudging(title=f"{truth.value.capitalize()}: {found}", events=(said,), rehearsal=session.rehearsal)
    send_command(load(root), root, command)
    told = {"type": "label", "attempt": found, "truth": truth.value, "blind": blind}
    typer.echo(json_line(told) if as_json else f"{found} is {truth.value} work; `obra judge` says what that changes.")
    return 0


def _records(project: Path, *, everywhere: bool, rehearsal: bool) -> tuple[JudgeRecord, ...]:
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.services.project import project_root

    root = None if everywhere else project_root(project)
    settings = load(root)
    with open_history(settings) as history:
        where = str(root or "")
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
        "version": item.version,
        "remark": item.remark,
        "exam": to_builtins(item.answers.exam),
        "kinds": [to_builtins(kind) for kind in item.answers.kinds],
        "trials": item.answers.trials,
    }

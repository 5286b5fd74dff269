"""The commands about what was: each is a line here and does its work elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]
LINE_HELP = "Words and clauses, such as: retry -is:merged score:<80 since:7d"


def history(
    line: Annotated[list[str] | None, typer.Argument(help=LINE_HELP)] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> int:
    """List the sessions, or with a search line the attempts that it finds, newest first."""
    from obra_tui.cli.history import find, list_sessions

    return find(" ".join(line), limit, as_json=as_json) if line else list_sessions(limit, as_json=as_json)


def search(
    line: Annotated[list[str] | None, typer.Argument(help=LINE_HELP)] = None,
    like: Annotated[str, typer.Option("--like", help="Instead: what is like this attempt or session.")] = "",
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> int:
    """Search prompts, Claude's words, tools, diffs, findings, notes and the output of checks."""
    from obra_tui.cli import history

    if like:
        return history.like(like, limit, as_json=as_json)
    find = history.find
    return find(" ".join(line or ()), limit, as_json=as_json)


def show(
    which: Annotated[str, typer.Argument(help="Id, or its beginning, of a session, task, attempt or gate.")],
    transcript: Annotated[bool, typer.Option("--transcript", help="With all that was said and done.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show a session, or an attempt with its evidence and diff."""
    from obra_tui.cli.history import show

    return show(which, transcript=transcript, as_json=as_json)


def compare(
    a: Annotated[str, typer.Argument(help="An attempt or a session.")],
    b: Annotated[str, typer.Argument(help="Another one.")],
    diff: Annotated[str, typer.Option("--diff", help="trees (what differs), diffs (of diffs) or none.")] = "trees",
    blind: Annotated[bool, typer.Option("--blind", help="Without names, scores and cost.")] = False,
    winner: Annotated[str, typer.Option("--winner", help="Store which is better: a, b, equal or neither.")] = "",
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Put two attempts or two sessions side by side."""
    from obra_tui.cli.compare import compare

    return compare(a, b, diff=diff, blind=blind, winner=winner, note=note, as_json=as_json)


def replay(
    session: Annotated[str, typer.Argument(help="Id of a session.")],
    speed: Annotated[float, typer.Option("--speed", min=0.0, help="1, 8, 64; 0 = without pauses.")] = 0.0,
    only: Annotated[str, typer.Option("--only", help="gate, error, edit or prompt.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Tell a session again as it happened."""
    from obra_tui.cli.replay import replay

    return replay(session, speed=speed, only=only, as_json=as_json)


def metrics(
    since: Annotated[str, typer.Option("--since", help="7d, today or 2026-03-09.")] = "",
    until: Annotated[str, typer.Option("--until", help="The same.")] = "",
    project: Annotated[str, typer.Option("--project", help="Absolute path of one project.")] = "",
    model: Annotated[str, typer.Option("--model", help="Part of a model's name.")] = "",
    by: Annotated[str, typer.Option("--by", help="day, week, project, model, judge, rubric or policy.")] = "",
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="Count rehearsals too.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="With what each means and the SQL that makes it.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As a table for spreadsheets.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Print figures: pass rate, cost per accepted task, the judge against you, each with what it rests on."""
    from obra_tui.cli.metrics import scope_of, show_metrics

    scope = scope_of(since=since, until=until, project=project, model=model, by=by, rehearsal=rehearsal)
    return show_metrics(scope, sql=sql, csv=as_csv, as_json=as_json)


def export(
    which: Annotated[str, typer.Argument(help="A session or an attempt; `decisions` = all decisions.")],
    form: Annotated[str, typer.Option("--format", "-f", help="md, jsonl, html or patch.")] = "md",
    to: Annotated[Path | None, typer.Option("--to", "-o", help="A new file (default: standard output).")] = None,
    as_json: JsonOption = False,
) -> int:
    """Write a session or an attempt as a file; secrets are taken out once more."""
    from obra_tui.cli.keep import export, export_decisions

    if which == "decisions":
        return export_decisions(to, as_json=as_json)
    return export(which, form, to, as_json=as_json)


def import_(
    source: Annotated[Path | None, typer.Option("--from", help="File or folder (default: Claude Code's own).")] = None,
    as_json: JsonOption = False,
) -> int:
    """Import Claude Code's transcripts, or a JUnit (.xml) or SARIF report: to read and search, without a gate."""
    from obra_tui.cli.keep import import_from

    return import_from(source, as_json=as_json)


def prune(
    older: Annotated[str, typer.Option("--older", help="Closed sessions opened longer ago: 90d.")] = "",
    size: Annotated[str, typer.Option("--size", help="The oldest until the database is so small: 2G.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Delete closed sessions that are not pinned."""
    from obra_tui.cli.keep import prune

    return prune(older, size, dry_run=dry_run, as_json=as_json)


def backup(to: Annotated[Path, typer.Argument(help="A new file.")], as_json: JsonOption = False) -> int:
    """Write the whole history to one file; also while Obra runs."""
    from obra_tui.cli.keep import back_up

    return back_up(to, as_json=as_json)


def restore(
    source: Annotated[Path, typer.Argument(help="A file of `obra backup`.")], as_json: JsonOption = False
) -> int:
    """Put a backup in the place of the history; what was there is kept beside it."""
    from obra_tui.cli.keep import restore

    return restore(source, as_json=as_json)


def pin(
    session: Annotated[str, typer.Argument(help="Id of a session.")],
    remove: Annotated[bool, typer.Option("--remove", help="Let it go again.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Keep a session whatever is pruned."""
    from obra_tui.cli.keep import label

    return label(session, "pinned", remove=remove, as_json=as_json)


def tag(
    session: Annotated[str, typer.Argument(help="Id of a session.")],
    name: Annotated[str, typer.Argument(help="Any word; found again by tag:WORD.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take it off.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Stick a word onto a session."""
    from obra_tui.cli.keep import label

    return label(session, name, remove=remove, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the commands to `obra`."""
    for searching in (history, search):
        # `-word` is part of the language of the search line.
        app.command(context_settings={"ignore_unknown_options": True})(searching)
    for command in (show, compare, replay, metrics, export, prune, backup, restore, pin, tag):
        app.command()(command)
    app.command("import")(import_)

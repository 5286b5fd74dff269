"""`obra export`, `import`, `prune`, `backup`, `restore`, `pin` and `tag`: sessions in and out, and for how long."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from obra_tui.cli.history import when
from obra_tui.cli.options import JsonOption
from obra_tui.cli.parser import refuse_unused
from obra_tui.core.errors import ConfigError
from obra_tui.core.plain import to_builtins
from obra_tui.core.records.export import json_line
from obra_tui.core.records.search import moment
from obra_tui.core.text import one_line

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)\s*([kmgt]?)i?b?\Z", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def register(app: typer.Typer) -> None:
    for command in (export, prune, backup, restore, pin, tag):
        app.command()(command)
    app.command("import")(import_)


# --- out -----------------------------------------------------------------------------------------


def export(
    which: Annotated[str, typer.Argument(help="A session or an attempt; `decisions` = all decisions.")],
    form: Annotated[str, typer.Option("--format", "-f", help="md, jsonl, html or patch.", show_default="md")] = "",
    to: Annotated[Path | None, typer.Option("--to", "-o", help="A new file (default: standard output).")] = None,
    as_json: JsonOption = False,
) -> int:
    """Write a session or an attempt as a file; secrets are taken out once more."""
    if which == "decisions":
        refuse_unused("`export decisions`", format=form)
        return _export_decisions(to, as_json=as_json)
    return _export(which, form or "md", to, as_json=as_json)


def _export(typed: str, form: str, to: Path | None, *, as_json: bool) -> int:
    """Write a session or an attempt in one of the formats, to a new file or to standard output."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import open_history
    from obra_tui.services.exports import pieces

    with open_history(load()) as history:
        kind, found = history.resolve(typed, "session", "attempt")
        return _write(pieces(history, kind, found, form), to, as_json=as_json)


def _export_decisions(to: Path | None, *, as_json: bool) -> int:
    """Write every decision with what the judge said, and every preference, one JSON object per line."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import labels_of, open_history
    from obra_tui.services.exports import labelled_set

    settings = load()
    with open_history(settings) as history:
        return _write(labelled_set(history, labels_of(settings).preferences()), to, as_json=as_json)


def _write(pieces: Iterator[str], to: Path | None, *, as_json: bool) -> int:
    from obra_tui.services.exports import write_new

    if to is None:
        refuse_unused("standard output", json=as_json)
        for piece in pieces:
            typer.echo(piece, nl=False)
        return 0
    size = write_new(pieces, to)
    typer.echo(json_line({"type": "exported", "file": str(to), "characters": size}) if as_json else f"wrote {to}")
    return 0


# --- in ------------------------------------------------------------------------------------------


def import_(
    source: Annotated[Path | None, typer.Option("--from", help="File or folder (default: Claude Code's own).")] = None,
    as_json: JsonOption = False,
) -> int:
    """Import Claude Code's transcripts, or a JUnit (.xml) or SARIF report: to read and search, without a gate."""
    from obra_tui.config.load import load
    from obra_tui.services.importing import claude_folder, import_files
    from obra_tui.services.importing.transcripts import transcripts_in

    failed, counts = False, dict.fromkeys(("imported", "continued", "unchanged", "empty", "failed"), 0)
    for read in import_files(load(), transcripts_in(source or claude_folder())):
        counts[read.outcome] += 1
        failed = failed or read.outcome == "failed"
        if as_json:
            typer.echo(json_line({"type": "import", **to_builtins(read)}))
        elif read.outcome != "unchanged":
            places = f": {one_line(', '.join(read.damaged), 600)}" if read.damaged else ""
            notes = [f"{read.passed_over} lines passed over{places}"] if read.passed_over else []
            notes += [read.problem] if read.problem else []
            typer.echo(f"{read.outcome:<10} {read.session} {one_line(read.path, 300)} {', '.join(notes)}".rstrip())
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    typer.echo(json_line({"type": "summary", **counts}) if as_json else said or "No transcript was found.")
    return 1 if failed else 0


# --- for how long --------------------------------------------------------------------------------


def size_of(text: str) -> int:
    """Return the bytes that `500M` or `2G` means. Raises `ConfigError`."""
    match = _SIZE.match(text.strip())
    if match is None:
        raise ConfigError(f"'{text}' is no size.", where="--size", fix="Write 500M or 2G.")
    return int(float(match[1]) * 1_024 ** _POWERS[match[2].lower()])


def prune(
    older: Annotated[str, typer.Option("--older", help="Closed sessions opened longer ago: 90d.")] = "",
    size: Annotated[str, typer.Option("--size", help="The oldest until the database is so small: 2G.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Delete closed sessions that are not pinned."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import plan_pruning, prune

    if bool(older) == bool(size):
        raise ConfigError("Say what may go.", fix="Give either --older 90d or --size 2G; try it with --dry-run first.")
    before = moment(older, time.time()) if older else None
    if older and before is None:
        raise ConfigError(f"'{older}' is no age.", where="--older", fix="Write 90d or 2026-03-09.")
    settings = load()
    plan = plan_pruning(settings, before=before, size=size_of(size) if size else None)
    for session in plan.sessions:
        line = {"type": "prune", "session": session.id, "title": session.title, "bytes": session.bytes}
        text = f"{session.id}  {when(session.opened_at)}  {one_line(session.title, 60)}  {session.bytes:,} bytes"
        typer.echo(json_line(line) if as_json else text)
    gone = 0 if dry_run else prune(settings, plan)
    kept = {"pinned": plan.pinned, "open": plan.open}
    summary = {"type": "summary", "planned": len(plan.sessions), "pruned": gone, "bytes": plan.bytes, "kept": kept}
    word = "would be deleted" if dry_run else "deleted"
    said = f"{len(plan.sessions) if dry_run else gone} sessions {word}, {plan.bytes:,} bytes of events; "
    said += f"{plan.pinned} pinned and {plan.open} open ones stay"
    typer.echo(json_line(summary) if as_json else said)
    return 0


def backup(to: Annotated[Path, typer.Argument(help="A new file.")], as_json: JsonOption = False) -> int:
    """Write the whole history to one file; also while Obra runs."""
    from obra_tui.config.load import load
    from obra_tui.services import archive

    size = archive.back_up(load(), to)
    line = {"type": "backup", "file": str(to), "bytes": size}
    typer.echo(json_line(line) if as_json else f"wrote {to} ({size:,} bytes), read back and found whole")
    return 0


def restore(
    source: Annotated[Path, typer.Argument(help="A file of `obra backup`.")], as_json: JsonOption = False
) -> int:
    """Put a backup in the place of the history; what was there is kept beside it."""
    from obra_tui.config.load import load
    from obra_tui.services import archive

    kept = archive.restore(load(), source)
    line = {"type": "restored", "file": str(source), "before": str(kept) if kept else None}
    said = f"restored {source}" + (f"; what was there is kept as {kept}" if kept else "")
    typer.echo(json_line(line) if as_json else said)
    return 0


def pin(
    session: Annotated[str, typer.Argument(help="Id of a session.")],
    remove: Annotated[bool, typer.Option("--remove", help="Let it go again.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Keep a session whatever is pruned."""
    return _label(session, "pinned", remove=remove, as_json=as_json)


def tag(
    session: Annotated[str, typer.Argument(help="Id of a session.")],
    name: Annotated[str, typer.Argument(help="Any word; found again by tag:WORD.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take it off.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Tag a session with a word."""
    return _label(session, name, remove=remove, as_json=as_json)


def _label(session: str, name: str, *, remove: bool, as_json: bool) -> int:
    """Pin or tag a session, or take the label off."""
    from obra_tui.config.load import load
    from obra_tui.services.archive import labels_of, open_history

    settings = load()
    with open_history(settings) as history:
        _, found = history.resolve(session, "session")
    labels = labels_of(settings)
    (labels.remove if remove else labels.add)(found, name)
    now = labels.of(found)
    line = {"type": "labels", "session": found, "labels": now}
    typer.echo(json_line(line) if as_json else f"{found}  {' '.join(f'#{item}' for item in now) or 'no label'}")
    return 0

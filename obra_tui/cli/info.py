"""`obra doctor`, `guide` and `keys`: what is here, and what there is to read, without the app."""

import json
from typing import Annotated

import typer

from obra_tui.cli.options import HERE, JsonOption, ProjectOption
from obra_tui.core.doctor import DoctorStatus
from obra_tui.core.plain import to_builtins
from obra_tui.core.text import visible

_MARKS = {
    DoctorStatus.OK: "✓",
    DoctorStatus.WARN: "!",
    DoctorStatus.MISSING: "✗",
    DoctorStatus.UNKNOWN: "·",
    DoctorStatus.LOADING: "●",
}


def register(app: typer.Typer) -> None:
    for command in (doctor, guide, keys):
        app.command()(command)


WriteOption = Annotated[
    bool, typer.Option("--write", help="Put the set-up that is proposed into the project's .obra/config.toml.")
]


def doctor(project: ProjectOption = HERE, write: WriteOption = False, as_json: JsonOption = False) -> int:
    """Look at what Obra needs on this machine, with the command that helps; exit 1 when no real run is possible."""
    from obra_tui.services.doctor import MachineDoctor

    if write:
        for done in MachineDoctor(project).write():
            typer.echo(json.dumps({"type": "written", "text": done}) if as_json else visible(done))
        return 0

    possible = True
    for line in MachineDoctor(project).run():
        possible = possible and not (line.needed and line.status is DoctorStatus.MISSING)
        if as_json:
            typer.echo(json.dumps({"type": "doctor", **to_builtins(line)}))
            continue
        typer.echo(f"{_MARKS[line.status]} {line.name}: {visible(line.fact)}")
        for extra in (line.fix and f"run: {line.fix}", line.detail):
            if extra:
                typer.echo(f"    {visible(extra)}")
    return 0 if possible else 1


def guide(name: Annotated[str, typer.Argument(help="Which one; without it they are listed.")] = "") -> int:
    """Read a guide."""
    from obra_tui.services.guides import guide as text_of
    from obra_tui.services.guides import guides, title_of

    if name:
        typer.echo(text_of(name).rstrip())
        return 0
    found = guides()
    width = max(map(len, found), default=0)
    for known, text in found.items():
        typer.echo(f"{known:<{width}}  {title_of(text)}")
    return 0


def keys(as_json: JsonOption = False) -> int:
    """List all keys of the app, with the names by which `[keys]` changes them."""
    from obra_tui.config.early import early_settings
    from obra_tui.ui.keys import KEYS, check_overrides, keys_of

    own = check_overrides(early_settings().keys)
    width = max(len(key.id) for key in KEYS)
    for key in KEYS:
        found = keys_of(key.id, own)
        if as_json:
            row = {"id": key.id, "keys": found.split(","), "label": key.label, "yours": key.id in own}
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            typer.echo(f"{key.id:<{width}}  {found:<28} {key.label}{'  (yours)' if key.id in own else ''}")
    return 0

"""`obra doctor`."""

import json
from pathlib import Path

import typer

from obra_tui.core.doctor import DoctorStatus
from obra_tui.core.plain import plain
from obra_tui.core.text import visible

_MARKS = {
    DoctorStatus.OK: "✓",
    DoctorStatus.WARN: "!",
    DoctorStatus.MISSING: "✗",
    DoctorStatus.UNKNOWN: "·",
    DoctorStatus.LOADING: "●",
}


def run_doctor(project: Path, *, as_json: bool) -> int:
    """Print what is there and what is missing; exit 0 when a real run is possible, else 1."""
    from obra_tui.services.doctor import MachineDoctor

    possible = True
    for line in MachineDoctor(project).run():
        possible = possible and not (line.needed and line.status is DoctorStatus.MISSING)
        if as_json:
            typer.echo(json.dumps({"type": "doctor", **plain(line)}))
            continue
        typer.echo(f"{_MARKS[line.status]} {line.name}: {visible(line.fact)}")
        for extra in (line.fix and f"run: {line.fix}", line.detail):
            if extra:
                typer.echo(f"    {visible(extra)}")
    return 0 if possible else 1

"""What the doctor says of a project's own environment: its set-up, its checks, and what a copy of it would lack."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from obra_tui.core.doctor import DoctorLine, DoctorStatus
from obra_tui.core.errors import ConfigError, ObraError

if TYPE_CHECKING:
    from obra_tui.config.load import Settings
    from obra_tui.evidence.projects.proposing import Proposal

WRITE = "obra doctor --write"


def environment_lines(project: Path, settings: Settings) -> Iterator[DoctorLine]:
    """Yield the lines about the project; none of them forbids a run."""
    from obra_tui.evidence.projects.lacks import lacks_of
    from obra_tui.evidence.projects.setup_finder import propose

    yield _setup_line(settings, propose(project))
    yield _checks_line(project, settings)
    try:
        asked = lacks_of(
            project, settings.workspace.include, settings.workspace.setup, looks_for_checks=not settings.checks
        )
        found = asyncio.run(asked)
    except ObraError as error:
        yield _line("copy", DoctorStatus.UNKNOWN, error.what, detail=error.fix)
        return
    for lack in found:
        yield _line("copy", DoctorStatus.WARN, lack.what, detail=lack.fix)


def write_proposal(project: Path, settings: Settings) -> tuple[str, ...]:
    """Put the proposed set-up into the project's settings; returns what was done, one sentence each."""
    from obra_tui.config.writing import write_setup
    from obra_tui.evidence.projects.setup_finder import propose

    proposal = propose(project)
    if proposal is None:
        raise ConfigError(
            "There is no set-up to propose: no manifest, lock file or container description was found.",
            where=str(project),
            fix="If it needs one, name its commands as workspace.setup in .obra/config.toml.",
        )
    file, trusted = write_setup(project, settings.data_dir, proposal.setup)
    told = [f"workspace.setup = {_commands(proposal)} is written to {file}"]
    if not trusted:
        told.append("the file was not trusted before: read it, then run `obra config trust`")
    told.extend(f"`{name}` is needed for it and not installed" for name in proposal.missing)
    return tuple(told)


def _commands(proposal: Proposal) -> str:
    return " && ".join(proposal.setup)


def _setup_line(settings: Settings, proposal: Proposal | None) -> DoctorLine:
    if settings.workspace.setup:
        return _line("set-up", DoctorStatus.OK, f"workspace.setup: {' && '.join(settings.workspace.setup)}")
    if proposal is None:
        return _line("set-up", DoctorStatus.OK, "no manifest asks for packages: none is needed")
    notes = [*(f"`{name}` is not installed." for name in proposal.missing), *(f"{note}." for note in proposal.notes)]
    return _line(
        "set-up",
        DoctorStatus.WARN,
        f"none is set; {proposal.because} asks for: {_commands(proposal)}",
        fix=WRITE,
        detail=" ".join([*notes, "Without it checks run with what is installed on this machine."]),
    )


def _checks_line(project: Path, settings: Settings) -> DoctorLine:
    from obra_tui.evidence.discover import find_checks

    if settings.checks:
        return _line("checks", DoctorStatus.OK, "configured: " + ", ".join(spec.name for spec in settings.checks))
    found = find_checks(project, ())
    if not found:
        return _line(
            "checks", DoctorStatus.WARN, "none was found", detail="Name them as [[checks]] in .obra/config.toml."
        )
    return _line("checks", DoctorStatus.OK, "; ".join(f"{spec.name} ({spec.run})" for spec in found))


def _line(name: str, status: DoctorStatus, fact: str, *, fix: str = "", detail: str = "") -> DoctorLine:
    return DoctorLine(name=name, status=status, fact=fact, fix=fix, detail=detail, needed=False)

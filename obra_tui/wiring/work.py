"""What is asked of this start of the program, before anything heavy is imported."""

import getpass
import os
from dataclasses import dataclass, field
from pathlib import Path

from obra_tui.core.model import Plan, SessionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The work that a start of the program begins with."""

    plan: Plan | None = None
    kind: SessionKind = SessionKind.MILESTONE
    resume: str = ""
    """Id of an open session to go on with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Who works where, and whether somebody can answer questions."""

    project: Path
    attended: bool
    order: Order = field(default_factory=Order)
    jobs: int = 1


def person() -> str:
    """Return who decides here, as it is stored with every decision."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = f"uid {os.getuid()}"
    return f"person:{login}"

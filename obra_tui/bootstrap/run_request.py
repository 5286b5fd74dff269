"""What is asked of this start of the program, before anything heavy is imported."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field

if TYPE_CHECKING:
    from obra_tui.core.model import Plan, SessionKind


Versions: TypeAlias = tuple[tuple[str, str], ...]
"""(name, version)."""


def _milestone() -> SessionKind:
    # The first paint imports this module; what a session is comes after it.
    from obra_tui.core.model import SessionKind

    return SessionKind.MILESTONE


class Order(Struct, frozen=True, kw_only=True):
    """The work that a start of the program begins with."""

    plan: Plan | None = None
    kind: SessionKind = field(default_factory=_milestone)
    resume: str = ""
    """Id of an open session to go on with."""
    fork: bool = False
    """Go on in forks of the interrupted conversations with Claude."""


class Start(Struct, frozen=True, kw_only=True):
    """Who works where, and whether somebody can answer questions."""

    project: Path
    attended: bool
    jobs: int = 1


def person() -> str:
    """Return who decides here, as it is stored with every decision."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = f"uid {os.getuid()}"
    return f"person:{login}"

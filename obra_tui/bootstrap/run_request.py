"""The run request: what one start of the program is asked to do. Imported before the first paint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from obra_tui.core.model import Plan


class RunRequest(Struct, frozen=True, kw_only=True):
    """One start of the program: the project, who is there, and the work to begin with, if any."""

    project: Path
    attended: bool = False
    """A person can answer questions and gates."""
    jobs: int = 1
    plan: Plan | None = None
    is_standalone: bool = False
    """The plan is one typed task, which gets a session of its own."""
    resume: str = ""
    """Id of an open session to go on with."""
    fork: bool = False
    """Go on in forks of the interrupted conversations with Claude."""

    @property
    def has_work(self) -> bool:
        return self.plan is not None or bool(self.resume)

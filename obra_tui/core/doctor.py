"""What a look at the machine found: one line per thing that Obra needs or can use.

Knows nothing of how a thing is looked for or how the line is drawn.
"""

from enum import StrEnum

from msgspec import Struct


class DoctorStatus(StrEnum):
    OK = "ok"
    WARN = "warn"
    """Works, but worse than it could."""
    MISSING = "missing"
    UNKNOWN = "unknown"
    """Could not be looked at yet, usually because something else is missing."""
    LOADING = "loading"
    """There, but not ready: a model that is being loaded."""


class DoctorLine(Struct, frozen=True, kw_only=True):
    name: str
    """`git`, `claude`, `claude-login`, `ollama`, `judge-model`, …; stable, lower case."""
    status: DoctorStatus
    fact: str
    """What is there, in one plain sentence: `git 2.39.5`, `nothing listens at 127.0.0.1:11434`."""
    fix: str = ""
    """The exact command that helps; empty = nothing to do."""
    detail: str = ""
    """What else helps to know: another way out, size of the download, …"""
    needed: bool = True
    """Without it no real run is possible."""

"""Plans from files: the I/O around `core.plan`."""

import sys
from pathlib import Path

from obra_tui.core.errors import PlanError
from obra_tui.core.model import Plan
from obra_tui.core.plan import format_of, parse_plan


def read_plan(path: Path) -> Plan:
    """Read a plan file; `-` is standard input. Raises `PlanError`."""
    if str(path) == "-":
        return parse_plan(sys.stdin.read(), "standard input", "markdown")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PlanError(f"The plan cannot be read: {words}.", where=str(path), fix="Name a readable file.") from error
    return parse_plan(text, str(path), format_of(path.name))

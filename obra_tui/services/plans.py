"""Plans from files: the I/O around `core.plans`."""

import shutil
import sys
from pathlib import Path

from obra_tui.core.errors import PlanError
from obra_tui.core.model import Plan, TaskSpec
from obra_tui.core.plans.file import ticked
from obra_tui.core.plans.issues import looks_like_issues, plan_of_issues
from obra_tui.core.plans.parse import format_of, parse_plan


def read_plan(path: Path) -> Plan:
    """Read a plan file; `-` is standard input. Raises `PlanError`."""
    if str(path) == "-":
        return _plan_of(sys.stdin.read(), "standard input", "-")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PlanError(f"The plan cannot be read: {words}.", where=str(path), fix="Name a readable file.") from error
    return _plan_of(text, str(path), path.name)


def _plan_of(text: str, source: str, name: str) -> Plan:
    if name.lower().endswith(".json") or (name == "-" and looks_like_issues(text)):
        return plan_of_issues(text, source)
    return parse_plan(text, source, format_of(name))


def tick_in_file(path: Path, task: TaskSpec) -> bool:
    """Tick an accepted task in the person's file; False when it is not found there. Raises `PlanError`.

    The file is replaced as a whole or not at all, with its mode; a link stays a link.
    """
    target = path.resolve()
    try:
        before = target.read_bytes()
        after = ticked(before.decode("utf-8"), key=task.key, title=task.title).encode("utf-8")
        if after == before:
            return False
        fresh = target.with_name(f".{target.name}.obra")
        fresh.write_bytes(after)
        shutil.copymode(target, fresh)
        fresh.replace(target)
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"The plan was not updated: {error}.", where=str(path), fix="Tick the task by hand.") from error
    return True
